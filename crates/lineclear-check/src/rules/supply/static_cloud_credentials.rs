//! `static-cloud-credentials`: a password of a cloud that never ends, where a login for one run would do.

use lineclear_source::Severity;
use lineclear_workflow::{Env, Step, StepKind, Text};

use super::reference::of_step;
use super::secret::named;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/static-cloud-credentials.md`.
#[derive(Debug)]
pub(super) struct StaticCloudCredentials;

static META: RuleMeta = RuleMeta {
    id: "static-cloud-credentials",
    summary: "a password of a cloud that never ends, where a login for one run would do",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("static-cloud-credentials"),
};

impl Rule for StaticCloudCredentials {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for &site in file.steps() {
            let Some(remote) = of_step(site) else { continue };
            let StepKind::Uses { with, .. } = &site.step.kind else { continue };
            let (owner, repo) = (remote.owner.to_ascii_lowercase(), remote.repo.to_ascii_lowercase());
            let Some((_, input, instead)) =
                INPUTS.iter().find(|(action, ..)| *action == (owner.as_str(), repo.as_str()))
            else {
                continue;
            };
            let given = with.iter().find(|(name, value)| name.value.eq_ignore_ascii_case(input) && is_secret(value));
            if let Some((name, _)) = given {
                report
                    .at(name.span, message(&name.value))
                    .help(format!("let the cloud trust this workflow's identity: {instead}"));
            }
        }
        let of_workflow = file.workflow().and_then(|workflow| workflow.env.as_ref());
        let of_jobs = file.step_jobs().filter_map(|(_, steps)| steps.env.as_ref());
        let speaks_elsewhere =
            |step: &Step| matches!(&step.kind, StepKind::Run { script, .. } if script.raw().contains("endpoint"));
        let of_steps =
            file.steps().iter().filter(|site| !speaks_elsewhere(site.step)).filter_map(|site| site.step.env.as_ref());
        for env in of_workflow.into_iter().chain(of_jobs).chain(of_steps) {
            let Env::Names(names) = env else { continue };
            // Storage that speaks the same language as a cloud's, and trusts nobody.
            if names.iter().any(|(name, _)| name.raw().to_ascii_uppercase().contains("ENDPOINT")) {
                continue;
            }
            let found = names.iter().find(|(name, value)| VARIABLES.contains(&name.raw()) && is_secret(value));
            if let Some((name, _)) = found {
                report
                    .at(name.span(), message(name.raw()))
                    .help("let the cloud trust this workflow's identity, and log in with `id-token: write`");
            }
        }
    }
}

/// Actions, the input with the password, and what takes its place.
const INPUTS: &[((&str, &str), &str, &str)] = &[
    (("aws-actions", "configure-aws-credentials"), "aws-secret-access-key", "`role-to-assume` and `id-token: write`"),
    (("google-github-actions", "auth"), "credentials_json", "`workload_identity_provider` and `id-token: write`"),
    (("azure", "login"), "creds", "`client-id`, `tenant-id`, `subscription-id` and `id-token: write`"),
];

const VARIABLES: &[&str] = &["AWS_SECRET_ACCESS_KEY", "ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET", "GOOGLE_CREDENTIALS"];

fn is_secret(value: &Text) -> bool {
    value.template.expressions().iter().any(|expr| !named(expr).is_empty())
}

fn message(name: &str) -> String {
    format!("`{name}` is a password that holds until somebody changes it: who reads it once has it for years")
}
