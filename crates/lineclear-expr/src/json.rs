//! JSON as `toJSON` writes it, and numbers in JSON proper. What `fromJSON` reads is in [`read`].

mod read;

use std::fmt::Write as _;

use crate::Value;
use crate::number::write_number;

pub(crate) use read::parse;

/// The text of `toJSON`.
pub(crate) fn pretty(value: &Value) -> String {
    let mut writer = Pretty { out: String::new(), limit: usize::MAX };
    writer.value(value, 0);
    writer.out
}

/// The text of `toJSON`, or `None` once it is longer than `limit` bytes.
pub(crate) fn pretty_within(value: &Value, limit: usize) -> Option<String> {
    let mut writer = Pretty { out: String::new(), limit };
    writer.value(value, 0).then_some(writer.out)
}

struct Pretty {
    out: String,
    limit: usize,
}

impl Pretty {
    /// Whether it is within the limit still; once it is not, the text ends somewhere.
    fn value(&mut self, value: &Value, level: usize) -> bool {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => write_number(*number, &mut self.out),
            Value::String(text) => write_string(text, &mut self.out),
            Value::Array(items) if items.is_empty() => self.out.push_str("[]"),
            Value::Object(object) if object.is_empty() => self.out.push_str("{}"),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.out.push(if at == 0 { '[' } else { ',' });
                    self.line(level + 1);
                    if !self.value(item, level + 1) {
                        return false;
                    }
                }
                self.line(level);
                self.out.push(']');
            }
            Value::Object(object) => {
                for (at, (key, value)) in object.iter().enumerate() {
                    self.out.push(if at == 0 { '{' } else { ',' });
                    self.line(level + 1);
                    write_string(key, &mut self.out);
                    self.out.push_str(": ");
                    if !self.value(value, level + 1) {
                        return false;
                    }
                }
                self.line(level);
                self.out.push('}');
            }
        }
        self.out.len() <= self.limit
    }

    fn line(&mut self, level: usize) {
        self.out.push('\n');
        for _ in 0..level {
            self.out.push_str("  ");
        }
    }
}

/// A text in double quotes with the escapes that the runner's JSON library makes; `<`, `>`, `&` and `'` stay.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// A number in JSON proper, which has neither NaN nor infinities: these become texts.
pub(crate) fn number(number: f64) -> serde_json::Value {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    if number.fract() == 0.0 && number.abs() < 1e18 {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e18 fits")]
        let whole = number as i64;
        return whole.into();
    }
    serde_json::Number::from_f64(number).map_or(serde_json::Value::Null, serde_json::Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_38_to_json_keeps_order_and_escapes_little() {
        let value = parse(r#" {"b":[1,{}, [] ,{"x":null}],"a":"<&>'é\u0001\n\"\\/😀","c":1.50,"d":{}} "#).unwrap();
        let expected = "{\n  \"b\": [\n    1,\n    {},\n    [],\n    {\n      \"x\": null\n    }\n  ],\n  \"a\": \"<&>'é\\u0001\\n\\\"\\\\/😀\",\n  \"c\": 1.5,\n  \"d\": {}\n}";
        assert_eq!(pretty(&value), expected);
        assert_eq!(pretty(&Value::Number(f64::INFINITY)), "Infinity");
        assert_eq!(pretty(&Value::string("\u{2028}\u{7f}")), "\"\\u2028\u{7f}\"");
        assert_eq!(pretty_within(&value, 20), None);
    }

    #[test]
    fn numbers_are_valid_json() {
        for (value, expected) in [
            (1.0, "1"),
            (-0.0, "0"),
            (1.5, "1.5"),
            (1e21, "1e+21"),
            (1e17, "100000000000000000"),
            (f64::NAN, "\"NaN\""),
            (f64::NEG_INFINITY, "\"-Infinity\""),
        ] {
            assert_eq!(number(value).to_string(), expected);
        }
    }
}
