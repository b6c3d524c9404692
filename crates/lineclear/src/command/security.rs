//! `lineclear security`: everything that scanners found in a repository, in one list.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use lineclear_event::{Evidence, Finding, Severity, Statement, Subject, Timestamp, Witness};
use lineclear_gate::Entry;
use lineclear_source::Style;
use serde::Serialize;

use crate::command::image::Level;
use crate::exit::Exit;
use crate::gates::{Fault, Place};
use crate::history::terminal::harmless;
use crate::history::words::{age, count};
use crate::{output, settings};

const EXAMPLES: &str = "\
Examples:
  lineclear security                            what is open, the longest known first
  lineclear security --severity critical,high
  lineclear security --all                      also what is not found any more
  lineclear security --format json

The list is made of the ledger: SARIF and the reports of bandit, pip-audit, npm audit, trivy and grype that runs kept or uploaded, and
`lineclear image scan`. More: docs/security-findings.md";

/// Arguments of `security`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SecurityArgs {
    /// Findings of these severities only.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SEVERITY")]
    severity: Vec<Level>,

    /// What the newest scan still finds (the default).
    #[arg(long, conflicts_with = "all")]
    open: bool,

    /// Also what it does not find any more.
    #[arg(long)]
    all: bool,

    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Form,

    /// Of this repository. [default: that of the current folder]
    #[arg(short = 'R', long, value_name = "OWNER/NAME")]
    repository: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    #[default]
    Text,
    /// Documented keys (docs/security-findings.md).
    Json,
}

/// One finding over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Seen {
    severity: Severity,
    id: String,
    /// The package, or the file and the line where it stands now.
    place: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    /// The first version without it.
    #[serde(skip_serializing_if = "String::is_empty")]
    fixed: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    tool: String,
    /// The job, image or report that it is of.
    of: String,
    first_seen: String,
    /// The commit or digest that it was first seen in.
    since: String,
    last_seen: String,
    /// Whether the newest scan of the same finds it.
    open: bool,
    /// How many of this id are in this file or package now.
    count: usize,
}

/// What one tool says again and again of the same: its newest word decides what is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    tool: String,
    of: String,
}

/// A series, gathered.
#[derive(Default)]
struct Gathered {
    /// By id and place without line: lines move.
    seen: BTreeMap<(String, String), Seen>,
    /// Why its newest report could not be read.
    unreadable: Option<String>,
    /// How many findings its newest report counts beyond those that are kept one by one.
    more: u64,
}

/// Carries out `security`.
pub(crate) fn run(args: &SecurityArgs) -> Exit {
    Fault::end(list(args).map(|text| {
        output::print(&text);
        Exit::Success
    }))
}

fn list(args: &SecurityArgs) -> Result<String, Fault> {
    let place = Place::open(args.repository.as_deref())?;
    if args.repository.is_none() && !place.checkout.is_something() {
        let advice = "this folder is of no repository: go into one, or name it with `--repository owner/name`";
        return Err(Fault::Input(advice.to_owned()));
    }
    let index = place.ledger.index()?;
    let all = gather(index.entries());
    let wanted: Vec<Severity> = args.severity.iter().map(|level| Severity::from(*level)).collect();
    let mut shown: Vec<&Seen> = all
        .values()
        .flat_map(|gathered| gathered.seen.values())
        .filter(|seen| (args.all || seen.open) && (wanted.is_empty() || wanted.contains(&seen.severity)))
        .collect();
    // By the day of the first sight, the longest known first; of a day, the worst first.
    shown.sort_by(|one, other| {
        let key = |seen: &Seen| {
            (seen.first_seen.clone(), std::cmp::Reverse(seen.severity), seen.id.clone(), seen.place.clone())
        };
        key(one).cmp(&key(other))
    });
    let unknown: Vec<(&Series, &str)> =
        all.iter().filter_map(|(series, gathered)| Some((series, gathered.unreadable.as_deref()?))).collect();
    let more: Vec<(&Series, u64)> =
        all.iter().map(|(series, gathered)| (series, gathered.more)).filter(|(_, more)| *more > 0).collect();
    if args.format == Form::Json {
        let more: Vec<_> = more
            .iter()
            .map(|(series, more)| serde_json::json!({ "tool": series.tool, "of": series.of, "findings": more }))
            .collect();
        let unknown: Vec<_> = unknown
            .iter()
            .map(|(series, why)| serde_json::json!({ "tool": series.tool, "of": series.of, "why": why }))
            .collect();
        let value = serde_json::json!({
            "repository": place.ledger.repository(), "findings": shown, "not_known": unknown, "not_listed": more,
        });
        return Ok(format!("{value:#}\n"));
    }
    Ok(text(&shown, &unknown, &more, all.is_empty()))
}

