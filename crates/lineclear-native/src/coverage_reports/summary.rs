//! `irongut/CodeCoverageSummary`: a table of coverage from Cobertura files.
//!
//! The real action counts by the packages of the report; here these are the folders of its files, as most tools name packages.
//!
//! # Source
//! `action.yml` and the README of the action, version 1.3.

use std::collections::BTreeMap;
use std::fmt::Write;

use lineclear_event::{Coverage, Fact};
use lineclear_reports::ReportKind;
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};

use crate::globs::{Dots, Glob};
use crate::{report_files, search};

/// Writes the table.
#[derive(Debug)]
pub(super) struct CodeCoverageSummary;

impl NativeAction for CodeCoverageSummary {
    fn name(&self) -> &'static str {
        "irongut/codecoveragesummary"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Code Coverage Summary
inputs:
  filename: { required: true }
  badge: { default: 'false' }
  fail_below_min: { default: 'false' }
  format: { default: text }
  hide_branch_rate: { default: 'false' }
  hide_complexity: { default: 'false' }
  indicators: { default: 'true' }
  output: { default: console }
  thresholds: { default: '50 75' }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let files: Vec<String> = call.input("filename").split(',').map(|name| name.trim().to_owned()).collect();
        let found = coverage(call, &files)?;
        let settings = Settings::read(call)?;
        let whole = Part::of(found.iter());
        let text = if settings.is_markdown { settings.markdown(&found, whole) } else { settings.text(&found, whole) };
        let output = call.input("output").to_owned();
        if !["console", "file", "both"].contains(&output.as_str()) {
            return Err(NativeError(format!("Error: Unknown output type `{output}`; expected console, file or both")));
        }
        if output != "file" {
            text.lines().for_each(|line| call.effects.log(line));
        }
        if output != "console" {
            let name = if settings.is_markdown { "code-coverage-results.md" } else { "code-coverage-results.txt" };
            let file = call.reached("the summary of the coverage", call.workspace().join(name))?;
            std::fs::write(&file, &text)
                .map_err(|error| NativeError(format!("`{name}` cannot be written: {error}")))?;
        }
        for coverage in found {
            call.effects.fact(Fact::Coverage(coverage));
        }
        let rate = whole.percent();
        if call.flag("fail_below_min")? && rate < settings.low {
            let low = settings.low;
            return Err(NativeError(format!("FAIL: Overall line rate below minimum threshold of {low}%.")));
        }
        Ok(())
    }
}

/// Reads the files that match.
fn coverage(call: &mut Call<'_>, names: &[String]) -> Result<Vec<Coverage>, NativeError> {
    let root = call.workspace().to_path_buf();
    let globs = names.iter().map(|name| Glob::new(name, Dots::Matched)).collect::<Result<Vec<_>, _>>();
    let globs = globs.map_err(NativeError)?;
    let mut all = Vec::new();
    for file in search::files_below(call, "filename", &root, true)? {
        let relative = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().into_owned();
        if !globs.iter().any(|glob| glob.matches(&relative)) {
            continue;
        }
        call.effects.log(&format!("Code Coverage File: {}", file.display()));
        let facts = report_files::read_file(&root, &file, ReportKind::Cobertura);
        let facts = facts.map_err(|reason| NativeError(format!("Error: Parsing Error: {reason}")))?;
        all.extend(facts.into_iter().filter_map(|fact| match fact {
            Fact::Coverage(coverage) => Some(coverage),
            _ => None,
        }));
    }
    if all.is_empty() {
        return Err(NativeError("Error: No files found matching glob pattern.".into()));
    }
    Ok(all)
}

/// Covered and all, of lines and branches.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    lines: (u64, u64),
    branches: (u64, u64),
}

impl Part {
    fn of<'c>(all: impl Iterator<Item = &'c Coverage>) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            lines: (sum.lines.0 + one.lines_covered, sum.lines.1 + one.lines),
            branches: (sum.branches.0 + one.branches_covered, sum.branches.1 + one.branches),
        })
    }

    fn percent(self) -> u64 {
        percent(self.lines)
    }
}

/// Rounded to the nearest whole percent.
fn percent((covered, all): (u64, u64)) -> u64 {
    if all == 0 { 0 } else { u64::try_from((u128::from(covered) * 200 / u128::from(all)).div_ceil(2)).unwrap_or(100) }
}

struct Settings {
    is_markdown: bool,
    has_badge: bool,
    hides_branches: bool,
    has_indicators: bool,
    fails: bool,
    low: u64,
    high: u64,
}

