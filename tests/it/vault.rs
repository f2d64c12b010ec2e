//! The vault through its public face, in processes of their own.

use std::path::Path;
use std::process::Command;

use vmfa::account::{Account, AccountId, Summary};
use vmfa::clock::UnixTime;
use vmfa::otp::{Scheme, Totp};
use vmfa::secret::Secret;
use vmfa::vault::{
    Credential, Files, KdfLimit, KdfParams, Locked, Rollback, Saved, Unlocked, create,
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const WRITERS: usize = 8;
const ADDS: usize = 25;
/// The file that tells a test process that it is a writer, and where.
const MARK: &str = "this is the directory of the writers";

fn key_file() -> Credential {
    Credential::KeyFile(Secret::new(vec![0x5a; 40]))
}

/// Bare relative paths: in the present directory, as `--vault vault.vmfa` gives them.
fn bare() -> Files {
    Files {
        vault: "vault.vmfa".into(),
        state: "state".into(),
    }
}

fn in_dir(dir: &Path) -> Files {
    Files {
        vault: dir.join("vault.vmfa"),
        state: dir.join("state"),
    }
}

fn open(files: &Files) -> Unlocked {
    Locked::open(files, KdfLimit::Usual)
        .unwrap()
        .unlock(&key_file(), Rollback::Refuse, NOW)
        .unwrap()
}

fn account(name: String) -> Account {
    let secret = Secret::new(name.clone().into_bytes());
    let summary = Summary {
        id: AccountId::random().unwrap(),
        issuer: String::new(),
        name,
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
    };
    Account {
        summary,
        secret,
        pin: None,
    }
}

/// One of the writers of [`eight_processes_lose_nothing`]. By itself, in a directory without the mark, it does nothing.
#[test]
fn a_writer_of_many() {
    if !Path::new(MARK).exists() {
        return;
    }
    for n in 0..ADDS {
        let mut vault = open(&bare());
        vault
            .add(account(format!("{} {n}", std::process::id())), NOW)
            .unwrap();
        assert_eq!(vault.save(NOW).unwrap(), Saved::Durable);
    }
}

#[test]
fn eight_processes_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::File::create(dir.path().join(MARK)).unwrap();
    create(&in_dir(dir.path()), &key_file(), KdfParams::LEAST, NOW).unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "vault::a_writer_of_many"])
                .current_dir(dir.path())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let vault = open(&in_dir(dir.path()));
    assert_eq!(vault.live().count(), WRITERS * ADDS);
    assert_eq!(vault.generation(), 1 + (WRITERS * ADDS) as u64);
    // What a killed save leaves would still be here: the vault, its lock, five backups, the mark, the pins.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 9);
}
