//! From bytes to text.

use std::borrow::Cow;

use crate::Wrong;

/// The text, without its byte order mark.
pub(crate) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Wrong> {
    if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        return utf16(rest, u16::from_le_bytes).map(Cow::Owned);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        return utf16(rest, u16::from_be_bytes).map(Cow::Owned);
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) if declares_latin1(bytes) => {
            let _ = error;
            Ok(Cow::Owned(bytes.iter().copied().map(char::from).collect()))
        }
        Err(error) => Err(Wrong::Encoding { line: line_at(bytes, error.valid_up_to()) }),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Wrong> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut line = 1;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let character = decoded.map_err(|_| Wrong::Encoding { line })?;
        line += u64::from(character == '\n');
        text.push(character);
    }
    if rest.is_empty() { Ok(text) } else { Err(Wrong::Encoding { line }) }
}

/// Whether an XML file says of itself that it is ISO 8859-1, as older tools on older machines have it.
fn declares_latin1(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).to_ascii_lowercase();
    let Some(declaration) = head.strip_prefix("<?xml").and_then(|rest| rest.split("?>").next()) else { return false };
    declaration.contains("iso-8859-1") || declaration.contains("windows-1252")
}

/// The line, from 1, of the byte at `offset`.
pub(crate) fn line_at(bytes: &[u8], offset: usize) -> u64 {
    1 + bytes[..offset.min(bytes.len())].iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_say_what_the_text_is() {
        let utf16: Vec<u8> = "\u{FEFF}hä\n😀".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(&utf16).as_deref(), Ok("hä\n😀"));
        let utf16: Vec<u8> = "\u{FEFF}hä".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(text(&utf16).as_deref(), Ok("hä"));
        assert_eq!(text("\u{FEFF}hä".as_bytes()).as_deref(), Ok("hä"));
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        assert_eq!(text(b"a\nb\n\xFFc"), Err(Wrong::Encoding { line: 3 }));
        assert_eq!(text(b"\xFF\xFEa\0\n\0\0\xDC"), Err(Wrong::Encoding { line: 2 }));
        assert_eq!(text(b"\xFF\xFEa\0b"), Err(Wrong::Encoding { line: 1 }));
    }

    #[test]
    fn latin_1_is_read_where_it_is_declared() {
        let declared = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE4</a>";
        assert!(text(declared).is_ok_and(|text| text.ends_with("<a>ä</a>")));
    }
}
