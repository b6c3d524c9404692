//! Numbers as text and text as numbers, by the rules of the .NET runtime that GitHub's runner stands on.

/// The number that `text` stands for: the language's conversion of a string to a number.
///
/// White space around it does not count, nothing at all is zero. Decimal numbers may have a sign, a fraction and an
/// exponent; `0x` and `0o` (lower case, without sign) are hexadecimal and octal numbers of 32 bits, so that `0xffffffff`
/// is -1. Whatever else is NaN.
///
/// # Source
/// `ExpressionUtility.ParseNumber` of the runner, and `Double.TryParse` beneath it, which takes `infinity` in any case.
pub(crate) fn parse_number(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    if is_decimal(text.as_bytes()) {
        return text.parse().unwrap_or(f64::NAN);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return parse_32_bits(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return parse_32_bits(digits, 8);
    }
    let (negative, unsigned) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    match (unsigned.eq_ignore_ascii_case("infinity"), negative) {
        (true, false) => f64::INFINITY,
        (true, true) => f64::NEG_INFINITY,
        _ => f64::NAN,
    }
}

/// Whether this is `[sign] digits [. digits] [e [sign] digits]` with a digit before the exponent.
fn is_decimal(bytes: &[u8]) -> bool {
    let mut rest = bytes.strip_prefix(b"-").or_else(|| bytes.strip_prefix(b"+")).unwrap_or(bytes);
    let take_digits = |rest: &mut &[u8]| {
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        *rest = &rest[count..];
        count
    };
    let mut digits = take_digits(&mut rest);
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = fraction;
        digits += take_digits(&mut rest);
    }
    if digits == 0 {
        return false;
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        rest = exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+")).unwrap_or(exponent);
        if take_digits(&mut rest) == 0 {
            return false;
        }
    }
    rest.is_empty()
}

fn parse_32_bits(digits: &str, radix: u32) -> f64 {
    // The standard parser would take a sign here.
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return f64::NAN;
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return 0.0;
    }
    u32::from_str_radix(significant, radix).map_or(f64::NAN, |bits| f64::from(bits.cast_signed()))
}

/// A number as text: 15 significant digits, with an exponent from 1E+15 up and from 1E-05 down.
///
/// # Source
/// `ToString("G15", InvariantCulture)` of .NET Core; negative zero is `0` by the runner's own exception.
pub(crate) fn write_number(number: f64, out: &mut String) {
    use std::fmt::Write as _;
    if number == 0.0 {
        out.push('0');
        return;
    }
    if number.is_nan() {
        out.push_str("NaN");
        return;
    }
    if number.is_infinite() {
        out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
        return;
    }
    if number.fract() == 0.0 && number.abs() < 1e15 {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e15 fits")]
        let whole = number as i64;
        // Writing to a string cannot fail.
        let _ = write!(out, "{whole}");
        return;
    }
    let scientific = format!("{:.14e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mut digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.truncate(digits.trim_end_matches('0').len().max(1));
    if number < 0.0 {
        out.push('-');
    }
    if !(-4..15).contains(&exponent) {
        out.push_str(&digits[..1]);
        if digits.len() > 1 {
            out.push('.');
            out.push_str(&digits[1..]);
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "E{sign}{:02}", exponent.unsigned_abs());
    } else if exponent < 0 {
        out.push_str("0.");
        for _ in 0..(-1 - exponent) {
            out.push('0');
        }
        out.push_str(&digits);
    } else {
        let whole = usize::try_from(exponent).unwrap_or(0) + 1;
        if digits.len() <= whole {
            out.push_str(&digits);
            for _ in digits.len()..whole {
                out.push('0');
            }
        } else {
            out.push_str(&digits[..whole]);
            out.push('.');
            out.push_str(&digits[whole..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: f64) -> String {
        let mut out = String::new();
        write_number(number, &mut out);
        out
    }

    #[test]
    fn trap_43_numbers_print_with_fifteen_digits_as_dot_net_prints_them() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.333333333333333"),
            (2.0 / 3.0, "0.666666666666667"),
            (0.845_512_408_225_570_1, "0.84551240822557"),
            (123456.789, "123456.789"),
            (1e14, "100000000000000"),
            (999_999_999_999_999.0, "999999999999999"),
            (999_999_999_999_999.9, "1E+15"),
            (1e15, "1E+15"),
            (1e21, "1E+21"),
            (-1.25e21, "-1.25E+21"),
            (1.234_567_890_123_456_7e20, "1.23456789012346E+20"),
            (9_007_199_254_740_993.0, "9.00719925474099E+15"),
            (0.0001, "0.0001"),
            (0.000_123_456, "0.000123456"),
            (0.00001, "1E-05"),
            (-0.000_012_5, "-1.25E-05"),
            (5e-324, "4.94065645841247E-324"),
            (f64::MAX, "1.79769313486232E+308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(number), expected);
        }
    }

    #[test]
    fn texts_become_numbers_as_the_runner_reads_them() {
        for (text, expected) in [
            ("", 0.0),
            ("  ", 0.0),
            (" 42 ", 42.0),
            ("+1", 1.0),
            ("-1", -1.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-.5e1", -5.0),
            ("1e3", 1000.0),
            ("1E-1", 0.1),
            ("1e400", f64::INFINITY),
            ("0x10", 16.0),
            ("0xfF", 255.0),
            ("0x00000000ff", 255.0),
            ("0x7fffffff", 2_147_483_647.0),
            ("0xffffffff", -1.0),
            ("0o17", 15.0),
            ("0o37777777777", -1.0),
            ("Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("+Infinity", f64::INFINITY),
            ("\u{a0}7\u{2003}", 7.0),
        ] {
            assert_eq!(parse_number(text), expected, "{text:?}");
        }
        for text in [
            "x",
            "1x",
            "0x",
            "0xg",
            "0x100000000",
            "-0x1",
            "0X10",
            "0o8",
            "0o",
            "0o40000000000",
            "1e",
            "e1",
            ".",
            "+",
            "-",
            "1 2",
            "1,000",
            "NaN",
            "inf",
            "0x+1",
            "١",
            "true",
        ] {
            assert!(parse_number(text).is_nan(), "{text:?}");
        }
    }
}
