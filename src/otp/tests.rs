//! The schemes against published values; `vectors/README.md` says where each comes from.

use proptest::prelude::*;

use super::*;
use crate::otp::hotp::{Mac, truncate};

fn secret(bytes: &[u8]) -> Secret {
    Secret::new(bytes.to_vec())
}

fn generator(scheme: &Scheme, bytes: &[u8]) -> Generator {
    Generator::new(scheme, &secret(bytes), None).ok().unwrap()
}

/// The rows of a table, each with as many fields as there should be.
fn rows<const N: usize>(table: &'static str) -> Vec<[&'static str; N]> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split('\t').collect::<Vec<_>>().try_into().expect(line))
        .collect()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn algorithm(name: &str) -> Algorithm {
    Algorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.name() == name)
        .expect(name)
}

#[test]
fn rfc_4226_appendix_d() {
    const SECRET: &[u8] = b"12345678901234567890";
    let hotp = Scheme::Hotp(Hotp {
        algorithm: Algorithm::Sha1,
        digits: Digits::SIX,
    });
    let rows = rows(include_str!("../../vectors/rfc4226.tsv"));
    assert_eq!(rows.len(), 10);
    for [counter, mac, cut, decimal, code] in rows {
        let number: u64 = counter.parse().unwrap();
        let output = Mac::new(Algorithm::Sha1, SECRET).output(number);
        assert_eq!(output.as_slice(), bytes(mac), "counter {counter}");
        let truncated = truncate(output.as_slice());
        assert_eq!(format!("{truncated:x}"), cut, "counter {counter}");
        assert_eq!(truncated.to_string(), decimal, "counter {counter}");
        let made = generator(&hotp, SECRET).code_of_counter(number).unwrap();
        assert_eq!(made.as_str(), code, "counter {counter}");
        assert_eq!((made.moment(), made.digits()), (Moment::Counter(number), 6));
    }
}

#[test]
fn rfc_6238_appendix_b() {
    let rows = rows(include_str!("../../vectors/rfc6238.tsv"));
    assert_eq!(rows.len(), 18);
    for [time, step, code, mode, key] in rows {
        let totp = Scheme::Totp(Totp {
            algorithm: algorithm(mode),
            digits: Digits::new(8).unwrap(),
            ..Totp::default()
        });
        let now = UnixTime::from_secs(time.parse().unwrap());
        let step = u64::from_str_radix(step, 16).unwrap();
        assert_eq!(totp.step_at(now), Ok(step));
        let made = generator(&totp, key.as_bytes()).code_at(now).unwrap();
        assert_eq!(made.as_str(), code, "{mode} at {time}");
        assert_eq!(made.step(), Some(step));
        let (from, until) = made.window().unwrap();
        assert!(from <= now && now < until && until == from.plus_secs(30));
    }
}

#[test]
fn what_the_rfcs_tables_leave_out() {
    let rows = rows(include_str!("../../vectors/otp.tsv"));
    assert_eq!(rows.len(), 122);
    for row in rows {
        let [scheme, hash, digits, period, t0, key, pin, moment, code] = row;
        let digits = Digits::new(digits.parse().unwrap()).unwrap();
        let scheme = match scheme {
            "totp" => Scheme::Totp(Totp {
                algorithm: algorithm(hash),
                digits,
                period: Period::new(period.parse().unwrap()).unwrap(),
                t0: t0.parse().unwrap(),
            }),
            "hotp" => Scheme::Hotp(Hotp {
                algorithm: algorithm(hash),
                digits,
            }),
            "steam" => Scheme::Steam,
            "motp" => Scheme::Motp,
            "yandex" => Scheme::Yandex,
            other => panic!("{other}"),
        };
        let pin = Some(pin)
            .filter(|pin| *pin != "-")
            .map(|pin| SecretText::new(pin.into()));
        let generator = Generator::new(&scheme, &secret(&bytes(key)), pin.as_ref())
            .ok()
            .unwrap();
        let moment = moment.parse().unwrap();
        let made = match scheme {
            Scheme::Hotp(_) => generator.code_of_counter(moment),
            Scheme::Totp(_) | Scheme::Steam | Scheme::Motp | Scheme::Yandex => {
                generator.code_at(UnixTime::from_secs(moment))
            }
        };
        assert_eq!(made.unwrap().as_str(), code, "{row:?}");
    }
}

#[test]
fn an_empty_secret_gives_no_code() {
    let made = Generator::new(&Scheme::Totp(Totp::default()), &secret(b""), None);
    assert_eq!(made.err(), Some(OtpError::EmptySecret));
}

