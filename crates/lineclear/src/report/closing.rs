//! The report at the end: what each job came to, what was noted, and for a failure the way back in.

use lineclear_event::{Annotation, AnnotationLevel, Conclusion, Fact, JobKey, Outcome, RunId};
use lineclear_source::Style;

use super::Invocation;
use super::digest::{Digest, JobDigest, RunDigest, StepDigest, shell_word};
use super::hint::hint;
use super::{markdown, posted};

/// Lines of a failed step that are shown again at the end.
const SHOWN_TAIL: usize = 10;

/// The text of the closing report.
pub(crate) fn closing(digest: &Digest, invocation: &Invocation, style: Style) -> String {
    digest.runs.iter().map(|(id, run)| close_run(*id, run, invocation, style)).collect()
}

fn close_run(id: RunId, run: &RunDigest, invocation: &Invocation, style: Style) -> String {
    let mut out = String::from("\n");
    for job in run.jobs.iter().filter(|job| !job.summaries.is_empty()) {
        out.push_str(&bold(&format!("Summary of {}", job.name), style));
        out.push('\n');
        for summary in &job.summaries {
            out.push_str(&indent(&markdown::render(summary, style)));
        }
        out.push('\n');
    }
    let annotations: Vec<&Annotation> = run.jobs.iter().flat_map(|job| &job.annotations).collect();
    if !annotations.is_empty() {
        out.push_str(&bold("Annotations", style));
        out.push('\n');
        annotations.iter().for_each(|annotation| out.push_str(&annotation_line(annotation, style)));
        out.push('\n');
    }
    let calls: Vec<(JobKey, Fact)> =
        run.jobs.iter().flat_map(|job| job.facts.iter().map(|fact| (job.key.clone(), fact.clone()))).collect();
    out.push_str(&posted::posted(&calls, invocation.reach, invocation.from_fork, style));
    for job in run.jobs.iter().filter(|job| is_bad(job.conclusion)) {
        out.push_str(&failure(id, run, job, invocation, style));
    }
    out.push_str(&bold(&run.workflow, style));
    out.push('\n');
    // A matrix waits under its job's own name until its legs are known; such an entry never ends.
    let mut jobs: Vec<&JobDigest> = run.jobs.iter().filter(|job| job.conclusion.is_some()).collect();
    jobs.sort_by_key(|job| job.started.unwrap_or(usize::MAX));
    let width = jobs.iter().map(|job| job.name.chars().count()).max().unwrap_or(0);
    for job in jobs {
        let padding = " ".repeat(width - job.name.chars().count());
        let reason = match (&job.reason, job.conclusion) {
            (Some(reason), Some(conclusion)) if conclusion != Conclusion::Success => format!("  {reason}"),
            _ => String::new(),
        };
        out.push_str(&format!(
            "  {} {}{padding}  {:>7}{reason}\n",
            sign(job.conclusion, style),
            job.name,
            duration(job.duration_ms)
        ));
    }
    for (level, message) in &run.notices {
        out.push_str(&format!("  {} {}\n", level_word(*level, style), in_one_line(*level, message)));
    }
    let verdict = run.conclusion.map_or("unfinished", Conclusion::as_str).replace('_', " ");
    out.push_str(&format!("  {} {verdict} in {}\n", sign(run.conclusion, style), duration(run.duration_ms)));
    out
}

/// The failed step, its last lines, what may help, and the command that runs just this job again: of a run that followed another,
/// the whole run, for no event of its own starts it.
fn failure(id: RunId, run: &RunDigest, job: &JobDigest, invocation: &Invocation, style: Style) -> String {
    let mut out = bold(&format!("{} failed", job.name), style);
    out.push('\n');
    let failed = job
        .steps
        .iter()
        .filter(|step| step.outcome == Some(Outcome::Failure) && step.conclusion != Some(Conclusion::Success));
    for step in failed {
        out.push_str(&failed_step(step));
    }
    if let Some(reason) =
        job.reason.as_ref().filter(|_| job.steps.iter().all(|step| step.outcome != Some(Outcome::Failure)))
    {
        out.push_str(&format!("  reason:     {reason}\n"));
    }
    let again = if invocation.starts.contains(&run.file) {
        format!("{} -W {} {}", invocation.command, shell_word(&run.file), job.rerun)
    } else if invocation.options.is_empty() {
        format!("lineclear replay {id} --run")
    } else {
        format!("lineclear replay {id} --run -- {}", invocation.options)
    };
    out.push_str(&format!("  run again:  {again}\n\n"));
    out
}

fn failed_step(step: &StepDigest) -> String {
    let mut out = format!("  step:       {}\n", step.name);
    if let Some(command) = step.command.as_ref().filter(|command| step.name != format!("Run {command}")) {
        out.push_str(&format!("  command:    {command}\n"));
    }
    if let Some(code) = step.exit_code {
        out.push_str(&format!("  exit code:  {code}\n"));
    }
    let says_more = |reason: &&String| step.exit_code.is_none_or(|code| **reason != format!("exit code {code}"));
    if let Some(reason) = step.reason.as_ref().filter(says_more) {
        out.push_str(&format!("  why:        {reason}\n"));
    }
    let said: Vec<&str> = step.tail.iter().map(String::as_str).filter(|line| !line.starts_with("##[")).collect();
    let shown = &said[said.len().saturating_sub(SHOWN_TAIL)..];
    if !shown.is_empty() {
        out.push_str("  last lines:\n");
        shown.iter().for_each(|line| out.push_str(&format!("    {line}\n")));
    }
    // The signals of a step that ran out of time were Lineclear's own: they say nothing about the machine.
    let code =
        step.exit_code.filter(|_| !step.reason.as_ref().is_some_and(|reason| reason.contains("timeout-minutes")));
    if let Some(advice) = hint(code, said.iter().copied()) {
        out.push_str(&format!("  hint:       {advice}\n"));
    }
    out
}

