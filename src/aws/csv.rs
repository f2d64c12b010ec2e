//! The two CSV files that AWS's console hands out: `credentials.csv` with a new user's sign-in, `accessKeys.csv` with a key.
//!
//! Their columns differ by generation of the console, so they are found by their names. A password is never kept: what was
//! read of it is wiped with the buffer that it stood in.

use csv_core::{ReadRecordResult, Reader};
use thiserror::Error;
use zeroize::Zeroizing;

use super::arn::{Partition, is_account_id};
use crate::failure::{Fails, Kind};
use crate::secret::SecretText;

/// The largest file that is read: some thousand users.
pub const MAX_BYTES: usize = 1 << 20;

/// More columns than any generation had, and than the credential report has.
const MAX_COLUMNS: usize = 64;

/// A user that an administrator made in the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name to sign in with.
    pub name: String,
    /// Where to sign in, if the file says it.
    pub console: Option<Console>,
    /// Whether the file holds a password for them.
    pub password: Password,
}

/// Whether a password is in the file. The password itself is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Password {
    /// There is one.
    InFile,
    /// The field is empty, or there is no such column.
    None,
}

/// A link to sign in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// The whole link.
    pub link: String,
    /// The AWS account that it leads to.
    pub account: Account,
    /// The partition that the account is in.
    pub partition: Partition,
}

/// An AWS account, as a link names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// By its AWS account ID: twelve digits.
    Id(String),
    /// By its alias.
    Alias(String),
}

