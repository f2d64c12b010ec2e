//! Against what OpenSSL, libsodium and the reference Argon2 give for the same words.

use super::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn key() -> Vec<u8> {
    (0..32).collect()
}

#[test]
fn derivations_agree_with_openssl_and_the_reference_argon2() {
    let cases = [
        (
            Pbkdf2::Sha1.derive(b"pass", b"salt", 3, 32),
            "e4ce90dd57e1f1447de7b6961fcbaa87de899389fb0d23cc5cd73f2b3eef5084",
        ),
        (
            Pbkdf2::Sha256.derive(b"pass", b"salt", 3, 32),
            "f6894ed57d9dd8af049e92fc99c15263cc9b6e4283d0ddd4fe543fd7773e3d64",
        ),
        (
            Pbkdf2::Sha512.derive(b"pass", b"salt", 3, 32),
            "2896726375e5645d4f0991153bb2de0809cb8727fa0a0ae6dcfba6bd17559e97",
        ),
        (
            Scrypt { n: 16, r: 8, p: 1 }.derive(b"pass", b"salt", 32),
            "6a34cacea9407649e9b9f843af952c23e5ac0fd48f18b248bd3d8ffd3bf2cf2c",
        ),
        (
            Argon2id {
                kib: 64,
                passes: 3,
                lanes: 2,
            }
            .derive(b"pass", b"saltsalt", 32),
            "145b1c711543a438d12e2f840bf129a15f5d764858cf5d1354ce650e91e985d7",
        ),
        (
            Ok(hkdf_expand(&key(), b"enc")),
            "9c5639fac602366b486253191cb7900d7d8e3a1514676b118d5803a11dd97213",
        ),
    ];
    for (derived, expected) in cases {
        assert_eq!(*derived.unwrap(), hex(expected));
    }
}

#[test]
fn a_derivation_that_would_cost_a_terabyte_is_refused_before_it_begins() {
    let asks = |result: Result<Plain, CipherError>| {
        assert!(matches!(result, Err(CipherError::OutOfRange { .. })));
    };
    asks(Pbkdf2::Sha1.derive(b"", b"", u64::MAX, 32));
    asks(Pbkdf2::Sha1.derive(b"", b"", 0, 32));
    for (n, r, p) in [
        (1 << 40, 8, 1),
        (15, 8, 1),
        (0, 8, 1),
        (1, 8, 1),
        (16, 0, 1),
        (16, 8, 0),
        (16, 8, u64::MAX),
        (1 << 63, u64::MAX, 1),
    ] {
        asks(Scrypt { n, r, p }.derive(b"", b"salt", 32));
    }
    for (kib, passes, lanes) in [
        (1 << 40, 1, 1),
        (64, 0, 1),
        (64, 65, 1),
        (64, 1, 0),
        (64, 1, 17),
        (7, 1, 1),
        (1 << 20, 64, 1),
        (u64::MAX, u64::MAX, u64::MAX),
    ] {
        asks(Argon2id { kib, passes, lanes }.derive(b"", b"saltsalt", 32));
    }
}

