//! Altered, cut, foreign and hostile files.

use super::*;
use crate::vault::container::Sealed;
use crate::vault::header::PRELUDE_LEN;

/// Opens bytes as far as they go.
fn open(bytes: Vec<u8>, files: &Files) -> Result<usize, VaultError> {
    let fault = |fault| open::damaged(files, fault);
    let sealed = Sealed::read(bytes).map_err(fault)?;
    let (dek, _) = open::find_dek(&sealed.header, &key_file(), files)?;
    let (_, records, _) = sealed.open(&dek).map_err(fault)?;
    Ok(records.len())
}

fn a_vault() -> (Bench, Vec<u8>) {
    let (bench, mut vault) = Bench::created();
    for n in 0..10u8 {
        vault
            .add(totp(&format!("account {n}"), &[n + 1; 20]), NOW)
            .unwrap();
    }
    vault.save(NOW).unwrap();
    let bytes = bytes(&bench.files.vault);
    (bench, bytes)
}

#[test]
fn every_flipped_bit_is_refused() {
    let (bench, good) = a_vault();
    assert_eq!(open(good.clone(), &bench.files).unwrap(), 10);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let error = open(bad, &bench.files).expect_err("a flipped bit");
        assert!(
            matches!(
                error,
                VaultError::Damaged { .. }
                    | VaultError::WrongPassphrase(_)
                    | VaultError::NoSlotFor { .. }
            ),
            "bit {bit}: {error}"
        );
    }
}

#[test]
fn every_truncation_is_refused_and_so_is_a_byte_too_many() {
    let (bench, good) = a_vault();
    for len in 0..good.len() {
        let fault = fault(open(good[..len].to_vec(), &bench.files).expect_err("cut off"));
        let expected = if len == 0 { "empty" } else { "truncated" };
        assert_eq!(fault.name(), expected, "{len} bytes");
    }
    let mut long = good;
    long.push(0);
    assert_eq!(
        fault(open(long, &bench.files).unwrap_err()),
        Fault::Trailing(1)
    );
}

#[test]
fn damage_of_the_payload_is_told_from_a_wrong_key() {
    let (bench, good) = a_vault();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    assert_eq!(fault(open(bad, &bench.files).unwrap_err()), Fault::Payload);
    let mut bad = good;
    bad[PRELUDE_LEN + 16] ^= 1; // the generation
    assert_eq!(
        fault(open(bad, &bench.files).unwrap_err()),
        Fault::HeaderMac
    );
}

#[test]
fn a_hostile_cost_is_refused_at_once() {
    let bench = Bench::new();
    create(&bench.files, &passphrase("p"), KdfParams::LEAST, NOW).unwrap();
    let good = bytes(&bench.files.vault);
    let params = PRELUDE_LEN + 16 + 8 + 2 + 2 + 32 + 8 + 1 + 4 + 8 + 16 + 16;
    assert_eq!(good[params..params + 4], (19u32 * 1024).to_le_bytes());
    for (m, t, p) in [
        (u32::MAX, 1, 1),
        (19456, u32::MAX, 1),
        (19456, 1, 255),
        (0, 0, 0),
        (1_048_577, 1, 1),
    ] {
        let mut bad = good.clone();
        bad[params..params + 4].copy_from_slice(&m.to_le_bytes());
        bad[params + 4..params + 8].copy_from_slice(&t.to_le_bytes());
        bad[params + 8] = p;
        put(&bench.files.vault, &bad);
        let begun = std::time::Instant::now();
        let error = Locked::open(&bench.files, KdfLimit::High).err().unwrap();
        assert!(begun.elapsed().as_millis() < 10);
        assert_eq!(
            fault(error),
            Fault::Kdf {
                offset: params,
                m_kib: m,
                t,
                p
            }
        );
    }
    // Within the format and above what is usual: only when it is asked for.
    let mut costly = good;
    costly[params..params + 4].copy_from_slice(&(1024u32 * 1024).to_le_bytes());
    put(&bench.files.vault, &costly);
    assert!(matches!(
        Locked::open(&bench.files, KdfLimit::Usual),
        Err(VaultError::CostlyKdf {
            m_kib: 1_048_576,
            t: 1
        })
    ));
    assert!(Locked::open(&bench.files, KdfLimit::High).is_ok());
}

