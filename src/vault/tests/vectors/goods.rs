//! The good vaults.

use super::*;
use crate::vault::header::Extension;
use crate::vault::seal::FixedRandomness;
use crate::vault::slot::Slot;
use crate::vault::stamp::Hlc;

/// A good vault, how it opens, and what is in it.
pub(super) struct Good {
    pub(super) bytes: Vec<u8>,
    pub(super) opens_with: Vec<Value>,
    pub(super) content: Value,
}

/// Makes one: created with `first`, changed, saved at one moment.
fn good(name: &str, first: &Value, more: &[Value], change: impl FnOnce(&mut Unlocked)) -> Good {
    let bench = Bench::new();
    let random = Arc::new(FixedRandomness::new(name));
    let (mut vault, code) = create::create_with(
        &bench.files,
        &credential(first),
        KdfParams::LEAST,
        NOW,
        random,
    )
    .unwrap();
    vault
        .add(with_id(totp("alice", b"12345678901234567890"), 0xa1), NOW)
        .unwrap();
    for more in more {
        vault.add_slot(&credential(more), KdfParams::LEAST).unwrap();
    }
    change(&mut vault);
    vault.dirty = true;
    vault.save(NOW).unwrap();
    let mut opens_with = vec![first.clone()];
    opens_with.extend_from_slice(more);
    opens_with.push(json!({ "recovery_code": code.expose() }));
    Good {
        bytes: bytes(&bench.files.vault),
        opens_with,
        content: content(&vault),
    }
}

fn unknown_record(id: u8, kind: u8, fields: &[u8], vault: &Unlocked) -> Entry {
    let mut record = Record::new([id; 16], Hlc::at(NOW), 1, kind, fields);
    let inner = inner::Inner::new(Secret::new(b"from the future".to_vec()), None).unwrap();
    inner
        .seal_into(&mut record, &vault.dek, &*vault.random)
        .unwrap();
    Entry::new(record, AccountId::from_bytes([id; 16]))
}

pub(super) fn goods() -> BTreeMap<&'static str, Good> {
    let passphrase = json!({ "passphrase": PASSPHRASE });
    let file = json!({ "key_file": "key_file.bin" });
    let both = json!({ "passphrase": PASSPHRASE, "key_file": "key_file.bin" });
    let composed = json!({ "passphrase": "Zu\u{308}rich \u{212b}" });
    let mut all = BTreeMap::new();
    all.insert("passphrase", good("passphrase", &passphrase, &[], |_| {}));
    all.insert(
        "passphrase_key_file",
        good("passphrase_key_file", &both, &[], |_| {}),
    );
    all.insert("key_file", good("key_file", &file, &[], |_| {}));
    all.insert(
        "two_passphrases",
        good("two_passphrases", &passphrase, &[composed], |_| {}),
    );
    all.insert("schemes", good("schemes", &file, &[], schemes));
    all.insert(
        "hotp",
        good("hotp", &file, &[], |vault| {
            vault
                .add(with_id(hotp("bob", b"12345678901234567890"), 0xb2), NOW)
                .unwrap();
            vault
                .change(&AccountId::from_bytes([0xb2; 16]), NOW, |s| {
                    s.counter = Some(u64::MAX - 1)
                })
                .unwrap();
        }),
    );
    all.insert(
        "trash",
        good("trash", &file, &[], |vault| {
            vault
                .remove(&AccountId::from_bytes([0xa1; 16]), NOW)
                .unwrap();
            vault
                .add(with_id(totp("gone", b"to be erased"), 0xb2), NOW)
                .unwrap();
            vault
                .erase(&AccountId::from_bytes([0xb2; 16]), NOW)
                .unwrap();
        }),
    );
    all.insert(
        "rotated",
        good("rotated", &file, &[], |vault| {
            let extra = vault
                .add_slot(
                    &credential(&json!({ "passphrase": "short-lived" })),
                    KdfParams::LEAST,
                )
                .unwrap();
            vault.remove_slot(&extra.id).unwrap();
        }),
    );
    all.insert(
        "conflict",
        good("conflict", &file, &[], |vault| {
            let mut other = vault.entries[0].record.clone();
            let summary = vault.entries[0].summary().unwrap().clone();
            other.set_fields(&fields::write(&summary, &[0xff; 16], &[]));
            let inner = inner::Inner::new(Secret::new(b"another secret".to_vec()), None).unwrap();
            inner
                .seal_into(&mut other, &vault.dek, &*vault.random)
                .unwrap();
            let records = vec![vault.entries[0].record.clone(), other];
            vault.set_records(merge::merge(records, Vec::new()));
        }),
    );
    all.insert(
        "confirm",
        good("confirm", &file, &[], |vault| {
            let asks = |summary: &mut crate::account::Summary| summary.confirm = true;
            vault
                .change(&AccountId::from_bytes([0xa1; 16]), NOW, asks)
                .unwrap();
        }),
    );
    all.insert("access_key", good("access_key", &file, &[], access_keys));
    all.insert(
        "unknown_record",
        good("unknown_record", &file, &[], |vault| {
            let mut fields = Vec::new();
            fields::put(&mut fields, 2, b"a passkey, perhaps");
            let entry = unknown_record(0xc3, 77, &fields, vault);
            vault.entries.push(entry);
        }),
    );
    all.insert(
        "unknown_scheme",
        good("unknown_scheme", &file, &[], |vault| {
            let mut fields = Vec::new();
            fields::put(&mut fields, 2, b"a scheme of tomorrow");
            fields::put(&mut fields, 4, &[200, 1, 2, 3]);
            let entry = unknown_record(0xc3, record::ACCOUNT, &fields, vault);
            vault.entries.push(entry);
        }),
    );
    all.insert(
        "unknown_field",
        good("unknown_field", &file, &[], |vault| {
            let mut fields = vault.entries[0].record.fields().to_vec();
            fields::put(&mut fields, 999, b"a field of tomorrow");
            vault.entries[0].record.set_fields(&fields);
        }),
    );
    all.insert(
        "unknown_slot",
        good("unknown_slot", &file, &[], |vault| {
            vault.header.slots.push(unknown_slot())
        }),
    );
    all.insert(
        "unknown_extension",
        good("unknown_extension", &file, &[], |vault| {
            vault.header.extensions.push(Extension {
                kind: 0x1234,
                value: b"kept".to_vec(),
            });
        }),
    );
    all.insert(
        "newer_minor",
        good("newer_minor", &file, &[], |vault| vault.header.minor = 7),
    );
    all.insert(
        "big",
        good("big", &file, &[], |vault| {
            for n in 0..400u16 {
                let mut account = totp(&format!("account {n}"), &n.to_le_bytes().repeat(10));
                let mut id = [0; 16];
                id[..2].copy_from_slice(&n.to_be_bytes());
                account.summary.id = AccountId::from_bytes(id);
                vault.add(account, NOW).unwrap();
            }
        }),
    );
    all
}