#[test]
fn ciphers_open_what_openssl_and_libsodium_sealed() {
    let nonce12 = [0; 12];
    let nonce16: Vec<u8> = (0..16).collect();
    let nonce24: Vec<u8> = (0..24).collect();
    let gcm12 = hex("66d9d9b2dacaba6d3d5e52f91c5281d89320385bdb");
    let gcm16 = hex("0f09cc1a56c832ef752e884bf816ffe6e431585601");
    let cbc = hex("91684487c34c3456eb4e901cef884a1e");
    let xchacha = hex("f6a76313ff01d07fdd1e9418968d4e6ec0a979104b");
    let header = hex("88a47ce279fcba189dc22514a30e140c0f20cc93789ed932");
    let last = hex("597f9cdf19a14675acfc7824d0355d20cbea0e365a8c");
    let header_of_message = hex("dc42bb6b067fcf165719da0693632f318f8b4fd40767dccc");
    let message = hex("d87d488daf36ab55a717261653387efb141ae65ff00f");

    let opened = [
        gcm_open(&key(), &nonce12, b"aad", &gcm12),
        gcm_open(&key(), &nonce16, b"aad", &gcm16),
        cbc_open(&key(), &[0; 16], &cbc),
        xchacha_open(&key(), &nonce24, b"aad", &xchacha),
        secretstream_open(&key(), &header, &last),
        secretstream_open(&key(), &header_of_message, &message),
    ];
    for (index, plain) in opened.into_iter().enumerate() {
        assert_eq!(
            plain.as_deref().map(Vec::as_slice),
            Some(&b"hello"[..]),
            "{index}"
        );
    }
    assert_eq!(gcm_seal(&key(), &nonce12, b"aad", b"hello"), Some(gcm12));
    assert_eq!(cbc_seal(&key(), &[0; 16], b"hello"), Some(cbc));
    assert_eq!(
        xchacha_seal(&key(), &nonce24, b"aad", b"hello"),
        Some(xchacha)
    );
    let (header, sealed) = secretstream_seal(&key(), b"hello").unwrap();
    let opened = secretstream_open(&key(), &header, &sealed).unwrap();
    assert_eq!(*opened, b"hello");
}

#[test]
fn lengths_that_cannot_be_and_altered_texts_open_to_nothing() {
    for len in [0, 1, 12, 15, 17, 31, 33] {
        let text = vec![7; len];
        assert!(gcm_open(&key(), &[0; 12], b"", &text).is_none());
        assert!(gcm_open(&key(), &[0; 16], b"", &text).is_none());
        assert!(gcm_open(&text, &[0; 12], b"", &[0; 32]).is_none());
        assert!(gcm_open(&key(), &text[..len.min(11)], b"", &[0; 32]).is_none());
        assert!(cbc_open(&key(), &[0; 16], &text).is_none());
        assert!(cbc_open(&text, &[0; 16], &[0; 32]).is_none());
        assert!(xchacha_open(&key(), &[0; 24], b"", &text).is_none());
        assert!(xchacha_open(&key(), &text, b"", &[0; 32]).is_none());
        assert!(secretstream_open(&key(), &[0; 24], &text).is_none());
        assert!(secretstream_open(&key(), &text, &[0; 32]).is_none());
    }
}

#[test]
fn cryptojs_and_hmac_agree_with_openssl_and_python() {
    // openssl enc -aes-256-cbc -md md5 -S 0102030405060708 -pass pass:pass
    let text = hex("53616c7465645f5f0102030405060708b5cb0314a0a857f6378b1e50da4c220b");
    let opened = cryptojs_open(b"pass", &text).unwrap();
    assert_eq!(*opened, b"hello");
    assert!(cryptojs_open(b"wrong", &text).is_none());
    for end in 0..text.len() {
        assert!(cryptojs_open(b"pass", &text[..end]).is_none());
    }
    let tag = hex("fe751971276e8bc03a398380b60d4cbfcde5da9a4a834f610fd82bff4daa3257");
    assert!(Digest::Sha256.authenticates(&key(), &[b"hello, ", b"world"], &tag));
    assert!(!Digest::Sha256.authenticates(&key(), &[b"hello, ", b"World"], &tag));
    assert!(!Digest::Sha256.authenticates(&key(), &[b"hello, ", b"world"], &tag[..31]));
    assert!(!Digest::Sha256.authenticates(b"", &[], &[]));
}

