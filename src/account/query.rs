//! Which account a person means.
//!
//! The order of things: what names an account exactly comes before what resembles it, and what resembles several selects
//! none. A code of the wrong account is worse than a question, so a fragment from within a word never selects, and neither
//! does a name that another account begins with.

mod candidates;
mod index;
mod near;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Borrow;
use std::cmp::Ordering;

use unicode_normalization::UnicodeNormalization;

pub use index::Index;

use crate::account::Summary;
use crate::account::query::candidates::Candidates;

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
pub const MAX_LEN: usize = 1024;

/// The fewest digits of an id that stand for it.
const MIN_ID_DIGITS: usize = 8;

/// The digits of a whole id.
const MAX_ID_DIGITS: usize = 32;

/// Short names that stand for an issuer, folded: those that the issuer uses for itself and nobody else does. The issuer must
/// be the whole of it, since `Amazon` alone is a shop.
const SHORT_NAMES: [(&str, &str); 2] = [
    ("amazon web services", "aws"),
    ("google cloud platform", "gcp"),
];

/// Finds what a query means. The first of these that any account meets decides; two that meet it are ambiguous:
///
/// 1. its id, its AWS serial number, its whole label `issuer:account`;
/// 2. the same in other case or compatible characters (NFKC), the label also with the issuer's short name (`aws` for Amazon
///    Web Services);
/// 3. such a label with a space for the colon;
/// 4. for AWS, its account ID;
/// 5. every word of the query is or begins a word of its issuer, account name, tags, serial number or short name; or the
///    query is at least the first 8 digits of its id.
///
/// An account name or an issuer alone is one of the last: it selects if it begins a word in no other account. A label that
/// has no issuer is written `:account` where it must be told from a name alone. Digits must be a whole number there: the
/// beginning of an AWS account ID is none. Fragments from within a word, scattered letters and misspellings only make
/// suggestions.
pub fn find<S: Borrow<Summary>>(query: &str, among: &[S]) -> Found {
    let Some(query) = Query::new(query) else {
        return Found::Nothing(Vec::new());
    };
    let candidates = candidates::among(&query, among);
    choose(&query, among, &candidates)
        .unwrap_or_else(|| Found::Nothing(near::suggest(&query.words(), among)))
}

/// What [`find`] finds, if any account meets the query. Only the candidates are looked at: all that may meet it.
fn choose<S: Borrow<Summary>>(
    query: &Query<'_>,
    among: &[S],
    candidates: &Candidates,
) -> Option<Found> {
    let meeting = |meets: &dyn Fn(&Summary) -> bool| -> Vec<usize> {
        let indices = candidates.indices(among.len());
        indices
            .filter(|index| meets(among[*index].borrow()))
            .collect()
    };
    let spelt_out = meeting(&|summary| query.spells_out(summary));
    let levels: [&dyn Fn(&Summary) -> bool; 4] = [
        &|summary| query.names(summary),
        &|summary| query.names_loosely(summary),
        // Where no issuer and name are the query, a name of several words is one of the last.
        &|summary| {
            !spelt_out.is_empty()
                && (query.spells_out(summary) || query.is_name_or_issuer_of(summary))
        },
        &|summary| query.is_aws_account_of(summary),
    ];
    for level in levels {
        match meeting(level).as_slice() {
            [] => {}
            [one] => return Some(Found::One(*one)),
            several => return Some(Found::Several(several.to_vec())),
        }
    }
    words::choose(query, among, candidates)
}

/// A glance at accounts one by one, before any is kept: it leaves out those that a query can't mean. What [`find`] finds among
/// those that it lets through is what it finds among all; only when that is nothing, all are needed for suggestions.
pub struct Glance<'q>(Option<(Query<'q>, candidates::Look)>);

impl<'q> Glance<'q> {
    /// Made ready for a query.
    pub fn new(query: &'q str) -> Self {
        Self(Query::new(query).map(|query| {
            let look = candidates::Look::new(&query);
            (query, look)
        }))
    }

    /// Whether the account may be meant.
    pub fn may_mean(&mut self, summary: &Summary) -> bool {
        self.0
            .as_mut()
            .is_some_and(|(query, look)| look.may_meet(query, summary))
    }
}

