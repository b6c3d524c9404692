//! `deploy-secret-without-environment`: a job that deploys uses secrets that every branch can use.

use lineclear_source::Severity;
use lineclear_workflow::{Job, JobKind};

use super::secret::{listed, uses};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/deploy-secret-without-environment.md`.
#[derive(Debug)]
pub(super) struct DeploySecretWithoutEnvironment;

static META: RuleMeta = RuleMeta {
    id: "deploy-secret-without-environment",
    summary: "a job that deploys uses secrets that every branch can use",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("deploy-secret-without-environment"),
};

impl Rule for DeploySecretWithoutEnvironment {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let jobs = file.jobs().iter().filter(|job| is_deploy(job));
        for job in jobs {
            report_outside(file, job, report, "job `{}` deploys with {}, which every workflow on every branch can use");
        }
    }
}

/// Says which secrets the job uses without an environment; `message` has a place for its name and one for them.
pub(super) fn report_outside(file: &File<'_>, job: &Job, report: &mut Report<'_>, message: &str) {
    let JobKind::Steps(steps) = &job.kind else { return };
    if steps.environment.is_some() {
        return;
    }
    let all = uses(file);
    let own: Vec<_> = all.iter().filter(|one| one.site.place.job.is_some_and(|of| of.id.span == job.id.span)).collect();
    let Some(first) = own.first() else { return };
    let names = listed(own.iter().map(|one| one.name));
    report
        .at(first.span, message.replacen("{}", &job.id.value, 1).replacen("{}", &names, 1))
        .label(job.id.span, "this job has no `environment`")
        .help("add `environment`, and move the secrets there: then its rules say which branches may have them, and who has to agree");
}

/// Whether its name says that a job brings something to a stage.
pub(super) fn is_deploy(job: &Job) -> bool {
    const WORDS: &[&str] = &["deploy", "deployment", "production", "prod", "staging", "rollout"];
    let name = job.name.as_ref().map_or("", |name| name.raw());
    let mut words = job.id.value.split(['-', '_']).chain(name.split(|char: char| !char.is_ascii_alphanumeric()));
    words.any(|word| WORDS.iter().any(|one| one.eq_ignore_ascii_case(word)))
}
