//! Text from outside, made safe to show. (stub)

/// Control characters, bidi overrides and the like taken out; used where text enters and again where it is printed.
pub fn clean(_text: &str) -> std::borrow::Cow<'_, str> {
    todo!()
}