#[test]
fn what_keepass_needs_agrees_with_other_implementations() {
    // Argon2 of the reference library, the rest of OpenSSL and PyCryptodome.
    let argon2 = |kind, version| Argon2 {
        kind,
        version,
        kib: 64,
        passes: 3,
        lanes: 2,
    };
    let (d, id) = (Argon2Kind::D, Argon2Kind::Id);
    let (old, current) = (Argon2Version::Old, Argon2Version::Current);
    for (kind, version, expected) in [
        (
            d,
            old,
            "9c9d79edca2f39f83404ab0a616385cd0426aaefb14023eda9c93cdadfddaea0",
        ),
        (
            d,
            current,
            "a539f6fbe15d936ee498dee0ed3b83ad9fd8157550e5a82799c63ae571b8f96f",
        ),
        (
            id,
            old,
            "8f77b97ccfc3a4edd238bb023887ada35e664da2236999ec13676494446f4ffa",
        ),
        (
            id,
            current,
            "b9ddd492cc873f9278a9fb5eebf489753a80c748bf4e1e4fa4b05cdafc2cd25b",
        ),
    ] {
        let derived = argon2(kind, version).derive(&key(), b"saltsalt");
        assert_eq!(*derived.unwrap(), hex(expected), "{kind:?} {version:?}");
    }
    let seed: Vec<u8> = (32..64).collect();
    let derived = AesKdf { rounds: 1000 }.derive(&key(), &seed).unwrap();
    assert_eq!(
        *derived.unwrap(),
        hex("b66182a0c7acd3f37a5864872aa9951022319c0e78719442322a6e87834b5059")
    );

    let nonce: Vec<u8> = (0..12).collect();
    let streams = [
        (
            Keystream::chacha20(&key(), &nonce),
            "620d5fed89fb08002917a540b7833ff3981d0e63c970b2e75174adb9e6972fc575c0a63cec802cf3",
        ),
        (
            Keystream::salsa20(&key(), &nonce[..8]),
            "fcb7bb7ca13a2b59d9047b8dbeb93ec4b78ce1a59bc210641318ccce694d30ff81d2afe7bdf5a3d5",
        ),
    ];
    for (stream, expected) in streams {
        // Across a block and in pieces: it goes on where it was left.
        let (mut stream, mut text) = (stream.unwrap(), vec![0; 100]);
        for piece in text.chunks_mut(7) {
            stream.apply(piece).unwrap();
        }
        assert_eq!(text[60..], hex(expected));
    }

    let cbc = hex("d7314719198599f069f9bd7c7eeacf8d66d0b2110326286f3b9f1a3b94fe2fd9");
    let opened = cbc_open_unpadded(&key(), &[0; 16], &cbc).unwrap();
    assert_eq!(*opened, b"hello, world 16bhello, world 16b");
    // The first of the known answers that Twofish's authors give for 256 bits.
    let twofish = hex("57ff739d4dc92c1bd7fc01700cc8216f");
    let opened = twofish_open_unpadded(&[0; 32], &[0; 16], &twofish).unwrap();
    assert_eq!(*opened, [0; 16]);
    for len in [0, 1, 15, 17, 31] {
        assert!(cbc_open_unpadded(&vec![0; len], &[0; 16], &[0; 16]).is_none());
        assert!(twofish_open_unpadded(&vec![0; len], &[0; 16], &[0; 16]).is_none());
        assert!(Keystream::chacha20(&vec![0; len], &[0; 12]).is_none());
        assert!(Keystream::salsa20(&vec![0; len], &[0; 8]).is_none());
        let derived = AesKdf { rounds: 1 }.derive(&key(), &vec![0; len]);
        assert_eq!(derived, Ok(None));
    }
    assert!(cbc_open_unpadded(&key(), &[0; 16], &[0; 17]).is_none());
    assert!(twofish_open_unpadded(&key(), &[0; 16], &[0; 17]).is_none());
}

