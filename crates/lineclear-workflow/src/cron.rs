//! The times of `schedule`: five fields, read strictly, and the next time after a given one.
//!
//! Pure arithmetic on the civil calendar: a caller that knows time zones turns instants into [`CivilMinute`]s and back.
//! Source of the rules: the protocol of GitHub's `schedule` event, which is POSIX cron with names and steps, and without
//! `@daily`, `7` for Sunday, or ranges that wrap.

use std::fmt;

use lineclear_source::Span;

/// A parsed `cron:` text.
///
/// Where day of month and day of week are both restricted, a day that fits either will do (the rule of classic cron).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    any_day: bool,
    any_weekday: bool,
}

/// A minute of the civil calendar (proleptic Gregorian), in whatever zone the caller means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilMinute {
    pub year: i32,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
}

/// Why a text is no schedule, and where in it (bytes from its start).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CronError {
    pub message: String,
    pub span: Span,
}

/// One of the five fields.
struct Field {
    name: &'static str,
    least: u8,
    greatest: u8,
    /// Names for the numbers from `least` on.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, greatest: 59, names: &[] },
    Field { name: "hour", least: 0, greatest: 23, names: &[] },
    Field { name: "day of the month", least: 1, greatest: 31, names: &[] },
    Field {
        name: "month",
        least: 1,
        greatest: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field { name: "day of the week", least: 0, greatest: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

/// The longest that two times of one schedule lie apart: 29 February over a century that is no leap year.
const LONGEST_GAP_DAYS: u32 = 366 * 9;

impl Cron {
    /// Reads `minute hour day-of-month month day-of-week`.
    ///
    /// # Errors
    /// Everything that is wrong, one error for each field at most.
    pub fn parse(text: &str) -> Result<Self, Vec<CronError>> {
        let whole = Span::new(0, text.len());
        let error = |message: String| Err(vec![CronError { message, span: whole }]);
        if text.trim_start().starts_with('@') {
            return error(format!("`{}` is not known here; write five fields, such as `0 0 * * *`", text.trim()));
        }
        let words: Vec<(usize, &str)> = words(text).collect();
        let Ok(words): Result<[(usize, &str); 5], _> = words.try_into() else {
            let found = self::words(text).count();
            let fields = "minute, hour, day of the month, month and day of the week";
            return error(format!("expected five fields ({fields}), found {found}"));
        };
        let mut sets = [0u64; 5];
        let mut errors = Vec::new();
        for ((set, field), (at, word)) in sets.iter_mut().zip(&FIELDS).zip(words) {
            match field.read(word) {
                Ok(read) => *set = read,
                Err((message, span)) => errors.push(CronError { message, span: span.shifted(at) }),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let [minutes, hours, days, months, weekdays] = sets;
        let starts_with_star = |word: (usize, &str)| word.1.starts_with('*');
        Ok(Self {
            minutes,
            hours,
            days,
            months,
            weekdays,
            any_day: starts_with_star(words[2]),
            any_weekday: starts_with_star(words[4]),
        })
    }

    /// The first time after `after`, or `None` for a day that no year has, such as 30 February.
    pub fn next_after(&self, after: CivilMinute) -> Option<CivilMinute> {
        let today = (after.year, after.month, after.day);
        if self.runs_on(today)
            && let Some((hour, minute)) = self.time_after(after.hour, after.minute)
        {
            return Some(CivilMinute { hour, minute, ..after });
        }
        let mut date = today;
        for _ in 0..LONGEST_GAP_DAYS {
            date = next_day(date)?;
            if self.runs_on(date) {
                let (year, month, day) = date;
                let hour = first_from(self.hours, 0)?;
                let minute = first_from(self.minutes, 0)?;
                return Some(CivilMinute { year, month, day, hour, minute });
            }
        }
        None
    }

    /// Whether the minute is one of the schedule's.
    pub fn is_due(&self, at: CivilMinute) -> bool {
        has(self.minutes, at.minute) && has(self.hours, at.hour) && self.runs_on((at.year, at.month, at.day))
    }

    /// The fewest minutes between two times of the schedule.
    pub fn shortest_interval(&self) -> u32 {
        let times: Vec<u32> = (0..24u8)
            .filter(|&hour| has(self.hours, hour))
            .flat_map(|hour| (0..60u8).filter(|&m| has(self.minutes, m)).map(move |m| (hour, m)))
            .map(|(hour, minute)| u32::from(hour) * 60 + u32::from(minute))
            .collect();
        let within = times.windows(2).map(|pair| pair[1] - pair[0]);
        // Days may follow each other, so the last time of one may be close to the first of the next.
        let over_night = times.first().zip(times.last()).map(|(first, last)| first + 24 * 60 - last);
        within.chain(over_night).min().unwrap_or(24 * 60)
    }

    fn runs_on(&self, (year, month, day): (i32, u8, u8)) -> bool {
        let day_fits = has(self.days, day);
        let weekday_fits = has(self.weekdays, weekday(year, month, day));
        let fits = if self.any_day || self.any_weekday { day_fits && weekday_fits } else { day_fits || weekday_fits };
        has(self.months, month) && fits
    }

    fn time_after(&self, hour: u8, minute: u8) -> Option<(u8, u8)> {
        if has(self.hours, hour)
            && let Some(minute) = first_from(self.minutes, minute.saturating_add(1))
        {
            return Some((hour, minute));
        }
        Some((first_from(self.hours, hour.saturating_add(1))?, first_from(self.minutes, 0)?))
    }
}

impl Field {
    /// The numbers of one field as a set of bits.
    fn read(&self, word: &str) -> Result<u64, (String, Span)> {
        let mut set = 0;
        let mut at = 0;
        for item in word.split(',') {
            set |= self.read_item(item).map_err(|(message, span)| (message, span.shifted(at)))?;
            at += item.len() + 1;
        }
        Ok(set)
    }

    /// `*`, `4`, `mon`, `1-5`, `*/5`, `1-10/2` or `3/10`.
    fn read_item(&self, item: &str) -> Result<u64, (String, Span)> {
        let whole = Span::new(0, item.len());
        let (range, step) = match item.split_once('/') {
            None => (item, None),
            Some((range, step)) => {
                let span = Span::new(range.len() + 1, item.len());
                match step.parse::<u32>() {
                    Ok(number) if number > 0 && is_digits(step) => (range, Some(number)),
                    _ => return Err((format!("the step `{step}` is not a number from 1 on"), span)),
                }
            }
        };
        let (first, last) = if range == "*" {
            (self.least, self.greatest)
        } else if let Some((from, to)) = range.split_once('-') {
            let first = self.number(from, 0)?;
            let last = self.number(to, from.len() + 1)?;
            if first > last {
                let message = format!("the range `{range}` runs backwards, and ranges do not wrap");
                return Err((message, Span::new(0, range.len())));
            }
            (first, last)
        } else {
            let first = self.number(range, 0)?;
            // `3/10` means from 3 on in steps of ten.
            (first, if step.is_some() { self.greatest } else { first })
        };
        if item.is_empty() {
            return Err((format!("a number is missing in the field {}", self.name), whole));
        }
        let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
        Ok((first..=last).step_by(step).fold(0, |set, number| set | 1u64 << number))
    }

    fn number(&self, text: &str, at: usize) -> Result<u8, (String, Span)> {
        let span = Span::new(at, at + text.len());
        if let Some(index) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return Ok(self.least + u8::try_from(index).unwrap_or(u8::MAX - self.least));
        }
        let (least, greatest) = (self.least, self.greatest);
        match text.parse::<u8>() {
            Ok(number) if is_digits(text) && (least..=greatest).contains(&number) => Ok(number),
            Ok(7) if self.greatest == 6 => Err(("`7` is not a day of the week; Sunday is `0`".to_owned(), span)),
            _ if text.is_empty() => Err((format!("a number is missing in the field {}", self.name), span)),
            _ => {
                let names = match (self.names.first(), self.names.last()) {
                    (Some(first), Some(last)) => format!(" or a name from {first} to {last}"),
                    _ => String::new(),
                };
                Err((
                    format!(
                        "`{text}` does not fit the field {}: a number from {least} to {greatest}{names}",
                        self.name
                    ),
                    span,
                ))
            }
        }
    }
}

impl fmt::Display for CivilMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words between spaces, each with the byte it starts at.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start_of = move |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split(' ').filter(|word| !word.is_empty()).map(move |word| (start_of(word), word))
}

fn has(set: u64, number: u8) -> bool {
    set.checked_shr(u32::from(number)).is_some_and(|rest| rest & 1 == 1)
}

/// The least number of `set` that is `from` or more.
fn first_from(set: u64, from: u8) -> Option<u8> {
    let rest = set & u64::MAX.checked_shl(u32::from(from))?;
    (rest != 0).then(|| u8::try_from(rest.trailing_zeros()).unwrap_or(u8::MAX))
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i32, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `None` at the end of time, the last year that `i32` holds.
fn next_day((year, month, day): (i32, u8, u8)) -> Option<(i32, u8, u8)> {
    if day < days_in(year, month) {
        Some((year, month, day + 1))
    } else if month < 12 {
        Some((year, month + 1, 1))
    } else {
        Some((year.checked_add(1)?, 1, 1))
    }
}

/// 0 is Sunday. Sakamoto's method.
fn weekday(year: i32, month: u8, day: u8) -> u8 {
    const SHIFTS: [i64; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
    let year = i64::from(year) - i64::from(month < 3);
    let shift = SHIFTS[usize::from(month.clamp(1, 12) - 1)];
    let days = year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + shift + i64::from(day);
    u8::try_from(days.rem_euclid(7)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> CivilMinute {
        let number = |range: std::ops::Range<usize>| text[range].parse::<u8>().expect("the test's time is well formed");
        let year = text[0..4].parse().expect("the test's time is well formed");
        CivilMinute { year, month: number(5..7), day: number(8..10), hour: number(11..13), minute: number(14..16) }
    }

    fn next(cron: &str, after: &str) -> String {
        let cron = Cron::parse(cron).expect("the test's schedule is valid");
        cron.next_after(at(after)).map_or("never".to_owned(), |time| time.to_string())
    }

    #[test]
    fn the_next_time_is_found_across_hours_days_months_and_years() {
        for (cron, after, expected) in [
            ("*/15 * * * *", "2026-03-10 10:07", "2026-03-10 10:15"),
            ("*/15 * * * *", "2026-03-10 10:45", "2026-03-10 11:00"),
            ("30 5 * * *", "2026-03-10 05:30", "2026-03-11 05:30"),
            ("0 0 1 * *", "2026-12-31 23:59", "2027-01-01 00:00"),
            ("0 12 * * 1-5", "2026-08-07 12:00", "2026-08-10 12:00"),
            ("0 12 * * SUN", "2026-08-07 12:00", "2026-08-09 12:00"),
            ("0 0 29 2 *", "2096-03-01 00:00", "2104-02-29 00:00"),
            ("0 0 30 2 *", "2026-01-01 00:00", "never"),
            ("3/10 4 * jan,Jul *", "2026-02-01 00:00", "2026-07-01 04:03"),
            ("1-10/4 * * * *", "2026-02-01 00:05", "2026-02-01 00:09"),
        ] {
            assert_eq!(next(cron, after), expected, "{cron} after {after}");
        }
    }

    #[test]
    fn either_day_field_will_do_where_both_are_restricted() {
        // Friday the 7th, then the 13th (a Thursday).
        assert_eq!(next("0 0 13 * 5", "2026-08-06 00:00"), "2026-08-07 00:00");
        assert_eq!(next("0 0 13 * 5", "2026-08-07 00:00"), "2026-08-13 00:00");
        assert_eq!(next("0 0 13 * *", "2026-08-06 00:00"), "2026-08-13 00:00");
        assert_eq!(next("0 0 */2 * 5", "2026-08-06 00:00"), "2026-08-07 00:00");
    }

    #[test]
    fn trap_96_macros_seven_and_wrapping_ranges_are_refused() {
        let fault = |text: &str| {
            let errors = Cron::parse(text).expect_err("the test's schedule is invalid");
            let line = |error: &CronError| format!("{}..{} {error}", error.span.start, error.span.end);
            errors.iter().map(line).collect::<Vec<_>>().join("; ")
        };
        for (text, expected) in [
            ("@daily", "0..6 `@daily` is not known here; write five fields, such as `0 0 * * *`"),
            ("0 0 * * 7", "8..9 `7` is not a day of the week; Sunday is `0`"),
            ("0 22-4 * * *", "2..6 the range `22-4` runs backwards, and ranges do not wrap"),
            (
                "0 0 * *",
                "0..7 expected five fields (minute, hour, day of the month, month and day of the week), found 4",
            ),
            (
                "60 24 0 13 mo",
                "0..2 `60` does not fit the field minute: a number from 0 to 59; 3..5 `24` does not fit the field hour: a number from 0 to 23; 6..7 `0` does not fit the field day of the month: a number from 1 to 31; 8..10 `13` does not fit the field month: a number from 1 to 12 or a name from jan to dec; 11..13 `mo` does not fit the field day of the week: a number from 0 to 6 or a name from sun to sat",
            ),
            ("*/0 * * * *", "2..3 the step `0` is not a number from 1 on"),
            ("1,,2 * * * *", "2..2 a number is missing in the field minute"),
            ("1-2-3 * * * *", "2..5 `2-3` does not fit the field minute: a number from 0 to 59"),
            ("+1 * * * *", "0..2 `+1` does not fit the field minute: a number from 0 to 59"),
            ("0 0 L * *", "4..5 `L` does not fit the field day of the month: a number from 1 to 31"),
            ("0 0 ? * *", "4..5 `?` does not fit the field day of the month: a number from 1 to 31"),
        ] {
            assert_eq!(fault(text), expected);
        }
    }

    #[test]
    fn the_shortest_interval_is_known() {
        for (cron, minutes) in [
            ("* * * * *", 1),
            ("*/5 * * * *", 5),
            ("58,2 * * * *", 4),
            ("58,2 3 * * *", 56),
            ("0 0 * * *", 1440),
            ("59,0 0,23 * * *", 1),
        ] {
            assert_eq!(Cron::parse(cron).expect("valid").shortest_interval(), minutes, "{cron}");
        }
    }

    proptest! {
        #[test]
        fn the_next_time_is_the_first_due_minute(
            minute in 0u8..60, hour in 0u8..24, start_hour in 0u8..24, start_minute in 0u8..60, weekday in 0u8..7,
        ) {
            let cron = Cron::parse(&format!("{minute},7 */3,{hour} * * {weekday}")).expect("valid");
            let start = CivilMinute { year: 2026, month: 2, day: 26, hour: start_hour, minute: start_minute };
            let mut step = start;
            let found = loop {
                step = if step.minute < 59 {
                    CivilMinute { minute: step.minute + 1, ..step }
                } else if step.hour < 23 {
                    CivilMinute { hour: step.hour + 1, minute: 0, ..step }
                } else {
                    let (year, month, day) = next_day((step.year, step.month, step.day)).expect("not the end of time");
                    CivilMinute { year, month, day, hour: 0, minute: 0 }
                };
                if cron.is_due(step) {
                    break step;
                }
            };
            prop_assert_eq!(cron.next_after(start), Some(found));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let _ = Cron::parse(&text);
        }
    }
}
