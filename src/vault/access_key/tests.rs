use super::*;
use crate::failure::{Fails as _, Kind};
use crate::vault::KdfParams;
use crate::vault::merge;
use crate::vault::record::TOMBSTONE;
use crate::vault::tests::*;

const SECRET: &str = "kZ7uQ1xT/9wVbR4m+H2cYpL6sNd0fGjE8aKqXtWv";
const LATER: UnixTime = UnixTime::from_secs(NOW.secs() + 60);

fn id(n: u8) -> String {
    format!("AKIATESTTESTTEST{n:04}")
}

/// Puts one in, its secret made from its number.
#[track_caller]
fn give(vault: &mut Unlocked, profile: &str, n: u8, now: UnixTime) -> PutKey {
    let secret = SecretText::new(format!("{SECRET}{n}"));
    vault.put_access_key(profile, &id(n), secret, now).unwrap()
}

fn key(profile: &str, n: u8, now: UnixTime) -> AccessKey {
    AccessKey {
        profile: profile.into(),
        access_key_id: id(n),
        added: now.secs(),
    }
}

/// The one that is given, and whether its secret is its own.
#[track_caller]
fn given(vault: &Unlocked, profile: &str) -> Option<u8> {
    let (key, secret) = vault.access_key(profile).unwrap()?;
    let n = key.access_key_id[16..].parse().unwrap();
    assert_eq!(key.profile, profile);
    assert_eq!(secret.expose(), format!("{SECRET}{n}"));
    Some(n)
}

fn listed(vault: &Unlocked) -> Vec<AccessKey> {
    vault.access_keys().unwrap()
}

#[test]
fn what_was_put_in_is_given_after_a_save_and_is_no_account() {
    let (bench, mut vault) = Bench::created();
    vault.add(totp("alice", b"secret one"), NOW).unwrap();
    assert_eq!(give(&mut vault, "prod", 1, NOW), PutKey::New);
    assert_eq!(give(&mut vault, "dev", 2, NOW), PutKey::New);
    vault.save(NOW).unwrap();
    let mut vault = bench.open();
    assert_eq!(listed(&vault), [key("dev", 2, NOW), key("prod", 1, NOW)]);
    assert_eq!(
        (given(&vault, "prod"), given(&vault, "dev")),
        (Some(1), Some(2))
    );
    assert_eq!(given(&vault, "other"), None);
    // Nowhere among the accounts, nor among what isn't known.
    assert_eq!(vault.live().count(), 1);
    assert_eq!(vault.live_where(|_| true).len(), 1);
    assert!(vault.trash().is_empty() && vault.unknown_records().is_empty());
    let (live, unknown) = vault.survey();
    assert_eq!((live.len(), unknown), (1, 0));
    let ids: Vec<AccountId> = vault.access_key_entries().map(|(e, _)| *e.id()).collect();
    for id in ids {
        assert!(matches!(
            vault.account(&id),
            Err(VaultError::NoSuchAccount(_))
        ));
        assert!(matches!(
            vault.erase(&id, NOW),
            Err(VaultError::NoSuchAccount(_))
        ));
    }
    // Nor are its secret and an account's taken for the same one.
    let same = format!("{SECRET}1");
    let added = vault.add(totp("bob", same.as_bytes()), NOW).unwrap();
    new_id(added);
    assert_eq!(given(&vault, "prod"), Some(1));
    assert!(vault.damaged_access_keys().is_empty());
}

#[test]
fn a_new_key_takes_the_place_of_the_one_before() {
    let (bench, mut vault) = Bench::created();
    give(&mut vault, "prod", 1, NOW);
    give(&mut vault, "dev", 2, NOW);
    vault.save(NOW).unwrap();
    assert_eq!(give(&mut vault, "prod", 1, LATER), PutKey::AlreadyThere);
    assert!(!vault.is_changed(), "nothing to save");
    let replaced = give(&mut vault, "prod", 3, LATER);
    assert_eq!(replaced, PutKey::Replaced(vec![key("prod", 1, NOW)]));
    // The same id with another secret is a typing error put right.
    let right = SecretText::new("right".into());
    let put = vault.put_access_key("dev", &id(2), right, LATER).unwrap();
    assert_eq!(put, PutKey::Replaced(vec![key("dev", 2, NOW)]));
    vault.save(LATER).unwrap();
    let vault = bench.open();
    assert_eq!(
        listed(&vault),
        [key("dev", 2, LATER), key("prod", 3, LATER)]
    );
    assert_eq!(given(&vault, "prod"), Some(3));
    let (_, secret) = vault.access_key("dev").unwrap().unwrap();
    assert_eq!(secret.expose(), "right");
    let tombstones: Vec<&Record> = vault.records().filter(|r| r.is_tombstone()).collect();
    assert_eq!(tombstones.len(), 2);
    for gone in tombstones {
        assert!(gone.sealed().is_empty() && !gone.fields().windows(4).any(|at| at == b"AKIA"));
    }
}