#[test]
fn keepass_may_be_dear_but_not_without_end() {
    let argon2 = |kib, passes, lanes| Argon2 {
        kind: Argon2Kind::D,
        version: Argon2Version::Current,
        kib,
        passes,
        lanes,
    };
    // What its programs measure for a second of their own machine.
    for (kib, passes, lanes) in [(64 << 10, 10, 32), (1 << 10, 10_000, 2), (1 << 20, 16, 8)] {
        assert_eq!(argon2(kib, passes, lanes).check(), Ok(()));
    }
    for (kib, passes, lanes) in [
        (1 << 40, 1, 1),
        (1 << 20, 17, 1),
        (64, 1 << 40, 1),
        (64, 0, 1),
        (64, 1, 0),
        (1 << 20, 1, 257),
        (15, 1, 2),
        (u64::MAX, u64::MAX, u64::MAX),
    ] {
        let asked = argon2(kib, passes, lanes);
        assert!(asked.check().is_err(), "{asked:?}");
        assert!(asked.derive(&key(), b"saltsalt").is_err());
    }
    assert_eq!(
        AesKdf {
            rounds: 100_000_000
        }
        .check(),
        Ok(())
    );
    assert!(AesKdf { rounds: u64::MAX }.derive(&key(), &key()).is_err());
}

#[test]
fn hashes_take_their_pieces_in_order() {
    // FIPS 180-4's example, in pieces; RFC 4231, test case 2.
    let sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(*Digest::Sha256.of(&[b"a", b"", b"bc"]), hex(sha256_of_abc));
    assert_eq!(Digest::Sha512.of(&[b"ab", b"c"])[..4], hex("ddaf35a1"));
    let tag = hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    let pieces: [&[u8]; 2] = [b"what do ya want ", b"for nothing?"];
    assert!(Digest::Sha256.authenticates(b"Jefe", &pieces, &tag));
    assert!(!Digest::Sha256.authenticates(b"jefe", &pieces, &tag));
    assert!(!Digest::Sha256.authenticates(b"Jefe", &pieces, &tag[..31]));
}

#[test]
fn digests_and_their_codes_agree_with_openssl() {
    for (digest, hash, tag) in [
        (
            Digest::Sha1,
            "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
            "27711e223c4141be6acabc506d3fb7e938131044",
        ),
        (
            Digest::Sha256,
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            "53c40272a70c15ca4ee0af4df1f155fd6c41e00ce2307d8987ecd4bb36a7e990",
        ),
    ] {
        assert_eq!(*digest.of(&[b"hel", b"", b"lo"]), hex(hash));
        let mut tag = hex(tag);
        assert!(digest.authenticates(&key(), &[b"hel", b"lo"], &tag));
        assert!(!digest.authenticates(&key(), &[b"hel", b"lo!"], &tag));
        assert!(!digest.authenticates(&key(), &[b"hello"], &tag[..tag.len() - 1]));
        tag[0] ^= 1;
        assert!(!digest.authenticates(&key(), &[b"hello"], &tag));
    }
}

#[test]
fn blocks_without_chaining_and_without_padding_open_what_openssl_sealed() {
    // OpenSSL takes 72 bytes; of longer keys the rest has no effect.
    let long: Vec<u8> = (0..=255).collect();
    let sealed = hex("8ae888206c509804");
    let short = hex("ec65f5aa39d1826c");
    for (key, sealed) in [
        (&long[..], &sealed),
        (&long[..72], &sealed),
        (&long[..8], &short),
    ] {
        let opened = blowfish_open(key, sealed);
        assert_eq!(opened.as_deref().map(Vec::as_slice), Some(&b"hello"[..]));
    }
    for len in [0, 1, 7, 9] {
        assert!(blowfish_open(&long, &vec![7; len]).is_none());
    }
    assert!(blowfish_open(&[], &sealed).is_none());

    let sealed = hex("dc2c3649b7c1da51c5bfcf64f10b895c");
    let opened = cbc_open_unpadded(&key(), &[0; 16], &sealed);
    assert_eq!(
        opened.as_deref().map(Vec::as_slice),
        Some(&b"sixteen bytes..."[..])
    );
    assert!(cbc_open_unpadded(&key(), &[0; 16], &sealed[..15]).is_none());
    assert!(cbc_open_unpadded(&key()[..31], &[0; 16], &sealed).is_none());
}
