//! What a scalar means: the YAML 1.2 core schema as GitHub applies it.

use crate::{Scalar, ScalarStyle, ScalarTag};

/// The value of a scalar. A string's text is [`Scalar::text`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resolved {
    /// Nothing, `~` or one of three spellings of `null`.
    Null,
    /// One of three spellings of `true` or of `false`; `yes`, `on` and `off` are strings.
    Bool(bool),
    /// Decimal, `0x…`, `0o…`, with fraction and exponent, or one of the spellings of infinity and not-a-number.
    Number(f64),
    /// Everything else, and everything quoted or in a block.
    String,
}

impl Resolved {
    /// For messages: "a number".
    pub fn kind(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String => "a string",
        }
    }
}

impl Scalar {
    /// What the scalar means. Only a plain scalar can be anything but a string.
    ///
    /// # Source
    /// `YamlObjectReader` of GitHub's runner and its fixtures `yaml-schema-*.yml`: integers before floats, `0x` and `0o`
    /// as 32 bits (so `0xFFFFFFFF` is -1), digits with a leading zero are decimal, decimal digits beyond the range of a
    /// double are infinite. A `!!` tag that the text does not fit is reported by [`parse`](crate::parse); here it is a string.
    pub fn resolve(&self) -> Resolved {
        if self.style != ScalarStyle::Plain {
            return Resolved::String;
        }
        let text = self.text.as_str();
        match self.tag {
            None => resolve_plain(text),
            Some(ScalarTag::String) => Resolved::String,
            Some(ScalarTag::Null) if is_null(text) => Resolved::Null,
            Some(ScalarTag::Bool) => boolean(text).map_or(Resolved::String, Resolved::Bool),
            Some(ScalarTag::Int) => integer(text).number().map_or(Resolved::String, Resolved::Number),
            Some(ScalarTag::Float) => float(text).map_or(Resolved::String, Resolved::Number),
            Some(ScalarTag::Null) => Resolved::String,
        }
    }

    /// Whether this is null: nothing written, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.resolve() == Resolved::Null
    }

    /// Whether the text does not fit the tag, or is a `0x` or `0o` number of more than 32 bits: GitHub refuses both.
    pub(crate) fn misfit(&self) -> Option<&'static str> {
        if self.style != ScalarStyle::Plain {
            return None;
        }
        let text = self.text.as_str();
        match self.tag {
            None => (text.starts_with('0') && integer(text) == Integer::TooLarge).then_some("int"),
            Some(ScalarTag::String) => None,
            Some(ScalarTag::Null) => (!is_null(text)).then_some("null"),
            Some(ScalarTag::Bool) => boolean(text).is_none().then_some("bool"),
            Some(ScalarTag::Int) => integer(text).number().is_none().then_some("int"),
            Some(ScalarTag::Float) => float(text).is_none().then_some("float"),
        }
    }
}

fn resolve_plain(text: &str) -> Resolved {
    // Most scalars are words: their first byte already says that they are strings.
    match text.as_bytes().first() {
        None => Resolved::Null,
        Some(b'n' | b'N' | b'~') if is_null(text) => Resolved::Null,
        Some(b't' | b'T' | b'f' | b'F') => boolean(text).map_or(Resolved::String, Resolved::Bool),
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => {
            integer(text).number().or_else(|| float(text)).map_or(Resolved::String, Resolved::Number)
        }
        Some(_) => Resolved::String,
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "null" | "Null" | "NULL" | "~")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// What an integer's text comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Integer {
    Value(f64),
    /// Of the form of an integer, with more than 32 bits in hexadecimal or octal.
    TooLarge,
    Other,
}

impl Integer {
    fn number(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::TooLarge | Self::Other => None,
        }
    }
}