/// Every account that a query may mean, in the order given, for a list: what [`find`] would choose from, and those as well
/// in whose note a word stands. A note may name other accounts, so it never selects one, but whoever searches wants to see
/// it. An empty query means every account.
pub fn matching<S: Borrow<Summary>>(query: &str, among: &[S]) -> Vec<usize> {
    if query.trim().is_empty() {
        return (0..among.len()).collect();
    }
    let Some(query) = Query::new(query) else {
        return Vec::new();
    };
    let is_meant = |summary: &Summary| {
        query.names(summary)
            || query.names_loosely(summary)
            || query.spells_out(summary)
            || query.is_aws_account_of(summary)
            || words::stand_in(&query, summary, words::Note::Included)
    };
    (0..among.len())
        .filter(|index| is_meant(among[*index].borrow()))
        .collect()
}

/// A query, made ready once for all accounts.
struct Query<'q> {
    /// As typed, trimmed.
    text: &'q str,
    folded: String,
    id: Option<IdPrefix>,
    aws_account: Option<String>,
}

impl<'q> Query<'q> {
    /// None for an empty one and for one that is too long.
    fn new(text: &'q str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty() && text.len() <= MAX_LEN).then(|| Self {
            text,
            folded: fold(text),
            id: IdPrefix::parse(text),
            aws_account: twelve_digits(text),
        })
    }

    /// The folded words.
    fn words(&self) -> Vec<&str> {
        self.folded
            .split(|character: char| character.is_whitespace() || character == ':')
            .filter(|word| !word.is_empty())
            .collect()
    }

    /// Its id, serial number or whole label.
    fn names(&self, summary: &Summary) -> bool {
        self.id
            .as_ref()
            .is_some_and(|id| id.is_whole() && id.begins(summary))
            || summary.serial_number.as_deref() == Some(self.text)
            || is_label(summary, self.text)
    }

    fn names_loosely(&self, summary: &Summary) -> bool {
        let serial_number = summary.serial_number.as_deref();
        serial_number.is_some_and(|text| self.is_loosely(text))
            || is_folded_label(summary, &self.folded, ':')
    }

    /// Its whole label, with a space for the colon.
    fn spells_out(&self, summary: &Summary) -> bool {
        is_folded_label(summary, &self.folded, ' ')
    }

    /// Whether it is the beginning of its id, which may also look like a name.
    fn begins_id_of(&self, summary: &Summary) -> bool {
        self.id.as_ref().is_some_and(|id| id.begins(summary))
    }

    /// Whether it is a text in other case or compatible characters.
    fn is_loosely(&self, text: &str) -> bool {
        same_folded(text, self.text, &self.folded)
    }

    /// Twelve digits that are the account ID, or at least the account name.
    fn is_aws_account_of(&self, summary: &Summary) -> bool {
        self.aws_account
            .as_deref()
            .is_some_and(|id| is_aws_account(summary, id) || summary.name == id)
    }

    /// Whether the account name or the issuer is all of it.
    fn is_name_or_issuer_of(&self, summary: &Summary) -> bool {
        self.is_loosely(&summary.name) || self.is_loosely(&summary.issuer)
    }
}

/// The AWS account ID, twelve digits, of the AWS account that an account belongs to, if it tells one: by its serial number,
/// else by its name.
pub fn aws_account_id(summary: &Summary) -> Option<&str> {
    let told = [
        aws_account_in_serial_number(summary),
        aws_account_in_name(summary),
    ];
    told.into_iter().flatten().find(|id| are_twelve_digits(id))
}

/// The short name of who asks for the code, if there is one.
pub fn short_name(summary: &Summary) -> Option<&'static str> {
    let issuers = [Some(&summary.issuer), summary.label_issuer.as_ref()];
    let of = |issuer: &String| {
        let known = SHORT_NAMES.iter();
        known
            .filter(|(long, _)| issuer.eq_ignore_ascii_case(long))
            .map(|(_, short)| *short)
            .next()
    };
    issuers.into_iter().flatten().find_map(of)
}

/// Lower case of the compatible form: `ＧｉｔＨｕｂ` and `GitHub` are one. Joiners and variation selectors, which a cleaned text
/// keeps or loses by what stands beside them, are left out.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let seen = text.chars().filter(|character| {
        !matches!(character,
            '\u{200c}' | '\u{200d}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
    });
    seen.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

