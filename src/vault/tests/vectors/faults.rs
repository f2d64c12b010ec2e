//! The faults, one each.

use super::*;
use crate::vault::header::{Layout, PRELUDE_LEN};
use crate::vault::open::find_dek;
use crate::vault::seal::{Key, VaultKeys, payload_key};

/// A file with one fault, how it is tried, and the refusal.
pub(super) struct Bad {
    pub(super) name: String,
    pub(super) base: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) credential: Value,
    pub(super) expect: &'static str,
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

pub(super) fn bads(goods: &BTreeMap<&'static str, Good>) -> Vec<Bad> {
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