#[test]
fn keys_put_in_apart_are_both_there_and_the_last_one_is_given() {
    for ours_is_later in [false, true] {
        let (bench, mut ours) = Bench::created();
        give(&mut ours, "prod", 1, NOW);
        ours.save(NOW).unwrap();
        let copy = bench.in_place_of(&bytes(&bench.files.vault));
        let mut theirs = bench.open_at(&copy);
        let (first, second) = if ours_is_later {
            (LATER, LATER.plus_secs(1))
        } else {
            (LATER.plus_secs(1), LATER)
        };
        give(&mut theirs, "prod", 2, first);
        give(&mut ours, "prod", 3, second);
        theirs.save(LATER).unwrap();
        ours.save(LATER).unwrap();
        assert!(ours.merge_file(&copy.vault).unwrap());
        ours.save(LATER).unwrap();
        assert!(theirs.merge_file(&bench.files.vault).unwrap());
        let mut both = [key("prod", 2, first), key("prod", 3, second)];
        let last = if ours_is_later {
            both.reverse();
            3
        } else {
            2
        };
        for vault in [&ours, &theirs, &bench.open()] {
            assert_eq!(listed(vault), both);
            assert_eq!(given(vault, "prod"), Some(last));
        }
        // Whichever is put in again is the one key from then on, on every machine.
        let again = if ours_is_later { 2 } else { 3 };
        let now = LATER.plus_secs(60);
        let PutKey::Replaced(gone) = give(&mut ours, "prod", again, now) else {
            panic!("nothing replaced");
        };
        assert_eq!(gone.len(), 1);
        ours.save(now).unwrap();
        assert!(theirs.merge_file(&bench.files.vault).unwrap());
        assert_eq!(listed(&theirs), [key("prod", again, now)]);
        assert_eq!(given(&theirs, "prod"), Some(again));
    }
}

#[test]
fn a_clock_that_went_back_makes_no_older_key_the_last() {
    let (_bench, mut vault) = Bench::created();
    give(&mut vault, "prod", 1, LATER);
    let kept = vault.entries[0].record.clone();
    give(&mut vault, "prod", 2, NOW);
    // As a merge with a copy in which the first one was edited meanwhile, and so wasn't replaced.
    let mut other = kept;
    other.id = [7; 16];
    let inner = Inner::new(Secret::new(b"x".to_vec()), None).unwrap();
    inner
        .seal_into(&mut other, &vault.dek, &*vault.random)
        .unwrap();
    let records = vault.records().cloned().collect();
    vault.set_records(merge::merge(records, vec![other]));
    assert_eq!(listed(&vault).len(), 2);
    assert_eq!(given(&vault, "prod"), Some(2));
}

#[test]
fn what_was_removed_stays_away() {
    let (bench, mut vault) = Bench::created();
    give(&mut vault, "prod", 1, NOW);
    give(&mut vault, "dev", 2, NOW);
    give(&mut vault, "staging", 2, NOW);
    vault.save(NOW).unwrap();
    let copy = bench.in_place_of(&bytes(&bench.files.vault));
    let removed = vault.remove_access_key(WhichKeys::OfProfile(" prod\n"), LATER);
    assert_eq!(removed.unwrap(), [key("prod", 1, NOW)]);
    let removed = vault.remove_access_key(WhichKeys::WithId(&id(2)), LATER);
    assert_eq!(removed.unwrap().len(), 2);
    vault.save(LATER).unwrap();
    let mut vault = bench.open();
    vault.merge_file(&copy.vault).unwrap();
    assert!(listed(&vault).is_empty(), "an old copy brought one back");
    for which in [WhichKeys::OfProfile("prod"), WhichKeys::WithId("prod")] {
        let error = vault.remove_access_key(which, LATER).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert_eq!(error.to_string(), "the vault has no access key \"prod\"");
    }
}