impl Settings {
    fn read(call: &Call<'_>) -> Result<Self, NativeError> {
        let format = call.input("format");
        let is_markdown = match format {
            "text" => false,
            "markdown" | "md" => true,
            other => {
                return Err(NativeError(format!(
                    "Error: Unknown output format `{other}`; expected text, md or markdown"
                )));
            }
        };
        let thresholds: Vec<Option<u64>> =
            call.input("thresholds").split_whitespace().map(|word| word.parse().ok()).collect();
        let wrong =
            || NativeError("Error: Threshold parameter set incorrectly; expected two numbers such as `50 75`".into());
        let (low, high) = match thresholds.as_slice() {
            [Some(low)] => (*low, (*low + 10).max(75)),
            [Some(low), Some(high)] => (*low, *high),
            _ => return Err(wrong()),
        };
        Ok(Self {
            is_markdown,
            has_badge: call.flag("badge")?,
            hides_branches: call.flag("hide_branch_rate")?,
            has_indicators: call.flag("indicators")?,
            fails: call.flag("fail_below_min")?,
            low,
            high,
        })
    }

    fn badge(&self, rate: u64) -> String {
        let colour = if rate < self.low {
            "critical"
        } else if rate < self.high {
            "yellow"
        } else {
            "success"
        };
        format!("https://img.shields.io/badge/Code%20Coverage-{rate}%25-{colour}?style=flat")
    }

    fn health(&self, rate: u64) -> &'static str {
        if rate < self.low {
            "❌"
        } else if rate < self.high {
            "➖"
        } else {
            "✔"
        }
    }

    fn markdown(&self, all: &[Coverage], whole: Part) -> String {
        let mut text = String::new();
        if self.has_badge {
            let _ = writeln!(text, "![Code Coverage]({})\n", self.badge(whole.percent()));
        }
        let branches = !self.hides_branches;
        let mut head = "Package | Line Rate".to_owned();
        let mut rule = "-------- | ---------".to_owned();
        if branches {
            head.push_str(" | Branch Rate");
            rule.push_str(" | -----------");
        }
        if self.has_indicators {
            head.push_str(" | Health");
            rule.push_str(" | ------");
        }
        let _ = writeln!(text, "{head}\n{rule}");
        for (package, lines) in packages(all) {
            let _ = write!(text, "{package} | {}%", percent(lines));
            if branches {
                text.push_str(" | –");
            }
            if self.has_indicators {
                let _ = write!(text, " | {}", self.health(percent(lines)));
            }
            text.push('\n');
        }
        let _ = write!(text, "**Summary** | **{}%** ({} / {})", whole.percent(), whole.lines.0, whole.lines.1);
        if branches {
            let (covered, all) = whole.branches;
            let _ = write!(text, " | **{}%** ({covered} / {all})", percent(whole.branches));
        }
        if self.has_indicators {
            let _ = write!(text, " | {}", self.health(whole.percent()));
        }
        text.push('\n');
        if self.fails {
            let _ = writeln!(text, "\n_Minimum allowed line rate is `{}%`_", self.low);
        }
        text
    }

    fn text(&self, all: &[Coverage], whole: Part) -> String {
        let mut text = String::new();
        if self.has_badge {
            let _ = writeln!(text, "{}\n", self.badge(whole.percent()));
        }
        for (package, lines) in packages(all) {
            let health = if self.has_indicators { format!(", {}", self.health(percent(lines))) } else { String::new() };
            let _ = writeln!(text, "{package}: Line Rate = {}%{health}", percent(lines));
        }
        let _ = write!(text, "Summary: Line Rate = {}% ({} / {})", whole.percent(), whole.lines.0, whole.lines.1);
        if !self.hides_branches {
            let (covered, all) = whole.branches;
            let _ = write!(text, ", Branch Rate = {}% ({covered} / {all})", percent(whole.branches));
        }
        if self.has_indicators {
            let _ = write!(text, ", {}", self.health(whole.percent()));
        }
        text.push('\n');
        if self.fails {
            let _ = writeln!(text, "Minimum allowed line rate is {}%", self.low);
        }
        text
    }
}

/// Lines covered and lines, by folder.
fn packages(all: &[Coverage]) -> BTreeMap<String, (u64, u64)> {
    let mut packages: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (file, (covered, lines)) in all.iter().flat_map(|coverage| &coverage.files) {
        let folder = file.rsplit_once('/').map_or(".", |(folder, _)| folder).replace('/', ".");
        let sum = packages.entry(folder).or_default();
        *sum = (sum.0 + covered, sum.1 + lines);
    }
    packages
}
