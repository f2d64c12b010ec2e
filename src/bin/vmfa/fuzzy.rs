//! Fuzzy search over summaries, for lists that narrow with every key.
//!
//! It is kinder than [`vmfa::account::query`], which must never give the code of a wrong account: here a person sees what was
//! found before anything is done with it. So words may stand anywhere within words, and letters may be scattered.

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::ops::Range;

use nucleo_matcher::chars::normalize;
use nucleo_matcher::{Config, Matcher, Utf32Str};
use unicode_segmentation::UnicodeSegmentation;
use vmfa::account::query::{self, aws_account_id, short_name};
use vmfa::account::text::clean;
use vmfa::account::{AccountId, Summary};

/// Summaries, made ready to be searched many times.
pub(crate) struct Haystacks {
    /// All texts of all accounts, folded, one after the other, each with [`END`] behind it: a word is looked for in all of
    /// them at once.
    text: String,
    fields: Vec<Field>,
    favorites: Vec<bool>,
    ids: Vec<AccountId>,
    matcher: Matcher,
}

/// An account that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Its index among the summaries.
    pub(crate) index: usize,
}

/// Which graphemes of an account's texts were meant, by their numbers, ascending. They are counted in the cleaned text, as
/// it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) issuer: Vec<usize>,
    /// In the account name.
    pub(crate) name: Vec<usize>,
    /// In each tag.
    pub(crate) tags: Vec<Vec<usize>>,
    /// In what [`aws_account_id`] gives.
    pub(crate) aws_account: Vec<usize>,
}

/// Stands behind each text. It is in none: no control character is.
const END: char = '\n';

/// The fewest digits of an id that stand for it.
const MIN_ID_DIGITS: usize = 8;

/// How well a word stands in a text, the larger the better. A scattered word has the matcher's score, which is held below.
mod score {
    pub(super) const NOTE: u32 = 1;
    pub(super) const MOST_SCATTERED: u32 = 1000;
    pub(super) const INSIDE: u32 = 2000;
    pub(super) const BEGINS: u32 = 4000;
    pub(super) const WORD: u32 = 6000;
    /// On top: the text begins with it, or is it.
    pub(super) const FIRST: u32 = 100;
    pub(super) const ALL: u32 = 200;
}

/// A text of an account.
struct Field {
    account: u32,
    kind: Kind,
    /// In [`Haystacks::text`], without the end.
    range: Range<u32>,
    letters: Letters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is seen in a row, and so may hold scattered letters.
    Seen,
    /// It is found by its words, as the serial number is.
    Unseen,
    /// It may name other accounts.
    Note,
}

impl Haystacks {
    /// Takes in what the accounts are found by: a few milliseconds for 10,000 of them.
    pub(crate) fn new<S: Borrow<Summary>>(among: &[S]) -> Self {
        let mut haystacks = Self {
            text: String::with_capacity(among.len() * 96),
            fields: Vec::with_capacity(among.len() * 4),
            favorites: Vec::with_capacity(among.len()),
            ids: Vec::with_capacity(among.len()),
            matcher: Matcher::new(Config::DEFAULT),
        };
        for (account, summary) in among.iter().enumerate() {
            let summary = summary.borrow();
            for text in seen(summary) {
                haystacks.push(account, Kind::Seen, text);
            }
            for text in unseen(summary) {
                haystacks.push(account, Kind::Unseen, text);
            }
            haystacks.push(account, Kind::Note, &summary.note);
            haystacks.favorites.push(summary.favorite);
            haystacks.ids.push(summary.id);
        }
        haystacks
    }

