//! How long it takes to read codes from pictures, and to draw one.

#![allow(missing_docs, clippy::disallowed_methods)]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use vmfa::qr::{Drawing, scan};
use vmfa::secret::SecretText;

const URI: &str = "otpauth://totp/Amazon%20Web%20Services:alice@123456789012?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Amazon%20Web%20Services";

fn pictures(c: &mut Criterion) {
    let mut group = c.benchmark_group("scan");
    group.sample_size(20);
    for (name, codes) in [
        ("clean.png", 1),
        ("desktop.png", 1),
        ("photo.jpg", 1),
        ("two-accounts.png", 2),
        ("migration.png", 1),
        ("no-code.png", 0),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("vectors/aws")
            .join(name);
        let bytes = std::fs::read(&path).expect("a picture of vectors/aws");
        let found = |bytes: &[u8]| scan(bytes).map_or(0, |scanned| scanned.texts.len());
        assert_eq!(found(&bytes), codes, "{name}");
        group.bench_function(name, |b| b.iter(|| found(black_box(&bytes))));
    }
    group.finish();
}

fn drawings(c: &mut Criterion) {
    let text = SecretText::new(URI.to_owned());
    c.bench_function("draw in half blocks", |b| {
        b.iter(|| {
            Drawing::new(black_box(&text))
                .map(|drawing| drawing.half_blocks())
                .is_ok()
        })
    });
}

criterion_group!(benches, pictures, drawings);
criterion_main!(benches);
