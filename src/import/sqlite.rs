//! SQLite databases of Android apps, opened in memory and read-only: nothing is written anywhere, and nothing in the database
//! runs. What the app's write-ahead log adds is put in before ([`wal`]).

pub(crate) mod wal;

use crate::cipher::Plain;
use crate::import::document::Document;
use crate::import::{Contents, ImportError};

/// What a database begins with.
pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";

/// Whether the file is a database that names all these words: in what SQLite keeps of its tables they stand as they were
/// written. A table may stand in the log alone.
pub(crate) fn names(document: &Document<'_>, words: &[&str]) -> bool {
    if !document.bytes().starts_with(MAGIC) {
        return false;
    }
    let log = log(document);
    let log = log.as_ref().map_or(&[][..], |log| log.as_slice());
    let has = |bytes: &[u8], word: &str| {
        bytes
            .windows(word.len())
            .any(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    };
    words
        .iter()
        .all(|word| has(document.bytes(), word) || has(log, word))
}

/// The database with its log put in, for [`open`].
///
/// # Errors
/// The log is larger than a database may be.
pub(crate) fn whole(
    document: &Document<'_>,
    contents: &mut Contents,
) -> Result<Plain, ImportError> {
    let mut bytes = Plain::new(document.bytes().to_vec());
    if let Some(log) = log(document) {
        wal::apply(&mut bytes, &log)?;
        contents.read_along.push(format!("{}-wal", document.name()));
    }
    // An index into the log; nothing in it is needed.
    contents.read_along.push(format!("{}-shm", document.name()));
    Ok(bytes)
}

fn log(document: &Document<'_>) -> Option<Plain> {
    let name = document.name();
    if name.is_empty() {
        return None;
    }
    document.beside().bytes(&format!("{name}-wal"))
}

/// A row: its values under their columns' names, in lower case.
pub(crate) struct Row(Vec<(String, Value)>);

/// A value.
#[cfg_attr(
    not(feature = "sqlite"),
    expect(dead_code, reason = "only a database has values")
)]
pub(crate) enum Value {
    /// A text, or a number in words.
    Word(zeroize::Zeroizing<String>),
    /// Bytes.
    Bytes(Plain),
}

impl Row {
    /// A text or a number, as a word.
    pub(crate) fn word(&self, column: &str) -> Option<String> {
        match self.value(column)? {
            Value::Word(word) => Some(word.to_string()),
            Value::Bytes(_) => None,
        }
    }

    /// Whether there is something under this name.
    pub(crate) fn says(&self, column: &str) -> bool {
        match self.value(column) {
            Some(Value::Word(word)) => !word.trim().is_empty(),
            Some(Value::Bytes(bytes)) => !bytes.is_empty(),
            None => false,
        }
    }

    fn value(&self, column: &str) -> Option<&Value> {
        let found = self.0.iter().find(|(name, _)| name == column)?;
        Some(&found.1)
    }
}

#[cfg(feature = "sqlite")]
pub(crate) use built::open;