/// Why a file can't be used: which row, and what is wrong with it. The row with the columns' names is row 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CsvError {
    /// Larger than so many bytes.
    #[error("the file has more than {0} bytes")]
    TooLarge(usize),
    /// The first row names no such column.
    #[error("row 1: there is no column \"{0}\"")]
    NoColumn(&'static str),
    /// The first row names a column twice.
    #[error("row 1: there are two columns \"{0}\"")]
    TwoColumns(&'static str),
    /// More or fewer fields than columns.
    #[error("row {0}: not as many fields as there are columns")]
    Fields(usize),
    /// A field that can't be what its column says.
    #[error("row {row}, {column}: {wrong}")]
    Field {
        /// The row.
        row: usize,
        /// The column.
        column: &'static str,
        /// What is wrong with the field.
        wrong: &'static str,
    },
    /// Names of columns and nothing below.
    #[error("there is no row below the names of the columns")]
    Empty,
    /// More than one access key, and no way to say which is meant.
    #[error("row {0}: the file holds more than one access key")]
    SeveralKeys(usize),
}

impl Fails for CsvError {
    fn kind(&self) -> Kind {
        match self {
            Self::SeveralKeys(_) => Kind::Ambiguous,
            Self::TooLarge(_)
            | Self::NoColumn(_)
            | Self::TwoColumns(_)
            | Self::Fields(_)
            | Self::Field { .. }
            | Self::Empty => Kind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoColumn(_) => Some("take the file as the console gave it".into()),
            Self::SeveralKeys(_) => Some("leave one row below the names of the columns".into()),
            Self::TooLarge(_)
            | Self::TwoColumns(_)
            | Self::Fields(_)
            | Self::Field { .. }
            | Self::Empty => None,
        }
    }
}

const NAME: &str = "User name";
const PASSWORD: &str = "Password";
const KEY_ID: &str = "Access key ID";
const SECRET: &str = "Secret access key";
const LINK: &str = "Console sign-in URL";
const OLDER_LINK: &str = "Console login link";

/// The users of a `credentials.csv`. Passwords and secret access keys in it are passed over.
///
/// # Errors
/// No column for the name; a row with more or fewer fields than columns; a name or link that can't be one.
pub fn read_users(bytes: &[u8]) -> Result<Vec<User>, CsvError> {
    let table = Table::read(bytes, MAX_BYTES)?;
    let name = table.column(NAME)?.ok_or(CsvError::NoColumn(NAME))?;
    let password = table.column(PASSWORD)?;
    let link = match table.column(LINK)? {
        Some(link) => Some((LINK, link)),
        None => table.column(OLDER_LINK)?.map(|link| (OLDER_LINK, link)),
    };
    let mut users = Vec::new();
    for row in table.rows()? {
        let row = row?;
        let user = row.text(name, NAME)?;
        if !is_user_name(user) {
            return Err(row.wrong(NAME, "not the name of an IAM user"));
        }
        let console = match link {
            Some((column, link)) => match row.text(link, column)? {
                "" => None,
                text => {
                    let wrong = row.wrong(column, "not a sign-in link of AWS");
                    Some(Console::new(text).ok_or(wrong)?)
                }
            },
            None => None,
        };
        let is_there = password.is_some_and(|column| !row.field(column).is_empty());
        users.push(User {
            name: user.into(),
            console,
            password: match is_there {
                true => Password::InFile,
                false => Password::None,
            },
        });
    }
    match users.is_empty() {
        true => Err(CsvError::Empty),
        false => Ok(users),
    }
}

/// The one access key of an `accessKeys.csv`, or of a `credentials.csv` that holds one: its ID and its secret half.
///
/// # Errors
/// No such columns; no key or more than one; fields that can't be one.
pub fn read_access_key(bytes: &[u8]) -> Result<(String, SecretText), CsvError> {
    let table = Table::read(bytes, MAX_BYTES)?;
    let id = table.column(KEY_ID)?.ok_or(CsvError::NoColumn(KEY_ID))?;
    let secret = table.column(SECRET)?.ok_or(CsvError::NoColumn(SECRET))?;
    let mut found = None;
    for row in table.rows()? {
        let row = row?;
        let (id, secret) = (row.text(id, KEY_ID)?, row.text(secret, SECRET)?);
        if id.is_empty() && secret.is_empty() {
            continue;
        }
        if found.is_some() {
            return Err(CsvError::SeveralKeys(row.number));
        }
        // IAM's API reference, AccessKey: 16 to 128 word characters.
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !(16..=128).contains(&id.len()) || !id.bytes().all(fits) {
            return Err(row.wrong(KEY_ID, "not an access key ID"));
        }
        let fits = |byte: u8| byte.is_ascii_graphic();
        if !(16..=128).contains(&secret.len()) || !secret.bytes().all(fits) {
            return Err(row.wrong(SECRET, "not a secret access key"));
        }
        found = Some((id.to_owned(), SecretText::new(secret.into())));
    }
    found.ok_or(CsvError::Empty)
}

impl Console {
    /// `https://ACCOUNT.signin.DOMAIN/console`, where the domain tells the partition.
    pub fn new(link: &str) -> Option<Self> {
        if link.len() > 512 || !link.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let rest = link.strip_prefix("https://")?;
        let host = rest.split(['/', '?', '#']).next()?;
        let (account, domain) = host.split_once('.')?;
        let partitions = ["aws", "aws-cn", "aws-us-gov"].into_iter();
        let partition = partitions
            .filter_map(Partition::new)
            .find(|partition| partition.sign_in() == Some(domain))?;
        let account = match account {
            id if is_account_id(id) => Account::Id(id.into()),
            alias if is_alias(alias) => Account::Alias(alias.into()),
            _ => return None,
        };
        Some(Self {
            link: link.into(),
            account,
            partition,
        })
    }
}

/// IAM's API reference, CreateAccountAlias: 3 to 63 small letters, digits and single dashes inside.
fn is_alias(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (3..=63).contains(&text.len())
        && text.bytes().all(fits)
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// IAM's API reference, CreateUser: 1 to 64 word characters and `+=,.@-`.
fn is_user_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    (1..=64).contains(&text.len()) && text.chars().all(fits)
}

/// A file, cut into fields (RFC 4180). It is all in one buffer, which is wiped; the reader itself keeps nothing.
pub(super) struct Table {
    text: Zeroizing<Vec<u8>>,
    /// The fields of each row, as places in the text.
    rows: Vec<Vec<(usize, usize)>>,
}

/// A row below the first.
pub(super) struct Row<'a> {
    number: usize,
    table: &'a Table,
}

