//! JSON that holds secrets.

use serde_json::Value;
use zeroize::Zeroize as _;

/// Wipes every text in a value. Numbers and names stay.
pub(crate) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
