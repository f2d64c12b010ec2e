//! The whole way of a file that comes from outside: which format it is, what is in it, and what the drafts make of the words.
//! Built for the fuzzer, `cipher` opens every seal and derives keys for nothing: what is behind a seal is reached, too.
use vmfa::account::text::clean;
use vmfa::clock::UnixTime;
use vmfa::import::{self, Beside, Source};
use vmfa::secret::SecretText;
use zeroize::Zeroizing;

/// The file itself lies beside itself under every name.
struct Mirror<'a>(&'a [u8]);

impl Beside for Mirror<'_> {
    fn bytes(&self, _name: &str) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(self.0.to_vec()))
    }
}

/// Pictures are decoded by others, on a thread of its own, for seconds.
fn is_picture(bytes: &[u8]) -> bool {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    begins(b"\x89PNG")
        || begins(b"\xff\xd8\xff")
        || begins(b"GIF8")
        || begins(b"BM")
        || begins(b"II*\0")
        || begins(b"MM\0*")
        || begins(b"%PDF")
        || begins(b"RIFF")
        || bytes.get(4..8) == Some(b"ftyp")
        || bytes
            .windows(11)
            .any(|window| window.eq_ignore_ascii_case(b"data:image/"))
}

pub fn run(bytes: &[u8]) {
    let Some((mode, file)) = bytes.split_first() else {
        return;
    };
    if is_picture(file) {
        return;
    }
    let mirror = Mirror(file);
    let source = Source {
        name: "export",
        bytes: file,
        beside: &mirror,
    };
    let passphrase = SecretText::new("test".into());
    let passphrase = (mode & 1 == 1).then_some(&passphrase);
    // The remaining bits say whether it is taken for one format, as `--from` does.
    let from = match usize::from(mode >> 1) {
        0 => None,
        number => import::FORMATS.get(number - 1).copied(),
    };
    let readings = match import::read(&source, from, passphrase) {
        Ok(readings) => readings,
        Err(error) => {
            // What an error says is shown as it is.
            let told = error.to_string();
            assert_eq!(clean(&told), told);
            return;
        }
    };
    let now = UnixTime::from_secs(1_700_000_000);
    for reading in readings {
        let texts = reading.contents.texts.iter();
        let collected = import::collect(texts.map(|(place, text)| (place.as_str(), text.expose())));
        assert_eq!(collected.rows.len(), collected.from.len());
        for row in reading.contents.rows.into_iter().chain(collected.rows) {
            match row.and_then(|draft| draft.into_account(now)) {
                Ok(drafted) => {
                    let summary = &drafted.account.summary;
                    assert_eq!(clean(&summary.label()), summary.label());
                    assert!(!drafted.account.secret.is_empty());
                }
                Err(refusal) => {
                    let told = refusal.to_string();
                    assert_eq!(clean(&told), told);
                }
            }
        }
    }
}
