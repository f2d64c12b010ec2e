//! Which account a person means. (stub)

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

/// stub
pub fn find(_query: &str, _among: &[Summary]) -> Found {
    todo!()
}