#[test]
fn a_new_data_key_keeps_them() {
    let (bench, mut vault) = Bench::created();
    give(&mut vault, "prod", 1, NOW);
    let extra = vault
        .add_slot(&passphrase("extra"), KdfParams::LEAST)
        .unwrap();
    vault.remove_slot(&extra.id).unwrap();
    vault.save(NOW).unwrap();
    assert_eq!(given(&bench.open(), "prod"), Some(1));
}

#[test]
fn what_is_no_access_key_is_refused() {
    let (_bench, mut vault) = Bench::created();
    let (long, longest) = ("é".repeat(129), "é".repeat(128));
    let (good, wide) = (id(1), "A".repeat(129));
    let (secret, most) = ("s".repeat(257), "s".repeat(256));
    for (profile, id, secret, what) in [
        ("", &*good, SECRET, "the profile's name is empty"),
        (
            " \u{1b}\u{202e}\n",
            &good,
            SECRET,
            "the profile's name is empty",
        ),
        (
            &long,
            &good,
            SECRET,
            "the profile's name has more than 256 bytes",
        ),
        (
            "p",
            "AKIA",
            SECRET,
            "its id is not 16 to 128 letters, digits and underscores",
        ),
        (
            "p",
            &wide,
            SECRET,
            "its id is not 16 to 128 letters, digits and underscores",
        ),
        (
            "p",
            "AKIA-TEST-TEST-TEST",
            SECRET,
            "its id is not 16 to 128 letters, digits and underscores",
        ),
        ("p", &good, "", "its secret is empty"),
        (
            "p",
            &good,
            &secret,
            "its secret has more than 256 characters",
        ),
        (
            "p",
            &good,
            "tab\there",
            "its secret has a character that no access key has",
        ),
        (
            "p",
            &good,
            "gr\u{fc}n",
            "its secret has a character that no access key has",
        ),
    ] {
        let secret = SecretText::new(secret.into());
        let error = vault.put_access_key(profile, id, secret, NOW).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("that is no access key to keep: {what}")
        );
        assert_eq!(error.kind(), Kind::Usage);
    }
    assert!(!vault.is_changed());
    let most = SecretText::new(most);
    let put = vault.put_access_key(&longest, &wide[..128], most, NOW);
    assert_eq!(put.unwrap(), PutKey::New);
    // The name is cleaned where it comes in and where it is asked for.
    give(&mut vault, "  a\u{1b}b ", 1, NOW);
    assert_eq!(given(&vault, "ab"), Some(1));
    let asked = vault.access_key("a\u{1b}b\n").unwrap();
    assert_eq!(asked.map(|(key, _)| key), Some(key("ab", 1, NOW)));
}

#[test]
fn a_damaged_seal_is_told_and_no_older_key_is_given() {
    let (_bench, mut vault) = Bench::created();
    give(&mut vault, "prod", 1, NOW);
    let old = vault.entries[0].record.clone();
    give(&mut vault, "prod", 2, LATER);
    let at = vault.places_of(WhichKeys::WithId(&id(2)))[0];
    let mut record = vault.entries[at].record.clone();
    record.set_sealed(&[1; 16], &[2; 80]);
    vault.set_records(vec![old, record]);
    let error = vault.access_key("prod").err().unwrap();
    assert_eq!(
        error.to_string(),
        format!("the sealed secret of access key {} is damaged", id(2))
    );
    assert_eq!(error.kind(), Kind::Damaged);
    assert_eq!(vault.damaged_access_keys(), [key("prod", 2, LATER)]);
    assert_eq!(listed(&vault).len(), 2, "it is listed all the same");
    // A new one mends it.
    give(&mut vault, "prod", 3, LATER);
    assert_eq!(given(&vault, "prod"), Some(3));
    assert!(vault.damaged_access_keys().is_empty());
}

