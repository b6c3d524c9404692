//! Which actions hand text of outsiders on in their outputs, and which run one of their inputs as code.

use lineclear_workflow::ActionRef;

use super::payload::{ChosenBy, Payload};

const PULL_REQUEST: &[&str] =
    &["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "workflow_call"];
const COMMENT: &[&str] = &["issue_comment", "workflow_call"];

/// The events of a payload that any event brings.
const ANY: &[&str] = &["*"];

/// What the output `name` of the action `slug` holds, if it is an outsider's text.
pub(crate) fn output(slug: &str, name: &str) -> Option<Payload> {
    let name = name.to_ascii_lowercase();
    let by_anyone = |events| Some(Payload { events, chosen_by: ChosenBy::Anyone });
    let names_files =
        name.ends_with("files") || matches!(name.as_str(), "all" | "added" | "modified" | "renamed" | "removed");
    match slug {
        "tj-actions/changed-files" | "step-security/changed-files" | "tj-actions/verify-changed-files" => {
            (names_files && !name.starts_with("any_") && !name.starts_with("only_")).then_some(())?;
            by_anyone(PULL_REQUEST)
        }
        "dorny/paths-filter" => name.ends_with("_files").then_some(()).and_then(|()| by_anyone(PULL_REQUEST)),
        "trilom/file-changes-action"
        | "jitterbit/get-changed-files"
        | "ana06/get-changed-files"
        | "lots0logs/gh-action-get-changed-files"
        | "masesgroup/retrieve-changed-files"
        | "bjerkio/changed-files" => by_anyone(PULL_REQUEST),
        "tj-actions/branch-names" | "step-security/branch-names" => {
            matches!(name.as_str(), "current_branch" | "head_ref_branch" | "ref_branch").then_some(())?;
            by_anyone(PULL_REQUEST)
        }
        "8bitjony/gh-get-current-pr" | "jwalton/gh-find-current-pr" | "wei/pull-request-title-action" => {
            matches!(name.as_str(), "pr" | "pr_title" | "pr_body" | "title" | "body" | "pr_head_ref" | "pr_labels")
                .then_some(())?;
            by_anyone(ANY)
        }
        "xt0rted/pull-request-comment-branch"
        | "gotson/pull-request-comment-branch"
        | "alessbell/pull-request-comment-branch" => {
            matches!(name.as_str(), "head_ref" | "ref").then_some(())?;
            by_anyone(COMMENT)
        }
        "khan/pull-request-comment-trigger" | "shanegenschaw/pull-request-comment-trigger" => {
            (name == "comment_body").then_some(()).and_then(|()| by_anyone(COMMENT))
        }
        "potiuk/get-workflow-origin" => {
            matches!(name.as_str(), "sourceheadbranch" | "pullrequestlabels").then_some(())?;
            by_anyone(&["workflow_run"])
        }
        "tim-actions/get-pr-commits" => by_anyone(PULL_REQUEST),
        "stefanbuck/github-issue-parser"
        | "zentered/issue-forms-body-parser"
        | "edumserrano/github-issue-forms-parser" => by_anyone(&["issues", "issue_comment", "workflow_call"]),
        "actions-ecosystem/action-get-merged-pull-request" => {
            matches!(name.as_str(), "title" | "body" | "labels").then_some(())?;
            Some(Payload { events: ANY, chosen_by: ChosenBy::Merged })
        }
        _ => None,
    }
}

/// What an input of an action is run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// By Node.
    JavaScript,
    /// By a shell or another interpreter.
    Shell,
    /// As arguments of a command line that a shell reads.
    Arguments,
}

/// What the input `name` of `action` is run as, if it is code.
pub(crate) fn code_input(action: &ActionRef, name: &str) -> Option<Code> {
    let ActionRef::Remote { owner, repo, .. } = action else { return None };
    // Nearly all inputs end here.
    let input = CODE_INPUTS.iter().filter(|(_, input, _)| input.eq_ignore_ascii_case(name));
    input
        .filter(|(slug, _, _)| {
            slug.split_once('/')
                .is_some_and(|(of, name)| of.eq_ignore_ascii_case(owner) && name.eq_ignore_ascii_case(repo))
        })
        .map(|(_, _, code)| *code)
        .next()
}

/// Inputs that are run, by the documentation of each action.
const CODE_INPUTS: &[(&str, &str, Code)] = &[
    ("actions/github-script", "script", Code::JavaScript),
    ("actions-cool/actions-util-script", "script", Code::JavaScript),
    ("azure/powershell", "inlineScript", Code::Shell),
    ("azure/cli", "inlineScript", Code::Shell),
    ("appleboy/ssh-action", "script", Code::Shell),
    ("cross-the-world/ssh-pipeline", "script", Code::Shell),
    ("garygrossgarten/github-action-ssh", "command", Code::Shell),
    ("fifsky/ssh-action", "command", Code::Shell),
    ("addnab/docker-run-action", "run", Code::Shell),
    ("addnab/docker-run-action", "options", Code::Arguments),
    ("nick-fields/retry", "command", Code::Shell),
    ("nick-fields/retry", "new_command_on_retry", Code::Shell),
    ("nick-fields/retry", "on_retry_command", Code::Shell),
    ("nick-invision/retry", "command", Code::Shell),
    ("wandalen/wretry.action", "command", Code::Shell),
    ("reactivecircus/android-emulator-runner", "script", Code::Shell),
    ("reactivecircus/android-emulator-runner", "pre-emulator-launch-script", Code::Shell),
    ("cachix/install-nix-action", "install_options", Code::Arguments),
    ("uraimo/run-on-arch-action", "run", Code::Shell),
    ("uraimo/run-on-arch-action", "setup", Code::Shell),
    ("uraimo/run-on-arch-action", "install", Code::Shell),
    ("vmactions/freebsd-vm", "run", Code::Shell),
    ("vmactions/freebsd-vm", "prepare", Code::Shell),
    ("vmactions/openbsd-vm", "run", Code::Shell),
    ("vmactions/netbsd-vm", "run", Code::Shell),
    ("vmactions/solaris-vm", "run", Code::Shell),
    ("cross-platform-actions/action", "run", Code::Shell),
    ("gabrielbb/xvfb-action", "run", Code::Shell),
    ("coactions/setup-xvfb", "run", Code::Shell),
    ("pyvista/setup-headless-display-action", "run", Code::Shell),
    ("devcontainers/ci", "runCmd", Code::Shell),
    ("egor-tensin/cygwin-action", "run", Code::Shell),
    ("mikefarah/yq", "cmd", Code::Shell),
    ("jannekem/run-python-script-action", "script", Code::Shell),
    ("roots/issue-closer", "issue-close-message", Code::JavaScript),
    ("amadevus/pwsh-script", "script", Code::Shell),
    ("sergeysova/jq-action", "cmd", Code::Shell),
    ("mathiasvr/command-output", "run", Code::Shell),
    ("cypress-io/github-action", "command", Code::Shell),
    ("goreleaser/goreleaser-action", "args", Code::Arguments),
    ("burrunan/gradle-cache-action", "arguments", Code::Arguments),
    ("gradle/gradle-build-action", "arguments", Code::Arguments),
    ("actions-rs/cargo", "args", Code::Arguments),
    ("borales/actions-yarn", "cmd", Code::Arguments),
];