fn same_folded(text: &str, query: &str, folded_query: &str) -> bool {
    match text.is_ascii() && query.is_ascii() {
        true => text.eq_ignore_ascii_case(query),
        false => fold(text) == folded_query,
    }
}

/// Whether the query is the whole label, without building each label. Of a label of one part the colon is asked for all the
/// same: without it, the query is a name alone.
fn is_label(summary: &Summary, query: &str) -> bool {
    let whole = |issuer: &str| {
        query
            .strip_prefix(issuer)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|rest| rest == summary.name || rest.trim_start() == summary.name)
    };
    whole(&summary.issuer)
        || summary.label_issuer.as_deref().is_some_and(whole)
        || only_part(summary).is_some_and(|part| part == query && part.contains(':'))
}

fn is_folded_label(summary: &Summary, folded_query: &str, between: char) -> bool {
    let whole = |issuer: &str| {
        let name = without_prefix(folded_query, issuer, between).map(str::trim_start);
        name.is_some_and(|name| same_folded(&summary.name, name, name))
    };
    whole(&summary.issuer)
        || summary.label_issuer.as_deref().is_some_and(whole)
        || short_name(summary).is_some_and(whole)
        || only_part(summary).is_some_and(|part| {
            between == ':' && part.contains(':') && same_folded(part, folded_query, folded_query)
        })
}

/// A label that is an issuer or a name only.
fn only_part(summary: &Summary) -> Option<&str> {
    match (summary.issuer.as_str(), summary.name.as_str()) {
        ("", part) | (part, "") => Some(part),
        (_, _) => None,
    }
}

/// What follows the issuer and the character between in a folded query.
fn without_prefix<'q>(folded_query: &'q str, issuer: &str, between: char) -> Option<&'q str> {
    let rest = if issuer.is_ascii() {
        let (head, rest) = folded_query.split_at_checked(issuer.len())?;
        head.eq_ignore_ascii_case(issuer).then_some(rest)?
    } else {
        folded_query.strip_prefix(fold(issuer).as_str())?
    };
    rest.strip_prefix(between)
}

/// The first hexadecimal digits of an id.
struct IdPrefix(Vec<u8>);

impl IdPrefix {
    fn parse(query: &str) -> Option<Self> {
        if !(MIN_ID_DIGITS..=MAX_ID_DIGITS).contains(&query.len()) {
            return None;
        }
        let digits = query
            .chars()
            .map(|digit| digit.to_digit(16).map(|digit| digit as u8));
        digits.collect::<Option<_>>().map(Self)
    }

    fn is_whole(&self) -> bool {
        self.0.len() == MAX_ID_DIGITS
    }

    fn begins(&self, summary: &Summary) -> bool {
        self.order(summary).is_eq()
    }

    /// Where an id stands beside those that begin so.
    fn order(&self, summary: &Summary) -> Ordering {
        let bytes = summary.id.as_bytes().iter();
        let digits = bytes.flat_map(|byte| [byte >> 4, byte & 15]);
        digits.take(self.0.len()).cmp(self.0.iter().copied())
    }
}

/// AWS's twelve digits, also as the console groups them: `1234-5678-9012`.
fn twelve_digits(query: &str) -> Option<String> {
    let digits: String = query
        .chars()
        .filter(|character| *character != '-')
        .collect();
    are_twelve_digits(&digits).then_some(digits)
}

fn are_twelve_digits(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether an account of AWS belongs to the AWS account of that ID.
fn is_aws_account(summary: &Summary, id: &str) -> bool {
    aws_account_in_serial_number(summary) == Some(id) || aws_account_in_name(summary) == Some(id)
}

/// The serial number is an ARN with the ID in its fifth field.
fn aws_account_in_serial_number(summary: &Summary) -> Option<&str> {
    let mut fields = summary.serial_number.as_deref()?.split(':');
    (fields.next() == Some("arn"))
        .then(|| fields.nth(3))
        .flatten()
}

/// The console labels a device `user@ID`; where the AWS account has an alias, it may stand there instead.
fn aws_account_in_name(summary: &Summary) -> Option<&str> {
    let is_aws = summary.issuer.eq_ignore_ascii_case("AWS") || short_name(summary) == Some("aws");
    is_aws
        .then(|| summary.name.rsplit_once('@'))
        .flatten()
        .map(|(_, account)| account)
}
