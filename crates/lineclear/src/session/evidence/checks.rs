//! The legs of jobs, gathered until a job has ended as a whole.
//!
//! A gate that requires `CI / test` asks for every leg of its matrix. So the legs are stated together: one that is stated alone would look
//! like a job with a single leg.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_event::{CheckConclusion, CheckLeg, Conclusion, JobKey, JobSpec};
use lineclear_plan::PlannedWorkflow;

/// The jobs of one run that have ended, as far as they are not stated yet.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// By the job's key without its leg.
    jobs: BTreeMap<String, Job>,
    /// Keys of jobs that were handed out → what belongs to the job as a whole.
    groups: BTreeMap<JobKey, String>,
    own: BTreeMap<JobKey, Conclusion>,
    stated: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Job {
    /// How many legs there are, once one of them was handed out.
    total: Option<usize>,
    ended: Vec<Leg>,
}

#[derive(Debug)]
struct Leg {
    key: JobKey,
    name: String,
    conclusion: CheckConclusion,
    reason: String,
}

/// A job that has ended, with what the forge shows of it: checks and their legs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) job: String,
    pub(super) checks: BTreeMap<String, Vec<CheckLeg>>,
}

impl Checks {
    /// A job starts. Answers the jobs that it needs, as far as they are not stated: legs that never started leave it open how many
    /// there were.
    pub(super) fn handed_out(&mut self, spec: &JobSpec) -> Vec<Ended> {
        let group = without_leg(&spec.job, &spec.id);
        let total = spec.contexts.strategy.get("job-total").and_then(number);
        self.jobs.entry(group.clone()).or_default().total = total;
        let beside = group.strip_suffix(spec.id.as_str()).unwrap_or_default();
        let needs = spec.contexts.needs.as_object().into_iter().flat_map(|needs| needs.keys());
        let needs: BTreeSet<String> = needs.map(|need| format!("{beside}{need}")).collect();
        self.groups.insert(spec.job.clone(), group);
        self.take(|group, job| needs.contains(group) && !job.ended.is_empty())
    }

    pub(super) fn own_end(&mut self, job: &JobKey, conclusion: Conclusion) {
        self.own.insert(job.clone(), conclusion);
    }

    /// The job that a leg is of.
    pub(super) fn group_of(&self, job: &JobKey) -> String {
        self.groups.get(job).cloned().unwrap_or_else(|| {
            // It was never handed out: its siblings say what it is a leg of.
            let is_leg_of = |group: &&String| job.as_str().strip_prefix(group.as_str()).is_some_and(is_leg);
            let known = self.jobs.keys().filter(is_leg_of).max_by_key(|group| group.len());
            known.cloned().unwrap_or_else(|| match job.as_str().find(" (") {
                Some(at) if job.as_str().ends_with(')') && !job.as_str().contains(")/") => {
                    job.as_str()[..at].to_owned()
                }
                _ => job.as_str().to_owned(),
            })
        })
    }

    pub(super) fn finished(&mut self, job: &JobKey, name: &str, conclusion: Conclusion, reason: Option<&str>) {
        let group = self.group_of(job);
        // A job that calls a workflow is no check of its own, once the called jobs have begun.
        let called = format!("{job}/");
        let is_caller = self.jobs.keys().chain(&self.stated).any(|other| other.starts_with(&called));
        if is_caller {
            return;
        }
        let own = self.own.get(job).filter(|own| conclusion == Conclusion::Success && **own == Conclusion::Failure);
        let leg = Leg {
            key: job.clone(),
            name: name.to_owned(),
            conclusion: self::conclusion(own.copied().unwrap_or(conclusion)),
            reason: reason
                .filter(|_| own.is_some() || conclusion != Conclusion::Success)
                .unwrap_or_default()
                .to_owned(),
        };
        let was_handed_out = self.groups.contains_key(job);
        let entry = self.jobs.entry(group.clone()).or_default();
        if !was_handed_out && group == job.as_str() {
            // It ended before it had legs.
            entry.total = Some(1);
        }
        entry.ended.push(leg);
    }

    /// Jobs all of whose legs have ended.
    pub(super) fn take_whole(&mut self) -> Vec<Ended> {
        self.take(|_, job| job.total.is_some_and(|total| job.ended.len() >= total))
    }

    /// At the end of the run: whatever has ended.
    pub(super) fn take_all(&mut self) -> Vec<Ended> {
        self.take(|_, job| !job.ended.is_empty())
    }

    fn take(&mut self, is_due: impl Fn(&str, &Job) -> bool) -> Vec<Ended> {
        let due: Vec<String> =
            self.jobs.iter().filter(|(group, job)| is_due(group, job)).map(|(group, _)| group.clone()).collect();
        let mut ended = Vec::new();
        for group in due {
            let Some(job) = self.jobs.remove(&group) else { continue };
            let mut checks: BTreeMap<String, Vec<CheckLeg>> = BTreeMap::new();
            for leg in job.ended {
                let (check, name) = check_and_leg(&group, &leg.key, &leg.name);
                checks.entry(check).or_default().push(CheckLeg {
                    name,
                    conclusion: leg.conclusion,
                    reason: leg.reason,
                    since: None,
                });
            }
            self.stated.insert(group.clone());
            ended.push(Ended { job: group, checks });
        }
        ended
    }
}

