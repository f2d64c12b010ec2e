//! `vectors/vault/v1/`: vaults that every later version must open, and single faults that it must refuse.
//!
//! The files are made by this module from a fixed stream of "random" bytes, so the test can show that they are still what
//! the writer writes. Faults behind the MAC are sealed again under the known DEK: each check is tested by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::vault::container::Sealed as SealedFile;
use crate::vault::error::hex;
use crate::vault::header::{Extension, Layout, PRELUDE_LEN};
use crate::vault::open::{Entry, find_dek};
use crate::vault::record::Record;
use crate::vault::seal::{FixedRandomness, Key, VaultKeys, payload_key};
use crate::vault::slot::Slot;
use crate::vault::stamp::Hlc;

const PASSPHRASE: &str = "correct horse battery staple";
const KEY_FILE: [u8; 48] = *b"a key file of 48 bytes for the vectors of vmfa 1";

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/vault/v1"))
}

fn key_file() -> Credential {
    Credential::KeyFile(Secret::new(KEY_FILE.to_vec()))
}

/// A credential as the manifest writes it.
fn credential(value: &Value) -> Credential {
    let text = |name: &str| {
        value
            .get(name)
            .map(|text| SecretText::new(text.as_str().unwrap().into()))
    };
    let file = value
        .get("key_file")
        .map(|_| Secret::new(KEY_FILE.to_vec()));
    match (text("passphrase"), file, text("recovery_code")) {
        (Some(passphrase), None, None) => Credential::Passphrase(passphrase),
        (Some(passphrase), Some(file), None) => Credential::PassphraseAndKeyFile(passphrase, file),
        (None, Some(file), None) => Credential::KeyFile(file),
        (None, None, Some(code)) => Credential::RecoveryCode(code),
        (_, _, _) => panic!("{value}"),
    }
}

fn with_id(mut account: Account, id: u8) -> Account {
    account.summary.id = AccountId::from_bytes([id; 16]);
    account
}

/// All that a vault holds, as JSON.
fn content(vault: &Unlocked) -> Value {
    let accounts: Vec<Value> = vault
        .entries
        .iter()
        .filter_map(Entry::summary)
        .map(|summary| {
            let account = vault.account(&summary.id).unwrap();
            json!({
                "id": summary.id.to_string(),
                "issuer": summary.issuer,
                "name": summary.name,
                "label_issuer": summary.label_issuer,
                "type": summary.scheme.name(),
                "algorithm": summary.scheme.algorithm_name(),
                "digits": summary.scheme.digits(),
                "period": summary.scheme.period(),
                "t0": summary.scheme.t0(),
                "counter": summary.counter,
                "tags": summary.tags,
                "note": summary.note,
                "favorite": summary.favorite,
                "serial_number": summary.serial_number,
                "image": summary.image,
                "added": summary.added,
                "trashed": summary.trashed,
                "conflict": summary.conflict,
                "secret": hex(account.secret.expose()),
                "pin": account.pin.as_ref().map(SecretText::expose),
            })
        })
        .collect();
    let unknown: Vec<Value> = vault
        .unknown_records()
        .iter()
        .map(|r| json!({ "id": r.id.to_string(), "type": r.kind }))
        .collect();
    json!({
        "vault_id": hex(&vault.vault_id()),
        "generation": vault.generation(),
        "accounts": accounts,
        "unknown_records": unknown,
        "tombstones": vault.entries.iter().filter(|entry| entry.record.is_tombstone()).count(),
    })
}

/// A good vault, how it opens, and what is in it.
struct Good {
    bytes: Vec<u8>,
    opens_with: Vec<Value>,
    content: Value,
}

