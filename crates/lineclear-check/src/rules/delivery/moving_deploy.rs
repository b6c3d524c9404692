//! `moving-deploy`: what is deployed is named by a tag that moves.

use lineclear_shell::Word;
use lineclear_source::{Severity, Span};
use lineclear_workflow::{StepKind, Text, Workflow};

use crate::rules::deeds::Deed;
use crate::uses::{action_name, input};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, StepSite, page};

/// Manual and tests: `docs/rules/moving-deploy.md`.
#[derive(Debug)]
pub(super) struct MovingDeploy;

static META: RuleMeta = RuleMeta {
    id: "moving-deploy",
    summary: "what is deployed is named by a tag that moves",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("moving-deploy"),
};

/// Tags that are given to another image with each push.
const MOVING: &[&str] = &["latest", "main", "master", "develop", "dev", "edge", "nightly", "head"];

impl Rule for MovingDeploy {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let has_branches = has_branch_names(workflow);
        let says = |tag: &str| {
            MOVING.contains(&tag)
                || has_branches && matches!(tag, "${{ github.ref_name }}" | "${GITHUB_REF_NAME}" | "$GITHUB_REF_NAME")
        };
        for script in file.scripts() {
            if MOVING.iter().any(|tag| script.raw().contains(tag)) || has_branches {
                check_script(file, script, &says, report);
            }
        }
        for &site in file.steps() {
            if let StepKind::Uses { uses, with } = &site.step.kind
                && let Some(name) = action_name(&uses.value)
            {
                if name == "appleboy/ssh-action"
                    && let Some(script) = input(with, "script")
                {
                    check_remote_input(script, &says, report);
                } else if name == "aws-actions/amazon-ecs-render-task-definition" || deploys(file, site) {
                    for key in ["image", "images"] {
                        let Some(value) = input(with, key) else { continue };
                        let tag = value.raw().split([',', '\n']).find_map(|image| moving_tag(image.trim(), &says));
                        tag.into_iter().for_each(|tag| tell(tag, value.span(), report));
                    }
                }
            }
        }
    }
}

/// Whether the name of the ref that a run is for is always a branch's.
fn has_branch_names(workflow: &Workflow) -> bool {
    let is_of_branch = |event: &str, has_tags: bool, has_branches: bool| match event {
        "push" => has_branches && !has_tags,
        "workflow_run" | "schedule" => true,
        _ => false,
    };
    !workflow.on.events.is_empty()
        && workflow
            .on
            .events
            .iter()
            .all(|trigger| is_of_branch(&trigger.event.value, trigger.tags.is_some(), trigger.branches.is_some()))
}

/// Whether the step deploys, and not into a cluster that the job makes for itself.
fn deploys(file: &File<'_>, site: StepSite<'_>) -> bool {
    file.deeds().iter().any(|done| done.deed == Deed::Deploy && std::ptr::eq(done.site.step, site.step))
}

fn check_script(file: &File<'_>, script: &ScriptSite<'_>, says: &dyn Fn(&str) -> bool, report: &mut Report<'_>) {
    for command in &script.script().commands {
        let Some((program, arguments)) = command.program() else { continue };
        let word = |at: usize| arguments.get(at).map_or("", |word| word.text.as_str());
        let has = |text: &str| arguments.iter().any(|word| word.text == text);
        let found = match program {
            "kubectl" | "oc" if has("set") && has("image") => arguments
                .iter()
                .find_map(|word| Some((moving_tag(word.text.split_once('=')?.1, says)?, word)))
                .filter(|_| deploys(file, script.site)),
            "helm" if has("upgrade") || has("install") => {
                moving_value(arguments, says).filter(|_| deploys(file, script.site))
            }
            "docker" if (word(0), word(1)) == ("service", "update") => flag(arguments, &["--image"], says),
            "gcloud" if has("deploy") => flag(arguments, &["--image"], says),
            "fly" | "flyctl" if has("deploy") => flag(arguments, &["--image", "-i"], says),
            "az" if matches!(word(0), "webapp" | "containerapp" | "functionapp") => {
                const FLAGS: &[&str] =
                    &["--image", "-i", "--docker-custom-image-name", "--container-image-name", "--image-name"];
                flag(arguments, FLAGS, says)
            }
            "ssh" => arguments.iter().skip(1).find_map(|word| Some((remote_tag(&word.text, says)?, word))),
            _ => None,
        };
        if let Some((tag, word)) = found {
            tell(tag, script.span_of(word.span.clone()), report);
        }
    }
}

fn check_remote_input(script: &Text, says: &dyn Fn(&str) -> bool, report: &mut Report<'_>) {
    let mut offset = 0;
    for line in script.raw().split_inclusive('\n') {
        if let Some(tag) = remote_tag(line, says) {
            let start = offset + line.len() - line.trim_start().len();
            tell(tag, script.scalar.span_of(start..offset + line.trim_end().len()), report);
        }
        offset += line.len();
    }
}

/// The moving tag of an image that commands for another machine pull or run.
fn remote_tag<'t>(commands: &'t str, says: &dyn Fn(&str) -> bool) -> Option<&'t str> {
    commands.split(['\n', ';', '&', '|']).find_map(|command| {
        let is_start = ["docker pull ", "docker run ", "podman pull ", "podman run ", "docker service update "]
            .iter()
            .any(|start| command.trim_start().trim_start_matches("sudo ").starts_with(start));
        let mut words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
        if is_start { words.find_map(|word| moving_tag(word, says)) } else { None }
    })
}

/// What `--set image.tag=latest` sets.
fn moving_value<'w>(arguments: &'w [Word], says: &dyn Fn(&str) -> bool) -> Option<(&'w str, &'w Word)> {
    arguments.iter().enumerate().find_map(|(at, word)| {
        let (name, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
        if !matches!(name, "--set" | "--set-string") {
            return None;
        }
        let (word, value) = if value.is_empty() {
            let next = arguments.get(at + 1)?;
            (next, next.text.as_str())
        } else {
            (word, value)
        };
        let tag = value.split(',').filter_map(|pair| pair.split_once('=')).find_map(|(key, value)| {
            let last = key.rsplit('.').next().unwrap_or(key);
            match last {
                "tag" | "imageTag" => says(value).then_some(value),
                "image" => moving_tag(value, says),
                _ => None,
            }
        })?;
        Some((tag, word))
    })
}

/// The moving tag of the image that a flag names.
fn flag<'w>(arguments: &'w [Word], flags: &[&str], says: &dyn Fn(&str) -> bool) -> Option<(&'w str, &'w Word)> {
    arguments.iter().enumerate().find_map(|(at, word)| {
        let (name, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
        if !flags.contains(&name) {
            return None;
        }
        let (word, value) = if value.is_empty() {
            let next = arguments.get(at + 1)?;
            (next, next.text.as_str())
        } else {
            (word, value)
        };
        Some((moving_tag(value, says)?, word))
    })
}

/// The tag of an image, if it moves.
fn moving_tag<'t>(image: &'t str, says: &dyn Fn(&str) -> bool) -> Option<&'t str> {
    let (name, tag) = image.rsplit_once(':')?;
    (!name.is_empty() && !image.contains('@') && says(tag)).then_some(tag)
}

fn tell(tag: &str, span: Span, report: &mut Report<'_>) {
    let message = format!(
        "this deploys whatever the tag `{tag}` names when it is pulled: nothing says what runs, or what ran before"
    );
    report.at(span, message).help(
        "deploy the digest that was built and tested: `name@sha256:…`, or a tag that is made for one commit only",
    );
}