#[test]
fn a_pair_is_the_step_before_and_the_present_one_in_that_order() {
    let generator = generator(&Scheme::Totp(Totp::default()), b"12345678901234567890");
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

#[test]
fn a_pin_goes_into_the_codes_of_two_schemes() {
    let pin = SecretText::new("1234".into());
    for scheme in [
        Scheme::Totp(Totp::default()),
        Scheme::Hotp(Hotp {
            algorithm: Algorithm::Sha1,
            digits: Digits::SIX,
        }),
        Scheme::Steam,
        Scheme::Motp,
        Scheme::Yandex,
    ] {
        let key = secret(&[7; 16]);
        let without = Generator::new(&scheme, &key, None);
        assert_eq!(without.is_err(), scheme.takes_pin(), "{}", scheme.name());
        assert!(Generator::new(&scheme, &key, Some(&pin)).is_ok());
    }
}

#[test]
fn what_a_scheme_needs_and_what_it_has_no_use_for() {
    let pin = SecretText::new("1234".into());
    for scheme in [Scheme::Motp, Scheme::Yandex] {
        assert_eq!(
            Generator::new(&scheme, &secret(&[7; 16]), None).err(),
            Some(OtpError::PinMissing)
        );
        assert!(Generator::new(&scheme, &secret(&[7; 16]), Some(&pin)).is_ok());
    }
    let short = Generator::new(&Scheme::Yandex, &secret(&[7; 15]), Some(&pin)).err();
    assert_eq!(short, Some(OtpError::YandexSecretShort(15)));

    let totp = generator(&Scheme::Totp(Totp::default()), b"x");
    assert_eq!(
        totp.code_of_counter(0).err(),
        Some(OtpError::NotCounterBased)
    );
    let hotp = Scheme::Hotp(Hotp {
        algorithm: Algorithm::Sha1,
        digits: Digits::SIX,
    });
    let hotp = generator(&hotp, b"x");
    assert_eq!(
        hotp.code_at(UnixTime::from_secs(0)).err(),
        Some(OtpError::NotTimeBased)
    );
    assert_eq!(
        hotp.pair_at(UnixTime::from_secs(90), Pairing::Next).err(),
        Some(OtpError::NotTimeBased)
    );
}

#[test]
fn before_t0_and_at_the_end_of_time() {
    let late = Scheme::Totp(Totp {
        t0: 1000,
        ..Totp::default()
    });
    let late = generator(&late, b"x");
    assert_eq!(
        late.code_at(UnixTime::from_secs(999)).err(),
        Some(OtpError::BeforeT0 { now: 999, t0: 1000 })
    );
    assert_eq!(
        late.code_at(UnixTime::from_secs(1000)).unwrap().step(),
        Some(0)
    );
    assert!(
        late.pair_at(UnixTime::from_secs(1029), Pairing::Previous)
            .is_err()
    );

    let every_second = Scheme::Totp(Totp {
        period: Period::new(1).unwrap(),
        ..Totp::default()
    });
    let every_second = generator(&every_second, b"x");
    let end = UnixTime::from_secs(u64::MAX);
    assert_eq!(
        every_second.code_at(end).unwrap().window(),
        Some((end, end))
    );
    assert_eq!(
        every_second.pair_at(end, Pairing::Next).err(),
        Some(OtpError::AfterLastStep)
    );
}

#[test]
fn digits_and_periods_are_valid_or_nothing() {
    assert!(Digits::new(0).is_err() && Digits::new(11).is_err() && Digits::new(256 + 6).is_err());
    assert!(Period::new(0).is_err() && Period::new(1 << 32).is_err());
    assert!(
        (1..=10)
            .all(|digits| Digits::new(digits).is_ok_and(|made| u64::from(made.get()) == digits))
    );
}

#[test]
fn a_code_does_not_show_itself() {
    let code = generator(&Scheme::Totp(Totp::default()), b"12345678901234567890")
        .code_of_step(1)
        .unwrap();
    assert_eq!(code.as_str(), "287082");
    assert!(!format!("{code:?}").contains("287082"));
}

proptest! {
    /// The window of a code holds the moment it was made for, and the code is the same all through it.
    #[test]
    fn a_code_holds_in_its_window(now: u64, period in 1..=u64::from(u32::MAX), t0: u64, key in prop::collection::vec(any::<u8>(), 1..100)) {
        let scheme = Scheme::Totp(Totp { period: Period::new(period).unwrap(), t0, ..Totp::default() });
        let generator = generator(&scheme, &key);
        match generator.code_at(UnixTime::from_secs(now)) {
            Err(error) => prop_assert_eq!(error, OtpError::BeforeT0 { now, t0 }),
            Ok(code) => {
                let (from, until) = code.window().unwrap();
                prop_assert!(from.secs() <= now && (now < until.secs() || until.secs() == u64::MAX));
                prop_assert_eq!(generator.code_at(from).unwrap(), code.clone());
                let last = if until.secs() == u64::MAX { now } else { until.secs() - 1 };
                prop_assert_eq!(generator.code_at(UnixTime::from_secs(last)).unwrap(), code);
            }
        }
    }
}