impl Table {
    /// Cuts a file of at most so many bytes.
    pub(super) fn read(bytes: &[u8], most: usize) -> Result<Self, CsvError> {
        if bytes.len() > most {
            return Err(CsvError::TooLarge(most));
        }
        let mut rest = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        // Never longer than the file, so that it never moves.
        let mut text = Zeroizing::new(vec![0; rest.len() + 1]);
        let mut used = 0;
        let mut rows = Vec::new();
        let mut reader = Reader::new();
        loop {
            let (mut fields, mut begin) = (Vec::new(), used);
            let mut ends = [0; MAX_COLUMNS];
            let mut count = 0;
            let row_at = used;
            // The end of the input ends the last row, too: it is told by one more call with nothing.
            let result = loop {
                let (result, read, wrote, ended) =
                    reader.read_record(rest, &mut text[used..], &mut ends[count..]);
                rest = &rest[read..];
                used += wrote;
                count += ended;
                match result {
                    ReadRecordResult::InputEmpty => {}
                    ReadRecordResult::OutputFull => return Err(CsvError::TooLarge(most)),
                    ReadRecordResult::OutputEndsFull => {
                        return Err(CsvError::Fields(rows.len() + 1));
                    }
                    ReadRecordResult::Record | ReadRecordResult::End => break result,
                }
            };
            if matches!(result, ReadRecordResult::End) {
                return Ok(Self { text, rows });
            }
            for end in &ends[..count] {
                fields.push((begin, row_at + end));
                begin = row_at + end;
            }
            rows.push(fields);
        }
    }

    /// Where a column is.
    pub(super) fn column(&self, name: &'static str) -> Result<Option<usize>, CsvError> {
        let first = self.rows.first().ok_or(CsvError::Empty)?;
        let mut found = first.iter().enumerate().filter(|(_, (begin, end))| {
            let field = self.text[*begin..*end].trim_ascii();
            field.eq_ignore_ascii_case(name.as_bytes())
        });
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(CsvError::TwoColumns(name)),
            (found, _) => Ok(found.map(|(index, _)| index)),
        }
    }

    /// The rows below the first, each with as many fields.
    pub(super) fn rows(&self) -> Result<impl Iterator<Item = Result<Row<'_>, CsvError>>, CsvError> {
        let columns = self.rows.first().ok_or(CsvError::Empty)?.len();
        Ok((1..self.rows.len()).map(move |index| {
            let row = Row {
                number: index + 1,
                table: self,
            };
            match self.rows[index].len() == columns {
                true => Ok(row),
                false => Err(CsvError::Fields(row.number)),
            }
        }))
    }
}

