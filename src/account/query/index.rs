//! The same answers as [`find`](super::find), sooner: for whoever holds the accounts and is asked often.
//!
//! All that queries are looked for in stands here once more, folded, in one text, with the places where words begin in the
//! order of what follows there. Whatever begins with a given text is then one stretch of these places, found by halving.
//! That gives the accounts which may meet a query; whether they do is decided as without an index.

use std::borrow::Borrow;
use std::ops::Range;

use crate::account::Summary;
use crate::account::query::candidates::{Candidates, keys};
use crate::account::query::words::{beginnings, push_haystack};
use crate::account::query::{Found, IdPrefix, Query, choose, near};

/// An index over summaries, for finding one of them by a query. It holds no secret. For accounts with a label of 30 bytes it
/// takes about 75 bytes each.
pub struct Index {
    /// What each account is found by, folded, one behind the other.
    text: Box<str>,
    /// Where each account's part begins.
    begins: Box<[u32]>,
    /// Where a word begins, in the order of what follows in the text.
    words: Box<[u32]>,
    /// The accounts in the order of their ids.
    by_id: Box<[u32]>,
}

/// How much of what follows decides the order of words. A bound, since ten thousand accounts of one name are alike to the
/// end; what is alike so far is looked at closely, as all that is found here.
const COMPARED: usize = 128;

impl Index {
    /// An index over these summaries, in this order.
    pub fn new<S: Borrow<Summary>>(among: &[S]) -> Self {
        let mut text = String::new();
        let mut begins = Vec::with_capacity(among.len());
        for summary in among {
            begins.push(text.len());
            push_haystack(summary.borrow(), &mut text);
        }
        // Four gigabytes of labels are no vault's. Of an index without accounts none is believed: see `find`.
        if u32::try_from(text.len().max(among.len())).is_err() {
            return Self {
                text: "".into(),
                begins: [].into(),
                words: [].into(),
                by_id: [].into(),
            };
        }
        let words = in_order(&text);
        let mut by_id: Vec<u32> = (0..among.len() as u32).collect();
        by_id.sort_unstable_by_key(|index| among[*index as usize].borrow().id);
        Self {
            text: text.into(),
            begins: begins.into_iter().map(|at| at as u32).collect(),
            words,
            by_id: by_id.into(),
        }
    }

    /// As [`find`](super::find), among the very summaries of which the index was made, in the same order. Of others, those
    /// that changed may be missed.
    pub fn find<S: Borrow<Summary>>(&self, query: &str, among: &[S]) -> Found {
        if self.begins.len() != among.len() {
            return super::find(query, among);
        }
        let Some(query) = Query::new(query) else {
            return Found::Nothing(Vec::new());
        };
        let candidates = self.candidates(&query, among);
        choose(&query, among, &candidates).unwrap_or_else(|| {
            let haystacks = (0..among.len()).map(|index| self.haystack(index));
            Found::Nothing(near::suggest_from(&query.words(), haystacks))
        })
    }

    fn haystack(&self, index: usize) -> &str {
        let begin = self.begins[index] as usize;
        let end = self.begins.get(index + 1).map(|end| *end as usize);
        &self.text[begin..end.unwrap_or(self.text.len())]
    }

    fn candidates<S: Borrow<Summary>>(&self, query: &Query<'_>, among: &[S]) -> Candidates {
        let stretches = keys(query).into_iter().map(|key| self.beginning_with(key));
        // The rarest says most.
        let Some(rarest) = stretches.min_by_key(Range::len) else {
            return Candidates::All;
        };
        let mut places = self.words[rarest].to_vec();
        if let Some(id) = &query.aws_account {
            places.extend_from_slice(&self.words[self.beginning_with(id)]);
        }
        let mut indices: Vec<usize> = places.into_iter().map(|at| self.account_at(at)).collect();
        if let Some(prefix) = &query.id {
            indices.extend(self.by_id_prefix(prefix, among));
        }
        indices.sort_unstable();
        indices.dedup();
        Candidates::Some(indices)
    }

    /// The stretch of words that begin with a text. It has no space, so what it begins ends within one account's part.
    fn beginning_with(&self, key: &str) -> Range<usize> {
        let key = &key.as_bytes()[..key.len().min(COMPARED)];
        let at = |word: &u32| start(self.text.as_bytes(), *word, key.len());
        let begin = self.words.partition_point(|word| at(word) < key);
        let len = self.words[begin..].partition_point(|word| at(word) == key);
        begin..begin + len
    }

    /// The account whose part holds a place of the text.
    fn account_at(&self, at: u32) -> usize {
        self.begins.partition_point(|begin| *begin <= at) - 1
    }

    /// The accounts whose ids begin so.
    fn by_id_prefix<S: Borrow<Summary>>(
        &self,
        prefix: &IdPrefix,
        among: &[S],
    ) -> impl Iterator<Item = usize> {
        let order = |index: &u32| prefix.order(among[*index as usize].borrow());
        let begin = self.by_id.partition_point(|index| order(index).is_lt());
        let len = self.by_id[begin..].partition_point(|index| order(index).is_eq());
        let stretch = &self.by_id[begin..begin + len];
        stretch.iter().map(|index| *index as usize)
    }
}

/// Where words begin in a text, in the order of what follows there.
fn in_order(text: &str) -> Box<[u32]> {
    let bytes = text.as_bytes();
    // Nearly all are told apart by their first eight bytes, which lie at hand here and not all over the text.
    let mut words: Vec<(u64, u32)> = beginnings(text)
        .map(|at| {
            let (mut head, text) = ([0; 8], start(bytes, at as u32, 8));
            head[..text.len()].copy_from_slice(text);
            (u64::from_be_bytes(head), at as u32)
        })
        .collect();
    words.sort_unstable_by(|(head, at), (other_head, other)| {
        let starts = || start(bytes, *at, COMPARED).cmp(start(bytes, *other, COMPARED));
        head.cmp(other_head).then_with(starts)
    });
    words.into_iter().map(|(_, at)| at).collect()
}

/// The text from a place on, at most so many bytes of it.
fn start(text: &[u8], at: u32, most: usize) -> &[u8] {
    let rest = &text[at as usize..];
    &rest[..rest.len().min(most)]
}
