//! Statements as people read them.

use lineclear_event::{
    CheckConclusion, CheckContext, CheckStatement, Evidence, MoveKind, MovePhase, ScanStatement, Statement, Witness,
};
use lineclear_source::Style;

use crate::history::commits::short;
use crate::history::words::{count, percent};

/// So many legs and findings are named on a line.
const NAMED: usize = 3;

/// How something stands, by the sign that reports have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Good,
    Bad,
    Neutral,
}

impl Sign {
    pub(crate) fn show(self, style: Style) -> String {
        match self {
            Self::Good => style.green("✓"),
            Self::Bad => style.red("✗"),
            Self::Neutral => style.dim("○"),
        }
    }
}

/// One line for one statement, and whether it is good news.
pub(crate) fn statement(statement: &Statement) -> (Sign, String) {
    match statement {
        Statement::Commit(commit) => (Sign::Neutral, format!("has tree {}", short(&commit.tree))),
        Statement::Run(run) => {
            let how = match run.adjusted.first() {
                Some(first) => format!(" (adjusted: {first})"),
                None => String::new(),
            };
            (sign(run.conclusion), format!("run of {}: {}{how}", run.workflow, ended(run.conclusion)))
        }
        Statement::Check(check) => checked(check),
        Statement::Coverage(coverage) => {
            let share = percent(coverage.lines_covered, coverage.lines);
            (Sign::Neutral, format!("coverage {share} of {} lines, by {}", coverage.lines, coverage.name))
        }
        Statement::Tests(tests) => {
            let totals = tests.totals;
            let text = format!(
                "tests: {} passed, {} flaky, {} failed, {} skipped, by {}",
                totals.passed, totals.flaky, totals.failed, totals.skipped, tests.name
            );
            (if totals.failed > 0 { Sign::Bad } else { Sign::Good }, text)
        }
        Statement::Scan(scan) => (Sign::Neutral, format!("scan by {}: {}", scan.tool, found(scan))),
        Statement::Image(image) => {
            let deed = if image.built { "built" } else { "pushed" };
            let names = image.names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            let of = if image.commit.is_empty() { "what no commit has," } else { short(&image.commit) };
            let names = if names.is_empty() { image.image.clone() } else { names };
            (Sign::Neutral, format!("{deed} from {of} as {names}"))
        }
        Statement::Sbom(sbom) => (
            Sign::Good,
            format!(
                "list of contents ({}): {}",
                sbom.format,
                count(usize::try_from(sbom.packages).unwrap_or(usize::MAX), "package")
            ),
        ),
        Statement::Signature(signature) => {
            (Sign::Good, format!("signed with {} ({})", beginning(&signature.key), signature.form))
        }
        Statement::Provenance(provenance) => {
            (Sign::Good, format!("provenance by {}: built from {}", provenance.builder, short(&provenance.commit)))
        }
        Statement::Stated(stated) => {
            let verdict = if stated.passes { "passes" } else { "fails" };
            let note = if stated.note.is_empty() { String::new() } else { format!(": {}", stated.note) };
            let files = match stated.files.len() {
                0 => String::new(),
                files => format!(" ({})", count(files, "file")),
            };
            (if stated.passes { Sign::Good } else { Sign::Bad }, format!("{} {verdict}{note}{files}", stated.name))
        }
        Statement::Decision(decision) => match decision.clear {
            true => (Sign::Good, format!("gate `{}` is clear", decision.gate)),
            false => (
                Sign::Bad,
                format!("gate `{}` is blocked by {}", decision.gate, count(decision.blocked.len(), "requirement")),
            ),
        },
        Statement::Move(moved) => {
            let kind = match moved.kind {
                MoveKind::Publish => "publish",
                MoveKind::Promote => "promote",
            };
            let (sign, phase) = match moved.phase {
                MovePhase::Begun => (Sign::Neutral, "begun"),
                MovePhase::Done => (Sign::Good, "done"),
                MovePhase::Undone => (Sign::Bad, "undone"),
                MovePhase::Refused => (Sign::Bad, "refused"),
            };
            let tags = moved.tags.iter().map(|tag| tag.tag.as_str()).collect::<Vec<_>>().join(", ");
            let why = if moved.reason.is_empty() { String::new() } else { format!(" ({})", moved.reason) };
            let takers: Vec<&str> = moved.tags.iter().filter_map(|tag| tag.taken.as_deref()).collect();
            let taken = takers.first().map_or_else(String::new, |who| format!(", taken by {who}"));
            (sign, format!("{kind} of {} to {} {phase}: {tags}{taken}{why}", moved.image, moved.repository))
        }
    }
}

