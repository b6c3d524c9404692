//! Reading JSON with errors that name the line, and with members that may be missing or null.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use crate::Wrong;

/// # Errors
/// The line of what is wrong. Values nested deeper than the parser's own limit (128 levels) are refused as well.
pub(crate) fn read<T: DeserializeOwned>(text: &str, inside: &str) -> Result<T, Wrong> {
    serde_json::from_str(text).map_err(|error| {
        let line = error.line().max(1) as u64;
        match error.classify() {
            Category::Eof => Wrong::Truncated { line, inside: inside.to_owned() },
            _ => Wrong::Syntax { line, reason: error.to_string() },
        }
    })
}

/// For members that may be `null`: then they are as if absent.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}