#[test]
fn unknown_fields_outlive_an_edit() {
    let before = write(&key("prod", 1, NOW), &[9; 16], &[]);
    let mut all: Vec<(u16, &[u8])> = fields::fields(&before).map(Option::unwrap).collect();
    let newer: [(u16, &[u8]); 5] = [
        (3, b"between"),
        (5, &[7; 8]),
        (14, b""),
        (4711, b"from"),
        (4711, b"the future"),
    ];
    all.extend(newer);
    all.sort_by_key(|(kind, _)| *kind);
    let mut bytes = Vec::new();
    for (kind, value) in &all {
        fields::put(&mut bytes, *kind, value);
    }
    assert_eq!(read(&bytes), Some(key("prod", 1, NOW)));
    assert!(fields::is_in_order(&bytes));
    // The same key: not a byte differs.
    assert_eq!(write(&key("prod", 1, NOW), &[9; 16], &bytes), bytes);

    let (_bench, mut vault) = Bench::created();
    give(&mut vault, "prod", 1, NOW);
    give(&mut vault, "dev", 2, NOW);
    vault.entries[0].record.set_fields(&bytes);
    // Two for one profile, as after a merge; then the first one again.
    let mut other = vault.entries[1].record.clone();
    let born = fields::born(other.fields()).unwrap();
    other.set_fields(&write(&key("prod", 2, NOW), &born, &[]));
    let first = vault.entries[0].record.clone();
    vault.set_records(vec![first, other]);
    let replaced = give(&mut vault, "prod", 1, LATER);
    assert_eq!(replaced, PutKey::Replaced(vec![key("prod", 2, NOW)]));
    let edited = vault.records().find(|record| !record.is_tombstone());
    let edited = edited.unwrap().fields();
    assert_eq!(read(edited), Some(key("prod", 1, LATER)));
    let has = |wanted: &(u16, &[u8])| fields::fields(edited).any(|field| field == Some(*wanted));
    assert!(newer.iter().all(has), "{edited:?}");
}

#[test]
fn a_known_field_that_is_odd_makes_the_record_not_understood() {
    let good = write(&key("prod", 1, NOW), &[9; 16], &[]);
    let long = vec![b'p'; 257];
    for (kind, value) in [
        (PROFILE, &b""[..]),
        (PROFILE, &long),
        (PROFILE, &[0xff]),
        (ACCESS_KEY_ID, b"AKIA"),
        (ACCESS_KEY_ID, b"AKIA TEST TEST TEST"),
        (ADDED, &[1, 2]),
        (BORN, &[1; 15]),
        (SETTLED, &[1]),
    ] {
        let mut bytes = Vec::new();
        for (k, v) in fields::fields(&good).map(Option::unwrap) {
            if k != kind {
                fields::put(&mut bytes, k, v);
            }
        }
        fields::put(&mut bytes, kind, value);
        assert_eq!(read(&bytes), None, "{kind} {value:?}");
    }
    for cut in 0..good.len() {
        let read = read(&good[..cut]);
        // Whoever left `born` away left away what only a merge needs.
        assert!(read.is_none() || cut == good.len() - 22, "{cut}");
    }
    let twice: Vec<u8> = good.iter().chain(&good).copied().collect();
    assert_eq!(read(&twice), None);
}

#[test]
fn a_record_that_isnt_understood_is_kept_and_told_as_such() {
    let (bench, mut vault) = Bench::created();
    give(&mut vault, "prod", 1, NOW);
    give(&mut vault, "dev", 2, NOW);
    let mut fields = vault.entries[0].record.fields().to_vec();
    fields::put(&mut fields, SETTLED, b"odd");
    vault.entries[0].record.set_fields(&fields);
    // A flag of tomorrow, too.
    vault.entries[1].record.flags |= 8;
    vault.save(NOW).unwrap();
    let vault = bench.open();
    let kinds: Vec<u8> = vault.unknown_records().iter().map(|r| r.kind).collect();
    assert_eq!(kinds, [ACCESS_KEY, ACCESS_KEY]);
    assert_eq!(vault.survey().1, 2);
    assert!(listed(&vault).is_empty());
    assert!(vault.records().all(|record| record.flags & TOMBSTONE == 0));
}
