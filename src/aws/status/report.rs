//! The credential report: CSV, one row a user, the root user first (IAM's user guide, "Getting credential reports").
//!
//! Columns are found by their names, and those that aren't used may be anything: AWS adds some now and then.

use super::Key;
use crate::aws::csv::{CsvError, Table};
use crate::clock::UnixTime;

/// The largest report that is read: some fifty thousand users.
pub const MAX_BYTES: usize = 32 << 20;

/// What the root user is called in the report.
pub const ROOT: &str = "<root_account>";

/// A user, as the report tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, or [`ROOT`].
    pub user: String,
    /// The ARN.
    pub arn: String,
    /// Whether there is a password for the console; the report doesn't tell it of the root user.
    pub password: Option<bool>,
    /// Whether there is an MFA device of any kind.
    pub mfa: Option<bool>,
    /// The access keys that there are.
    pub keys: Vec<Key>,
}

const KEYS: [(&str, &str); 2] = [
    ("access_key_1_active", "access_key_1_last_rotated"),
    ("access_key_2_active", "access_key_2_last_rotated"),
];

/// Reads a report.
///
/// # Errors
/// A column is missing, a row has more or fewer fields than there are columns, a name isn't UTF-8, or it is too large.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>, CsvError> {
    let table = Table::read(bytes, MAX_BYTES)?;
    let column = |name| table.column(name)?.ok_or(CsvError::NoColumn(name));
    let (user, arn) = (column("user")?, column("arn")?);
    let (password, mfa) = (column("password_enabled")?, column("mfa_active")?);
    let mut keys = Vec::new();
    for (active, since) in KEYS {
        keys.push((column(active)?, column(since)?));
    }
    let mut entries = Vec::new();
    for row in table.rows()? {
        let row = row?;
        let name = row.text(user, "user")?;
        if name.is_empty() {
            return Err(row.wrong("user", "no name"));
        }
        let keys = keys.iter().filter_map(|(active, since)| {
            let is_active = said(row.field(*active)) == Some(true);
            let since = std::str::from_utf8(row.field(*since)).ok().and_then(moment);
            // A key that nobody has is inactive and was never made.
            (is_active || since.is_some()).then_some(Key {
                id: None,
                is_active,
                since: since.map(UnixTime::secs),
            })
        });
        entries.push(Entry {
            user: name.into(),
            arn: row.text(arn, "arn")?.into(),
            password: said(row.field(password)),
            mfa: said(row.field(mfa)),
            keys: keys.collect(),
        });
    }
    Ok(entries)
}

/// `true` or `false`; nothing for `N/A`, `no_information`, `not_supported` and whatever else there may be.
fn said(field: &[u8]) -> Option<bool> {
    if field.eq_ignore_ascii_case(b"true") {
        Some(true)
    } else if field.eq_ignore_ascii_case(b"false") {
        Some(false)
    } else {
        None
    }
}