    /// The accounts in which every word of the query stands, in whatever text of theirs and in whatever order, the best
    /// first; of those that are equally good, favourites first, then in the order given. An empty query means all.
    ///
    /// A whole word is better than the beginning of one, that than a part from within one, that than scattered letters.
    /// Numbers are never scattered; dashes within them, as AWS's console groups them, are left away. What stands in the note
    /// alone comes last.
    pub(crate) fn search(&mut self, query: &str) -> Vec<Hit> {
        let Some(needles) = needles(query) else {
            return Vec::new();
        };
        let mut totals: Vec<Option<u32>> = vec![Some(0); self.favorites.len()];
        let mut of_word = vec![0; totals.len()];
        for needle in &needles {
            of_word.fill(0);
            self.score(needle, &totals, &mut of_word);
            for (total, score) in totals.iter_mut().zip(&of_word) {
                *total = total.filter(|_| *score > 0).map(|total| total + score);
            }
        }
        // In one number each: score, favourite, and the index from behind.
        let mut ranked: Vec<u64> = totals
            .iter()
            .zip(&self.favorites)
            .enumerate()
            .filter_map(|(index, (total, favorite))| {
                let total = u64::from((*total)?).min(1 << 30);
                Some(total << 33 | u64::from(*favorite) << 32 | u64::from(u32::MAX - index as u32))
            })
            .collect();
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        ranked
            .into_iter()
            .map(|rank| Hit {
                index: (u32::MAX - rank as u32) as usize,
            })
            .collect()
    }

    /// What to highlight in a row: for each word, where it stands in the texts that are seen; only if it stands in none of
    /// them whole, its scattered letters in the one text where they are nearest. To be asked for the rows on the screen.
    pub(crate) fn marks(&mut self, query: &str, summary: &Summary) -> Marks {
        let mut texts: Vec<Marked> = seen(summary).map(Marked::new).collect();
        for needle in needles(query).unwrap_or_default() {
            let mut is_whole = false;
            for text in &mut texts {
                is_whole |= text.mark_whole(&needle);
            }
            if !is_whole && needle.may_scatter() {
                let found = texts.iter().enumerate().filter_map(|(at, text)| {
                    let mut letters = Vec::new();
                    let haystack = Utf32Str::Unicode(&text.letters);
                    let word = Utf32Str::Unicode(&needle.letters);
                    let score = self.matcher.fuzzy_indices(haystack, word, &mut letters)?;
                    Some((score, at, letters))
                });
                // Of equals the first, as a person reads.
                if let Some((_, at, letters)) = found.reduce(|a, b| if b.0 > a.0 { b } else { a }) {
                    texts[at].mark(letters.into_iter().map(|letter| letter as usize));
                }
            }
        }
        let mut marks = texts.into_iter().map(Marked::marks);
        let issuer = marks.next().unwrap_or_default();
        let name = marks.next().unwrap_or_default();
        Marks {
            issuer,
            name,
            tags: marks.by_ref().take(summary.tags.len()).collect(),
            aws_account: marks.next().unwrap_or_default(),
        }
    }

    fn push(&mut self, account: usize, kind: Kind, text: &str) {
        if text.is_empty() {
            return;
        }
        let text = folded(text);
        // What has accents is found without them too.
        let plain: Option<String> =
            (!text.is_ascii()).then(|| text.chars().map(normalize).collect());
        self.push_folded(account, kind, &text);
        if let Some(plain) = plain.filter(|plain| *plain != text) {
            self.push_folded(account, kind, &plain);
        }
    }

    fn push_folded(&mut self, account: usize, kind: Kind, text: &str) {
        let begin = self.text.len();
        self.text.push_str(text);
        self.fields.push(Field {
            account: account as u32,
            kind,
            range: begin as u32..self.text.len() as u32,
            letters: Letters::of(text.chars()),
        });
        self.text.push(END);
    }

