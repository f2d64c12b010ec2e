//! Databases that SQLite itself wrote into a directory of the test's own; what is in them is no secret.

#![expect(
    clippy::disallowed_methods,
    reason = "a test reads what it wrote itself, or its own vectors, and from elsewhere where the environment says so"
)]

use std::fs;

use rusqlite::Connection;

use super::*;
use crate::import::source::{Beside, Source};

struct Files(Vec<(String, Vec<u8>)>);

impl Beside for Files {
    fn bytes(&self, name: &str) -> Option<Plain> {
        let found = self.0.iter().find(|(known, _)| known == name)?;
        Some(Plain::new(found.1.clone()))
    }
}

/// A database whose second row stands in the log alone.
fn logged() -> (Vec<u8>, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
             CREATE TABLE Accounts (Name TEXT, number INTEGER);
             INSERT INTO accounts VALUES ('one', 1);
             PRAGMA wal_checkpoint(TRUNCATE);
             INSERT INTO accounts VALUES ('two', 2);",
        )
        .unwrap();
    let log = fs::read(directory.path().join("db-wal")).unwrap();
    (fs::read(&path).unwrap(), log)
}

fn read_names(database: &[u8], log: &[u8]) -> Result<Vec<String>, ImportError> {
    let mut bytes = Plain::new(database.to_vec());
    wal::apply(&mut bytes, log)?;
    let tables = open(bytes, &["accounts", "nothing"])?;
    assert!(tables[1].is_empty());
    let words = tables[0].iter().filter_map(|row| row.word("name"));
    Ok(words.collect())
}

#[test]
fn the_log_counts_and_what_is_torn_in_it_does_not() {
    let (database, log) = logged();
    assert_eq!(read_names(&database, &[]).unwrap(), ["one"]);
    assert_eq!(read_names(&database, &log).unwrap(), ["one", "two"]);
    for at in 0..log.len() {
        let mut torn = log.clone();
        torn[at] ^= 1;
        // Version and number of the checkpoint are in the checksum too: no bit may differ.
        assert_eq!(read_names(&database, &torn).unwrap(), ["one"], "{at}");
        assert_eq!(read_names(&database, &log[..at]).unwrap(), ["one"], "{at}");
    }
}

#[test]
fn a_log_beside_is_found_and_named() {
    let (database, log) = logged();
    let beside = Files(vec![("db-wal".into(), log)]);
    let source = Source {
        name: "db",
        bytes: &database,
        beside: &beside,
    };
    let document = Document::new(&source).ok().unwrap();
    let mut contents = Contents::default();
    let bytes = whole(&document, &mut contents).unwrap();
    assert_eq!(contents.read_along, ["db-wal", "db-shm"]);
    assert_eq!(open(bytes, &["accounts"]).unwrap()[0].len(), 2);
    assert!(names(&document, &["accounts", "NAME"]));
    assert!(!names(&document, &["accounts", "oath_secret_key"]));
}

#[test]
fn no_cut_and_no_byte_makes_it_panic() {
    let (database, _) = logged();
    for end in (0..database.len()).step_by(61) {
        let _ = read_names(&database[..end], &[]);
    }
    for at in (0..database.len()).step_by(7) {
        let mut bytes = database.clone();
        bytes[at] = 0xff;
        let _ = read_names(&bytes, &[]);
    }
}

#[test]
fn a_view_is_no_table_and_a_value_without_end_is_refused() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE VIEW accounts AS WITH RECURSIVE n(name) AS (SELECT 1 UNION ALL SELECT name + 1 FROM n) SELECT name FROM n;
             CREATE TABLE wide (name);
             INSERT INTO wide VALUES (zeroblob(2000000));",
        )
        .unwrap();
    let bytes = connection.serialize(rusqlite::MAIN_DB).unwrap().to_vec();
    let tables = open(Plain::new(bytes.clone()), &["accounts"]).unwrap();
    assert!(tables[0].is_empty());
    assert!(open(Plain::new(bytes), &["wide"]).is_err());
}
