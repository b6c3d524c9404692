//! Amounts as people read them: bytes, ages, shares.

use lineclear_event::Timestamp;

/// `512 B`, `1.4 KiB`, `3.0 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Shown with one decimal: what a double cannot hold exactly is far behind it.
    #[expect(clippy::cast_precision_loss, reason = "only one decimal is shown")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `just now`, `5m ago`, `3h ago`, `2d ago`; beyond thirty days the date in UTC.
pub(crate) fn age(then: Timestamp, now: Timestamp) -> String {
    match now.millis_since(then) / 1000 {
        0..10 => "just now".to_owned(),
        seconds @ 10..60 => format!("{seconds}s ago"),
        seconds @ 60..3_600 => format!("{}m ago", seconds / 60),
        seconds @ 3_600..172_800 => format!("{}h ago", seconds / 3_600),
        seconds @ 172_800..2_592_000 => format!("{}d ago", seconds / 86_400),
        _ => date(then),
    }
}

/// `in 7d`, `in 5h`; `expired` when it is over.
pub(crate) fn until(end: Timestamp, now: Timestamp) -> String {
    match end.millis_since(now) / 1000 {
        0 => "expired".to_owned(),
        // Rounded: what was just uploaded for seven days says so.
        seconds if seconds > 129_600 => format!("in {}d", (seconds + 43_200) / 86_400),
        seconds if seconds > 3_600 => format!("in {}h", (seconds + 1_800) / 3_600),
        seconds => format!("in {}m", seconds / 60 + 1),
    }
}

/// `2026-11-21`.
pub(crate) fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// `2026-11-21 08:15:30`, in UTC.
pub(crate) fn time(at: Timestamp) -> String {
    at.to_string().chars().take(19).map(|character| if character == 'T' { ' ' } else { character }).collect()
}

/// `75 %`: how much `part` is of `whole`; a dash where there is nothing.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "–".to_owned(),
        whole => format!("{} %", (u128::from(part) * 100 + u128::from(whole) / 2) / u128::from(whole)),
    }
}

/// `1 run`, `2 runs`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The middle of the values, of two middles the mean; `None` of no values.
pub(crate) fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(values[middle - 1] + (values[middle] - values[middle - 1]) / 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let shown: Vec<String> = [0, 1023, 1024, 1_500_000, 3 << 30].into_iter().map(size).collect();
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.4 MiB", "3.0 GiB"]);
    }

    #[test]
    fn ages_say_what_matters() {
        let now = Timestamp(1_795_250_130_000);
        let before = |seconds: i64| age(now.plus_millis(-seconds * 1000), now);
        assert_eq!([before(3), before(59), before(61), before(7_200)], ["just now", "59s ago", "1m ago", "2h ago"]);
        assert_eq!([before(86_400 * 5), before(86_400 * 40)], ["5d ago", "2026-10-12"]);
        assert_eq!(age(now.plus_millis(5_000), now), "just now", "clocks differ");
        let after = |seconds: i64| until(now.plus_millis(seconds * 1000), now);
        assert_eq!([after(604_799), after(0), after(7_200), after(30)], ["in 7d", "expired", "in 2h", "in 1m"]);
    }

    #[test]
    fn shares_and_middles() {
        assert_eq!([percent(2, 3), percent(0, 0), percent(7, 7)], ["67 %", "–", "100 %"]);
        assert_eq!([median(vec![]), median(vec![3, 1, 2]), median(vec![4, 1, 2, 9])], [None, Some(2), Some(3)]);
    }
}