/// Makes one: created with `first`, changed, saved at one moment.
fn good(name: &str, first: &Value, more: &[Value], change: impl FnOnce(&mut Unlocked)) -> Good {
    let bench = Bench::new();
    let random = Arc::new(FixedRandomness::new(name));
    let (mut vault, code) = open::create_with(
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

fn goods() -> BTreeMap<&'static str, Good> {
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

/// A file with one fault, how it is tried, and the refusal.
struct Bad {
    name: String,
    base: &'static str,
    bytes: Vec<u8>,
    credential: Value,
    expect: &'static str,
}

/// The parts of a base vault, for taking it apart.
struct Parts {
    head: Vec<u8>,
    plain: Vec<u8>,
    file: Vec<u8>,
    dek: Key,
    vault_id: [u8; 16],
}

impl Parts {
    fn of(good: &Good) -> Self {
        let files = Files {
            vault: "vector".into(),
            state: "none".into(),
        };
        let sealed = SealedFile::read(good.bytes.clone()).unwrap_or_else(|fault| panic!("{fault}"));
        let (dek, _) = find_dek(&sealed.header, &credential(&good.opens_with[0]), &files).unwrap();
        let layout = Layout {
            header_end: good.bytes.len() - sealed.header.payload_len as usize - 32,
            payload: good.bytes.len() - sealed.header.payload_len as usize,
        };
        let mut payload = good.bytes[layout.payload..].to_vec();
        let key = payload_key(&dek, &sealed.header.payload_salt);
        let plain = seal::open(key.bytes(), &sealed.mac(), &mut payload)
            .unwrap()
            .to_vec();
        Self {
            head: good.bytes[..layout.header_end].to_vec(),
            plain,
            file: good.bytes.clone(),
            dek,
            vault_id: sealed.header.vault_id,
        }
    }

    /// Seals a head and a plaintext as a writer with the key would: the MAC is right, the tag is right.
    fn seal(&self, head: &[u8], plain: &[u8]) -> Vec<u8> {
        let mac = VaultKeys::new(&self.dek, &self.vault_id).header_mac(head);
        let salt: [u8; 32] = self.head[SALT..SALT + 32].try_into().unwrap();
        let mut file = Vec::with_capacity(head.len() + 32 + plain.len() + 16);
        file.extend_from_slice(head);
        file.extend_from_slice(&mac);
        file.extend_from_slice(plain);
        seal::seal(
            payload_key(&self.dek, &salt).bytes(),
            &mac,
            &mut file,
            head.len() + 32,
        );
        file
    }

    fn with_head(&self, edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut head = self.head.clone();
        edit(&mut head);
        self.seal(&head, &self.plain)
    }

    fn with_plain(&self, edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut plain = self.plain.clone();
        edit(&mut plain);
        let mut head = self.head.clone();
        head[PAYLOAD_LEN..PAYLOAD_LEN + 8]
            .copy_from_slice(&(plain.len() as u64 + 16).to_le_bytes());
        self.seal(&head, &plain)
    }
}

// Offsets in the file of the header's fields.
const HEADER_LEN: usize = 12;
const VAULT_ID: usize = PRELUDE_LEN;
const GENERATION: usize = VAULT_ID + 16;
const SUITE: usize = GENERATION + 8;
const FLAGS: usize = SUITE + 2;
const SALT: usize = FLAGS + 2;
const PAYLOAD_LEN: usize = SALT + 32;
const NSLOTS: usize = PAYLOAD_LEN + 8;
const SLOT: usize = NSLOTS + 1;
const SLOT_ID: usize = SLOT + 4;
const WRAP_SALT: usize = SLOT_ID + 8;
const PARAMS: usize = WRAP_SALT + 16;

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn add16(bytes: &mut [u8], at: usize, by: i16) {
    let value = u16_at(bytes, at).wrapping_add_signed(by);
    bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

fn add32(bytes: &mut [u8], at: usize, by: i32) {
    let value = u32_at(bytes, at).wrapping_add_signed(by);
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn bads(goods: &BTreeMap<&'static str, Good>) -> Vec<Bad> {
    let mut all = Vec::new();
    outer_faults(goods, &mut all);
    slot_faults(goods, &mut all);
    body_faults(goods, &mut all);
    all
}

/// Faults of prelude, header and seals. The base opens by its key file, so that no Argon2id runs.
fn outer_faults(goods: &BTreeMap<&'static str, Good>, all: &mut Vec<Bad>) {
    let base = &goods["key_file"];
    let parts = Parts::of(base);
    let (head_len, len) = (parts.head.len(), parts.file.len());
    let mut put = |name: &str, expect, bytes| {
        let credential = base.opens_with[0].clone();
        all.push(Bad {
            name: name.into(),
            base: "key_file",
            bytes,
            credential,
            expect,
        });
    };
    put("empty", "empty", Vec::new());
    for cut in [
        1,
        7,
        8,
        15,
        16,
        head_len - 1,
        head_len,
        head_len + 31,
        head_len + 32,
        len - 17,
        len - 16,
        len - 1,
    ] {
        put(
            &format!("truncated_to_{cut}"),
            "truncated",
            parts.file[..cut].to_vec(),
        );
    }
    put(
        "trailing_byte",
        "trailing",
        [&parts.file[..], &[0]].concat(),
    );
    let flip = |at: usize| {
        let mut file = parts.file.clone();
        file[at] ^= 1;
        file
    };
    put("magic_flipped", "foreign", flip(0));
    put(
        "magic_line_ends_converted",
        "foreign",
        [&parts.file[..5], b"\n\x1a", &parts.file[8..]].concat(),
    );
    put("generation_flipped", "header-mac", flip(GENERATION));
    put("payload_salt_flipped", "header-mac", flip(SALT));
    put("vault_id_flipped", "wrong-passphrase", flip(VAULT_ID));
    put("header_mac_flipped", "header-mac", flip(head_len));
    put("payload_flipped", "payload", flip(head_len + 32));
    put("payload_last_byte_flipped", "payload", flip(len - 17));
    put("tag_flipped", "payload", flip(len - 1));
    // The header of one generation with the payload of another, each right by itself.
    let other = parts.with_head(|head| head[GENERATION] += 1);
    put(
        "payload_of_another_generation",
        "payload",
        [&other[..head_len + 32], &parts.file[head_len + 32..]].concat(),
    );

    let mut edited =
        |name: &str, expect, edit: &dyn Fn(&mut Vec<u8>)| put(name, expect, parts.with_head(edit));
    edited("major_0", "header", &|head| head[8] = 0);
    edited("major_2", "newer", &|head| head[8] = 2);
    edited("major_256", "newer", &|head| {
        head[8..10].copy_from_slice(&[0, 1])
    });
    edited("header_len_plus_1", "header", &|head| {
        add32(head, HEADER_LEN, 1)
    });
    edited("header_len_minus_1", "header", &|head| {
        add32(head, HEADER_LEN, -1)
    });
    edited("header_len_65537", "header", &|head| {
        head[12..16].copy_from_slice(&65537u32.to_le_bytes())
    });
    edited("header_len_max", "header", &|head| {
        head[12..16].copy_from_slice(&[0xff; 4])
    });
    edited("header_len_beyond_the_file", "truncated", &|head| {
        head[12..16].copy_from_slice(&65536u32.to_le_bytes())
    });
    edited("header_len_0", "header", &|head| {
        head[12..16].copy_from_slice(&[0; 4])
    });
    edited("suite_0", "suite", &|head| head[SUITE] = 0);
    edited("suite_2", "suite", &|head| head[SUITE] = 2);
    edited("flags_1", "header", &|head| head[FLAGS] = 1);
    edited("flags_32768", "header", &|head| head[FLAGS + 1] = 0x80);
    edited("payload_len_plus_1", "truncated", &|head| {
        add32(head, PAYLOAD_LEN, 1)
    });
    edited("payload_len_minus_1", "trailing", &|head| {
        add32(head, PAYLOAD_LEN, -1)
    });
    edited("payload_len_19", "header", &|head| {
        head[PAYLOAD_LEN..NSLOTS].copy_from_slice(&19u64.to_le_bytes())
    });
    edited("payload_len_max", "truncated", &|head| {
        head[PAYLOAD_LEN..NSLOTS].copy_from_slice(&[0xff; 8])
    });
    edited("no_slots", "header", &|head| head[NSLOTS] = 0);
    edited("slots_17", "header", &|head| head[NSLOTS] = 17);
    edited("slots_one_too_many", "header", &|head| head[NSLOTS] += 1);
    edited("slots_one_too_few", "header", &|head| head[NSLOTS] -= 1);
    edited("extensions_len_plus_1", "header", &|head| {
        add16(head, head_len - 2, 1)
    });
    edited("extensions_len_max", "header", &|head| {
        head[head_len - 2..].copy_from_slice(&[0xff; 2])
    });
    let extended = |kind: u16, claimed: u16, value: &'static [u8]| {
        move |head: &mut Vec<u8>| {
            let at = head.len() - 2;
            head.extend_from_slice(&kind.to_le_bytes());
            head.extend_from_slice(&claimed.to_le_bytes());
            head.extend_from_slice(value);
            let added = 4 + value.len() as i16;
            add16(head, at, added);
            add32(head, HEADER_LEN, added.into());
        }
    };
    edited(
        "extension_critical",
        "critical-extension",
        &extended(0x8001, 2, b"xy"),
    );
    edited("extension_len_plus_1", "header", &extended(1, 3, b"xy"));
    edited("extension_len_minus_1", "header", &extended(1, 1, b"xy"));
}

/// Faults of slots.
fn slot_faults(goods: &BTreeMap<&'static str, Good>, all: &mut Vec<Bad>) {
    let base = &goods["key_file"];
    let parts = Parts::of(base);
    let commit = PARAMS + 48;
    let mut put = |base_name: &'static str, name: &str, expect, bytes| {
        let credential = goods[base_name].opens_with[0].clone();
        all.push(Bad {
            name: name.into(),
            base: base_name,
            bytes,
            credential,
            expect,
        });
    };
    for (name, at) in [
        ("id", SLOT_ID),
        ("wrap_salt", WRAP_SALT),
        ("wrapped", PARAMS),
        ("commit", commit),
    ] {
        // The header's MAC is right: the commitment itself has to notice.
        let bytes = parts.with_head(|head| head[at] ^= 1);
        put(
            "key_file",
            &format!("slot_{name}_flipped"),
            "wrong-passphrase",
            bytes,
        );
    }
    // A wrapped key that doesn't open, under a commitment made right again.
    let bytes = parts.with_head(|head| {
        head[PARAMS] ^= 1;
        let mut keys = [0; 64];
        let ikm = seal::sha256(&[&KEY_FILE]);
        let info: [&[u8]; 3] = [b"vmfa/v1 slot-wrap", &[2], &parts.vault_id];
        seal::derive(&ikm, &head[WRAP_SALT..WRAP_SALT + 16], &info, &mut keys);
        let mac = seal::mac(&keys[32..], &[&head[SLOT..commit]]);
        head[commit..commit + 32].copy_from_slice(&mac);
    });
    put("key_file", "slot_wrapped_key_damaged", "wrapped-key", bytes);
    // An unknown type needs at least what every slot has: here it is just skipped, and none is left for a key file.
    put(
        "key_file",
        "slot_type_unknown",
        "wrong-passphrase",
        parts.with_head(|head| head[SLOT] = 200),
    );
    put(
        "key_file",
        "slot_type_0",
        "wrong-passphrase",
        parts.with_head(|head| head[SLOT] = 0),
    );
    put(
        "key_file",
        "slot_type_without_its_parameters",
        "header",
        parts.with_head(|head| head[SLOT] = 1),
    );
    put(
        "key_file",
        "slot_flags_1",
        "header",
        parts.with_head(|head| head[SLOT + 1] = 1),
    );
    put(
        "key_file",
        "slot_len_plus_1",
        "header",
        parts.with_head(|head| add16(head, SLOT + 2, 1)),
    );
    put(
        "key_file",
        "slot_len_minus_1",
        "header",
        parts.with_head(|head| add16(head, SLOT + 2, -1)),
    );
    put(
        "key_file",
        "slot_len_0",
        "header",
        parts.with_head(|head| head[SLOT + 2..SLOT + 4].fill(0)),
    );
    put(
        "key_file",
        "slot_len_max",
        "header",
        parts.with_head(|head| head[SLOT + 2..SLOT + 4].fill(0xff)),
    );
    let second = SLOT + 4 + usize::from(u16_at(&parts.head, SLOT + 2));
    let bytes = parts.with_head(|head| head.copy_within(SLOT_ID..SLOT_ID + 8, second + 4));
    put("key_file", "slot_ids_equal", "header", bytes);
    let unknown = Parts::of(&goods["unknown_slot"]);
    let third = second + 4 + usize::from(u16_at(&unknown.head, second + 2));
    let bytes = unknown.with_head(|head| add16(head, third + 2, 1));
    put("unknown_slot", "unknown_slot_len_plus_1", "header", bytes);

    let costly = Parts::of(&goods["passphrase"]);
    let cost = PARAMS + 16;
    for (name, m, t, p) in [
        ("m_below", 19455, 1, 1),
        ("m_above", 1_048_577, 1, 1),
        ("m_max", u32::MAX, 1, 1),
        ("t_0", 19456, 0, 1),
        ("t_65", 19456, 65, 1),
        ("p_0", 19456, 1, 0),
        ("p_17", 19456, 1, 17),
    ] {
        let bytes = costly.with_head(|head| {
            head[cost..cost + 4].copy_from_slice(&m.to_le_bytes());
            head[cost + 4..cost + 8].copy_from_slice(&u32::to_le_bytes(t));
            head[cost + 8] = p;
        });
        put("passphrase", &format!("kdf_{name}"), "kdf", bytes);
    }
    let high =
        costly.with_head(|head| head[cost..cost + 4].copy_from_slice(&262_145u32.to_le_bytes()));
    put("passphrase", "kdf_above_the_usual", "costly-kdf", high);
    put(
        "passphrase",
        "slot_flags_2",
        "header",
        costly.with_head(|head| head[SLOT + 1] = 2),
    );
    let salt = costly.with_head(|head| head[PARAMS] ^= 1);
    put(
        "passphrase",
        "slot_argon_salt_flipped",
        "wrong-passphrase",
        salt,
    );
    put(
        "passphrase",
        "slot_key_file_flag_set",
        "wrong-passphrase",
        costly.with_head(|head| head[SLOT + 1] = 1),
    );
    let mut wrong = |name: &str, base: &'static str, credential: Value| {
        let bytes = goods[base].bytes.clone();
        all.push(Bad {
            name: name.into(),
            base,
            bytes,
            credential,
            expect: "wrong-passphrase",
        });
    };
    wrong(
        "wrong_passphrase",
        "passphrase",
        json!({ "passphrase": "correct horse battery stapler" }),
    );
    wrong(
        "passphrase_without_its_key_file",
        "passphrase_key_file",
        json!({ "passphrase": PASSPHRASE }),
    );
    wrong(
        "key_file_without_its_passphrase",
        "passphrase_key_file",
        json!({ "key_file": "key_file.bin" }),
    );
    wrong(
        "wrong_recovery_code",
        "passphrase",
        goods["key_file"].opens_with[1].clone(),
    );
}

/// Faults of the payload, all behind a right MAC and a right tag.
fn body_faults(goods: &BTreeMap<&'static str, Good>, all: &mut Vec<Bad>) {
    let base = &goods["rotated"];
    let parts = Parts::of(base);
    let body_len = u32_at(&parts.plain, 0);
    let end = 4 + body_len as usize;
    let record = 8;
    let record_len = u32_at(&parts.plain, record) as usize;
    let fields_len_at = record + 4 + 28;
    let devices = record + 4 + record_len;
    assert_eq!(
        (u32_at(&parts.plain, 4), u16_at(&parts.plain, devices)),
        (1, 1)
    );
    let keys = devices + 2 + 18;
    let previous = end - 1 - 64;
    assert_eq!((parts.plain[keys], parts.plain[previous]), (2, 1));
    let mut edited = |name: &str, edit: &dyn Fn(&mut Vec<u8>)| {
        let credential = base.opens_with[0].clone();
        all.push(Bad {
            name: name.into(),
            base: "rotated",
            bytes: parts.with_plain(edit),
            credential,
            expect: "body",
        });
    };
    edited("body_len_plus_1", &|plain| add32(plain, 0, 1));
    edited("body_len_minus_1", &|plain| add32(plain, 0, -1));
    edited("body_len_0", &|plain| plain[..4].fill(0));
    edited("body_len_max", &|plain| plain[..4].fill(0xff));
    edited("body_len_beyond_the_padding", &|plain| {
        let len = plain.len() as u32 - 3;
        plain[..4].copy_from_slice(&len.to_le_bytes());
    });
    edited("padding_first_byte_not_zero", &|plain| plain[end] = 1);
    edited("padding_last_byte_not_zero", &|plain| {
        *plain.last_mut().unwrap() = 1
    });
    edited("records_plus_1", &|plain| add32(plain, 4, 1));
    edited("records_minus_1", &|plain| add32(plain, 4, -1));
    edited("records_100001", &|plain| {
        plain[4..8].copy_from_slice(&100_001u32.to_le_bytes())
    });
    edited("records_max", &|plain| plain[4..8].fill(0xff));
    edited("record_len_plus_1", &|plain| add32(plain, record, 1));
    edited("record_len_minus_1", &|plain| add32(plain, record, -1));
    edited("record_len_0", &|plain| plain[record..record + 4].fill(0));
    edited("record_len_max", &|plain| {
        plain[record..record + 4].fill(0xff)
    });
    edited("record_fields_len_plus_1", &|plain| {
        add32(plain, fields_len_at, 1)
    });
    edited("record_fields_len_minus_1", &|plain| {
        add32(plain, fields_len_at, -1)
    });
    edited("record_fields_len_max", &|plain| {
        plain[fields_len_at..fields_len_at + 4].fill(0xff)
    });
    edited("record_tombstone_with_a_seal", &|plain| {
        plain[record + 4 + 26] |= 1
    });
    edited("devices_plus_1", &|plain| add16(plain, devices, 1));
    edited("devices_minus_1", &|plain| add16(plain, devices, -1));
    edited("devices_1025", &|plain| {
        plain[devices..devices + 2].copy_from_slice(&1025u16.to_le_bytes())
    });
    edited("slot_keys_plus_1", &|plain| plain[keys] += 1);
    edited("slot_keys_minus_1", &|plain| plain[keys] -= 1);
    edited("slot_keys_17", &|plain| plain[keys] = 17);
    edited("slot_key_len_plus_1", &|plain| {
        add16(plain, keys + 1 + 24, 1)
    });
    edited("slot_key_len_16", &|plain| {
        plain[keys + 25..keys + 27].copy_from_slice(&16u16.to_le_bytes())
    });
    edited("slot_key_len_max", &|plain| {
        plain[keys + 25..keys + 27].fill(0xff)
    });
    edited("previous_plus_1", &|plain| plain[previous] += 1);
    edited("previous_minus_1", &|plain| plain[previous] -= 1);
    edited("previous_9", &|plain| plain[previous] = 9);
    edited("payload_of_4_bytes", &|plain| plain.truncate(4));
}

/// What differs from the base, as `offset:hex` words and the length; bases are of about the same length.
fn patch(base: &[u8], bytes: &[u8]) -> Value {
    let mut edits: Vec<(usize, Vec<u8>)> = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        if base.get(at) == Some(byte) {
            continue;
        }
        match edits.last_mut() {
            // A few equal bytes between two differences cost less than a new edit.
            Some((from, run)) if at - (*from + run.len()) < 4 => {
                run.extend_from_slice(&bytes[*from + run.len()..=at]);
            }
            Some(_) | None => edits.push((at, vec![*byte])),
        }
    }
    let mut text = String::new();
    for (at, run) in edits {
        let _ = write!(
            text,
            "{}{at}:{}",
            if text.is_empty() { "" } else { " " },
            hex(&run)
        );
    }
    json!({ "len": bytes.len(), "edits": text })
}

