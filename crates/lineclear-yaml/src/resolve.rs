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