    /// How well a word stands in each account that is still in; nothing where it doesn't.
    fn score(&mut self, needle: &Needle, totals: &[Option<u32>], of_word: &mut [u32]) {
        for word in needle.words() {
            let mut fields = self.fields.iter();
            let mut field = fields.next();
            for (at, _) in self.text.match_indices(word) {
                while field.is_some_and(|field| (field.range.end as usize) < at) {
                    field = fields.next();
                }
                if let Some(field) = field {
                    let text = &self.text[field.range.start as usize..field.range.end as usize];
                    let score = match field.kind {
                        Kind::Seen | Kind::Unseen => {
                            whole(text, at - field.range.start as usize, word)
                        }
                        Kind::Note => score::NOTE,
                    };
                    let best = &mut of_word[field.account as usize];
                    *best = score.max(*best);
                }
            }
        }
        if let Some(digits) = needle.digits_of_id() {
            for (id, best) in self.ids.iter().zip(&mut *of_word) {
                let own = id.as_bytes().iter();
                let mut own = own.flat_map(|byte| [byte >> 4, byte & 15]);
                if digits.iter().all(|digit| own.next() == Some(*digit)) {
                    *best = score::WORD.max(*best);
                }
            }
        }
        if needle.may_scatter() {
            self.score_scattered(needle, totals, of_word);
        }
    }

    /// The accounts in which a word stands only scattered.
    fn score_scattered(&mut self, needle: &Needle, totals: &[Option<u32>], of_word: &mut [u32]) {
        let word = Utf32Str::Unicode(&needle.letters);
        let mut letters = Vec::new();
        for field in &self.fields {
            let account = field.account as usize;
            let is_wanted = field.kind == Kind::Seen
                && field.letters.hold(needle.of)
                && totals[account].is_some()
                && of_word[account] <= score::MOST_SCATTERED;
            if !is_wanted {
                continue;
            }
            let text = &self.text[field.range.start as usize..field.range.end as usize];
            letters.clear();
            letters.extend(text.chars());
            let haystack = Utf32Str::Unicode(&letters);
            if let Some(score) = self.matcher.fuzzy_match(haystack, word) {
                let score = u32::from(score).clamp(score::NOTE, score::MOST_SCATTERED);
                of_word[account] = score.max(of_word[account]);
            }
        }
    }
}

/// The texts that a row shows: issuer, account name, each tag, AWS account ID.
fn seen(summary: &Summary) -> impl Iterator<Item = &str> {
    [summary.issuer.as_str(), summary.name.as_str()]
        .into_iter()
        .chain(summary.tags.iter().map(String::as_str))
        .chain([aws_account_id(summary).unwrap_or_default()])
}

fn unseen(summary: &Summary) -> impl Iterator<Item = &str> {
    let texts = [
        summary.label_issuer.as_deref(),
        summary.serial_number.as_deref(),
        short_name(summary),
    ];
    texts.into_iter().flatten()
}

/// How well a word stands at a place of a text.
fn whole(text: &str, at: usize, word: &str) -> u32 {
    let end = at + word.len();
    let begins = begins_a_word(text, at);
    let ends = end == text.len() || begins_a_word(text, end) || !continues(text, end);
    let place = match (at, end == text.len()) {
        (0, true) => score::ALL,
        (0, false) => score::FIRST,
        (_, _) => 0,
    };
    place
        + match (begins, ends) {
            (true, true) => score::WORD,
            (true, false) => score::BEGINS,
            (false, _) => score::INSIDE,
        }
}

/// Whether a word begins at a place of a text. An ideograph is a word of its own: there are no spaces between them.
fn begins_a_word(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    // Almost all text is ASCII, and this is asked at each place where a word was found.
    match (at.checked_sub(1).map(|before| bytes[before]), bytes.get(at)) {
        (None, _) => return true,
        (Some(before), Some(after)) if before.is_ascii() && after.is_ascii() => {
            return !before.is_ascii_alphanumeric();
        }
        (Some(_), _) => {}
    }
    let before = text[..at].chars().next_back();
    let after = text[at..].chars().next();
    before.is_none_or(|before| !before.is_alphanumeric() || is_han(before))
        || after.is_some_and(is_han)
}

/// Whether a letter or a digit stands at a place of a text.
fn continues(text: &str, at: usize) -> bool {
    text[at..].chars().next().is_some_and(char::is_alphanumeric)
}