/// A moment in ISO 8601: `2026-11-22T08:50:49+00:00`, or with `Z`. AWS writes UTC; another zone is none that it writes.
fn moment(text: &str) -> Option<UnixTime> {
    let (date, rest) = text.split_once('T')?;
    let time = rest
        .strip_suffix("+00:00")
        .or_else(|| rest.strip_suffix('Z'))?;
    // A fraction of a second is no matter here.
    let time = time.split('.').next()?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    fits.then(|| {
        UnixTime::from_secs(days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
    })
}

fn numbers(text: &str, between: char, lengths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let mut found = [0; 3];
    for (number, length) in found.iter_mut().zip(lengths) {
        let part = parts.next()?;
        if part.len() != length || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// The days from 1970 to a date: years are counted from March, so that a leap day comes last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let of_year = (153 * month + 2) / 5 + day - 1;
    // From 0000-03-01 to 1970-01-01 there are 719,468 days.
    365 * year + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::process::iso8601;
    use proptest::prelude::*;

    /// As IAM's user guide lists the columns, and one more that came later.
    const HEAD: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
        password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
        access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
        access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
        cert_1_last_rotated,cert_2_active,cert_2_last_rotated,additional_credentials_info";

    fn report(rows: &[&str]) -> Vec<u8> {
        format!("{HEAD}\n{}\n", rows.join("\n")).into_bytes()
    }

    #[test]
    fn the_root_user_and_a_user_are_read() {
        let bytes = report(&[
            "<root_account>,arn:aws:iam::123456789012:root,2020-01-01T00:00:00+00:00,not_supported,no_information,\
             not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,",
            "alice,arn:aws:iam::123456789012:user/alice,2020-01-01T00:00:00+00:00,true,no_information,\
             2020-01-01T00:00:00+00:00,N/A,false,true,2026-11-22T18:27:11+00:00,N/A,N/A,N/A,false,\
             1970-01-02T00:00:00Z,N/A,N/A,N/A,false,N/A,false,N/A,\"a,b\"",
        ]);
        let entries = read(&bytes).unwrap();
        assert_eq!(
            entries[0],
            Entry {
                user: ROOT.into(),
                arn: "arn:aws:iam::123456789012:root".into(),
                password: None,
                mfa: Some(true),
                keys: Vec::new(),
            }
        );
        let key = |is_active, since| Key {
            id: None,
            is_active,
            since: Some(since),
        };
        assert_eq!(
            (entries[1].password, entries[1].mfa),
            (Some(true), Some(false))
        );
        assert_eq!(
            entries[1].keys,
            [key(true, 1_795_372_031), key(false, 86_400)]
        );
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn columns_are_found_wherever_they_stand() {
        let bytes = b"mfa_active,user,access_key_2_active,access_key_2_last_rotated,new,access_key_1_active,\
            access_key_1_last_rotated,password_enabled,arn\ntrue,bob,true,no_information,?,false,N/A,FALSE,arn";
        let entries = read(bytes).unwrap();
        assert_eq!(entries[0].user, "bob");
        assert_eq!(
            (entries[0].password, entries[0].mfa),
            (Some(false), Some(true))
        );
        // In use, though nobody knows since when.
        assert_eq!(entries[0].keys.len(), 1);
        assert_eq!(entries[0].keys[0].since, None);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        assert_eq!(read(b""), Err(CsvError::Empty));
        assert_eq!(read(b"a,b\n1,2\n"), Err(CsvError::NoColumn("user")));
        let without_mfa = HEAD.replace("mfa_active", "mfa");
        assert_eq!(
            read(without_mfa.as_bytes()),
            Err(CsvError::NoColumn("mfa_active"))
        );
        assert_eq!(read(&report(&["alice,arn"])), Err(CsvError::Fields(2)));
        let commas = ",".repeat(22);
        assert!(matches!(
            read(&report(&[&commas])),
            Err(CsvError::Field { row: 2, .. })
        ));
    }

    #[test]
    fn only_moments_in_utc_are_moments() {
        for no in [
            "N/A",
            "no_information",
            "not_supported",
            "",
            "2026-11-22",
            "2026-11-22T08:50:49",
            "2026-11-22T08:50:49+01:00",
            "2026-13-22T08:50:49Z",
            "2026-00-22T08:50:49Z",
            "2026-11-00T08:50:49Z",
            "1969-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "+026-11-22T08:50:49Z",
            "2026-11-22T08:50:49:00Z",
        ] {
            assert_eq!(moment(no), None, "{no}");
        }
        assert_eq!(
            moment("2026-11-22T18:27:11.250Z"),
            Some(UnixTime::from_secs(1_795_372_031))
        );
    }

    proptest! {
        #[test]
        fn a_moment_that_was_written_is_read(secs in 0..253_402_300_800u64) {
            let text = iso8601(UnixTime::from_secs(secs));
            prop_assert_eq!(moment(&text), Some(UnixTime::from_secs(secs)));
            let zone = text.replace('Z', "+00:00");
            prop_assert_eq!(moment(&zone), Some(UnixTime::from_secs(secs)));
        }
    }
}