fn annotation_line(annotation: &Annotation, style: Style) -> String {
    let mut place = annotation.file.clone().unwrap_or_default();
    for number in [annotation.line, annotation.column].into_iter().flatten() {
        place.push_str(&format!(":{number}"));
    }
    let title = annotation.title.as_ref().map(|title| format!("{title}: ")).unwrap_or_default();
    let separator = if place.is_empty() { "" } else { " " };
    let message = annotation.message.replace('\n', "\n      ");
    format!("  {} {place}{separator}{title}{message}  ({})\n", level_word(annotation.level, style), annotation.job)
}

/// What a run is called, where that says more than its workflow's name.
pub(crate) fn called(workflow: &str, run_name: &str) -> String {
    if run_name.is_empty() || run_name == workflow { String::new() } else { format!(": {run_name}") }
}

/// A message about the run as it is shown when it comes: a finding in a file says its level itself.
pub(crate) fn notice(level: AnnotationLevel, message: &str) -> String {
    let name = level_name(level);
    if message.strip_prefix(name).is_some_and(|rest| rest.starts_with('[')) {
        format!("{message}\n")
    } else {
        format!("{name}: {message}\n")
    }
}

/// The same at the end: of a finding only what it says and where, for its lines were shown as it came.
fn in_one_line(level: AnnotationLevel, message: &str) -> String {
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    let first = first.strip_prefix(level_name(level)).filter(|rest| rest.starts_with('[')).unwrap_or(first);
    match lines.find_map(|line| line.trim_start().strip_prefix("--> ")) {
        Some(place) => format!("{first} ({place})"),
        None => first.to_owned(),
    }
}

fn is_bad(conclusion: Option<Conclusion>) -> bool {
    matches!(conclusion, Some(Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure))
}

fn indent(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

pub(crate) fn bold(text: &str, style: Style) -> String {
    paint(text, "1", style)
}

/// One character that says how something ended.
pub(crate) fn sign(conclusion: Option<Conclusion>, style: Style) -> String {
    match conclusion {
        Some(Conclusion::Success) => paint("✓", "32", style),
        Some(Conclusion::Failure | Conclusion::StartupFailure) => paint("✗", "31", style),
        Some(Conclusion::TimedOut) => paint("⏱", "31", style),
        Some(Conclusion::Cancelled) => paint("⊘", "33", style),
        Some(Conclusion::Skipped) => paint("-", "2", style),
        None => paint("·", "36", style),
    }
}

pub(crate) fn level_name(level: AnnotationLevel) -> &'static str {
    match level {
        AnnotationLevel::Error => "error",
        AnnotationLevel::Warning => "warning",
        AnnotationLevel::Notice => "notice",
    }
}

fn level_word(level: AnnotationLevel, style: Style) -> String {
    let colour = match level {
        AnnotationLevel::Error => "31",
        AnnotationLevel::Warning => "33",
        AnnotationLevel::Notice => "36",
    };
    paint(level_name(level), colour, style)
}

pub(crate) fn paint(text: &str, code: &str, style: Style) -> String {
    style.paint(code, text)
}

/// `0.3s`, `12.0s`, `2m05s`, `1h02m`.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..60 => format!("{seconds}.{}s", milliseconds % 1000 / 100),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_its_level_once_and_is_one_line_at_the_end() {
        let finding = "warning[if-always-true]: always true\n  --> ci.yml:3:9\n   |\n3 |     if: x\n";
        assert!(notice(AnnotationLevel::Warning, finding).starts_with("warning[if-always-true]: always true\n"));
        assert_eq!(in_one_line(AnnotationLevel::Warning, finding), "[if-always-true]: always true (ci.yml:3:9)");
        assert_eq!(notice(AnnotationLevel::Notice, "a is not run"), "notice: a is not run\n");
        assert_eq!(in_one_line(AnnotationLevel::Notice, "a is not run"), "a is not run");
    }

    #[test]
    fn a_step_that_ran_out_of_time_is_not_said_to_have_been_killed_by_the_machine() {
        let mut step = StepDigest::new("x", "x");
        step.exit_code = Some(137);
        assert!(failed_step(&step).contains("hint:"));
        step.reason = Some("it ran longer than its timeout-minutes: 1".into());
        assert!(!failed_step(&step).contains("hint:"), "{}", failed_step(&step));
    }

    #[test]
    fn durations_are_short() {
        let shown: Vec<String> = [0, 349, 12_000, 125_900, 3_720_000].into_iter().map(duration).collect();
        assert_eq!(shown, ["0.0s", "0.3s", "12.0s", "2m05s", "1h02m"]);
    }
}