fn gather(entries: &[Entry]) -> BTreeMap<Series, Gathered> {
    let images = images(entries);
    let mut all: BTreeMap<Series, Gathered> = BTreeMap::new();
    for evidence in entries.iter().map(|entry| &entry.evidence) {
        let Statement::Scan(scan) = &evidence.statement else { continue };
        let series = Series { tool: scan.tool.clone(), of: of(evidence, &scan.category, &images) };
        let gathered = all.entry(series.clone()).or_default();
        if !scan.unreadable.is_empty() {
            // What was open may still be.
            gathered.unreadable = Some(scan.unreadable.clone());
            continue;
        }
        gathered.unreadable = None;
        gathered.more = scan.counts.values().sum::<u64>().saturating_sub(scan.found.len() as u64);
        // The worst are kept: what is no worse than the last of them may be among those that are not.
        let last = scan.found.last().map(|finding| finding.severity).filter(|_| gathered.more > 0);
        for seen in gathered.seen.values_mut() {
            seen.open &= last.is_some_and(|last| seen.severity <= last);
            seen.count = 0;
        }
        for finding in &scan.found {
            gathered.add(finding, evidence, &series);
        }
    }
    all
}

/// By digest, what the image is called.
fn images(entries: &[Entry]) -> BTreeMap<&Subject, String> {
    let mut names = BTreeMap::new();
    for evidence in entries.iter().map(|entry| &entry.evidence) {
        if let Statement::Image(image) = &evidence.statement {
            let repository =
                image.names.first().map(|name| name.rsplit_once(':').map_or(name.as_str(), |(name, _)| name));
            let name = if image.image.is_empty() { repository.unwrap_or_default() } else { &image.image };
            names.insert(&evidence.subject, name.to_owned());
        }
    }
    names
}

/// What a scan is of, whatever the commit: an image by its name, else the job and the report.
fn of(evidence: &Evidence, category: &str, images: &BTreeMap<&Subject, String>) -> String {
    if let Subject::Digest(digest) = &evidence.subject {
        return match images.get(&evidence.subject).filter(|name| !name.is_empty()) {
            Some(name) => format!("image {name}"),
            None => format!("image {}", short(digest)),
        };
    }
    let job = match &evidence.by {
        Witness::Run(run) => run.job.as_ref().map(|job| format!("{} {job}", run.file)),
        Witness::Person(_) | Witness::Engine => None,
    };
    [job.unwrap_or_default(), category.to_owned()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

impl Gathered {
    fn add(&mut self, finding: &Finding, evidence: &Evidence, series: &Series) {
        let at = evidence.at.to_string();
        let key = (finding.id.clone(), without_line(&finding.place).to_owned());
        let seen = self.seen.entry(key).or_insert_with(|| Seen {
            severity: finding.severity,
            id: finding.id.clone(),
            place: String::new(),
            version: String::new(),
            fixed: String::new(),
            title: String::new(),
            tool: series.tool.clone(),
            of: series.of.clone(),
            first_seen: at.clone(),
            since: evidence.subject.id().to_owned(),
            last_seen: String::new(),
            open: false,
            count: 0,
        });
        // The worst of several in one place is told, as it stands now.
        if !seen.open || finding.severity > seen.severity {
            seen.severity = finding.severity;
            seen.place.clone_from(&finding.place);
            seen.version.clone_from(&finding.version);
            seen.fixed.clone_from(&finding.fixed);
            seen.title.clone_from(&finding.title);
        }
        seen.open = true;
        seen.count += 1;
        seen.last_seen = at;
    }
}

/// `src/a.py` of `src/a.py:3`.
fn without_line(place: &str) -> &str {
    match place.rsplit_once(':') {
        Some((file, line)) if !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()) => file,
        _ => place,
    }
}

/// Reports are written by whoever wrote what was scanned: their words stay on their line and do not steer the terminal.
fn plain(words: &str) -> std::borrow::Cow<'_, str> {
    harmless(words, Style::Plain)
}

fn text(shown: &[&Seen], unknown: &[(&Series, &str)], more: &[(&Series, u64)], is_empty: bool) -> String {
    if is_empty {
        return "No scanner has said anything of this repository yet: runs keep the reports of scanners that are uploaded, and \
                `lineclear image scan` tells the ledger\n"
            .to_owned();
    }
    let mut text = String::new();
    let now = settings::now();
    for seen in shown {
        let first = crate::command::vulnerabilities::millis(&seen.first_seen).unwrap_or(Timestamp(0));
        let version = if seen.version.is_empty() { String::new() } else { format!(" {}", seen.version) };
        let often = if seen.count > 1 { format!(" ×{}", seen.count) } else { String::new() };
        let gone = if seen.open { "" } else { "  (not found any more)" };
        let found = format!("{:<9} {}  {}{version}{often}{gone}", seen.severity.as_str(), seen.id, seen.place);
        let _ = writeln!(text, "{}", plain(&found));
        if !seen.title.is_empty() {
            let _ = writeln!(text, "          {}", plain(&seen.title));
        }
        let fixed = if seen.fixed.is_empty() { String::new() } else { format!(", fixed in {}", seen.fixed) };
        let since = if seen.since.starts_with("sha256:") {
            short(&seen.since)
        } else {
            seen.since.get(..12).unwrap_or(&seen.since)
        };
        let first = age(first, now);
        let by = format!("          {} ({}), first seen {first} in {since}{fixed}", seen.tool, seen.of);
        let _ = writeln!(text, "{}", plain(&by));
    }
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for seen in shown.iter().filter(|seen| seen.open) {
        *counts.entry(seen.severity).or_default() += 1;
    }
    let open: usize = counts.values().sum();
    let parts: Vec<String> = counts.iter().rev().map(|(severity, number)| format!("{number} {severity}")).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let _ = writeln!(text, "{}{} open{parts}", if shown.is_empty() { "" } else { "\n" }, count(open, "finding"));
    for (series, more) in more {
        let number = count(usize::try_from(*more).unwrap_or(usize::MAX), "finding");
        let told = format!("not listed: the newest report of {} ({}) has {number} more", series.tool, series.of);
        let _ = writeln!(text, "{}", plain(&told));
    }
    for (series, why) in unknown {
        let told = format!("not known: the newest report of {} ({}) counts as no scan: {why}", series.tool, series.of);
        let _ = writeln!(text, "{}", plain(&told));
    }
    text
}

