//! Times as the protocols write them.

use std::time::Duration;

use lineclear_event::Timestamp;

/// Seconds since 1970, as tokens and signed addresses have them.
pub(crate) fn seconds(time: Timestamp) -> i64 {
    time.0.div_euclid(1000)
}

/// `duration` after `time`.
pub(crate) fn after(time: Timestamp, duration: Duration) -> Timestamp {
    time.plus_millis(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

/// Reads `2026-11-21T08:15:30.123Z`, with any number of decimals and any offset.
///
/// # Source
/// RFC 3339.
pub(crate) fn parse_rfc_3339(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let is = |at: usize, byte: u8| text.as_bytes().get(at) == Some(&byte);
    let is_shaped = is(4, b'-') && is(7, b'-') && is(13, b':') && is(16, b':');
    if !is_shaped || !matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')) {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut millis = 0;
    if let Some(decimals) = rest.strip_prefix('.') {
        let end = decimals.find(|c: char| !c.is_ascii_digit())?;
        let first: String = decimals[..end].chars().chain("000".chars()).take(3).collect();
        millis = if end == 0 { return None } else { first.parse::<i64>().ok()? };
        rest = &decimals[end..];
    }
    let offset_minutes = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
            let minutes = (digit(h1)? * 10 + digit(h2)?) * 60 + digit(m1)? * 10 + digit(m2)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let days = days_from_civil(year, month, day);
    let seconds = ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
    Some(Timestamp(seconds * 1000 + millis))
}

/// Days since 1970-01-01 of a day in the proleptic Gregorian calendar, counted from 1 March so that the leap day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_shown() {
        for millis in [0, 951_782_400_000, 1_709_210_096_789, 4_102_444_799_999, -86_400_001] {
            assert_eq!(parse_rfc_3339(&Timestamp(millis).to_string()), Some(Timestamp(millis)));
        }
        assert_eq!(parse_rfc_3339("2024-02-29T12:34:56Z"), Some(Timestamp(1_709_210_096_000)));
        assert_eq!(parse_rfc_3339("2024-02-29T13:34:56.7891234+01:00"), Some(Timestamp(1_709_210_096_789)));
        assert_eq!(parse_rfc_3339("2024-02-29T12:04:56.7-00:30"), Some(Timestamp(1_709_210_096_700)));
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "2024",
            "2024-13-01T00:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "é024-01-01T00:00:00Z",
            "2024-01-01T00:00:00+1:00",
            "+024-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_rfc_3339(text), None, "{text}");
        }
    }
}