#[test]
fn foreign_files_are_named_without_their_bytes() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.files.vault.parent().unwrap()).unwrap();
    for (content, word) in [
        (&b"{\"secret\":\"JBSWY3DP\"}"[..], "JSON"),
        (b"otpauth://totp/a?secret=JBSWY3DPEHPK3PXP", "key URIs"),
        (b"JBSWY3DPEHPK3PXP", "plain text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "zero bytes"),
        (b"\x89VMFA\n\x1a\0\0\0\0\0\0\0\0\0\0", "line ends"),
        (b"\x1b]0;evil\x07 and more and more", "no format known"),
    ] {
        put(&bench.files.vault, content);
        let error = Locked::open(&bench.files, KdfLimit::Usual).err().unwrap();
        let text = error.to_string();
        assert!(
            text.contains("not a vmfa vault") && text.contains(word),
            "{text}"
        );
        assert!(!text.contains("JBSW") && !text.contains('\x1b'), "{text}");
        assert_eq!(error.kind(), Kind::Damaged);
        assert_eq!(bytes(&bench.files.vault), content, "never changed");
    }
    put(&bench.files.vault, b"");
    assert_eq!(
        fault(Locked::open(&bench.files, KdfLimit::Usual).err().unwrap()),
        Fault::Empty
    );
}

#[test]
#[cfg(unix)]
fn what_is_no_file_is_refused_without_waiting() {
    let bench = Bench::new();
    let at = |path: &str| Files {
        vault: path.into(),
        state: bench.files.state.clone(),
    };
    let error = |files: &Files| Locked::open(files, KdfLimit::Usual).err().unwrap();
    let fifo = bench.dir.path().join("fifo");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let socket = bench.dir.path().join("socket");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for (path, what) in [
        (fifo.to_str().unwrap(), "a FIFO"),
        (socket.to_str().unwrap(), "a socket"),
        (bench.dir.path().to_str().unwrap(), "a directory"),
        ("/dev/zero", "a device"),
        ("/", "a directory"),
    ] {
        match error(&at(path)) {
            VaultError::NotAFile { what: found, .. } => assert_eq!(found, what),
            other => panic!("{path}: {other}"),
        }
        // And nothing is put in its place.
        assert!(
            create(&at(path), &key_file(), KdfParams::LEAST, NOW).is_err(),
            "{path}"
        );
    }
    assert!(matches!(
        error(&at("/no/such/vault")),
        VaultError::Missing { .. }
    ));
    // A file that claims to be larger than any vault is not read.
    let huge = bench.dir.path().join("huge");
    std::fs::File::create(&huge)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    assert!(matches!(
        error(&at(huge.to_str().unwrap())),
        VaultError::TooLarge { .. }
    ));
}

#[test]
fn a_vault_that_does_not_open_is_never_written() {
    let (bench, mut vault) = Bench::created();
    vault.add(totp("alice", b"secret one"), NOW).unwrap();
    let good = bytes(&bench.files.vault);
    for bad in [
        &good[..good.len() - 1],
        b"",
        b"{}",
        &[&good[..], b"x"].concat(),
    ] {
        put(&bench.files.vault, bad);
        assert!(vault.save(NOW).is_err());
        assert_eq!(bytes(&bench.files.vault), bad);
        assert_eq!(bench.beside(), ["vault.vmfa", "vault.vmfa.lock"]);
    }
    std::fs::remove_file(&bench.files.vault).unwrap();
    assert!(matches!(vault.save(NOW), Err(VaultError::Missing { .. })));
    assert!(!bench.files.vault.exists(), "not recreated");
    put(&bench.files.vault, &good);
    assert_eq!(
        vault.save(NOW).unwrap(),
        Saved::Durable,
        "the change is still there"
    );
    assert_eq!(bench.open().live().count(), 1);
}
