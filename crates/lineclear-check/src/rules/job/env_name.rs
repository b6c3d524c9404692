//! `env-name`: variables that cannot be set, or are overwritten.

use lineclear_source::{Severity, Span};
use lineclear_workflow::{Container, Env, Text};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/env-name.md`.
#[derive(Debug)]
pub(super) struct EnvName;

static META: RuleMeta = RuleMeta {
    id: "env-name",
    summary: "a variable that cannot be set, or that the runner overwrites",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("env-name"),
};

/// What the runner writes last, whatever the workflow says. `GITHUB_ACTION_PATH` and `RUNNER_DEBUG` are not always there.
const OVERWRITTEN: &[&str] = &[
    "GITHUB_ACTION",
    "GITHUB_ACTIONS",
    "GITHUB_ACTOR",
    "GITHUB_ACTOR_ID",
    "GITHUB_API_URL",
    "GITHUB_BASE_REF",
    "GITHUB_ENV",
    "GITHUB_EVENT_NAME",
    "GITHUB_EVENT_PATH",
    "GITHUB_GRAPHQL_URL",
    "GITHUB_HEAD_REF",
    "GITHUB_JOB",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_REF",
    "GITHUB_REF_NAME",
    "GITHUB_REF_PROTECTED",
    "GITHUB_REF_TYPE",
    "GITHUB_REPOSITORY",
    "GITHUB_REPOSITORY_ID",
    "GITHUB_REPOSITORY_OWNER",
    "GITHUB_REPOSITORY_OWNER_ID",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "GITHUB_SERVER_URL",
    "GITHUB_SHA",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_TRIGGERING_ACTOR",
    "GITHUB_WORKFLOW",
    "GITHUB_WORKFLOW_REF",
    "GITHUB_WORKSPACE",
    "RUNNER_ARCH",
    "RUNNER_NAME",
    "RUNNER_OS",
    "RUNNER_TEMP",
];

impl Rule for EnvName {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let mut check = |env: &Option<Env>| check_env(env.as_ref(), report);
        file.workflow().into_iter().for_each(|workflow| check(&workflow.env));
        for (_, job) in file.step_jobs() {
            check(&job.env);
            job.container.iter().for_each(|container: &Container| check(&container.env));
            job.services.iter().for_each(|service| check(&service.container.env));
        }
        file.steps().iter().for_each(|site| check(&site.step.env));
        file.scripts().iter().for_each(|script| check_script(script, report));
    }
}

fn check_env(env: Option<&Env>, report: &mut Report<'_>) {
    let Some(Env::Names(names)) = env else { return };
    names
        .iter()
        .filter(|(name, _)| name.template.as_literal().is_some() && !name.is_insert())
        .for_each(|(name, _)| check_name(name, report));
}

fn check_name(name: &Text, report: &mut Report<'_>) {
    let (text, span) = (name.raw(), name.span());
    if text.is_empty() {
        report.at(span, "a variable needs a name").severity(Severity::Error);
    } else if let Some(at) = text.find(|c: char| c == '=' || c == '&' || c.is_whitespace() || c.is_control()) {
        let character = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
        let what = match character {
            ' ' => "a space".to_owned(),
            c if c.is_whitespace() || c.is_control() => "white space".to_owned(),
            c => format!("`{c}`"),
        };
        let help = "use letters, digits and `_`";
        report
            .at(span, format!("the name of a variable cannot hold {what}, as `{text}` does"))
            .severity(Severity::Error)
            .help(help);
    } else if text.starts_with(['G', 'R']) && OVERWRITTEN.contains(&text) {
        report
            .at(span, format!("the runner overwrites `{text}`: this value is never seen"))
            .help("give the variable a name of its own");
    }
}

/// `GITHUB_ENV` refuses `NODE_OPTIONS`.
fn check_script(script: &ScriptSite<'_>, report: &mut Report<'_>) {
    const NAME: &str = "NODE_OPTIONS";
    let text = script.raw();
    if memchr::memmem::find(text.as_bytes(), NAME.as_bytes()).is_none() || !text.contains("GITHUB_ENV") {
        return;
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((name, file)) = line.find("NODE_OPTIONS=").zip(line.find("GITHUB_ENV"))
            && name < file
            && !line.trim_start().starts_with('#')
        {
            let span: Span = script.span_of(start + name..start + name + NAME.len());
            report
                .at(span, "the runner refuses `NODE_OPTIONS` in `GITHUB_ENV`: later steps do not see it")
                .help("set it in the `env` of the job or of the steps that need it");
        }
        start += line.len();
    }
}
