//! `.trivyignore`: names of vulnerabilities that a report leaves out.
//!
//! # Source
//! Trivy's documentation, "Filtering", `.trivyignore`: a name a line, `#` before comments, `exp:2030-01-31` for the last day.

use jiff::civil::Date;

/// The names that count on `today`.
pub(super) fn read(text: &str, today: Date) -> Vec<String> {
    let entry = |line: &str| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let is_over = words
            .filter_map(|word| word.strip_prefix("exp:"))
            // A day that is none never comes: what was meant to end does not go on.
            .any(|day| day.parse::<Date>().map_or(true, |day| day < today));
        (!is_over).then(|| name.to_owned())
    };
    text.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_on_their_day_and_comments_name_nothing() {
        let text = "# why\nCVE-1\n  CVE-2 exp:2026-01-31 # soon\nCVE-3 exp:2026-01-30\nCVE-4 exp:soon\n\nGHSA-5\n";
        let today: Date = "2026-01-31".parse().expect("a day");
        assert_eq!(read(text, today), ["CVE-1", "CVE-2", "GHSA-5"]);
    }
}