/// Who said it.
pub(crate) fn witness(evidence: &Evidence) -> String {
    match &evidence.by {
        Witness::Run(witness) => match witness.started() {
            Some(run) => format!("run {run}"),
            None => format!("{}, which was not started", witness.file),
        },
        Witness::Person(name) => name.clone(),
        Witness::Engine => "lineclear".to_owned(),
    }
}

/// `on push`, `on pull requests`.
pub(crate) fn context(context: CheckContext) -> &'static str {
    match context {
        CheckContext::PullRequest => "on pull requests",
        CheckContext::Push => "on push",
        CheckContext::Other => "on other events",
    }
}

fn checked(check: &CheckStatement) -> (Sign, String) {
    let worst = check.legs.iter().map(|leg| sign(leg.conclusion)).max_by_key(|sign| match sign {
        Sign::Neutral => 0,
        Sign::Good => 1,
        Sign::Bad => 2,
    });
    let bad = check.legs.iter().filter(|leg| sign(leg.conclusion) != Sign::Good);
    let mut legs: Vec<String> = bad
        .take(NAMED)
        .map(|leg| {
            let name = if leg.name.is_empty() { String::new() } else { format!("({}) ", leg.name) };
            let reason = if leg.reason.is_empty() { String::new() } else { format!(", {}", leg.reason) };
            format!("{name}{}{reason}", ended(leg.conclusion))
        })
        .collect();
    if legs.is_empty() {
        legs.push(match check.legs.len() {
            0 | 1 => "success".to_owned(),
            legs => format!("success of {legs} legs"),
        });
    }
    let adjusted = check.adjusted.first().map(|first| format!(" (adjusted: {first})")).unwrap_or_default();
    (worst.unwrap_or(Sign::Neutral), format!("check {}: {}{adjusted}", check.check, legs.join("; ")))
}

fn sign(conclusion: CheckConclusion) -> Sign {
    match conclusion {
        CheckConclusion::Success => Sign::Good,
        CheckConclusion::Neutral
        | CheckConclusion::Skipped
        | CheckConclusion::PathFiltered
        | CheckConclusion::NotRun => Sign::Neutral,
        CheckConclusion::Failure
        | CheckConclusion::Cancelled
        | CheckConclusion::TimedOut
        | CheckConclusion::ActionRequired
        | CheckConclusion::Stale
        | CheckConclusion::StartupFailure => Sign::Bad,
    }
}

fn ended(conclusion: CheckConclusion) -> &'static str {
    match conclusion {
        CheckConclusion::Success => "success",
        CheckConclusion::Failure => "failure",
        CheckConclusion::Cancelled => "cancelled",
        CheckConclusion::TimedOut => "timed out",
        CheckConclusion::Skipped => "skipped",
        CheckConclusion::Neutral => "neutral",
        CheckConclusion::PathFiltered => "not started, by its paths",
        CheckConclusion::ActionRequired => "action required",
        CheckConclusion::Stale => "stale",
        CheckConclusion::StartupFailure => "could not start",
        CheckConclusion::NotRun => "not run",
    }
}

fn found(scan: &ScanStatement) -> String {
    if !scan.unreadable.is_empty() {
        return format!("its report could not be read: {}", scan.unreadable);
    }
    let counts: Vec<String> = scan
        .counts
        .iter()
        .rev()
        .filter(|(_, count)| **count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.as_str()))
        .collect();
    if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") }
}

fn beginning(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}