fn unpatch(base: &[u8], patch: &Value) -> Vec<u8> {
    let mut bytes = base.to_vec();
    bytes.resize(patch["len"].as_u64().unwrap() as usize, 0);
    for edit in patch["edits"].as_str().unwrap().split_whitespace() {
        let (at, digits) = edit.split_once(':').unwrap();
        let at: usize = at.parse().unwrap();
        for (n, pair) in digits.as_bytes().chunks(2).enumerate() {
            bytes[at + n] = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        }
    }
    bytes
}

/// Every file of the folder but its README.
fn made() -> BTreeMap<String, Vec<u8>> {
    let goods = goods();
    let mut files = BTreeMap::new();
    files.insert("key_file.bin".into(), KEY_FILE.to_vec());
    for (name, good) in &goods {
        files.insert(format!("{name}.vmfa"), good.bytes.clone());
        let about = json!({ "opens_with": good.opens_with, "content": good.content });
        files.insert(format!("{name}.json"), format!("{about:#}\n").into_bytes());
    }
    let mut lines = String::new();
    for bad in bads(&goods) {
        let line = json!({
            "name": bad.name,
            "base": format!("{}.vmfa", bad.base),
            "patch": patch(&goods[bad.base].bytes, &bad.bytes),
            "credential": bad.credential,
            "expect": bad.expect,
        });
        let _ = writeln!(lines, "{line}");
    }
    files.insert("faults.jsonl".into(), lines.into_bytes());
    files
}