fn integer(text: &str) -> Integer {
    let all = |digits: &str, is: fn(&u8) -> bool| !digits.is_empty() && digits.bytes().all(|byte| is(&byte));
    let decimal = text.strip_prefix(['+', '-']).unwrap_or(text);
    if all(decimal, u8::is_ascii_digit) {
        return text.parse().map_or(Integer::Other, Integer::Value);
    }
    if let Some(digits) = text.strip_prefix("0x").filter(|digits| all(digits, u8::is_ascii_hexdigit)) {
        return bits(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o").filter(|digits| all(digits, |byte| matches!(byte, b'0'..=b'7'))) {
        return bits(digits, 8);
    }
    Integer::Other
}

/// 32 bits with the highest as the sign, as the runner reads them.
fn bits(digits: &str, radix: u32) -> Integer {
    u32::from_str_radix(digits, radix).map_or(Integer::TooLarge, |bits| Integer::Value(f64::from(bits.cast_signed())))
}

fn float(text: &str) -> Option<f64> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Some(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    // [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?, which is narrower than what `f64` reads.
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let exponent_fits = exponent.is_none_or(|exponent| {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !unsigned.is_empty() && digits(unsigned)
    });
    if has_digits && digits(whole) && digits(fraction) && exponent_fits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Span;

    use super::*;

    fn plain(text: &str) -> Resolved {
        Scalar::new(text, Span::new(0, text.len()), ScalarStyle::Plain).resolve()
    }

    #[track_caller]
    fn check_number(text: &str, expected: f64) {
        let Resolved::Number(value) = plain(text) else { panic!("{text} is {}", plain(text).kind()) };
        assert!(value == expected || value.is_nan() && expected.is_nan(), "{text} is {value}");
    }

    #[test]
    fn trap_94_words_of_yaml_1_1_are_strings() {
        for text in ["on", "On", "off", "yes", "no", "y", "n", "Yes", "NO", "tRue", "nULL", "none", "nil", "Nan", "inf"]
        {
            assert_eq!(plain(text), Resolved::String, "{text}");
        }
    }

    #[test]
    fn null_true_and_false_have_their_spellings() {
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(plain(text), Resolved::Null, "{text}");
        }
        for (text, value) in
            [("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false), ("FALSE", false)]
        {
            assert_eq!(plain(text), Resolved::Bool(value), "{text}");
        }
    }

    /// The values of `yaml-schema-int.yml` in GitHub's language services.
    #[test]
    fn integers_are_decimal_hexadecimal_or_octal_by_prefix() {
        for (text, value) in [
            ("1", 1.0),
            ("-1", -1.0),
            ("+1", 1.0),
            ("0000", 0.0),
            ("-0000", 0.0),
            ("0xff", 255.0),
            ("0xFF", 255.0),
            ("0o10", 8.0),
            ("0755", 755.0),
            ("+00755", 755.0),
            ("-00755", -755.0),
            ("0xCB2431", 13_313_073.0),
            ("0o1234567", 342_391.0),
            ("0xFFFFFFFF", -1.0),
            ("0x0000000000FF", 255.0),
            ("0o37777777777", -1.0),
        ] {
            check_number(text, value);
        }
        check_number(&"9".repeat(400), f64::INFINITY);
        check_number(&format!("-{}", "9".repeat(400)), f64::NEG_INFINITY);
    }

    /// The values of `yaml-schema-float.yml` in GitHub's language services.
    #[test]
    fn floats_have_a_fraction_an_exponent_or_a_name() {
        for (text, value) in [
            (".5", 0.5),
            ("-.5", -0.5),
            ("+.5", 0.5),
            ("1.", 1.0),
            ("-0.0", 0.0),
            ("0.84551240822557006", 0.845_512_408_225_570_1),
            ("1.2e2", 120.0),
            ("+1.2E+2", 120.0),
            ("-1.2e-2", -0.012),
            ("1e3", 1000.0),
            ("1e999", f64::INFINITY),
            (".inf", f64::INFINITY),
            ("+.INF", f64::INFINITY),
            ("-.Inf", f64::NEG_INFINITY),
            (".nan", f64::NAN),
            (".NaN", f64::NAN),
            (".NAN", f64::NAN),
        ] {
            check_number(text, value);
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_a_string() {
        for text in [
            ".",
            "-",
            "+",
            "..5",
            "1.2.3",
            "1e",
            "1e+",
            "e5",
            ".e5",
            "0x",
            "0o",
            "0o8",
            "0xg",
            "0X1",
            "0O1",
            "0b1",
            "1_000",
            "12_345",
            "23_456.789_321",
            "+0x1",
            "-0o1",
            "1,5",
            "2002-12-14",
            "NaN",
            "Infinity",
            "-Infinity",
            "-.nan",
            "+.nan",
            "infinity",
            "1 2",
            "١",
        ] {
            assert_eq!(plain(text), Resolved::String, "{text}");
        }
    }

    #[test]
    fn quoted_and_block_text_is_always_a_string() {
        for style in [ScalarStyle::SingleQuoted, ScalarStyle::DoubleQuoted, ScalarStyle::Literal, ScalarStyle::Folded] {
            for text in ["1", "true", "null", ""] {
                assert_eq!(Scalar::new(text, Span::new(0, 1), style).resolve(), Resolved::String);
            }
        }
    }
}