/// Reads all rows of these tables; a table that isn't there has none.
///
/// # Errors
/// Always: this build leaves databases out.
#[cfg(not(feature = "sqlite"))]
pub(crate) fn open(_: Plain, _: &[&'static str]) -> Result<Vec<Vec<Row>>, ImportError> {
    Err(ImportError::NotBuilt("databases (feature \"sqlite\")"))
}

#[cfg(feature = "sqlite")]
mod built {
    use rusqlite::config::DbConfig;
    use rusqlite::limits::Limit;
    use rusqlite::types::ValueRef;
    use rusqlite::{Connection, MAIN_DB, OpenFlags};
    use zeroize::Zeroizing;

    use super::{MAGIC, Row, Value};
    use crate::cipher::Plain;
    use crate::import::ImportError;

    /// More rows than anybody has accounts.
    const MAX_ROWS: usize = 100_000;
    /// The most bytes of a value.
    const MAX_VALUE: i32 = 1 << 20;
    /// The most bytes of all values, and what each is counted for besides its own.
    const MAX_ALL: usize = 128 << 20;
    const EACH: usize = 64;
    /// How often SQLite asks whether to go on, in its own steps, and for how often it is told yes: some seconds.
    const STEPS: i32 = 10_000;
    const MAX_ASKED: u32 = 20_000;

    /// Reads all rows of these tables; a table that isn't there has none.
    ///
    /// # Errors
    /// The database is damaged, or reading it takes longer than any app's.
    pub(crate) fn open(
        mut bytes: Plain,
        tables: &[&'static str],
    ) -> Result<Vec<Vec<Row>>, ImportError> {
        // A database with a log says so in its head (the file format, section 1.3), and in memory there can be none.
        if let Some(versions) = bytes.get_mut(18..20) {
            versions.fill(1);
        }
        if !bytes.starts_with(MAGIC) {
            return Err(ImportError::damaged("it is not an SQLite database"));
        }
        let connection = connect(&bytes).map_err(|error| broken(&error))?;
        let mut room = MAX_ALL;
        let mut read = |table| match rows(&connection, table, &mut room) {
            Ok(Some(rows)) => Ok(rows),
            Ok(None) => Err(ImportError::damaged("the database grows as it is read")),
            Err(error) => Err(broken(&error)),
        };
        tables.iter().map(|table| read(*table)).collect()
    }

    fn connect(bytes: &[u8]) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_MEMORY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_in_memory_with_flags(flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        // A view would be a program of the file's own.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        let mut asked = 0;
        connection.progress_handler(
            STEPS,
            Some(move || {
                asked += 1;
                asked > MAX_ASKED
            }),
        )?;
        connection.deserialize_read_exact(MAIN_DB, bytes, bytes.len(), true)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cell_size_check = ON;")?;
        Ok(connection)
    }

    /// None when there is more in them than there is room: many rows may say that they have the same long value.
    fn rows(
        connection: &Connection,
        table: &'static str,
        room: &mut usize,
    ) -> rusqlite::Result<Option<Vec<Row>>> {
        // What has no page of its own is a view, or a table that a program of SQLite's makes up.
        let known: u32 = connection.query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name = ?1 COLLATE NOCASE",
            [table],
            |row| row.get(0),
        )?;
        if known == 0 {
            return Ok(Some(Vec::new()));
        }
        let names = names(connection, table)?;
        let mut statement =
            connection.prepare(&format!("SELECT * FROM \"{table}\" LIMIT {MAX_ROWS}"))?;
        let mut found = Vec::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut values = Vec::new();
            for (index, name) in names.iter().enumerate() {
                let cell = row.get_ref(index)?;
                let len = match cell {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
                    ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
                };
                let Some(left) = room.checked_sub(name.len() + len + EACH) else {
                    return Ok(None);
                };
                *room = left;
                if let Some(value) = value(cell) {
                    values.push((name.clone(), value));
                }
            }
            found.push(Row(values));
        }
        Ok(Some(found))
    }

    /// The names of the columns that a row has. A statement knows them too, and panics where one is no UTF-8.
    fn names(connection: &Connection, table: &'static str) -> rusqlite::Result<Vec<String>> {
        let mut statement =
            connection.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden <> 1")?;
        let mut rows = statement.query([table])?;
        let mut names = Vec::new();
        while let Some(row) = rows.next()? {
            let name = match row.get_ref(0)? {
                ValueRef::Text(name) => String::from_utf8_lossy(name).to_ascii_lowercase(),
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => {
                    String::new()
                }
            };
            names.push(name);
        }
        Ok(names)
    }

    fn value(value: ValueRef<'_>) -> Option<Value> {
        let word = |text: String| Some(Value::Word(Zeroizing::new(text)));
        match value {
            ValueRef::Null => None,
            ValueRef::Integer(number) => word(number.to_string()),
            ValueRef::Real(number) => word(number.to_string()),
            ValueRef::Text(text) => word(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Some(Value::Bytes(Plain::new(bytes.to_vec()))),
        }
    }

    /// The library's texts may repeat what stands in the database; its numbers say enough.
    fn broken(error: &rusqlite::Error) -> ImportError {
        let what = match error.sqlite_error() {
            Some(error) => format!("the database (SQLite's error {})", error.extended_code),
            None => "the database".to_owned(),
        };
        ImportError::damaged(what)
    }
}

#[cfg(feature = "sqlite")]
#[cfg(test)]
mod tests;