#[test]
fn the_writer_still_writes_the_vectors() {
    let mut differing = Vec::new();
    let new = std::env::temp_dir().join("vmfa-vault-vectors");
    for (name, content) in made() {
        let path = folder().join(&name);
        if !path.exists() || !is_same(&name, &bytes(&path), &content) {
            std::fs::create_dir_all(&new).unwrap();
            put(&new.join(&name), &content);
            differing.push(name);
        }
    }
    // A changed format must not go unnoticed: who means it copies the files and says so in the change log.
    assert!(
        differing.is_empty(),
        "differ from vectors/vault/v1, the new ones are in {}: {differing:?}",
        new.display()
    );
}

/// JSON is compared by what it says, not by the order of its keys.
fn is_same(name: &str, a: &[u8], b: &[u8]) -> bool {
    let values = |bytes: &[u8]| -> Vec<Value> {
        serde_json::Deserializer::from_slice(bytes)
            .into_iter()
            .map(Result::unwrap)
            .collect()
    };
    if name.contains(".json") {
        values(a) == values(b)
    } else {
        a == b
    }
}

#[test]
fn every_good_vector_opens_with_each_credential() {
    let dir = tempfile::tempdir().unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "vmfa") {
            continue;
        }
        let about: Value = serde_json::from_slice(&bytes(&path.with_extension("json"))).unwrap();
        for with in about["opens_with"].as_array().unwrap() {
            let files = Files {
                vault: path.clone(),
                state: dir.path().join("state"),
            };
            let locked = Locked::open(&files, KdfLimit::Usual).unwrap();
            let vault = locked
                .unlock(&credential(with), Rollback::Refuse, NOW)
                .unwrap();
            assert_eq!(content(&vault), about["content"], "{}", path.display());
            count += 1;
        }
    }
    assert_eq!(count, 33);
}

