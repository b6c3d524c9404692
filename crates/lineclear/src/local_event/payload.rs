//! Reading a payload file.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use super::EventError;

/// Most that a payload may hold, in bytes. GitHub's own limit for webhooks is 25 MB.
const MAX_PAYLOAD: u64 = 64 << 20;

/// The object in the file, or on standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Value, EventError> {
    let unreadable = |source| EventError::Unreadable { path: path.to_path_buf(), source };
    let mut text = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_PAYLOAD + 1).read_to_end(&mut text).map_err(unreadable)?;
    } else {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MAX_PAYLOAD + 1).read_to_end(&mut text).map_err(unreadable)?;
    }
    if text.len() as u64 > MAX_PAYLOAD {
        return Err(EventError::TooLarge { path: path.to_path_buf(), most: MAX_PAYLOAD });
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let payload: Value =
        serde_json::from_slice(text).map_err(|source| EventError::NotJson { path: path.to_path_buf(), source })?;
    let found = match &payload {
        Value::Object(_) => return Ok(payload),
        Value::Array(_) => "a list",
        Value::String(_) => "a string",
        Value::Number(_) => "a number",
        Value::Bool(_) => "a boolean",
        Value::Null => "null",
    };
    Err(EventError::NotAnObject { path: path.to_path_buf(), found })
}
