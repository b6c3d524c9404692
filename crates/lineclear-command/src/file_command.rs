//! The files behind `GITHUB_ENV`, `GITHUB_OUTPUT`, `GITHUB_STATE` and `GITHUB_PATH`.
//!
//! # Source
//! `FileCommandManager.cs` of `actions/runner`, on systems whose line end is a line feed: a carriage return is part of the value.

use std::borrow::Cow;

/// A line that is no entry. Entries before it count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct FileCommandError {
    /// Counted from one.
    pub line: usize,
    pub message: String,
}

/// Names and values in order, up to the first bad line. A repeated name is given again: the last one wins.
pub fn parse_pairs(bytes: &[u8]) -> (Vec<(String, String)>, Option<FileCommandError>) {
    let text = decode(bytes);
    let mut lines = Lines { text: &text, number: 0 };
    let mut pairs = Vec::new();
    while let Some((line, _)) = lines.next() {
        if line.is_empty() {
            continue;
        }
        match pair(line, &mut lines) {
            Ok(pair) => pairs.push(pair),
            Err(message) => return (pairs, Some(FileCommandError { line: lines.number, message })),
        }
    }
    (pairs, None)
}

/// Folders in order; empty lines are left out.
pub fn parse_paths(bytes: &[u8]) -> Vec<String> {
    decode(bytes).split('\n').filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn pair(line: &str, lines: &mut Lines<'_>) -> Result<(String, String), String> {
    let invalid = || format!("Invalid format '{}'", shortened(line));
    match (line.find('='), line.find("<<")) {
        (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
            Ok((line[..equals].to_owned(), line[equals + 1..].to_owned()))
        }
        (_, Some(heredoc)) => {
            let (name, delimiter) = (&line[..heredoc], &line[heredoc + 2..]);
            if name.is_empty() || delimiter.is_empty() {
                return Err(format!("{}. Name must not be empty and delimiter must not be empty", invalid()));
            }
            Ok((name.to_owned(), heredoc_value(delimiter, lines)?))
        }
        _ => Err(invalid()),
    }
}

fn heredoc_value(delimiter: &str, lines: &mut Lines<'_>) -> Result<String, String> {
    let mut value = String::new();
    let mut first = true;
    loop {
        let Some((line, ended)) = lines.next() else {
            return Err(format!("Invalid value. Matching delimiter not found '{}'", shortened(delimiter)));
        };
        if line == delimiter {
            return Ok(value);
        }
        if !ended {
            return Err("Invalid value. EOF value must end in a newline before its delimiter".to_owned());
        }
        if !first {
            value.push('\n');
        }
        first = false;
        value.push_str(line);
    }
}

fn shortened(line: &str) -> Cow<'_, str> {
    match line.char_indices().nth(200) {
        Some((at, _)) => Cow::Owned(format!("{}…", &line[..at])),
        None => Cow::Borrowed(line),
    }
}

/// Lines with whether each ended in a newline, and their number.
struct Lines<'a> {
    text: &'a str,
    number: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a str, bool);

    fn next(&mut self) -> Option<Self::Item> {
        if self.text.is_empty() {
            return None;
        }
        self.number += 1;
        let (line, ended) = match self.text.split_once('\n') {
            Some((line, rest)) => {
                self.text = rest;
                (line, true)
            }
            None => (std::mem::take(&mut self.text), false),
        };
        Some((line, ended))
    }
}

/// UTF-8, or what a byte-order mark says. Bytes that are no text become U+FFFD.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        [0xFF, 0xFE, 0, 0, rest @ ..] => Cow::Owned(utf32(rest, u32::from_le_bytes)),
        [0, 0, 0xFE, 0xFF, rest @ ..] => Cow::Owned(utf32(rest, u32::from_be_bytes)),
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> String {
    let units = bytes.chunks_exact(4).map(|four| unit([four[0], four[1], four[2], four[3]]));
    units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Expect) {
        let (pairs, error) = parse_pairs(text.as_bytes());
        let mut shown: Vec<String> = pairs.iter().map(|(name, value)| format!("{name:?} = {value:?}")).collect();
        shown.extend(error.map(|error| format!("error: {error}")));
        // Carriage returns are lost in expected texts, so they are shown.
        expected.assert_eq(&shown.join("\n").replace('\r', "\\r"));
    }

    #[test]
    fn trap_19_the_first_of_equals_sign_and_heredoc_decides() {
        check("A=x<<y", expect![[r#""A" = "x<<y""#]]);
        check(
            "A<<E=F\nx=1\nE=F\nB=2=3\n",
            expect![[r#"
            "A" = "x=1"
            "B" = "2=3""#]],
        );
        check("A<<EOF\n\n one \n\nEOF\n", expect![[r#""A" = "\n one \n""#]]);
        check("A<<EOF\nEOF", expect![[r#""A" = """#]]);
        check(
            "A = b\n\n=x\n",
            expect![[r#"
            "A " = " b"
            "" = "x""#]],
        );
    }

    #[test]
    fn trap_20_entries_before_a_bad_line_count() {
        check(
            "A=1\nnonsense\nB=2\n",
            expect![[r#"
            "A" = "1"
            error: line 2: Invalid format 'nonsense'"#]],
        );
        check(
            "A=1\nB<<EOF\nx\n",
            expect![[r#"
            "A" = "1"
            error: line 3: Invalid value. Matching delimiter not found 'EOF'"#]],
        );
        check(
            "B<<EOF\nx",
            expect!["error: line 2: Invalid value. EOF value must end in a newline before its delimiter"],
        );
        check(
            "<<EOF\nx\nEOF\n",
            expect![["error: line 1: Invalid format '<<EOF'. Name must not be empty and delimiter must not be empty"]],
        );
    }

    #[test]
    fn trap_21_a_carriage_return_stays_in_the_value() {
        check("A=1\r\n", expect![[r#""A" = "1\r""#]]);
        check(
            "A=1\r\n\r\n",
            expect![[r#"
            "A" = "1\r"
            error: line 2: Invalid format '\r'"#]],
        );
        check("A<<EOF\r\nx\r\nEOF\r\n", expect![[r#""A" = "x\r""#]]);
    }

    #[test]
    fn byte_order_marks_are_understood() {
        assert_eq!(parse_pairs(b"\xEF\xBB\xBFA=1\n").0, [("A".into(), "1".into())]);
        assert_eq!(parse_pairs(b"\xFF\xFEA\0=\0\xE9\0\n\0").0, [("A".into(), "é".into())]);
        assert_eq!(parse_paths(b"/a\n\n/b c"), ["/a", "/b c"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            parse_pairs(&bytes);
            parse_paths(&bytes);
        }

        #[test]
        fn what_the_toolkit_writes_is_read_back(pairs in proptest::collection::vec(("[A-Za-z_]{1,8}", "[a-z=<\\n ]{0,30}"), 0..5)) {
            let text: String = pairs.iter().map(|(name, value)| format!("{name}<<ghadelimiter_1\n{value}\nghadelimiter_1\n")).collect();
            prop_assert_eq!(parse_pairs(text.as_bytes()), (pairs, None));
        }
    }
}