impl<'a> Row<'a> {
    pub(super) fn field(&self, column: usize) -> &'a [u8] {
        let (begin, end) = self.table.rows[self.number - 1][column];
        self.table.text[begin..end].trim_ascii()
    }

    pub(super) fn text(&self, column: usize, name: &'static str) -> Result<&'a str, CsvError> {
        std::str::from_utf8(self.field(column)).map_err(|_| self.wrong(name, "not UTF-8"))
    }

    pub(super) fn wrong(&self, column: &'static str, wrong: &'static str) -> CsvError {
        CsvError::Field {
            row: self.number,
            column,
            wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn users(text: &str) -> Result<Vec<User>, CsvError> {
        read_users(text.as_bytes())
    }

    #[test]
    fn each_generation_of_the_console_is_read() {
        let id = |domain: &str| format!("https://123456789012.signin.{domain}/console");
        let newer = format!(
            "\u{feff}User name,Password,Console sign-in URL\r\nalice,\"a,\"\"b\r\n\",{}\r\n",
            id("aws.amazon.com")
        );
        let all = users(&newer).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].name, "alice");
        assert_eq!(all[0].password, Password::InFile);
        let console = all[0].console.clone().unwrap();
        assert_eq!(console.account, Account::Id("123456789012".into()));
        assert_eq!(console.partition.name(), "aws");

        let older = format!(
            "User name,Password,Access key ID,Secret access key,Console login link\n\
             alice,,AKIAIOSFODNN7EXAMPLE,{SECRET_KEY},https://my-team.signin.amazonaws.cn/console\n\
             \"bob,b@example.test\",x,,,{}",
            id("amazonaws-us-gov.com")
        );
        let all = users(&older).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].password, Password::None);
        let console = all[0].console.clone().unwrap();
        assert_eq!(console.account, Account::Alias("my-team".into()));
        assert_eq!(console.partition.name(), "aws-cn");
        assert_eq!(all[1].name, "bob,b@example.test");
        let console = all[1].console.clone().unwrap();
        assert_eq!(console.partition.name(), "aws-us-gov");
        let (id, secret) = read_access_key(older.as_bytes()).unwrap();
        assert_eq!(
            (id.as_str(), secret.expose()),
            ("AKIAIOSFODNN7EXAMPLE", SECRET_KEY)
        );
    }

    #[test]
    fn an_access_key_is_the_only_one_of_its_file() {
        let one = format!("AKIAIOSFODNN7EXAMPLE,{SECRET_KEY}");
        let read = |text: String| {
            read_access_key(text.as_bytes()).map(|(id, secret)| (id, secret.expose().to_owned()))
        };
        let head = "\u{feff}Access key ID,Secret access key\r\n";
        let expected = Ok(("AKIAIOSFODNN7EXAMPLE".into(), SECRET_KEY.to_owned()));
        assert_eq!(read(format!("{head}{one}\r\n")), expected);
        assert_eq!(read(format!("{head}{one}")), expected);
        assert_eq!(
            read(format!("{head}{one}\r\n{one}\r\n")),
            Err(CsvError::SeveralKeys(3))
        );
        assert_eq!(read(head.into()), Err(CsvError::Empty));
        assert_eq!(read(String::new()), Err(CsvError::Empty));
        assert_eq!(
            read(format!("{head}{one},more\r\n")),
            Err(CsvError::Fields(2))
        );
        assert_eq!(
            read("Access key ID\nAKIAIOSFODNN7EXAMPLE\n".into()),
            Err(CsvError::NoColumn(SECRET))
        );
        let short = read(format!("{head}AKIAIOSFODNN7EXAMPLE,short\n"));
        assert!(matches!(short, Err(CsvError::Field { row: 2, .. })));
    }

    #[test]
    fn an_error_says_where_and_holds_no_field() {
        for (row, expected) in [
            (
                "al ice,hunter2,",
                "row 2, User name: not the name of an IAM user",
            ),
            (
                "alice,hunter2,https://evil.example/console",
                "row 2, Console sign-in URL: not a sign-in link of AWS",
            ),
            (
                "alice,hunter2",
                "row 2: not as many fields as there are columns",
            ),
        ] {
            let text = format!("User name,Password,Console sign-in URL\n{row}\n");
            assert_eq!(users(&text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_link_leads_to_aws_or_is_none() {
        for no in [
            "http://123456789012.signin.aws.amazon.com/console",
            "https://signin.aws.amazon.com/console",
            "https://a.b.signin.aws.amazon.com/console",
            "https://123456789012.signin.aws.amazon.com.evil.test/console",
            "https://123456789012.signin.aws.amazon.com@evil.test/",
            "https://-al.signin.aws.amazon.com/console",
        ] {
            assert_eq!(Console::new(no), None, "{no}");
        }
    }

    #[test]
    fn more_columns_than_any_file_has_are_refused() {
        let head = vec!["x"; MAX_COLUMNS + 1].join(",");
        assert_eq!(users(&head), Err(CsvError::Fields(1)));
        let long = "User name\n".to_owned() + &"a".repeat(MAX_BYTES);
        assert_eq!(users(&long), Err(CsvError::TooLarge(MAX_BYTES)));
    }
}
