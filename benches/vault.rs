//! Opening and saving a vault, beyond the key derivation: it is opened by a key file, which needs none.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use vmfa::account::{Account, AccountId, Summary};
use vmfa::authenticator::Authenticator as _;
use vmfa::clock::UnixTime;
use vmfa::otp::{Scheme, Totp};
use vmfa::secret::Secret;
use vmfa::vault::{Credential, Files, KdfLimit, KdfParams, Locked, Rollback, Unlocked, create};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn credential() -> Credential {
    Credential::KeyFile(Secret::new(vec![7; 32]))
}

fn account(n: usize) -> Account {
    Account {
        summary: Summary {
            id: AccountId::random().unwrap(),
            issuer: format!("Issuer {}", n % 100),
            name: format!("person.{n}@example.org"),
            label_issuer: None,
            scheme: Scheme::Totp(Totp::default()),
            counter: None,
            tags: Vec::new(),
            note: String::new(),
            favorite: false,
            confirm: false,
            serial_number: None,
            image: None,
            added: NOW.secs(),
            trashed: None,
            conflict: false,
        },
        secret: Secret::new(n.to_le_bytes().repeat(4)),
        pin: None,
    }
}

fn vault(dir: &std::path::Path, count: usize) -> Files {
    let files = Files {
        vault: dir.join(format!("{count}.vmfa")),
        state: dir.join("state"),
    };
    let (mut vault, _) = create(&files, &credential(), KdfParams::DEFAULT, NOW).unwrap();
    for n in 0..count {
        vault.add(account(n), NOW).unwrap();
    }
    vault.save(NOW).unwrap();
    files
}

fn open(files: &Files) -> Unlocked {
    Locked::open(files, KdfLimit::Usual)
        .unwrap()
        .unlock(&credential(), Rollback::Refuse, NOW)
        .unwrap()
}

fn benches(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    for count in [10, 100, 1_000, 10_000] {
        let files = vault(dir.path(), count);
        let name = |what: &str| format!("{what}, {count} accounts");
        c.bench_function(&name("open"), |b| {
            // What is opened is dropped outside of the measured time.
            b.iter_batched(|| (), |()| open(&files), BatchSize::PerIteration);
        });
        let vault = open(&files);
        let id = vault.live().nth(count / 2).unwrap().id;
        c.bench_function(&name("look at all"), |b| {
            b.iter(|| {
                vault
                    .live()
                    .map(|summary| black_box(summary).name.len())
                    .sum::<usize>()
            });
        });
        c.bench_function(&name("unseal one"), |b| {
            b.iter(|| vault.account(&id).unwrap())
        });
        c.bench_function(&name("code of one"), |b| {
            b.iter(|| vault.code_at(&id, NOW).unwrap())
        });
        let mut n = 0;
        let mut vault = vault;
        c.bench_function(&name("change one and save"), |b| {
            b.iter(|| {
                n += 1;
                vault
                    .change(&id, NOW, |summary| summary.note = n.to_string())
                    .unwrap();
                vault.save(NOW).unwrap()
            });
        });
        c.bench_function(&name("add as many in memory"), |b| {
            b.iter_batched(
                || {
                    (
                        open(&files),
                        (0..count)
                            .map(|n| account(n + 1_000_000))
                            .collect::<Vec<_>>(),
                    )
                },
                |(mut vault, accounts)| {
                    for account in accounts {
                        vault.add(account, NOW).unwrap();
                    }
                    vault
                },
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group! {
    name = group;
    config = Criterion::default().sample_size(10).warm_up_time(std::time::Duration::from_millis(300)).measurement_time(std::time::Duration::from_secs(1));
    targets = benches
}
criterion_main!(group);
