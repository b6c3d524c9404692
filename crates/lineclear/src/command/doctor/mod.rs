//! `lineclear doctor`: what this machine has for jobs, what it lacks, and what earlier runs left behind.

mod containers;
mod isolation;
mod leftovers;
mod machine;
mod tools;

use std::path::Path;

use clap::Args;
use lineclear_source::Style;
use serde::Serialize;

use super::history::Shape;
use crate::exit::Exit;
use crate::output;
use crate::settings;

const EXAMPLES: &str = "\
Examples:
  lineclear doctor                 what is here for jobs, and what is missing
  lineclear doctor --sweep         removes what killed runs left: containers, networks, volumes, folders
  lineclear doctor --format json   for programs

Exit codes: 0 jobs can run here, 1 something that every job needs is missing, or something could not be removed.";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// Remove what runs left that were killed together with their guard. What belongs to a run that is alive stays.
    #[arg(long)]
    sweep: bool,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What it belongs to: `machine`, `tools`, `containers`, `isolation`, `leftovers`.
    pub(crate) area: &'static str,
    pub(crate) name: String,
    pub(crate) state: State,
    /// What was found, or why it is not there.
    pub(crate) says: String,
    /// What to do about it, or what cannot be done without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<String>,
}

/// How well a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Ready,
    /// Not there, and only some workflows miss it.
    Absent,
    /// Not there, and every job misses it; or something is wrong.
    Broken,
}

impl Finding {
    pub(crate) fn ready(area: &'static str, name: impl Into<String>, says: impl Into<String>) -> Self {
        Self { area, name: name.into(), state: State::Ready, says: says.into(), help: None }
    }

    pub(crate) fn absent(area: &'static str, name: impl Into<String>, says: impl Into<String>) -> Self {
        Self { area, name: name.into(), state: State::Absent, says: says.into(), help: None }
    }

    pub(crate) fn broken(area: &'static str, name: impl Into<String>, says: impl Into<String>) -> Self {
        Self { area, name: name.into(), state: State::Broken, says: says.into(), help: None }
    }

    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Carries out `doctor`.
pub(crate) fn run(args: &DoctorArgs) -> Exit {
    let home = match settings::home() {
        Ok(home) => home,
        Err(message) => {
            output::complain(&format!("error: {message}"));
            return Exit::BadInput;
        }
    };
    let findings = examine(&home, args.sweep);
    output::print(&match args.format {
        // Plain data always has a JSON form.
        Shape::Json => {
            serde_json::to_string_pretty(&serde_json::json!({ "findings": findings })).unwrap_or_default() + "\n"
        }
        Shape::Text => show(&findings, output::stdout_style()),
    });
    if findings.iter().any(|finding| finding.state == State::Broken) { Exit::WorkFailed } else { Exit::Success }
}

fn examine(home: &Path, sweep: bool) -> Vec<Finding> {
    let mut findings = machine::look(home);
    findings.extend(tools::look());
    findings.extend(containers::look());
    findings.extend(isolation::look(home));
    findings.extend(leftovers::look(home, sweep));
    findings
}

fn show(findings: &[Finding], style: Style) -> String {
    let mut text = String::new();
    let mut area = "";
    let width = findings.iter().map(|finding| finding.name.chars().count()).max().unwrap_or_default();
    for finding in findings {
        if finding.area != area {
            area = finding.area;
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{}\n", style.bold(area)));
        }
        let mark = match finding.state {
            State::Ready => style.green("✓"),
            State::Absent => style.dim("–"),
            State::Broken => style.red("✗"),
        };
        let gap = " ".repeat(width.saturating_sub(finding.name.chars().count()));
        text.push_str(&format!("  {mark} {}{gap}  {}\n", finding.name, finding.says));
        if let Some(help) = &finding.help {
            text.push_str(&format!("    {}{}\n", " ".repeat(width + 2), style.dim(help)));
        }
    }
    text
}
