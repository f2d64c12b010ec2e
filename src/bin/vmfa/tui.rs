//! The interface in the terminal: what `vmfa` alone opens.
#![allow(dead_code, reason = "the interface uses it")]

pub(crate) mod action;
