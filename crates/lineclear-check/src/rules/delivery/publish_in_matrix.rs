//! `publish-in-matrix`: every leg of a matrix publishes under the same name.

use lineclear_source::Severity;
use lineclear_workflow::{Env, Job, JobKind, StepKind, Strategy, TextTree};

use crate::rules::deeds::Deed;
use crate::uses::action_name;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/publish-in-matrix.md`.
#[derive(Debug)]
pub(super) struct PublishInMatrix;

static META: RuleMeta = RuleMeta {
    id: "publish-in-matrix",
    summary: "every leg of a matrix publishes under the same name",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("publish-in-matrix"),
};

impl Rule for PublishInMatrix {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for done in file.deeds().iter().filter(|done| matches!(done.deed, Deed::PushImage | Deed::PublishPackage)) {
            let Some(job) = done.site.job else { continue };
            let Some(strategy) = job.strategy.as_ref().filter(|strategy| has_several_legs(strategy)) else { continue };
            if hangs_on_matrix(job) {
                continue;
            }
            report
                .at(done.span, format!("every leg of the matrix of job `{}` {}: the last one to end wins", job.id.value, done.deed.verb().replace("an image", "the same image").replace("a package", "the same package")))
                .label(strategy.span, "the matrix")
                .help("publish once, in a job that `needs` this one; or put the leg's value into the name, and join the images by digest afterwards");
        }
    }
}

fn has_several_legs(strategy: &Strategy) -> bool {
    match &strategy.matrix {
        Some(TextTree::Mapping(axes)) => {
            axes.value.iter().any(|(_, values)| !matches!(values, TextTree::Sequence(list) if list.value.len() < 2))
        }
        Some(_) => true,
        None => false,
    }
}

/// Whether what is published, or whether it is, hangs on the leg: a step other than one that sets up a tool, or an `env`, names it.
fn hangs_on_matrix(job: &Job) -> bool {
    let names = |text: &str| text.contains("matrix");
    let of_env =
        |env: &Option<Env>| matches!(env, Some(Env::Names(all)) if all.iter().any(|(_, value)| names(value.raw())));
    let JobKind::Steps(steps) = &job.kind else { return true };
    of_env(&steps.env)
        || job.condition.as_ref().is_some_and(|condition| names(condition.raw()))
        || steps
            .defaults
            .as_ref()
            .and_then(|defaults| defaults.working_directory.as_ref())
            .is_some_and(|text| names(text.raw()))
        || steps.steps.iter().any(|step| {
            of_env(&step.env)
                || step.condition.as_ref().is_some_and(|condition| names(condition.raw()))
                || match &step.kind {
                    StepKind::Run { script, working_directory, .. } => {
                        names(script.raw()) || working_directory.as_ref().is_some_and(|text| names(text.raw()))
                    }
                    StepKind::Uses { uses, with } => {
                        let sets_up = action_name(&uses.value).is_some_and(|name| {
                            name.contains("/setup-") || name.contains("toolchain") || name == "actions/cache"
                        });
                        !sets_up
                            && with
                                .iter()
                                .any(|(_, value)| names(value.raw()) || value.raw().contains("push-by-digest"))
                    }
                    _ => false,
                }
        })
}
