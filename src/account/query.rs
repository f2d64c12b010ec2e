//! Which account a person means.
//!
//! The order of things: what names an account exactly comes before what resembles it, and what resembles several selects
//! none. A code of the wrong account is worse than a question, so letters scattered over a label never select.

mod near;
#[cfg(test)]
mod tests;
mod words;

use unicode_normalization::UnicodeNormalization;

use crate::account::Summary;

/// What was found. Indices into the given slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Exactly one.
    One(usize),
    /// Several; the nearest first.
    Several(Vec<usize>),
    /// None; the nearest by spelling, if any come near.
    Nothing(Vec<usize>),
}

/// The longest query in bytes; a longer one finds nothing.
const MAX_LEN: usize = 1024;

/// The fewest digits of an id that stand for it.
const MIN_ID_DIGITS: usize = 8;

/// Finds what a query means. The first of these that any account meets decides; two that meet it are ambiguous:
///
/// 1. its id or at least the first 8 digits of it, its AWS serial number, its whole label `issuer:account`;
/// 2. the same in other case or compatible characters (NFKC);
/// 3. its account name, its issuer, or, for AWS, its account ID or alias;
/// 4. the same in other case or compatible characters;
/// 5. every word of the query stands in its issuer, account name, tags or serial number.
///
/// In 5 a word of one or two Latin letters must begin a word there. Scattered letters and misspellings only make suggestions.
pub fn find(query: &str, among: &[Summary]) -> Found {
    let query = query.trim();
    if query.is_empty() || query.len() > MAX_LEN {
        return Found::Nothing(Vec::new());
    }
    let folded = fold(query);
    let id = IdPrefix::parse(query);
    let aws_account = aws_account_id(query);
    let exactly = |text: &str| text == query;
    let loosely = |text: &str| same_folded(text, query, &folded);

    let levels: [&dyn Fn(&Summary) -> bool; 4] = [
        &|summary| {
            id.as_ref().is_some_and(|id| id.begins(summary))
                || summary.serial_number.as_deref().is_some_and(exactly)
                || is_label(summary, query)
        },
        &|summary| {
            summary.serial_number.as_deref().is_some_and(loosely)
                || is_folded_label(summary, &folded)
        },
        &|summary| {
            exactly(&summary.name)
                || exactly(&summary.issuer)
                || aws_account
                    .as_deref()
                    .is_some_and(|id| is_aws_account(summary, |part| part == id))
                || is_aws_account(summary, exactly)
        },
        &|summary| {
            loosely(&summary.name) || loosely(&summary.issuer) || is_aws_account(summary, loosely)
        },
    ];
    for level in levels {
        let met: Vec<usize> = indices(among, level);
        match met.as_slice() {
            [] => {}
            [one] => return Found::One(*one),
            _ => return Found::Several(met),
        }
    }
    words::find(&folded, among)
}

fn indices(among: &[Summary], meets: impl Fn(&Summary) -> bool) -> Vec<usize> {
    let met = among
        .iter()
        .enumerate()
        .filter(|(_, summary)| meets(summary));
    met.map(|(index, _)| index).collect()
}

/// Lower case of the compatible form: `ＧｉｔＨｕｂ` and `GitHub` are one.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

fn same_folded(text: &str, query: &str, folded_query: &str) -> bool {
    match text.is_ascii() && query.is_ascii() {
        true => text.eq_ignore_ascii_case(query),
        false => fold(text) == folded_query,
    }
}

/// Whether the query is the whole label, without building each label.
fn is_label(summary: &Summary, query: &str) -> bool {
    let whole = |issuer: &str| match (issuer, summary.name.as_str()) {
        ("", name) => name == query,
        (issuer, "") => issuer == query,
        (issuer, name) => query
            .strip_prefix(issuer)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|rest| rest == name || rest.trim_start() == name),
    };
    whole(&summary.issuer) || summary.label_issuer.as_deref().is_some_and(whole)
}

fn is_folded_label(summary: &Summary, folded_query: &str) -> bool {
    let whole = |issuer: &str| {
        let rest = match (issuer, summary.name.as_str()) {
            ("", _) => Some(folded_query),
            (issuer, "") => return same_folded(issuer, folded_query, folded_query),
            (issuer, _) => without_prefix(folded_query, issuer),
        };
        rest.is_some_and(|rest| same_folded(&summary.name, rest.trim_start(), rest.trim_start()))
    };
    whole(&summary.issuer) || summary.label_issuer.as_deref().is_some_and(whole)
}

/// What follows `issuer:` in a folded query.
fn without_prefix<'q>(folded_query: &'q str, issuer: &str) -> Option<&'q str> {
    let rest = if issuer.is_ascii() {
        let (head, rest) = folded_query.split_at_checked(issuer.len())?;
        head.eq_ignore_ascii_case(issuer).then_some(rest)?
    } else {
        folded_query.strip_prefix(fold(issuer).as_str())?
    };
    rest.strip_prefix(':')
}

/// The first hexadecimal digits of an id.
struct IdPrefix(Vec<u8>);

impl IdPrefix {
    fn parse(query: &str) -> Option<Self> {
        if !(MIN_ID_DIGITS..=32).contains(&query.len()) {
            return None;
        }
        let digits = query
            .chars()
            .map(|digit| digit.to_digit(16).map(|digit| digit as u8));
        digits.collect::<Option<_>>().map(Self)
    }

    fn begins(&self, summary: &Summary) -> bool {
        let bytes = summary.id.as_bytes().iter();
        let digits = bytes.flat_map(|byte| [byte >> 4, byte & 15]);
        self.0.iter().copied().zip(digits).all(|(a, b)| a == b)
    }
}

/// AWS's twelve digits, also as the console groups them: `1234-5678-9012`.
fn aws_account_id(query: &str) -> Option<String> {
    let digits: String = query
        .chars()
        .filter(|character| *character != '-')
        .collect();
    (digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// Whether an account of AWS belongs to the AWS account of that ID or alias: the serial number is an ARN with the ID in its
/// fifth field, and the console labels a device `user@ID` or `user@alias`.
fn is_aws_account(summary: &Summary, is: impl Fn(&str) -> bool) -> bool {
    let in_serial_number = || {
        let serial_number = summary.serial_number.as_deref()?;
        let mut fields = serial_number.split(':');
        (fields.next() == Some("arn"))
            .then(|| fields.nth(3))
            .flatten()
    };
    let in_name = || {
        let issuer = summary.issuer.as_str();
        let is_aws = issuer.eq_ignore_ascii_case("Amazon Web Services")
            || issuer.eq_ignore_ascii_case("AWS");
        is_aws
            .then(|| summary.name.rsplit_once('@'))
            .flatten()
            .map(|(_, account)| account)
    };
    in_serial_number().is_some_and(&is) || in_name().is_some_and(&is)
}
