//! The exec form: a JSON array of strings.

use std::ops::Range;

/// Arguments as they are handed over, no shell between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecForm {
    /// Each argument, and where it stands in the text with its quotes.
    pub arguments: Vec<(String, Range<usize>)>,
}

/// Why a text is no JSON array of strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// What is wrong, to be read on after "not a JSON array: ".
    pub message: String,
    /// Where.
    pub at: Range<usize>,
    /// Whether it is JSON, but not of strings only: builders refuse that, where anything else counts as text for a shell.
    pub is_refused: bool,
}

/// Whether a text that is no exec form was plainly meant as one: it has brackets and a quote behind the first.
/// (`[ -f file ]` is a command of the shell.)
pub fn looks_like_exec_form(text: &str) -> bool {
    let text = text.trim();
    text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['"', '\'', '“', '”']))
        && text.ends_with(']')
}

/// Reads `text` as a JSON array of strings.
pub(crate) fn read(text: &str) -> Result<ExecForm, JsonFault> {
    Reader { text, at: 0 }.array()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn array(mut self) -> Result<ExecForm, JsonFault> {
        self.space();
        if !self.take(b'[') {
            return Err(self.fault("it does not begin with `[`"));
        }
        let mut arguments = Vec::new();
        self.space();
        if !self.take(b']') {
            loop {
                self.space();
                let start = self.at;
                let value = self.string()?;
                arguments.push((value, start..self.at));
                self.space();
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return Err(self.fault(match self.peek() {
                        None => "the `]` is missing",
                        Some(_) => "a `,` or the `]` is missing here",
                    }));
                }
                self.space();
                if self.peek() == Some(b']') {
                    return Err(self.fault("JSON allows no `,` before `]`"));
                }
            }
        }
        self.space();
        if self.at < self.text.len() {
            return Err(JsonFault {
                message: "something stands behind the `]`".to_owned(),
                at: self.at..self.text.len(),
                is_refused: false,
            });
        }
        Ok(ExecForm { arguments })
    }

    fn string(&mut self) -> Result<String, JsonFault> {
        match self.peek() {
            Some(b'"') => self.at += 1,
            Some(b'\'') => return Err(self.fault("strings need double quotes")),
            Some(b'0'..=b'9' | b'-' | b't' | b'f' | b'n' | b'{' | b'[') => {
                let mut fault = self.fault("its items must be strings");
                fault.is_refused = true;
                return Err(fault);
            }
            Some(b']') | None => return Err(self.fault("a string is missing here")),
            Some(_) => return Err(self.fault("strings need double quotes")),
        }
        let mut value = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(char) = rest.chars().next() else { return Err(self.fault("a `\"` is missing")) };
            self.at += char.len_utf8();
            match char {
                '"' => return Ok(value),
                '\\' => value.push(self.escape()?),
                '\0'..='\u{1f}' => {
                    self.at -= char.len_utf8();
                    return Err(self.fault("a control character must be written as an escape"));
                }
                char => value.push(char),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonFault> {
        let byte = self.peek();
        let known = match byte {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => return self.unicode(),
            _ => return Err(self.fault("JSON has no such escape: a backslash is written `\\\\`")),
        };
        self.at += 1;
        Ok(known)
    }

    fn unicode(&mut self) -> Result<char, JsonFault> {
        let first = self.hexadecimal()?;
        if !(0xD800..0xDC00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u")) {
            self.at += 1;
            let second = self.hexadecimal()?;
            let low = second.wrapping_sub(0xDC00) & 0x3FF;
            return Ok(char::from_u32(0x10000 + ((first - 0xD800) << 10) + low).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    /// `uXXXX`.
    fn hexadecimal(&mut self) -> Result<u32, JsonFault> {
        let digits = self.text.get(self.at + 1..self.at + 5);
        let number = digits
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match number {
            Some(number) => {
                self.at += 5;
                Ok(number)
            }
            None => Err(self.fault("`\\u` is followed by four hexadecimal digits")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_it = self.peek() == Some(byte);
        self.at += usize::from(is_it);
        is_it
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// A fault at the next character.
    fn fault(&self, message: &str) -> JsonFault {
        let length = self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        JsonFault { message: message.to_owned(), at: self.at..self.at + length, is_refused: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let read = read(text).expect("it is an exec form");
        assert_eq!(read.arguments.iter().map(|(argument, _)| argument.as_str()).collect::<Vec<_>>(), expected);
    }

    #[track_caller]
    fn check_fault(text: &str, message: &str, at: Range<usize>) {
        let fault = read(text).expect_err("it is no exec form");
        assert_eq!((fault.message.as_str(), fault.at), (message, at), "{text}");
    }

    #[test]
    fn strings_are_decoded() {
        check(r#"["a", "b c"]"#, &["a", "b c"]);
        check("[]", &[]);
        check(r#" [ "\u00e9\n\"\\" , "\ud83d\ude00" ] "#, &["é\n\"\\", "😀"]);
    }

    #[test]
    fn faults_are_exact() {
        check_fault("['a']", "strings need double quotes", 1..2);
        check_fault(r#"["a",]"#, "JSON allows no `,` before `]`", 5..6);
        check_fault(r#"["a" "b"]"#, "a `,` or the `]` is missing here", 5..6);
        check_fault(r#"["a""#, "the `]` is missing", 4..4);
        check_fault(r#"["a"#, "a `\"` is missing", 3..3);
        check_fault(r#"["C:\x"]"#, "JSON has no such escape: a backslash is written `\\\\`", 5..6);
        check_fault(r#"["a"] b"#, "something stands behind the `]`", 6..7);
        check_fault("[1]", "its items must be strings", 1..2);
        check_fault(r#"["\u12"]"#, "`\\u` is followed by four hexadecimal digits", 3..4);
    }
}
