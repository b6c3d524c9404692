//! Releases of Rust as `dtolnay/rust-toolchain` lets them be asked for: by their age.
//!
//! # Source
//! `action.yml` of `dtolnay/rust-toolchain`: a release every six weeks since 1.0.

use lineclear_event::Timestamp;

/// The day, counted from 1970, from which releases are counted.
const FIRST: i64 = 16_569;
const DAYS_OF_A_RELEASE: i64 = 42;
const MILLIS_OF_A_DAY: i64 = 24 * 60 * 60 * 1000;

/// The toolchain for `stable 18 months ago`, `stable minus 8 releases` or `1.8` (which a number `1.80` has become); other names are
/// themselves.
pub(super) fn resolve(name: &str, now: Timestamp) -> String {
    let words: Vec<&str> = name.split(' ').collect();
    let latest = minor_at(now.0);
    let found = match words.as_slice() {
        ["stable", count, unit, "ago"] => ago(count, unit, now).map(minor_at),
        ["stable", "minus", count, "release" | "releases"] => count.parse::<i64>().ok().map(|count| latest - count),
        [version] => version.strip_prefix("1.").and_then(|minor| minor.parse::<i64>().ok()).map(|minor| {
            let tenfold = if minor.saturating_mul(10) <= latest { minor * 9 } else { 0 };
            let hundredfold = if minor.saturating_mul(100) <= latest { minor * 90 } else { 0 };
            minor.saturating_add(tenfold + hundredfold)
        }),
        _ => None,
    };
    found.map_or_else(|| name.to_owned(), |minor| format!("1.{minor}"))
}

/// The minor version that was current at a time, in milliseconds from 1970.
fn minor_at(millis: i64) -> i64 {
    (millis.div_euclid(MILLIS_OF_A_DAY) - FIRST) / DAYS_OF_A_RELEASE
}

/// The time so long before `now`, in milliseconds from 1970: by the calendar, as `date --date` has it.
fn ago(count: &str, unit: &str, now: Timestamp) -> Option<i64> {
    let count = count.parse::<i64>().ok().filter(|count| *count <= 10_000)?;
    let day = now.0.div_euclid(MILLIS_OF_A_DAY);
    let then = match unit.trim_end_matches('s') {
        "day" => day - count,
        "week" => day - 7 * count,
        "month" => months_before(day, count),
        "year" => months_before(day, 12 * count),
        _ => return None,
    };
    Some(then * MILLIS_OF_A_DAY)
}

/// The day so many months before, both counted from 1970. A day that the month lacks is counted on into the next.
fn months_before(day: i64, months: i64) -> i64 {
    let (year, month, of_month) = date(day);
    let total = year * 12 + month - 1 - months;
    first_of(total.div_euclid(12), total.rem_euclid(12) + 1) + of_month - 1
}

/// The first day of a month, counted from 1970.
///
/// # Source
/// The proleptic Gregorian calendar, with years that begin in March so that leap days come last.
fn first_of(year: i64, month: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 - 719_468
}

/// Year, month and day of the month of a day that is counted from 1970.
fn date(day: i64) -> (i64, i64, i64) {
    // A year has 365.2425 days; the guess is right or one too much.
    let guess = (day * 400).div_euclid(146_097) + 1970;
    let year = if first_of(guess, 1) <= day { guess } else { guess - 1 };
    let year = if first_of(year + 1, 1) <= day { year + 1 } else { year };
    let month = (1..=12).rev().find(|month| first_of(year, *month) <= day).unwrap_or(1);
    (year, month, day - first_of(year, month) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_named_by_their_age() {
        // 2024-08-01: Rust 1.80 was a week old.
        let now = Timestamp(1_722_470_400_000);
        for (name, expected) in [
            ("stable", "stable"),
            ("stable minus 8 releases", "1.72"),
            ("stable minus 1 release", "1.79"),
            ("stable 18 months ago", "1.67"),
            ("stable 1 week ago", "1.80"),
            ("stable 50 days ago", "1.78"),
            ("1.8", "1.80"),
            ("1.7", "1.70"),
            ("1.79", "1.79"),
            ("1.80.1", "1.80.1"),
            ("stable many months ago", "stable many months ago"),
            ("stable 9999999999 years ago", "stable 9999999999 years ago"),
            ("nightly-2024-01-01", "nightly-2024-01-01"),
        ] {
            assert_eq!(resolve(name, now), expected);
        }
    }

    #[test]
    fn days_are_dates_of_the_calendar() {
        for (day, expected) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (19_723, (2024, 1, 1)),
            (20_088, (2024, 12, 31)),
        ] {
            assert_eq!(date(day), expected);
        }
        assert!((0..40_000).all(|day| {
            let (year, month, of_month) = date(day);
            first_of(year, month) + of_month - 1 == day && (1..=31).contains(&of_month)
        }));
        // From the last of March a month back there is no such day: as `date` has it, it is in March.
        assert_eq!(date(months_before(first_of(2023, 3) + 30, 1)), (2023, 3, 3));
    }
}
