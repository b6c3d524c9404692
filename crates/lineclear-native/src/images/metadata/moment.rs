//! Dates in the format that tags are written in: `YYYYMMDD-HHmmss`, `dddd, MMMM Do YYYY, h:mm:ss a`.
//!
//! # Source
//! The documentation of Moment.js, "Format"; names in English, weeks that begin on Sunday.

use jiff::Zoned;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The tokens, longest first among those that begin alike.
const TOKENS: [&str; 64] = [
    "YYYYYY", "YYYYY", "YYYY", "YY", "Y", "yyyy", "yy", "y", "Qo", "Q", "MMMM", "MMM", "MM", "Mo", "M", "DDDD", "DDDo",
    "DDD", "DD", "Do", "D", "dddd", "ddd", "dd", "do", "d", "E", "e", "GGGGG", "GGGG", "GG", "gggg", "gg", "WW", "Wo",
    "W", "ww", "wo", "w", "HH", "Hmmss", "Hmm", "H", "hh", "hmmss", "hmm", "h", "kk", "k", "mm", "m", "ss", "s", "A",
    "a", "X", "x", "ZZ", "Z", "zz", "z", "LTS", "LT", "N",
];

/// The date in that format. Text in square brackets stands for itself.
pub(crate) fn format(date: &Zoned, format: &str) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first == '['
            && let Some(end) = rest.find(']')
        {
            text.push_str(&rest[1..end]);
            rest = &rest[end + 1..];
        } else if first == '\\' {
            let escaped: String = rest.chars().skip(1).take(1).collect();
            text.push_str(&escaped);
            rest = &rest[1 + escaped.len()..];
        } else if let Some(token) = localized(rest) {
            text.push_str(&self::format(date, token.1));
            rest = &rest[token.0.len()..];
        } else if first == 'S' {
            let length = rest.chars().take_while(|character| *character == 'S').take(9).count();
            let nanoseconds = format!("{:09}", date.subsec_nanosecond());
            text.push_str(&nanoseconds[..length]);
            rest = &rest[length..];
        } else if let Some(token) = TOKENS.iter().find(|token| rest.starts_with(**token)) {
            text.push_str(&one(date, token));
            rest = &rest[token.len()..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

/// Formats that stand for others.
fn localized(rest: &str) -> Option<(&'static str, &'static str)> {
    [
        ("LTS", "h:mm:ss A"),
        ("LT", "h:mm A"),
        ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
        ("LLL", "MMMM D, YYYY h:mm A"),
        ("LL", "MMMM D, YYYY"),
        ("L", "MM/DD/YYYY"),
        ("llll", "ddd, MMM D, YYYY h:mm A"),
        ("lll", "MMM D, YYYY h:mm A"),
        ("ll", "MMM D, YYYY"),
        ("l", "M/D/YYYY"),
    ]
    .into_iter()
    .find(|(token, _)| rest.starts_with(token))
}

fn one(date: &Zoned, token: &str) -> String {
    let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    let (hour, minute, second) = (i64::from(date.hour()), i64::from(date.minute()), i64::from(date.second()));
    let day_of_year = i64::from(date.day_of_year());
    let weekday = i64::from(date.weekday().to_sunday_zero_offset());
    let of_twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    let iso = date.date().iso_week_date();
    let (iso_year, iso_week) = (i64::from(iso.year()), i64::from(iso.week()));
    let (week_year, week) = week_from_sunday(year, day_of_year, weekday);
    let name = |names: &[&str], index: i64, length: usize| {
        let name = usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default();
        name[..length.min(name.len())].to_owned()
    };
    match token {
        "YYYYYY" => format!("{year:+07}"),
        "YYYYY" => format!("{year:05}"),
        "YYYY" | "yyyy" => format!("{year:04}"),
        "YY" | "yy" => format!("{:02}", year.rem_euclid(100)),
        "Y" | "y" => year.to_string(),
        "Q" => ((month + 2) / 3).to_string(),
        "Qo" => ordinal((month + 2) / 3),
        "MMMM" => name(&MONTHS, month - 1, usize::MAX),
        "MMM" => name(&MONTHS, month - 1, 3),
        "MM" => format!("{month:02}"),
        "Mo" => ordinal(month),
        "M" => month.to_string(),
        "DDDD" => format!("{day_of_year:03}"),
        "DDDo" => ordinal(day_of_year),
        "DDD" => day_of_year.to_string(),
        "DD" => format!("{day:02}"),
        "Do" => ordinal(day),
        "D" => day.to_string(),
        "dddd" => name(&DAYS, weekday, usize::MAX),
        "ddd" => name(&DAYS, weekday, 3),
        "dd" => name(&DAYS, weekday, 2),
        "do" => ordinal(weekday),
        "d" | "e" => weekday.to_string(),
        "E" => (if weekday == 0 { 7 } else { weekday }).to_string(),
        "GGGGG" => format!("{iso_year:05}"),
        "GGGG" => format!("{iso_year:04}"),
        "GG" => format!("{:02}", iso_year.rem_euclid(100)),
        "gggg" => format!("{week_year:04}"),
        "gg" => format!("{:02}", week_year.rem_euclid(100)),
        "WW" => format!("{iso_week:02}"),
        "Wo" => ordinal(iso_week),
        "W" => iso_week.to_string(),
        "ww" => format!("{week:02}"),
        "wo" => ordinal(week),
        "w" => week.to_string(),
        "HH" => format!("{hour:02}"),
        "H" => hour.to_string(),
        "Hmm" => format!("{hour}{minute:02}"),
        "Hmmss" => format!("{hour}{minute:02}{second:02}"),
        "hh" => format!("{of_twelve:02}"),
        "h" => of_twelve.to_string(),
        "hmm" => format!("{of_twelve}{minute:02}"),
        "hmmss" => format!("{of_twelve}{minute:02}{second:02}"),
        "kk" => format!("{:02}", if hour == 0 { 24 } else { hour }),
        "k" => (if hour == 0 { 24 } else { hour }).to_string(),
        "mm" => format!("{minute:02}"),
        "m" => minute.to_string(),
        "ss" => format!("{second:02}"),
        "s" => second.to_string(),
        "A" => (if hour < 12 { "AM" } else { "PM" }).to_owned(),
        "a" => (if hour < 12 { "am" } else { "pm" }).to_owned(),
        "X" => date.timestamp().as_second().to_string(),
        "x" => date.timestamp().as_millisecond().to_string(),
        "Z" => offset(date, ":"),
        "ZZ" => offset(date, ""),
        "z" | "zz" => date.strftime("%Z").to_string(),
        "N" => "AD".to_owned(),
        other => other.to_owned(),
    }
}

/// Year and number of the week, where the week that holds 1 January is the first.
fn week_from_sunday(year: i64, day_of_year: i64, weekday: i64) -> (i64, i64) {
    let first_weekday = (weekday - (day_of_year - 1)).rem_euclid(7);
    let length = if is_leap(year) { 366 } else { 365 };
    let week = (day_of_year - 1 + first_weekday) / 7 + 1;
    let next_first = (first_weekday + length) % 7;
    // The last days of a year belong to the week of the next 1 January, unless that is a Sunday.
    if day_of_year > length - next_first { (year + 1, 1) } else { (year, week) }
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn ordinal(number: i64) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn offset(date: &Zoned, between: &str) -> String {
    let seconds = date.offset().seconds();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &str) -> Zoned {
        text.parse::<jiff::Timestamp>().expect("a time").in_tz(zone).expect("a zone")
    }

    #[test]
    fn dates_are_written_as_moment_writes_them() {
        let date = at("2020-01-10T00:30:00.123Z", "UTC");
        let cases = [
            ("YYYYMMDD", "20200110"),
            ("dddd, MMMM Do YYYY, h:mm:ss a", "Friday, January 10th 2020, 12:30:00 am"),
            ("YYYY-MM-DDTHH:mm:ss.SSS[Z]", "2020-01-10T00:30:00.123Z"),
            ("YY.M.D", "20.1.10"),
            ("[week] W E", "week 2 5"),
            ("GGGG-[W]WW", "2020-W02"),
            ("DDDD DDDo Q", "010 10th 1"),
            ("X x", "1578616200 1578616200123"),
            ("Z ZZ z", "+00:00 +0000 UTC"),
            ("ddd dd d MMM A k", "Fri Fr 5 Jan AM 24"),
            ("gggg-ww", "2020-02"),
            ("S SS SSS", "1 12 123"),
            ("LL", "January 10, 2020"),
        ];
        for (format, expected) in cases {
            assert_eq!(self::format(&date, format), expected, "{format}");
        }
    }

    #[test]
    fn zones_move_the_clock() {
        let date = at("2020-01-10T00:30:00Z", "Asia/Tokyo");
        assert_eq!(format(&date, "YYYYMMDD-HHmmss Z"), "20200110-093000 +09:00");
        let date = at("2020-01-10T00:30:00Z", "America/New_York");
        assert_eq!(format(&date, "YYYYMMDD-HHmmss ZZ z"), "20200109-193000 -0500 EST");
    }

    #[test]
    fn the_week_of_the_first_of_january_is_the_first() {
        for (day, expected) in [
            ("2019-12-28T12:00:00Z", "2019-52"),
            ("2019-12-29T12:00:00Z", "2020-01"),
            ("2020-01-05T12:00:00Z", "2020-02"),
            ("2022-12-31T12:00:00Z", "2022-53"),
            ("2023-01-01T12:00:00Z", "2023-01"),
        ] {
            assert_eq!(format(&at(day, "UTC"), "gggg-ww"), expected, "{day}");
        }
    }
}