/// Jobs of a workflow that was not started, each with what the forge would show of it: job, check, legs.
pub(super) fn planned(workflow: &PlannedWorkflow) -> Vec<(String, String, Vec<String>)> {
    let mut found: Vec<(String, String, Vec<String>)> = Vec::new();
    for job in workflow.jobs.iter().filter(|job| job.uses.is_none()) {
        let own = job.id.rsplit('/').next().unwrap_or(&job.id);
        let group = without_leg(&job.key, own);
        let (name, leg) = check_and_leg(&group, &job.key, &job.name);
        let check = format!("{} / {name}", workflow.name);
        match found.iter_mut().find(|(known, known_check, _)| *known == group && *known_check == check) {
            Some((.., legs)) => legs.push(leg),
            None => found.push((group, check, vec![leg])),
        }
    }
    found
}

/// How the forge says it.
pub(super) fn conclusion(conclusion: Conclusion) -> CheckConclusion {
    match conclusion {
        Conclusion::Success => CheckConclusion::Success,
        Conclusion::Failure => CheckConclusion::Failure,
        Conclusion::Cancelled => CheckConclusion::Cancelled,
        Conclusion::Skipped => CheckConclusion::Skipped,
        Conclusion::TimedOut => CheckConclusion::TimedOut,
        Conclusion::StartupFailure => CheckConclusion::StartupFailure,
    }
}

/// The key up to the job's id: `test (3.12)` with the id `test` is of `test`, `call (a)/build (b)` with `build` of `call (a)/build`.
fn without_leg(key: &JobKey, id: &str) -> String {
    let key = key.as_str();
    let starts = key.match_indices(id).map(|(at, _)| at);
    let fits = |at: &usize| {
        let before = key.get(..*at).unwrap_or_default();
        let after = key.get(at + id.len()..).unwrap_or_default();
        (before.is_empty() || before.ends_with('/')) && (after.is_empty() || is_leg(after))
    };
    let at = starts.filter(fits).min();
    at.and_then(|at| key.get(..at + id.len())).unwrap_or(key).to_owned()
}

fn is_leg(rest: &str) -> bool {
    rest.starts_with(" (") && rest.ends_with(')')
}

/// `test (3.12)` is the leg `3.12` of `test`. A name that is computed from the matrix is a check of its own, as on the forge.
fn check_and_leg(group: &str, key: &JobKey, name: &str) -> (String, String) {
    let leg = key.as_str().strip_prefix(group).filter(|rest| is_leg(rest));
    let base = leg.and_then(|leg| name.strip_suffix(leg)).filter(|base| !base.is_empty());
    match (base, leg) {
        (Some(base), Some(leg)) => {
            let inside = leg.get(2..leg.len() - 1).unwrap_or_default();
            (base.to_owned(), inside.to_owned())
        }
        _ => (name.to_owned(), String::new()),
    }
}

/// A number of a context, which are doubles there.
fn number(value: &serde_json::Value) -> Option<usize> {
    let whole = value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..1e9).contains(number))?;
        format!("{number:.0}").parse().ok()
    });
    usize::try_from(whole?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(group: &str, key: &str, name: &str) -> (String, String) {
        check_and_leg(group, &JobKey::new(key), name)
    }

    #[test]
    fn checks_are_called_as_the_forge_calls_them() {
        let pair = |check: &str, leg: &str| (check.to_owned(), leg.to_owned());
        assert_eq!(names("test", "test (3.12, linux)", "test (3.12, linux)"), pair("test", "3.12, linux"));
        assert_eq!(names("test", "test (3.12)", "Unit tests (3.12)"), pair("Unit tests", "3.12"));
        assert_eq!(names("test", "test (3.12)", "Tests on 3.12"), pair("Tests on 3.12", ""));
        assert_eq!(names("call/build", "call/build (a)", "Call / build (a)"), pair("Call / build", "a"));
        assert_eq!(names("call (a)/build", "call (a)/build", "call (a) / build"), pair("call (a) / build", ""));
    }

    #[test]
    fn a_key_is_of_its_job() {
        let group = |key: &str, id: &str| without_leg(&JobKey::new(key), id);
        assert_eq!(group("test (3.12)", "test"), "test");
        assert_eq!(group("test (test (a))", "test"), "test");
        assert_eq!(group("call (a)/build (a/build)", "build"), "call (a)/build");
        assert_eq!(group("build", "build"), "build");
    }

    fn ended(checks: &mut Checks, key: &str, conclusion: Conclusion) {
        checks.finished(&JobKey::new(key), key, conclusion, Some("why"));
    }

    #[test]
    fn a_job_that_never_had_legs_is_stated_at_once_and_cancelled_legs_at_the_end() {
        let mut checks = Checks::default();
        ended(&mut checks, "lint", Conclusion::Skipped);
        let stated = checks.take_whole();
        assert_eq!(stated.len(), 1);
        assert_eq!(stated[0].checks["lint"][0].conclusion, CheckConclusion::Skipped);
        assert_eq!(stated[0].checks["lint"][0].reason, "why");
        ended(&mut checks, "test (a)", Conclusion::Cancelled);
        ended(&mut checks, "test (b)", Conclusion::Cancelled);
        assert_eq!(checks.take_whole(), [], "nobody knows whether these are all");
        let stated = checks.take_all();
        assert_eq!(stated.len(), 1);
        assert_eq!(stated[0].checks["test"].len(), 2);
    }

    #[test]
    fn what_continue_on_error_lets_pass_is_no_success() {
        let mut checks = Checks::default();
        checks.own_end(&JobKey::new("scan"), Conclusion::Failure);
        ended(&mut checks, "scan", Conclusion::Success);
        let stated = checks.take_whole();
        assert_eq!(stated[0].checks["scan"][0].conclusion, CheckConclusion::Failure);
    }
}
