//! Strict JSON to values: `fromJSON`.

use std::borrow::Cow;

use crate::{Object, Value};

/// How deep arrays and objects may nest in the text given to `fromJSON`.
const MAX_NESTING: usize = 100;

/// The value that `text` stands for by strict JSON: no comments, no trailing commas, double quotes only.
///
/// Of keys that differ only by case the first wins. The error is a sentence with line and column.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut parser = Parser { text, at: 0, nesting: 0 };
    let result = parser.document();
    result.map_err(|fault| parser.describe(&fault))
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    nesting: usize,
}

/// What was expected, or what is wrong with what is there; the place is where the parser stands.
enum Fault {
    Expected(&'static str),
    Wrong(&'static str),
}

impl<'t> Parser<'t> {
    fn document(&mut self) -> Result<Value, Fault> {
        let value = self.value()?;
        self.skip_space();
        if self.at < self.text.len() { Err(Fault::Expected("the end of the text")) } else { Ok(value) }
    }

    fn value(&mut self) -> Result<Value, Fault> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::string(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))]
                {
                    if self.rest().starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(Fault::Expected("a value"))
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Fault>) -> Result<Value, Fault> {
        if self.nesting == MAX_NESTING {
            return Err(Fault::Wrong("arrays and objects nest deeper than 100"));
        }
        self.nesting += 1;
        self.at += 1;
        let value = read(self);
        self.nesting -= 1;
        value
    }

    fn array(&mut self) -> Result<Value, Fault> {
        let mut items = Vec::new();
        if self.skip_to(b']') {
            return Ok(items.into());
        }
        loop {
            items.push(self.value()?);
            if self.skip_to(b']') {
                return Ok(items.into());
            }
            if !self.skip_to(b',') {
                return Err(Fault::Expected("`,` or `]`"));
            }
        }
    }

    fn object(&mut self) -> Result<Value, Fault> {
        let mut object = Object::new();
        if self.skip_to(b'}') {
            return Ok(object.into());
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(Fault::Expected("a key in double quotes"));
            }
            let key = self.string()?;
            if !self.skip_to(b':') {
                return Err(Fault::Expected("`:`"));
            }
            let value = self.value()?;
            object.insert_first(&*key, value);
            if self.skip_to(b'}') {
                return Ok(object.into());
            }
            if !self.skip_to(b',') {
                return Err(Fault::Expected("`,` or `}`"));
            }
        }
    }

    fn string(&mut self) -> Result<Cow<'t, str>, Fault> {
        self.at += 1;
        let mut whole = Cow::Borrowed("");
        loop {
            let plain = self.rest().bytes().take_while(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\').count();
            let piece = &self.text[self.at..self.at + plain];
            if whole.is_empty() {
                whole = Cow::Borrowed(piece);
            } else {
                whole.to_mut().push_str(piece);
            }
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(whole);
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    whole.to_mut().push(c);
                }
                Some(_) => return Err(Fault::Wrong("a control character must be written as an escape")),
                None => return Err(Fault::Expected("the closing `\"`")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let c = match self.text.as_bytes().get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(Fault::Wrong("this escape does not exist in JSON")),
        };
        self.at += 2;
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Result<char, Fault> {
        const WRONG: Fault = Fault::Wrong("this escape is not a character");
        let unit = self.hex_digits(self.at + 2).ok_or(WRONG)?;
        let mut length = 6;
        let mut code = unit;
        if (0xd800..0xdc00).contains(&unit) {
            if self.text.get(self.at + 6..self.at + 8) != Some("\\u") {
                return Err(WRONG);
            }
            let low = self.hex_digits(self.at + 8).filter(|low| (0xdc00..0xe000).contains(low)).ok_or(WRONG)?;
            code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            length = 12;
        }
        let c = char::from_u32(code).ok_or(WRONG)?;
        self.at += length;
        Ok(c)
    }

    fn hex_digits(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        // The standard parser would take a sign here.
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else if self.digits() == 0 {
            return Err(Fault::Expected("a digit"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(Fault::Expected("a digit"));
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(Fault::Expected("a digit"));
            }
        }
        if self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Fault::Wrong("this is not a number"));
        }
        Ok(Value::Number(self.text[start..self.at].parse().unwrap_or(f64::NAN)))
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }

    fn skip_space(&mut self) {
        self.at += self.rest().bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    }

    /// Skips white space, then `byte` if it comes next.
    fn skip_to(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The parser only ever stands before a character.
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn describe(&self, fault: &Fault) -> String {
        let before = self.text.get(..self.at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        match fault {
            Fault::Wrong(what) => format!("{what} (line {line}, column {column})"),
            Fault::Expected(what) => match self.rest().chars().next() {
                Some(c) => format!("expected {what} but found `{c}` at line {line}, column {column}"),
                None if self.text.trim().is_empty() => format!("expected {what}, but the text is empty"),
                None => format!("expected {what}, but the text ends at line {line}, column {column}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_json_is_read() {
        for (text, expected) in [
            ("null", Value::Null),
            (" true\n", Value::Bool(true)),
            ("-0", Value::Number(-0.0)),
            ("1.0", Value::Number(1.0)),
            ("1e400", Value::Number(f64::INFINITY)),
            ("123456789.123456789", Value::Number(123_456_789.123_456_79)),
            (r#""\ud83d\ude00\u00e9\/""#, Value::string("😀é/")),
            (r#""a\tb\\""#, Value::string("a\tb\\")),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn of_keys_that_differ_by_case_the_first_wins() {
        let value = parse(r#"{"a":1,"A":2,"b":3,"a":4}"#).unwrap();
        assert_eq!(value.get("A"), Value::Number(1.0));
        assert_eq!(value.to_json_pretty(), "{\n  \"a\": 1,\n  \"b\": 3\n}");
    }

    #[test]
    fn faults_name_the_place() {
        for (text, expected) in [
            ("", "expected a value, but the text is empty"),
            ("{'a':1}", "expected a key in double quotes but found `'` at line 1, column 2"),
            ("[1,\n 2,]", "expected a value but found `]` at line 2, column 4"),
            ("[1", "expected `,` or `]`, but the text ends at line 1, column 3"),
            ("{\"a\" 1}", "expected `:` but found `1` at line 1, column 6"),
            ("{\"a\":1,}", "expected a key in double quotes but found `}` at line 1, column 8"),
            ("1 2", "expected the end of the text but found `2` at line 1, column 3"),
            ("// c\n1", "expected a value but found `/` at line 1, column 1"),
            ("01", "this is not a number (line 1, column 2)"),
            ("-", "expected a digit, but the text ends at line 1, column 2"),
            ("NaN", "expected a value but found `N` at line 1, column 1"),
            ("truex", "expected the end of the text but found `x` at line 1, column 5"),
            ("\"é\n\"", "a control character must be written as an escape (line 1, column 3)"),
            ("\"\\x\"", "this escape does not exist in JSON (line 1, column 2)"),
            ("\"\\ud800\"", "this escape is not a character (line 1, column 2)"),
            ("\"\\u+0aa\"", "this escape is not a character (line 1, column 2)"),
            ("\"abc", "expected the closing `\"`, but the text ends at line 1, column 5"),
        ] {
            assert_eq!(parse(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn nesting_ends_at_a_hundred() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(100)).is_ok());
        assert!(parse(&nested(101)).unwrap_err().contains("deeper than 100"));
        assert!(parse(&"[".repeat(10_000_000)).is_err());
        assert!(parse(&"{\"a\":".repeat(1_000_000)).is_err());
    }
}