/// Two profiles; one of them had another key before.
fn access_keys(vault: &mut Unlocked) {
    for (profile, id, secret) in [
        (
            "prod",
            "AKIAVECTORS0BEFORE00",
            "replaced/before+it/was/ever/used/in/prod",
        ),
        (
            "prod",
            "AKIAVECTORS000000001",
            "Zk7uQ1xT/9wVbR4m+H2cYpL6sNd0fGjE8aKqXtWv",
        ),
        (
            "d\u{e9}v",
            "AKIAVECTORS000000002",
            "m5Yc8Lr/0TqPz2Wk+Nb7Hs1Gd9XvJf4Ue6AiOoBn",
        ),
    ] {
        let secret = SecretText::new(secret.into());
        vault.put_access_key(profile, id, secret, NOW).unwrap();
    }
}

fn schemes(vault: &mut Unlocked) {
    let digits = |n| Digits::new(n).unwrap();
    let mut full = totp("everything", &[0xee; 64]);
    full.summary.scheme = Scheme::Totp(Totp {
        algorithm: Algorithm::Sha512,
        digits: digits(10),
        period: crate::otp::Period::new(u64::from(u32::MAX)).unwrap(),
        t0: 1_234_567_890_123,
    });
    full.summary.issuer = "M\u{fc}ller & S\u{f6}hne \u{1f511}".into();
    full.summary.label_issuer = Some("tenant".into());
    full.summary.tags = vec!["work".into(), "aws".into()];
    full.summary.note = "two\nlines".into();
    full.summary.favorite = true;
    full.summary.serial_number = Some("arn:aws:iam::123456789012:mfa/alice".into());
    full.summary.image = Some("https://example.org/a.png".into());
    vault.add(with_id(full, 0xb0), NOW).unwrap();
    for (id, algorithm) in [
        (0xb1, Algorithm::Sha224),
        (0xb2, Algorithm::Sha256),
        (0xb3, Algorithm::Sha384),
    ] {
        let scheme = Scheme::Hotp(Hotp {
            algorithm,
            digits: digits(8),
        });
        vault
            .add(
                with_id(account(algorithm.name(), &[id; 20], scheme), id),
                NOW,
            )
            .unwrap();
    }
    for (id, scheme) in [
        (0xb4, Scheme::Steam),
        (0xb5, Scheme::Motp),
        (0xb6, Scheme::Yandex),
    ] {
        let mut account = with_id(account(scheme.name(), &[id; 26], scheme.clone()), id);
        account.pin = (scheme != Scheme::Steam).then(|| SecretText::new("0123".into()));
        vault.add(account, NOW).unwrap();
    }
}

/// A slot of type 200 with eight bytes of parameters and flags of its own.
fn unknown_slot() -> Slot {
    let mut slot = vec![200, 0xff];
    slot.extend_from_slice(&(104u16 + 8).to_le_bytes());
    slot.extend_from_slice(&[0xcc; 104 + 8]);
    Slot::read(&mut cursor::Cursor::new(&slot), 0).unwrap_or_else(|fault| panic!("{fault}"))
}