#[test]
fn every_fault_is_refused_as_expected() {
    let dir = tempfile::tempdir().unwrap();
    let list = bytes(&folder().join("faults.jsonl"));
    let mut count = 0;
    for line in list
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let fault: Value = serde_json::from_slice(line).unwrap();
        let base = bytes(&folder().join(fault["base"].as_str().unwrap()));
        let path = dir.path().join("vault.vmfa");
        put(&path, &unpatch(&base, &fault["patch"]));
        let files = Files {
            vault: path,
            state: dir.path().join("state"),
        };
        let opened = Locked::open(&files, KdfLimit::Usual).and_then(|locked| {
            locked.unlock(&credential(&fault["credential"]), Rollback::Refuse, NOW)
        });
        let found = match opened {
            Ok(_) => "ok",
            Err(VaultError::Damaged { fault, .. }) => fault.name(),
            Err(VaultError::WrongPassphrase(_) | VaultError::NoSlotFor { .. }) => {
                "wrong-passphrase"
            }
            Err(VaultError::CostlyKdf { .. }) => "costly-kdf",
            Err(other) => panic!("{other}"),
        };
        assert_eq!(
            found,
            fault["expect"].as_str().unwrap(),
            "{}",
            fault["name"]
        );
        count += 1;
    }
    assert!(count > 90, "{count} faults");
}