fn is_han(character: char) -> bool {
    matches!(u32::from(character), 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

/// A text as it is compared. Each grapheme is folded by itself, so that what is found can be told in graphemes.
fn folded(text: &str) -> String {
    let text = clean(text);
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.graphemes(true).map(query::fold).collect()
}

/// A word of the query.
struct Needle {
    word: String,
    /// The word without the dashes between its digits.
    number: Option<String>,
    letters: Vec<char>,
    of: Letters,
}

/// The words of a query, each once; none of one that is too long to mean anything.
fn needles(query: &str) -> Option<Vec<Needle>> {
    if query.len() > query::MAX_LEN {
        return None;
    }
    let folded = folded(query);
    let mut words: Vec<&str> = folded
        .split(|character: char| character.is_whitespace() || character == ':')
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    words.dedup();
    Some(words.into_iter().map(Needle::new).collect())
}

impl Needle {
    fn new(word: &str) -> Self {
        let is_grouped = word.contains('-')
            && word.contains(|c: char| c.is_ascii_digit())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-');
        Self {
            word: word.to_owned(),
            number: is_grouped.then(|| word.replace('-', "")),
            letters: word.chars().collect(),
            of: Letters::of(word.chars()),
        }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        [Some(&self.word), self.number.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// Digits in a row mean a number. So do signs: those are everywhere.
    fn may_scatter(&self) -> bool {
        self.letters.len() > 1 && self.letters.iter().any(|letter| letter.is_alphabetic())
    }

    /// The values of its hexadecimal digits, if it may be the beginning of an id.
    fn digits_of_id(&self) -> Option<Vec<u8>> {
        let digits = self.letters.iter();
        let digits = digits.map(|letter| Some(letter.to_digit(16)? as u8));
        digits
            .collect::<Option<Vec<_>>>()
            .filter(|digits| digits.len() >= MIN_ID_DIGITS)
    }
}

/// A set of characters, told roughly: others than lower-case letters and digits share their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Letters(u64);

impl Letters {
    fn of(characters: impl Iterator<Item = char>) -> Self {
        let place = |character: char| match character {
            'a'..='z' => u32::from(character) - u32::from('a'),
            '0'..='9' => 26 + u32::from(character) - u32::from('0'),
            other => 36 + u32::from(other) % 28,
        };
        Self(characters.fold(0, |set, character| set | 1 << place(character)))
    }

    /// Whether all of the others may be among these.
    fn hold(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// A text with what is marked in it.
struct Marked {
    folded: String,
    letters: Vec<char>,
    /// The number of the grapheme that each letter came from.
    graphemes: Vec<usize>,
    marks: Vec<usize>,
}

impl Marked {
    fn new(text: &str) -> Self {
        let mut marked = Self {
            folded: String::new(),
            letters: Vec::new(),
            graphemes: Vec::new(),
            marks: Vec::new(),
        };
        for (number, grapheme) in clean(text).graphemes(true).enumerate() {
            for letter in query::fold(grapheme).chars() {
                marked.folded.push(letter);
                marked.letters.push(letter);
                marked.graphemes.push(number);
            }
        }
        marked
    }

    /// Marks the best place where the word stands; says whether there is one.
    fn mark_whole(&mut self, needle: &Needle) -> bool {
        let plain: String = self.letters.iter().copied().map(normalize).collect();
        let mut best = None;
        for text in [&self.folded, &plain] {
            for word in needle.words() {
                for (at, _) in text.match_indices(word) {
                    let score = whole(text, at, word);
                    if best.as_ref().is_none_or(|(least, _)| score > *least) {
                        let first = text[..at].chars().count();
                        best = Some((score, first..first + word.chars().count()));
                    }
                }
            }
        }
        let is_found = best.is_some();
        if let Some((_, letters)) = best {
            self.mark(letters);
        }
        is_found
    }

    fn mark(&mut self, letters: impl Iterator<Item = usize>) {
        let graphemes = letters.filter_map(|letter| self.graphemes.get(letter));
        self.marks.extend(graphemes);
    }

    fn marks(mut self) -> Vec<usize> {
        self.marks.sort_unstable();
        self.marks.dedup();
        self.marks
    }
}
