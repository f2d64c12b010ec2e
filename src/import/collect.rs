//! Several texts together: the parts of a migration find each other, and what is missing is said.

use std::collections::HashMap;
use std::fmt;

use crate::account::key_uri::trim;
use crate::account::{Draft, Refusal};
use crate::import::read_text;

/// What several texts hold together.
#[derive(Default)]
pub struct Collected {
    /// Every account found, or why not, in the order of the texts. A text that is neither a Key URI nor a migration is a
    /// refusal in its place.
    pub rows: Vec<Result<Draft, Refusal>>,
    /// For each of the rows, which of the texts it comes from, counted from 0.
    pub from: Vec<usize>,
    /// The migrations of which parts were found.
    pub batches: Vec<Batch>,
}

/// One migration, in one QR code or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Common to the parts of one export.
    pub id: i32,
    /// How many parts there are.
    pub size: u32,
    /// The indices of the parts found, from 0, in order.
    pub found: Vec<u32>,
}

impl Batch {
    /// Whether every part was found.
    pub fn is_complete(&self) -> bool {
        self.found.len() as u64 >= u64::from(self.size)
    }

    /// The parts that weren't found, counted from 1 as the app shows them.
    pub fn missing(&self) -> impl Iterator<Item = u32> {
        (0..self.size)
            .filter(|index| !self.found.contains(index))
            .map(|index| index + 1)
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Enough to know which; a damaged size may say millions.
        const TOLD: usize = 10;
        write!(f, "{} of {} QR codes read", self.found.len(), self.size)?;
        let missing: Vec<String> = self
            .missing()
            .take(TOLD)
            .map(|part| part.to_string())
            .collect();
        match missing.as_slice() {
            [] => Ok(()),
            [part] => write!(f, "; part {part} is missing"),
            parts => {
                let more = self.missing().nth(TOLD).is_some();
                write!(
                    f,
                    "; parts {}{} are missing",
                    parts.join(", "),
                    if more { " and more" } else { "" }
                )
            }
        }
    }
}

/// Reads several texts, each with the place where it was found ("" where there is but one). A part of a migration that comes
/// twice counts once.
pub fn collect<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Collected {
    let mut collected = Collected::default();
    let mut seen: HashMap<(i32, u32, u32), Vec<&str>> = HashMap::new();
    let mut groups: HashMap<(i32, u32), Vec<usize>> = HashMap::new();
    for (index_of_text, (place, text)) in texts.into_iter().enumerate() {
        let read = match read_text(text) {
            Ok(read) => read,
            Err(refusal) => {
                collected.rows.push(Err(at(refusal, place)));
                collected.from.push(index_of_text);
                continue;
            }
        };
        if let Some(part) = read.part {
            let text = trim(text);
            // One export has one text for a part. Another text under the same number is another export, since an app may
            // give each the number 0: it is kept, as nothing may be lost.
            let texts = seen
                .entry((part.batch_id, part.size, part.index))
                .or_default();
            if texts.contains(&text) {
                continue;
            }
            // Exports of one number are filled in order, so that those before have this part already.
            let of_this_number = groups.entry((part.batch_id, part.size)).or_default();
            let index = match of_this_number.get(texts.len()) {
                Some(index) => *index,
                None => {
                    collected.batches.push(Batch {
                        id: part.batch_id,
                        size: part.size,
                        found: Vec::new(),
                    });
                    of_this_number.push(collected.batches.len() - 1);
                    collected.batches.len() - 1
                }
            };
            texts.push(text);
            let found = &mut collected.batches[index].found;
            if let Err(position) = found.binary_search(&part.index) {
                found.insert(position, part.index);
            }
        }
        let count = read.drafts.len();
        collected
            .from
            .extend(std::iter::repeat_n(index_of_text, count));
        collected
            .rows
            .extend(read.drafts.into_iter().map(|draft| match draft {
                Ok(draft) => Ok(Draft {
                    place: join(place, &draft.place),
                    ..draft
                }),
                Err(refusal) => Err(at(refusal, place)),
            }));
    }
    collected
}

fn at(refusal: Refusal, place: &str) -> Refusal {
    Refusal {
        place: join(place, &refusal.place),
        ..refusal
    }
}

fn join(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", inner) => inner.into(),
        (outer, "") => outer.into(),
        (outer, inner) => format!("{outer}, {inner}"),
    }
}
