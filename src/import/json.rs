//! JSON as other apps write it: numbers as texts, texts as numbers, `null` for nothing.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::cipher::Plain;
use crate::import::ImportError;
use crate::import::words::tag;
use crate::secret::SecretText;
use crate::secret::json::wipe;

/// A JSON text, wiped when dropped. The parser nests at most 128 levels.
pub(crate) struct Json(Value);

impl Json {
    /// Reads one.
    ///
    /// # Errors
    /// It is none: where. The message never repeats the text.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ImportError> {
        serde_json::from_slice(bytes).map(Self).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Eof => "the JSON ends too early",
                serde_json::error::Category::Io
                | serde_json::error::Category::Syntax
                | serde_json::error::Category::Data => "the JSON breaks off",
            };
            ImportError::damaged(format!(
                "{what}, in line {}, column {}",
                error.line(),
                error.column()
            ))
        })
    }
}

impl std::ops::Deref for Json {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Drop for Json {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Members as loose words.
pub(crate) trait Loose {
    /// A text, a number or a truth value, as a word. None for `null`, for what has parts, and for what isn't there.
    fn word(&self, key: &str) -> Option<String>;
    /// A text that many accounts may share, such as a folder's name.
    fn tag(&self, key: &str) -> Option<String>;
    /// As [`Loose::word`], for a secret.
    fn secret(&self, key: &str) -> Option<SecretText>;
    /// The elements of a list; none of anything else.
    fn list(&self, key: &str) -> &[Value];
    /// Whether it is true, in whatever words.
    fn flag(&self, key: &str) -> bool;
    /// A whole number, also one written as a text.
    fn number(&self, key: &str) -> Option<u64>;
    /// A list of bytes, signed as Java writes them or not.
    fn bytes(&self, key: &str) -> Option<Plain>;
}

impl Loose for Value {
    fn word(&self, key: &str) -> Option<String> {
        self.get(key).and_then(word_of)
    }

    fn tag(&self, key: &str) -> Option<String> {
        self.get(key).and_then(Value::as_str).map(tag)
    }

    fn secret(&self, key: &str) -> Option<SecretText> {
        self.word(key).map(SecretText::new)
    }

    fn list(&self, key: &str) -> &[Value] {
        self.get(key)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    fn flag(&self, key: &str) -> bool {
        match self.get(key) {
            Some(Value::Bool(truth)) => *truth,
            Some(Value::Number(number)) => number.as_i64().is_some_and(|number| number != 0),
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true") || text == "1",
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => false,
        }
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.word(key)?.trim().parse().ok()
    }

    fn bytes(&self, key: &str) -> Option<Plain> {
        let list = self.get(key)?.as_array()?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(list.len()));
        for value in list {
            let number = value.as_i64()?;
            bytes.push(match number {
                0..=255 => number as u8,
                -128..=-1 => number as i8 as u8,
                _ => return None,
            });
        }
        Some(bytes)
    }
}

/// A value as a loose word.
pub(crate) fn word_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(match number.as_f64() {
            // Some writers know only floating point.
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                (float as i64).to_string()
            }
            Some(_) | None => number.to_string(),
        }),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
