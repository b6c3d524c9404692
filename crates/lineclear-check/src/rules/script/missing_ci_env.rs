//! `missing-ci-env`: many programs ask and colour unless `CI` is set.

use lineclear_source::Severity;
use lineclear_workflow::{Env, JobKind, RunsOn};

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-ci-env.md`.
#[derive(Debug)]
pub(super) struct MissingCiEnv;

static META: RuleMeta = RuleMeta {
    id: "missing-ci-env",
    summary: "tests run without `CI` on machines that may not set it",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("missing-ci-env"),
};

impl Rule for MissingCiEnv {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let names = |env: &Env| {
            matches!(env, Env::Names(names) if names.iter().any(|(name, _)| name.raw() == "CI"))
                || matches!(env, Env::Expression(_))
        };
        if workflow.env.as_ref().is_some_and(names) {
            return;
        }
        let Some(site) = file.scripts().iter().find(|site| {
            let Some(JobKind::Steps(steps)) = site.site.job.map(|job| &job.kind) else { return false };
            let is_own = file.dialect() == Dialect::Gitea || is_self_hosted(&steps.runs_on);
            let has = [steps.env.as_ref(), site.site.step.env.as_ref()].into_iter().flatten().any(names);
            is_own && !has && site.language.is_some() && site.has_any(READERS)
        }) else {
            return;
        };
        let fix = report.wants_fixes().then(|| fix(file)).flatten();
        report
            .at(
                site.span_of(0..site.raw().lines().next().map_or(0, str::len)),
                "what runs here behaves otherwise without `CI`, and machines of one's own do not always set it",
            )
            .help("add `env: { CI: true }` to the workflow")
            .fix(fix);
    }
}

/// Programs that look at `CI`.
const READERS: &[&str] =
    &["npm ", "yarn ", "pnpm ", "npx ", "vitest", "jest", "playwright", "cypress", "pytest", "gradle", "mvn "];

fn is_self_hosted(runs_on: &RunsOn) -> bool {
    match runs_on {
        RunsOn::Labels(labels) => labels.value.iter().any(|label| label.raw() == "self-hosted"),
        RunsOn::Group { .. } => false,
    }
}

fn fix(file: &File<'_>) -> Option<Fix> {
    let workflow = file.workflow()?;
    let edit = match &workflow.env {
        Some(Env::Names(names)) => {
            let (first, _) = names.first()?;
            let text = file.source().text();
            let line = text.get(..first.span().start as usize)?.rsplit('\n').next()?;
            if !line.trim().is_empty() {
                return None;
            }
            Edit::insert(first.span().start, format!("CI: true\n{line}"))
        }
        Some(Env::Expression(_)) => return None,
        None => {
            let tree = file.tree()?;
            let jobs = tree.root.as_ref()?.as_mapping()?.iter().find(|entry| entry.key.text == "jobs")?;
            let at = jobs.key.span.start;
            let text = file.source().text();
            let is_alone = text.get(..at as usize)?.rsplit('\n').next()?.is_empty();
            if !is_alone {
                return None;
            }
            Edit::insert(at, "env:\n  CI: true\n")
        }
    };
    Some(Fix::safe("add `CI: true`", vec![edit]))
}
