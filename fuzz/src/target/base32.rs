//! A secret as typed: what is taken is written and read again as the same bytes; what is not says where.

use vmfa::account::text::clean;
use vmfa::base32::{MAX_CHARACTERS, decode, encode};
use vmfa::failure::Fails as _;
use vmfa::secret::Secret;

pub fn run(bytes: &[u8]) {
    let written = encode(&Secret::new(bytes.to_vec()));
    if !bytes.is_empty() && written.expose().len() <= MAX_CHARACTERS {
        assert_eq!(
            decode(written.expose()).map(|secret| secret.expose().to_vec()),
            Ok(bytes.to_vec())
        );
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match decode(text) {
        Ok(secret) => {
            assert!(!secret.is_empty() && secret.len() <= MAX_CHARACTERS * 5 / 8);
            assert!(decode(encode(&secret).expose()).is_ok_and(|again| again.same_as(&secret)));
            let spaced: String = text.to_lowercase().chars().flat_map(|c| [c, ' ']).collect();
            if spaced.chars().count() <= MAX_CHARACTERS {
                assert!(decode(&spaced).is_ok_and(|again| again.same_as(&secret)));
            }
        }
        Err(error) => {
            let said = error.to_string();
            assert_eq!(clean(&said), said);
            assert!(error.hint().is_none_or(|hint| clean(&hint) == hint));
        }
    }
}
