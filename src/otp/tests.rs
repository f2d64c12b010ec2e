//! The schemes against published values.

use super::*;

fn secret(bytes: &[u8]) -> Secret {
    Secret::new(bytes.to_vec())
}

#[test]
fn an_empty_secret_gives_no_code() {
    let made = Generator::new(&Scheme::Totp(Totp::default()), &secret(b""), None);
    assert_eq!(made.err(), Some(OtpError::EmptySecret));
}

#[test]
fn a_pair_is_the_step_before_and_the_present_one_in_that_order() {
    let generator = Generator::new(
        &Scheme::Totp(Totp::default()),
        &secret(b"12345678901234567890"),
        None,
    )
    .unwrap();
    let pair = generator
        .pair_at(UnixTime::from_secs(59), Pairing::Previous)
        .unwrap();
    // RFC 4226 appendix D, counters 0 and 1.
    assert_eq!(
        (pair.first.as_str(), pair.second.as_str()),
        ("755224", "287082")
    );
    let pair = generator
        .pair_at(UnixTime::from_secs(59), Pairing::Next)
        .unwrap();
    assert_eq!(
        (pair.first.as_str(), pair.second.as_str()),
        ("287082", "359152")
    );
    assert!(
        generator
            .pair_at(UnixTime::from_secs(29), Pairing::Previous)
            .is_err()
    );
}
