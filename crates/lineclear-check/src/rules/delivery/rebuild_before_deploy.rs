//! `rebuild-before-deploy`: what is deployed is built again, and is not what was tested.

use super::order::{all_needs, has_environment, steps_of};
use lineclear_shell::Command;
use lineclear_source::{Severity, Span, Spanned};
use lineclear_workflow::{Job, Step, StepKind, Text};

use crate::rules::deeds::{Deed, Done};
use crate::uses::{input, is_action};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, StepSite, page};

/// Manual and tests: `docs/rules/rebuild-before-deploy.md`.
#[derive(Debug)]
pub(super) struct RebuildBeforeDeploy;

static META: RuleMeta = RuleMeta {
    id: "rebuild-before-deploy",
    summary: "what is deployed is built again, and is not what was tested",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("rebuild-before-deploy"),
};

impl Rule for RebuildBeforeDeploy {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let builds = || {
            file.deeds()
                .iter()
                .filter(|done| matches!(done.deed, Deed::BuildImage | Deed::PushImage) && !is_push_alone(file, done))
        };
        for done in builds() {
            let Some(job) = done.site.job else { continue };
            if let Some(promoted) = promotion_of(file, job) {
                report
                    .at(
                        done.span,
                        format!("job `{}` promotes what was tested, and builds an image, which was not", job.id.value),
                    )
                    .label(promoted, "promoted here")
                    .help("build in the job that is tested and published from, and leave this one to promote");
                continue;
            }
            let delivers = has_environment(job)
                || file.deeds().iter().any(|one| one.is_in(job) && matches!(one.deed, Deed::Deploy | Deed::Promote));
            if !delivers || makes_recipes(job) {
                continue;
            }
            let before = all_needs(workflow, job);
            let earlier = builds().find(|one| {
                before.iter().any(|needed| one.is_in(needed) && !makes_recipes(needed))
                    && is_same_image(file, one, done)
            });
            if let Some(earlier) = earlier {
                let other = earlier.site.job.map_or("", |job| &job.id.value);
                report
                    .at(done.span, format!("job `{}` builds the image that `{other}` built before: what is delivered is not what was tested", job.id.value))
                    .label(earlier.span, "built here")
                    .help("build once, hand the digest on as an output of the job, and deploy that");
            }
        }
    }
}

/// Where a job has an image promoted that exists: by the step of Lineclear, or by its command.
fn promotion_of(file: &File<'_>, job: &Job) -> Option<Span> {
    let is_here = |site: &StepSite<'_>| site.job.is_some_and(|own| std::ptr::eq(own, job));
    let by_step = || {
        file.uses().iter().find(|site| is_here(&site.site) && site.is("lineclear/promote")).map(|site| site.uses.span)
    };
    let by_command = || {
        let steps = file.steps().iter().filter(|site| is_here(site));
        steps.filter_map(|site| file.script_of(*site)).find_map(|script| {
            let promotes = |command: &&Command| {
                command.program().is_some_and(|(program, arguments)| {
                    program == "lineclear" && arguments.first().is_some_and(|word| word.literal() == Some("promote"))
                })
            };
            script.script().commands.iter().find(promotes).map(|command| script.span_of(command.span.clone()))
        })
    };
    by_step().or_else(by_command)
}

/// Whether the job builds several images, or one from a recipe that it writes itself: which, is not in the file.
fn makes_recipes(job: &Job) -> bool {
    let writes =
        |step: &Step| matches!(&step.kind, StepKind::Run { script, .. } if script.raw().contains("Dockerfile"));
    job.strategy.is_some() || steps_of(job).iter().any(writes)
}

/// `docker push` builds nothing, and neither does the action that only pushes.
fn is_push_alone(file: &File<'_>, done: &Done<'_>) -> bool {
    let Some((script, command)) = done.command else {
        return matches!(&done.site.step.kind, StepKind::Uses { uses, .. } if is_action(&uses.value, "redhat-actions/push-to-registry"));
    };
    let command = file.scripts().get(script).and_then(|script| script.script().commands.get(command));
    command
        .is_some_and(|command| !command.words.iter().any(|word| matches!(word.text.as_str(), "build" | "bake" | "bud")))
}

/// Whether two builds are of one image, as far as their recipes tell.
fn is_same_image(file: &File<'_>, one: &Done<'_>, other: &Done<'_>) -> bool {
    match (&one.site.step.kind, &other.site.step.kind) {
        (StepKind::Uses { with: one, .. }, StepKind::Uses { with: other, .. }) => {
            ["file", "context", "target", "platforms"]
                .iter()
                .all(|key| input(one, key).map(|text| text.raw()) == input(other, key).map(|text| text.raw()))
        }
        (StepKind::Run { .. }, StepKind::Run { .. }) => {
            let recipe = |done: &Done<'_>| -> Option<Vec<String>> {
                let (script, command) = done.command?;
                let words = &file.scripts().get(script)?.script().commands.get(command)?.words;
                let at = words.iter().position(|word| matches!(word.text.as_str(), "-f" | "--file" | "--target"));
                let file = at.and_then(|at| words.get(at + 1)).map(|word| word.text.clone());
                Some(file.into_iter().chain(words.last().map(|word| word.text.clone())).collect())
            };
            recipe(one).is_some() && recipe(one) == recipe(other)
        }
        (StepKind::Uses { with, .. }, StepKind::Run { .. }) => is_plain_build(file, with, other),
        (StepKind::Run { .. }, StepKind::Uses { with, .. }) => is_plain_build(file, with, one),
        _ => false,
    }
}

/// Whether an action and a command build the folder of the repository by its own recipe.
fn is_plain_build(file: &File<'_>, with: &[(Spanned<String>, Text)], command: &Done<'_>) -> bool {
    let is_whole = ["file", "target"].iter().all(|key| input(with, key).is_none())
        && input(with, "context").is_none_or(|context| matches!(context.raw().trim_end_matches('/'), "" | "."));
    let words = || {
        let (script, at) = command.command?;
        Some(file.scripts().get(script)?.script().commands.get(at)?.words.as_slice())
    };
    is_whole
        && words().is_some_and(|words| {
            words.last().is_some_and(|word| word.text == ".")
                && !words.iter().any(|word| matches!(word.text.as_str(), "-f" | "--file" | "--target"))
        })
}
