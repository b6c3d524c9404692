//! A plan as people read it: a tree of workflows and jobs with their reasons.

use std::fmt::Write as _;

use lineclear_event::{Changed, ForgeEvent};
use lineclear_plan::{Plan, PlannedJob, PlannedWorkflow, Verdict};
use lineclear_source::Style;

/// Widest column of job names; a longer name pushes only its own line.
const WIDEST_NAME: usize = 48;

/// The text of `plan`, made from `event`, ending in a newline.
pub(super) fn show(plan: &Plan, event: &ForgeEvent, style: Style) -> String {
    let mut text = String::new();
    let place = if event.reference.is_empty() { String::new() } else { format!(" on {}", event.reference) };
    let sha = event.sha.get(..7).unwrap_or(&event.sha);
    let at = if event.sha.bytes().all(|byte| byte == b'0') { String::new() } else { format!(" at {sha}") };
    let changed = match &event.changed {
        Changed::Files { .. } => format!(", {}", plan.changed),
        Changed::Unknown { .. } => String::new(),
    };
    line(&mut text, &format!("{}{place}{at}{changed}", style.bold(&plan.event)));
    for workflow in plan.workflows.iter().filter(|workflow| workflow.triggered) {
        text.push('\n');
        triggered(&mut text, workflow, style);
    }
    for follower in &plan.followers {
        text.push('\n');
        line(&mut text, &style.dim(&format!("Then, if {} succeeds:", follower.after)));
        match follower.workflow.triggered {
            true => triggered(&mut text, &follower.workflow, style),
            false => {
                line(&mut text, &format!("{} {}", style.dim("○"), title(&follower.workflow, style)));
                line(&mut text, &format!("  {}", style.dim(&follower.workflow.reason)));
            }
        }
    }
    let follows = |file: &str| plan.followers.iter().any(|one| one.workflow.triggered && one.workflow.file == file);
    let others: Vec<_> =
        plan.workflows.iter().filter(|workflow| !workflow.triggered && !follows(&workflow.file)).collect();
    if !others.is_empty() {
        line(&mut text, "\nNot started:");
    }
    for workflow in others {
        line(&mut text, &format!("  {} {}", style.dim("○"), title(workflow, style)));
        line(&mut text, &format!("      {}", style.dim(&workflow.reason)));
    }
    line(&mut text, &format!("\n{}", summary(plan)));
    text
}

fn triggered(text: &mut String, workflow: &PlannedWorkflow, style: Style) {
    line(text, &title(workflow, style));
    line(text, &format!("  {}", style.dim(&workflow.reason)));
    if let Some(failure) = &workflow.startup_failure {
        line(text, &format!("  {} fails at its start: {failure}", style.red("✗")));
        return;
    }
    let indented = |job: &PlannedJob| 2 * job.id.matches('/').count();
    let widths = workflow.jobs.iter().map(|job| indented(job) + job.name.chars().count());
    let width = widths.filter(|width| *width <= WIDEST_NAME).max().unwrap_or_default();
    for job in &workflow.jobs {
        let indent = indented(job);
        let padding = width.saturating_sub(indent + job.name.chars().count());
        let mark = match job.decision.verdict {
            Verdict::Runs => style.green("●"),
            Verdict::Skipped => style.dim("○"),
            Verdict::KnownAtRunTime => style.yellow("?"),
            Verdict::Fails => style.red("✗"),
        };
        let name = match job.decision.verdict {
            Verdict::Skipped => style.dim(&job.name),
            _ => job.name.clone(),
        };
        let what = what(job);
        let line_of_job = format!("  {:indent$}{mark} {name}{:padding$}  {}", "", "", style.dim(&what));
        line(text, line_of_job.trim_end());
        if let Some(note) = &job.note {
            line(text, &format!("  {:indent$}  {} {note}", "", style.yellow("!")));
        }
    }
}

/// What is said of a job: where it runs, after what, and the reason where there is one to give.
fn what(job: &PlannedJob) -> String {
    let reason = match job.decision.verdict {
        Verdict::Runs if job.condition.is_none() => String::new(),
        Verdict::Runs | Verdict::KnownAtRunTime => job.decision.reason.clone(),
        Verdict::Skipped => format!("skipped: {}", job.decision.reason),
        Verdict::Fails => format!("fails: {}", job.decision.reason),
    };
    if matches!(job.decision.verdict, Verdict::Skipped | Verdict::Fails) {
        return reason;
    }
    let place = match (&job.uses, &job.runner_group) {
        (Some(called), _) => format!("calls {called}"),
        (None, Some(group)) => [&[format!("group {group}")], job.runs_on.as_slice()].concat().join(", "),
        (None, None) => job.runs_on.join(", "),
    };
    // Of a called job the caller's name is on the lines above.
    let needs: Vec<&str> = job.needs.iter().map(|need| need.rsplit('/').next().unwrap_or(need)).collect();
    let needs = if needs.is_empty() { String::new() } else { format!("after {}", needs.join(", ")) };
    let parts = [place, needs, reason];
    let parts: Vec<_> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    parts.join(" · ")
}

fn title(workflow: &PlannedWorkflow, style: Style) -> String {
    match workflow.name == workflow.file {
        true => style.bold(&workflow.file),
        false => format!("{} {}", style.bold(&workflow.name), style.dim(&format!("({})", workflow.file))),
    }
}

fn summary(plan: &Plan) -> String {
    let started = plan.workflows.iter().filter(|workflow| workflow.triggered).count();
    let count = |verdict: Verdict| {
        let jobs = plan.workflows.iter().flat_map(|workflow| &workflow.jobs);
        // The job that calls is not a job of its own on a machine.
        jobs.filter(|job| job.uses.is_none() && job.decision.verdict == verdict).count()
    };
    let of = workflows(plan.workflows.len());
    let mut text = match started {
        0 => format!("None of {of} starts"),
        1 => format!("1 of {of} starts"),
        many => format!("{many} of {of} start"),
    };
    let kinds = [
        (Verdict::Runs, "run", "runs"),
        (Verdict::KnownAtRunTime, "are decided at run time", "is decided at run time"),
        (Verdict::Skipped, "are skipped", "is skipped"),
        (Verdict::Fails, "fail", "fails"),
    ];
    for (verdict, many, one) in kinds {
        match count(verdict) {
            0 => {}
            1 => {
                // Writing to a string cannot fail.
                let _ = write!(text, "; 1 job {one}");
            }
            jobs => {
                let _ = write!(text, "; {jobs} jobs {many}");
            }
        }
    }
    text
}

fn workflows(count: usize) -> String {
    if count == 1 { "1 workflow".into() } else { format!("{count} workflows") }
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