#[cfg(test)]
mod tests {
    use lineclear_event::{JobKey, RunId, RunWitness, ScanStatement};

    use super::*;

    fn entry(number: u64, commit: char, tool: &str, found: &[(&str, &str, Severity)], unreadable: &str) -> Entry {
        let finding = |(id, place, severity): &(&str, &str, Severity)| Finding {
            severity: *severity,
            id: (*id).to_owned(),
            place: (*place).to_owned(),
            version: String::new(),
            fixed: String::new(),
            title: String::new(),
        };
        let by = Witness::Run(RunWitness {
            run: RunId(number),
            attempt: 1,
            file: "ci.yml".into(),
            event: "push".into(),
            job: Some(JobKey::new("scan")),
        });
        let statement = Statement::Scan(ScanStatement {
            tool: tool.into(),
            found: found.iter().map(finding).collect(),
            unreadable: unreadable.into(),
            ..ScanStatement::default()
        });
        let subject = Subject::Commit(commit.to_string().repeat(40));
        let at = Timestamp(i64::try_from(number).expect("small") * 1000);
        Entry { previous: String::new(), number, evidence: Evidence { subject, at, by, statement } }
    }

    /// S1-75, S1-53: over all tools, since when, and whether it is still there; a line that moved is the same finding.
    #[test]
    fn findings_have_a_first_sight_and_end_when_the_newest_scan_does_not_find_them() {
        let entries = [
            entry(0, 'a', "bandit", &[("B602", "a.py:3", Severity::High), ("B101", "a.py:1", Severity::Low)], ""),
            entry(1, 'a', "npm-audit", &[("GHSA-1", "lodash", Severity::Critical)], ""),
            entry(2, 'b', "bandit", &[("B602", "a.py:7", Severity::High)], ""),
            entry(3, 'c', "npm-audit", &[], "it was cut"),
        ];
        let all = gather(&entries);
        let shown: Vec<_> = all
            .values()
            .flat_map(|gathered| gathered.seen.values())
            .map(|seen| {
                (seen.id.as_str(), seen.place.as_str(), seen.open, seen.since.starts_with('a'), &seen.last_seen[17..19])
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("B101", "a.py:1", false, true, "00"),
                ("B602", "a.py:7", true, true, "02"),
                // Nobody knows that it is gone.
                ("GHSA-1", "lodash", true, true, "01"),
            ]
        );
        let unknown: Vec<_> = all.values().filter_map(|gathered| gathered.unreadable.as_deref()).collect();
        assert_eq!(unknown, ["it was cut"]);
    }

    /// The ledger keeps the worst of a long list, and the number of all: what may be among the rest is not gone.
    #[test]
    fn a_finding_that_may_be_among_those_that_are_not_listed_stays_open() {
        let first = entry(0, 'a', "bandit", &[("B1", "a.py", Severity::Critical), ("B2", "b.py", Severity::Low)], "");
        let mut second = entry(1, 'b', "bandit", &[("B3", "c.py", Severity::High)], "");
        let Statement::Scan(scan) = &mut second.evidence.statement else { panic!("a scan") };
        scan.counts = BTreeMap::from([(Severity::High, 1), (Severity::Low, 4)]);
        let all = gather(&[first, second]);
        let open: Vec<_> = all
            .values()
            .flat_map(|gathered| gathered.seen.values())
            .filter(|seen| seen.open)
            .map(|seen| seen.id.as_str())
            .collect();
        assert_eq!(open, ["B2", "B3"]);
        assert_eq!(all.values().map(|gathered| gathered.more).collect::<Vec<_>>(), [4]);
        let more: Vec<_> = all.iter().map(|(series, gathered)| (series, gathered.more)).collect();
        let text = text(&[], &[], &more, false);
        assert!(text.contains("has 4 findings more"), "{text}");
    }
}
