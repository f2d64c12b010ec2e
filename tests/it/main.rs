//! The one integration binary: a binary a file would be linked anew for each. One module a subject.

mod cli;
mod floors;
mod vault;
