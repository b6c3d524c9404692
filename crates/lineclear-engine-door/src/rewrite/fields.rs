//! Objects of a request, with their keys as the engine spells them.
//!
//! The engine reads `hostconfig` as `HostConfig`, and of both in one body it takes parts of each. So before anything is looked at,
//! the keys that matter are spelled as they are here, and a body that has one of them twice is refused.

use serde_json::{Map, Value};

use super::Refusal;

/// Spells the keys of `value` that are one of `known`. `null` becomes an empty object.
pub(crate) fn object<'v>(value: &'v mut Value, known: &[&str]) -> Result<&'v mut Map<String, Value>, Refusal> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else {
        return Err(Refusal::bad("an object was expected in the body of the request"));
    };
    let mut spelled = Map::new();
    for (key, value) in std::mem::take(map) {
        let key = spell(key, known);
        if spelled.contains_key(&key) {
            return Err(Refusal::bad(format!("`{key}` is there twice in the body of the request")));
        }
        spelled.insert(key, value);
    }
    *map = spelled;
    Ok(map)
}

fn spell(key: String, known: &[&str]) -> String {
    // Two characters outside of ASCII are other forms of `s` and `k` for the engine.
    let fold = |char| match char {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other,
    };
    let folded: String = key.chars().map(fold).collect();
    let known = known.iter().find(|known| known.eq_ignore_ascii_case(&folded));
    known.map_or(key, |known| (*known).to_owned())
}

/// The object under `key`, made where it is not; its keys are spelled.
pub(crate) fn inner<'v>(
    map: &'v mut Map<String, Value>,
    key: &str,
    known: &[&str],
) -> Result<&'v mut Map<String, Value>, Refusal> {
    object(map.entry(key).or_insert(Value::Null), known)
}

/// The text under `key`; empty where there is none.
pub(crate) fn text<'v>(map: &'v Map<String, Value>, key: &str) -> Result<&'v str, Refusal> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Refusal::bad(format!("`{key}` is not a text"))),
    }
}

/// The list under `key`, made where it is not.
pub(crate) fn list<'v>(map: &'v mut Map<String, Value>, key: &str) -> Result<&'v mut Vec<Value>, Refusal> {
    let value = map.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut().ok_or_else(|| Refusal::bad(format!("`{key}` is not a list")))
}

/// The texts of the list under `key`; none where there is no list.
pub(crate) fn texts(map: &Map<String, Value>, key: &str) -> Result<Vec<String>, Refusal> {
    let bad = || Refusal::bad(format!("`{key}` is not a list of texts"));
    match map.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => {
            list.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(bad)).collect()
        }
        Some(_) => Err(bad()),
    }
}

/// Whether there is something under `key` that is not empty, false or zero.
pub(crate) fn is_set(map: &Map<String, Value>, key: &str) -> bool {
    match map.get(key) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        Some(_) => true,
    }
}
