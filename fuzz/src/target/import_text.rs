//! What stands in a QR code, a line of a list or the clipboard: Key URIs and migrations. The first byte says how the rest is
//! taken: as a text, as texts parted by zero bytes, or as the message behind a migration's base64.

use vmfa::account::base64;
use vmfa::clock::UnixTime;
use vmfa::import::{collect, read_text};

use super::key_uri::{fit, refused};

pub fn run(bytes: &[u8]) {
    let Some((how, rest)) = bytes.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    let now = UnixTime::from_secs(1_700_000_000);
    let texts: Vec<String> = match how % 3 {
        0 => vec![text.into_owned()],
        1 => text.split('\0').map(String::from).collect(),
        _ => {
            let data = base64::encode(rest);
            let data = data.expose().replace('+', "%2B");
            let one = format!("otpauth-migration://offline?data={data}");
            if let Ok(read) = read_text(&one) {
                let part = read.part.expect("a migration is a part");
                assert!(part.index < part.size && part.size <= 4096);
            }
            vec![one.clone(), one]
        }
    };
    let collected = collect(texts.iter().map(|text| ("here", text.as_str())));
    assert_eq!(collected.rows.len(), collected.from.len());
    assert!(collected.from.is_sorted() && collected.from.iter().all(|from| *from < texts.len()));
    for batch in &collected.batches {
        assert!(batch.found.len() as u64 <= u64::from(batch.size));
        assert!(batch.found.is_sorted_by(|a, b| a < b));
        assert_eq!(batch.is_complete(), batch.missing().next().is_none());
        assert!(batch.to_string().len() < 300);
    }
    for row in collected.rows {
        match row.and_then(|draft| draft.into_account(now)) {
            Ok(drafted) => {
                fit(&drafted.account.summary);
                assert!(!drafted.account.secret.is_empty());
                for warning in &drafted.warnings {
                    assert!(!warning.to_string().is_empty());
                }
            }
            Err(refusal) => refused(&refusal),
        }
    }
}
