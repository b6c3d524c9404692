//! Facts as tables for people.

use std::cmp::Reverse;
use std::fmt::Write;

use lineclear_event::{Coverage, Fact, Finding, Findings, Severity, TestCase, TestOutcome, TestResults};

/// How many failed or flaky tests, files and findings are listed.
const LISTED: usize = 20;
/// Characters of a message in a table.
const MESSAGE: usize = 200;

/// A summary of what reports say, in GitHub's Markdown: tests by report, the failed and the flaky ones with their messages and
/// places, coverage with its lowest files, findings by severity with the worst of them. Empty when no fact is of that kind.
pub fn markdown(facts: &[Fact]) -> String {
    let mut tests = Vec::new();
    let mut coverage = Vec::new();
    let mut findings = Vec::new();
    for fact in facts {
        match fact {
            Fact::Tests(results) => tests.push(results),
            Fact::Coverage(found) => coverage.push(found),
            Fact::Findings(found) => findings.push(&**found),
            Fact::Cache { .. } | Fact::Used { .. } | Fact::ForgeCall { .. } | Fact::Image(_) => {}
        }
    }
    let parts = [write_tests(&tests), write_coverage(&coverage), write_findings(&findings)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn write_tests(all: &[&TestResults]) -> String {
    let mut text = String::new();
    if all.is_empty() {
        return text;
    }
    text.push_str("### Tests\n\n| report | passed | flaky | failed | skipped | time |\n|:--|--:|--:|--:|--:|--:|\n");
    for results in all {
        let totals = results.totals;
        let (passed, flaky, failed, skipped) = (totals.passed, totals.flaky, totals.failed, totals.skipped);
        let (name, time) = (code(&results.name), seconds(totals.duration_ms));
        let _ = writeln!(text, "| {name} | {passed} | {flaky} | {failed} | {skipped} | {time} |");
    }
    for (title, outcome) in [("Failed", TestOutcome::Failed), ("Flaky: passed only on another try", TestOutcome::Flaky)]
    {
        let cases = all.iter().flat_map(|results| &results.cases).filter(|case| case.outcome == outcome);
        let cases: Vec<&TestCase> = cases.collect();
        if cases.is_empty() {
            continue;
        }
        let _ = write!(text, "\n#### {title}\n\n| test | message | place |\n|:--|:--|:--|\n");
        for case in cases.iter().take(LISTED) {
            let name =
                if case.suite.is_empty() { case.name.clone() } else { format!("{} › {}", case.suite, case.name) };
            let place = match (&case.file, case.line) {
                (Some(file), Some(line)) => code(&format!("{file}:{line}")),
                (Some(file), None) => code(file),
                (None, _) => String::new(),
            };
            let message = case.message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let _ = writeln!(text, "| {} | {} | {place} |", escaped(&cut(&name)), escaped(&cut(message)));
        }
        and_more(&mut text, cases.len());
    }
    text
}

fn write_coverage(all: &[&Coverage]) -> String {
    let mut text = String::new();
    if all.is_empty() {
        return text;
    }
    text.push_str("### Coverage\n\n| report | lines | branches |\n|:--|--:|--:|\n");
    for coverage in all {
        let lines = share(coverage.lines_covered, coverage.lines);
        let branches = share(coverage.branches_covered, coverage.branches);
        let _ = writeln!(text, "| {} | {lines} | {branches} |", code(&coverage.name));
    }
    for coverage in all {
        let mut lowest: Vec<(&String, u64, u64)> = coverage
            .files
            .iter()
            .filter(|(_, (covered, lines))| covered < lines)
            .map(|(file, (covered, lines))| (file, *covered, *lines))
            .collect();
        if lowest.is_empty() {
            continue;
        }
        // By share without division: a/b < c/d as a·d < c·b.
        lowest.sort_by(|a, b| (u128::from(a.1) * u128::from(b.2)).cmp(&(u128::from(b.1) * u128::from(a.2))));
        let name = code(&coverage.name);
        let _ = write!(text, "\n<details><summary>Lowest files</summary>\n\n| file of {name} | lines |\n|:--|--:|\n");
        for (file, covered, lines) in lowest.iter().take(LISTED) {
            let _ = writeln!(text, "| {} | {} |", code(file), share(*covered, *lines));
        }
        and_more(&mut text, lowest.len());
        text.push_str("\n</details>\n");
    }
    text
}

fn write_findings(all: &[&Findings]) -> String {
    let mut text = String::new();
    if all.is_empty() {
        return text;
    }
    text.push_str("### Findings\n\n| tool | category | critical | high | medium | low | unknown |\n|:--|:--|--:|--:|--:|--:|--:|\n");
    for findings in all.iter().filter(|findings| findings.unreadable.is_empty()) {
        let counts = findings.by_severity();
        let (tool, category) = (escaped(&cut(&findings.tool)), escaped(&cut(&findings.category)));
        let _ = write!(text, "| {tool} | {category} |");
        for severity in Severity::ALL {
            let _ = write!(text, " {} |", counts.get(&severity).unwrap_or(&0));
        }
        text.push('\n');
    }
    let unreadable: Vec<String> = all.iter().filter(|findings| !findings.unreadable.is_empty()).map(unread).collect();
    let mut kept: Vec<&Finding> = all.iter().flat_map(|findings| &findings.found).collect();
    kept.sort_by_key(|finding| Reverse(finding.severity));
    let older = all.iter().filter(|findings| findings.found.is_empty()).flat_map(|findings| &findings.first);
    let count: u64 = all.iter().map(|findings| lines_of(findings)).sum();
    let count = usize::try_from(count).unwrap_or(usize::MAX).saturating_add(unreadable.len());
    let lines = unreadable.into_iter();
    let lines = lines.chain(kept.into_iter().map(finding)).chain(older.map(|line| escaped(&cut(line))));
    let mut lines = lines.take(LISTED).peekable();
    if lines.peek().is_some() {
        text.push('\n');
        for line in lines {
            let _ = writeln!(text, "- {line}");
        }
        and_more(&mut text, count);
    }
    text
}

/// How many lines there would be of it: older records, and those of which nothing was looked at, have lines instead of findings.
fn lines_of(findings: &Findings) -> u64 {
    let counted: u64 = findings.by_severity().into_values().sum();
    if findings.found.is_empty() { counted.max(findings.first.len() as u64) } else { counted }
}

/// `**high** lodash 4.17.4: GHSA-…: title (fixed in 4.17.12)`.
fn finding(finding: &Finding) -> String {
    let place = [&finding.place, &finding.version].map(String::as_str);
    let place = place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let parts = [place.as_str(), &finding.id, &finding.title];
    let parts = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    let fixed = if finding.fixed.is_empty() { String::new() } else { format!(" (fixed in {})", finding.fixed) };
    format!("**{}** {}{}", finding.severity, escaped(&cut(&parts)), escaped(&cut(&fixed)))
}

fn unread(findings: &&Findings) -> String {
    let (tool, name) = (escaped(&cut(&findings.tool)), code(&findings.name));
    format!("**not known**: the report of {tool} in {name} counts as no scan: {}", escaped(&cut(&findings.unreadable)))
}

fn and_more(text: &mut String, count: usize) {
    if count > LISTED {
        let _ = writeln!(text, "\n… and {} more", count - LISTED);
    }
}

/// `75.0 % (3/4)`; a dash where there is nothing to cover.
fn share(covered: u64, all: u64) -> String {
    if all == 0 {
        return "–".into();
    }
    // Cut, never rounded up: 99.99 % is not all.
    let tenths = u128::from(covered) * 1000 / u128::from(all);
    format!("{}.{} % ({covered}/{all})", tenths / 10, tenths % 10)
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A text as inline code in a table.
fn code(text: &str) -> String {
    let plain: String = cut(text).chars().map(|c| if c == '`' || c.is_control() { '\'' } else { c }).collect();
    format!("`{}`", plain.replace('|', "\\|"))
}

/// A text in which nothing is markup: no table cell ends, no element, link or mention begins. Lines become one.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(character);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // An empty comment keeps the name from being told of it.
            '@' => out.push_str("&#64;"),
            '\n' | '\r' | '\t' => out.push(' '),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{ReportKind, read};

    /// S2-18: the summary's numbers are the report's.
    #[test]
    fn the_summary_lists_what_people_look_for() {
        let junit = r#"<testsuites><testsuite name="s"><testcase name="a|b" time="0.5"><failure message="&lt;b&gt; @you">t.py:3: E</failure></testcase><testcase name="c"><flakyFailure message="once"/></testcase><testcase name="d"/></testsuite></testsuites>"#;
        let cobertura = "<coverage line-rate='1'><class filename='a.py'><lines><line number='1' hits='1'/><line number='2' hits='0'/></lines></class></coverage>";
        let sarif = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"automationDetails":{"id":"x/"},"results":[{"ruleId":"R","message":{"text":"m"}}]}]}"#;
        let mut facts = read(ReportKind::JUnit, "junit.xml", junit.as_bytes()).expect("junit");
        facts.extend(read(ReportKind::Cobertura, "coverage.xml", cobertura.as_bytes()).expect("cobertura"));
        facts.extend(read(ReportKind::Sarif, "t.sarif", sarif.as_bytes()).expect("sarif"));
        expect![[r#"
            ### Tests

            | report | passed | flaky | failed | skipped | time |
            |:--|--:|--:|--:|--:|--:|
            | `junit.xml` | 1 | 1 | 1 | 0 | 0.500 s |

            #### Failed

            | test | message | place |
            |:--|:--|:--|
            | s › a\|b | &lt;b&gt; &#64;you | `t.py:3` |

            #### Flaky: passed only on another try

            | test | message | place |
            |:--|:--|:--|
            | s › c | once |  |

            ### Coverage

            | report | lines | branches |
            |:--|--:|--:|
            | `coverage.xml` | 50.0 % (1/2) | – |

            <details><summary>Lowest files</summary>

            | file of `coverage.xml` | lines |
            |:--|--:|
            | `a.py` | 50.0 % (1/2) |

            </details>

            ### Findings

            | tool | category | critical | high | medium | low | unknown |
            |:--|:--|--:|--:|--:|--:|--:|
            | T | x | 0 | 0 | 1 | 0 | 0 |

            - **medium** R: m
        "#]]
        .assert_eq(&markdown(&facts));
        assert_eq!(markdown(&[]), "");
    }

    #[test]
    fn what_is_not_listed_is_counted_whatever_it_is() {
        let unread =
            |number: u64| Findings { name: number.to_string(), unreadable: "cut".into(), ..Findings::default() };
        let mut facts: Vec<Fact> = (0..15).map(|number| Fact::Findings(Box::new(unread(number)))).collect();
        let issue = r#"{"ruleId":"R","message":{"text":"m"}}"#;
        let sarif = format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"T"}}}},"results":[{}]}}]}}"#,
            [issue; 1200].join(",")
        );
        facts.extend(read(ReportKind::Sarif, "t.sarif", sarif.as_bytes()).expect("sarif"));
        let text = markdown(&facts);
        assert!(text.contains(&format!("{} more", 15 + 1200 - LISTED)), "{text}");
    }

    #[test]
    fn shares_are_never_rounded_up() {
        assert_eq!(share(9999, 10_000), "99.9 % (9999/10000)");
        assert_eq!(share(u64::MAX, u64::MAX), format!("100.0 % ({0}/{0})", u64::MAX));
    }
}
