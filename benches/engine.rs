//! What a code costs: ours, others', and the floor below which nobody can go.
//!
//! HMAC over eight bytes is, with the key schedule done, two compressions of the hash; the two raw compressions here are that
//! floor for SHA-1. `cargo bench --bench engine`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use vmfa::account::Summary;
use vmfa::account::query;
use vmfa::clock::UnixTime;
use vmfa::otp::{Algorithm, Digits, Generator, Scheme, Totp};
use vmfa::secret::Secret;

const SECRET: &[u8; 20] = b"12345678901234567890";
const NOW: u64 = 1_700_000_000;

criterion_group!(benches, codes, peers, floor, queries);
criterion_main!(benches);

fn totp(algorithm: Algorithm) -> Scheme {
    Scheme::Totp(Totp {
        algorithm,
        ..Totp::default()
    })
}

fn generator(algorithm: Algorithm) -> Generator {
    Generator::new(&totp(algorithm), &Secret::new(SECRET.to_vec()), None)
        .expect("the secret isn't empty")
}

fn codes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("vmfa");
    for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
        let generator = generator(algorithm);
        group.bench_function(format!("code {}", algorithm.name()), |bencher| {
            let mut now = NOW;
            bencher.iter(|| {
                now += 30;
                generator.code_at(UnixTime::from_secs(black_box(now)))
            });
        });
        let (scheme, secret) = (totp(algorithm), Secret::new(SECRET.to_vec()));
        group.bench_function(format!("Generator::new {}", algorithm.name()), |bencher| {
            bencher.iter(|| Generator::new(black_box(&scheme), black_box(&secret), None));
        });
    }
    group.finish();
}

fn peers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("peers");
    for (name, algorithm) in [
        ("SHA1", totp_rs::Algorithm::SHA1),
        ("SHA256", totp_rs::Algorithm::SHA256),
        ("SHA512", totp_rs::Algorithm::SHA512),
    ] {
        let theirs = totp_rs::Builder::new()
            .with_algorithm(algorithm)
            .with_secret(*SECRET)
            .build()
            .expect("an account as others have it");
        group.bench_function(format!("totp-rs {name}"), |bencher| {
            let mut now = NOW;
            bencher.iter(|| {
                now += 30;
                theirs.generate(black_box(now))
            });
        });
    }
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET);
    group.bench_function("ring SHA1, key prepared", |bencher| {
        let mut step = NOW / 30;
        bencher.iter(|| {
            step += 1;
            code_of(ring::hmac::sign(&key, &black_box(step).to_be_bytes()).as_ref())
        });
    });
    group.bench_function("hmac SHA1, keyed every time", |bencher| {
        let mut step = NOW / 30;
        bencher.iter(|| {
            step += 1;
            let mut mac =
                Hmac::<sha1::Sha1>::new_from_slice(black_box(SECRET)).expect("a key of any length");
            mac.update(&black_box(step).to_be_bytes());
            code_of(&mac.finalize().into_bytes())
        });
    });
    group.finish();
}

/// RFC 4226 section 5.3 with six digits, so that the peers without one give a number too.
fn code_of(mac: &[u8]) -> u32 {
    let at = usize::from(mac[19] & 15);
    (u32::from_be_bytes([mac[at], mac[at + 1], mac[at + 2], mac[at + 3]]) & 0x7fff_ffff) % 1_000_000
}

fn floor(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("floor");
    group.bench_function("two SHA-1 compressions", |bencher| {
        let mut state = [
            0x6745_2301,
            0xefcd_ab89,
            0x98ba_dcfe,
            0x1032_5476,
            0xc3d2_e1f0,
        ];
        let block = [0x36; 64];
        bencher.iter(|| {
            // One after the other: the outer hash waits for the inner one's result.
            sha1::block_api::compress(&mut state, black_box(&[block]));
            sha1::block_api::compress(&mut state, black_box(&[block]));
            state[0]
        });
    });
    group.finish();
}

/// Which account is meant, among ten thousand.
fn queries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("query among 10,000");
    let accounts: Vec<Summary> = (0..10_000u32).map(summary).collect();
    let index = query::Index::new(&accounts);
    group.sample_size(20);
    group.bench_function("making an index", |bencher| {
        bencher.iter(|| query::Index::new(&accounts));
    });
    for (name, query) in [
        ("id", "0000270eeeeeeeeeeeeeeeeeeeeeeeee"),
        ("whole label", "Issuer 9999:user9999@example.com"),
        (
            "whole label, other case",
            "ISSUER 9999:USER9999@EXAMPLE.COM",
        ),
        ("account name", "user9999@example.com"),
        ("words", "user9999@example issuer"),
        ("words that ten thousand hold", "issuer user"),
        ("nothing, with suggestions", "usr9999@exmaple"),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| query::find(black_box(query), &accounts))
        });
        group.bench_function(format!("{name}, by index"), |bencher| {
            bencher.iter(|| index.find(black_box(query), &accounts))
        });
    }
    group.finish();
}

fn summary(number: u32) -> Summary {
    let mut id = [0xee; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Summary {
        id: vmfa::account::AccountId::from_bytes(id),
        issuer: format!("Issuer {number}"),
        name: format!("user{number}@example.com"),
        label_issuer: None,
        scheme: Scheme::Totp(Totp {
            digits: Digits::SIX,
            ..Totp::default()
        }),
        counter: None,
        tags: vec!["work".into()],
        note: String::new(),
        favorite: false,
        confirm: false,
        serial_number: None,
        image: None,
        added: 0,
        trashed: None,
        conflict: false,
    }
}
