//! `[scan]`: how images are looked through for known vulnerabilities, and what somebody took responsibility for.

use jiff::civil::Date;
use lineclear_source::Spanned;

use crate::VulnerabilitySeverity;
use crate::gate::severities;
use crate::table::{Entry, Findings, Table};

/// `[scan]`
#[derive(Clone, Debug, Default)]
pub struct ScanPolicy {
    /// `database`: the file or folder of advisories in the OSV format that is imported, from the repository's root.
    pub database: Option<Spanned<String>>,
    /// `block`: the severities that count where a gate's `scan` names none, and for `image scan`. `None` where nothing is said.
    pub block: Option<Spanned<Vec<Spanned<VulnerabilitySeverity>>>>,
    /// `reports`: patterns of files that are reports of scanners, from the workspace on, whatever they are called.
    pub reports: Vec<Spanned<String>>,
    /// `[[scan.ignore]]`, in file order. Entries that lack what an entry needs are not among them.
    pub ignores: Vec<ScanIgnore>,
}

/// An entry of `[[scan.ignore]]`: a finding that somebody took responsibility for, until a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanIgnore {
    /// `id`: `CVE-2024-1234`, `GHSA-…`, the id of the advisory or one of its other names.
    pub id: Spanned<String>,
    /// `package`: of this package only; of any, if it is not set.
    pub package: Option<Spanned<String>>,
    /// `reason`: why it does no harm here.
    pub reason: Spanned<String>,
    /// `owner`: who took responsibility.
    pub owner: Spanned<String>,
    /// `until`: the last day on which it is ignored.
    pub until: Spanned<Date>,
}

impl ScanPolicy {
    pub(crate) fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let policy = Self {
            database: table.string("database", findings),
            block: severities(&mut table, findings),
            reports: table.strings("reports", findings),
            ignores: ignores(&mut table, findings),
        };
        table.finish(findings);
        policy
    }
}

impl ScanIgnore {
    /// Whether `until` is over on `today`, a day in UTC ([`day_of`]): then it ignores nothing.
    pub fn is_expired(&self, today: Date) -> bool {
        self.until.value < today
    }

    fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Option<Self> {
        let id = table.required("id", findings);
        let package = table.string("package", findings);
        let reason = table.required("reason", findings);
        let owner = table.required("owner", findings);
        let until = table.required_date("until", findings);
        table.finish(findings);
        for (name, text) in [("id", &id), ("package", &package), ("reason", &reason), ("owner", &owner)] {
            if let Some(text) = text.as_ref().filter(|text| text.value.trim().is_empty()) {
                findings.value(text.span, format!("`{name}` is empty"));
            }
        }
        Some(Self { id: id?, package, reason: reason?, owner: owner?, until: until? })
    }
}

/// The day in UTC, so many milliseconds after the beginning of 1970.
pub fn day_of(millis: i64) -> Date {
    let time = jiff::Timestamp::from_millisecond(millis);
    // Clocks that are off by thousands of years let every ignore expire, or none.
    let end = if millis < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    time.unwrap_or(end).to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn ignores(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Vec<ScanIgnore> {
    let Some(entry) = table.get("ignore") else { return Vec::new() };
    let items = table.items(entry, "a list of tables, each under `[[scan.ignore]]`", findings);
    let read = |item: Entry<'_>| ScanIgnore::read(table.of_table(item, findings)?, findings);
    items.into_iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;

    use jiff::civil::Date;

    use super::day_of;
    use crate::Policy;

    const ENTRY: &str =
        "[[scan.ignore]]\nid = 'CVE-2024-1234'\nreason = 'not called'\nowner = 'ann'\nuntil = 2026-12-31\n";

    fn read(text: &str) -> (Policy, Vec<String>) {
        let (policy, findings) = Policy::read(&Source::new("lineclear.toml", text));
        (policy, findings.into_iter().map(|finding| finding.message).collect())
    }

    #[test]
    fn an_ignore_holds_up_to_its_last_day() {
        let (policy, findings) = read(ENTRY);
        assert_eq!(findings, [""; 0]);
        let day = |text: &str| text.parse::<Date>().expect("a day");
        let ignore = &policy.scan.ignores[0];
        assert!(!ignore.is_expired(day("2026-12-31")) && ignore.is_expired(day("2027-01-01")));
    }

    #[test]
    fn a_time_is_on_a_day() {
        assert_eq!(day_of(1_767_225_599_999).to_string(), "2025-12-31");
        assert_eq!(day_of(1_767_225_600_000).to_string(), "2026-01-01");
        assert!(day_of(i64::MIN) < day_of(0) && day_of(0) < day_of(i64::MAX));
    }

    #[test]
    fn a_day_may_stand_in_quotes() {
        let (policy, findings) = read(&ENTRY.replace("2026-12-31", "'2026-12-31'"));
        assert_eq!(findings, [""; 0]);
        assert_eq!(policy.scan.ignores[0].until.value.to_string(), "2026-12-31");
    }

    #[test]
    fn an_ignore_without_reason_owner_or_end_ignores_nothing() {
        for key in ["id", "reason", "owner", "until"] {
            let without: String =
                ENTRY.lines().filter(|line| !line.starts_with(key)).fold(String::new(), |all, line| all + line + "\n");
            let (policy, findings) = read(&without);
            assert_eq!(findings, [format!("`scan.ignore` has no `{key}`")]);
            assert!(policy.scan.ignores.is_empty(), "{key}");
        }
        let (_, findings) = read(&ENTRY.replace("2026-12-31", "'soon'"));
        assert_eq!(findings, ["`soon` is no day: write it as `2026-12-31`"]);
        let (_, findings) = read(&ENTRY.replace("2026-12-31", "2026-12-31T10:00:00Z"));
        assert_eq!(findings, ["`2026-12-31T10:00:00Z` is no day: write it as `2026-12-31`"]);
        let (_, findings) = read(&ENTRY.replace("not called", " "));
        assert_eq!(findings, ["`reason` is empty"]);
    }
}