/// What is from the future stays, byte for byte, through an edit and a save by this version.
#[test]
fn what_is_unknown_outlives_a_save() {
    for name in [
        "unknown_record",
        "unknown_scheme",
        "unknown_field",
        "unknown_slot",
        "unknown_extension",
        "newer_minor",
    ] {
        let bench = Bench::new();
        std::fs::create_dir_all(bench.files.vault.parent().unwrap()).unwrap();
        put(
            &bench.files.vault,
            &bytes(&folder().join(format!("{name}.vmfa"))),
        );
        let open = || {
            Locked::open(&bench.files, KdfLimit::Usual)
                .unwrap()
                .unlock(&key_file(), Rollback::Refuse, NOW)
                .unwrap()
        };
        let mut vault = open();
        let id = AccountId::from_bytes([0xa1; 16]);
        vault
            .change(&id, NOW, |summary| summary.note = "edited".into())
            .unwrap();
        let before: Vec<Record> = vault
            .records()
            .filter(|record| record.id != [0xa1; 16])
            .cloned()
            .collect();
        vault.save(NOW).unwrap();
        let mut after = open();
        let kept: Vec<Record> = after
            .records()
            .filter(|record| record.id != [0xa1; 16])
            .cloned()
            .collect();
        assert_eq!(kept, before);
        assert_eq!(
            after.unknown_records().len(),
            usize::from(matches!(name, "unknown_record" | "unknown_scheme"))
        );
        assert!(after.slots().len() == if name == "unknown_slot" { 3 } else { 2 });
        assert_eq!(
            after.header.extensions.len(),
            usize::from(name == "unknown_extension")
        );
        assert_eq!(
            after.header.minor,
            if name == "newer_minor" { 7 } else { 0 }
        );
        let fields = after
            .records()
            .find(|record| record.id == [0xa1; 16])
            .unwrap()
            .fields()
            .to_vec();
        let has_field = fields
            .windows(19)
            .any(|window| window == b"a field of tomorrow");
        assert_eq!(has_field, name == "unknown_field");
        // It can't be edited by accident, and nothing else is stopped by it.
        let unknown = AccountId::from_bytes([0xc3; 16]);
        if name == "unknown_record" {
            assert!(matches!(
                after.account(&unknown),
                Err(VaultError::NotUnderstood(_))
            ));
            assert!(matches!(
                after.remove(&unknown, NOW),
                Err(VaultError::NotUnderstood(_))
            ));
            // A new DEK seals it again all the same.
            after
                .change_passphrase(&passphrase("x"), KdfParams::LEAST)
                .unwrap_err();
            let extra = after.add_recovery().unwrap().0;
            after.remove_slot(&extra.id).unwrap();
            let record = after
                .records()
                .find(|record| record.id == [0xc3; 16])
                .unwrap();
            let inner = inner::Inner::open(record, &after.dek).unwrap();
            assert_eq!(inner.secret.expose(), b"from the future");
        }
        if name == "unknown_slot" {
            let extra = after.add_recovery().unwrap().0;
            assert!(matches!(
                after.remove_slot(&extra.id),
                Err(VaultError::SlotStuck(_))
            ));
            after.save(NOW).unwrap();
            assert!(after.slots().contains(&extra), "nothing was half done");
        }
        assert!(after.code_at(&id, NOW).is_ok());
    }
}
