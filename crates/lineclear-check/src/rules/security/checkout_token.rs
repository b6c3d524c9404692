//! The token that `actions/checkout` leaves in the workspace: where, and which steps need it.

use lineclear_shell::Command;
use lineclear_workflow::{ActionRef, StepKind, Text};

use crate::uses::{input, is_of_repository};
use crate::{File, StepSite};

/// A checkout that keeps its token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checkout<'f, 'a> {
    /// Its index in [`File::steps`].
    pub(super) index: usize,
    pub(super) site: &'f StepSite<'a>,
    /// Whether the token lies in the workspace: newer versions keep it beside.
    pub(super) is_in_workspace: bool,
}

/// Whether a step needs the token in the workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    #[default]
    No,
    Maybe,
    Surely,
}

/// The checkouts of a file that keep their token.
pub(super) fn checkouts<'f, 'a>(file: &'f File<'a>) -> impl Iterator<Item = Checkout<'f, 'a>> {
    file.steps().iter().enumerate().filter_map(|(index, site)| {
        let StepKind::Uses { uses, with } = &site.step.kind else { return None };
        if !is_of_repository(&uses.value, "actions/checkout") {
            return None;
        }
        let set = input(with, "persist-credentials").map(Text::raw);
        // An expression may be either.
        if set.is_some_and(|set| !set.eq_ignore_ascii_case("true")) {
            return None;
        }
        let ActionRef::Remote { reference, .. } = &uses.value else { return None };
        Some(Checkout { index, site, is_in_workspace: is_older_than(reference, 6) })
    })
}

/// Whether a reference like `v4` or `v4.2.1` is of an older major version; a commit counts as one.
pub(super) fn is_older_than(reference: &str, major: u32) -> bool {
    let digits = reference.strip_prefix('v').unwrap_or(reference).split('.').next().unwrap_or_default();
    match digits.parse::<u32>() {
        Ok(version) => version < major,
        Err(_) => !matches!(reference, "main" | "master"),
    }
}

/// Owners whose actions take a token as an input, if they need one.
const KNOWN_OWNERS: &[&str] = &[
    "actions",
    "docker",
    "github",
    "codecov",
    "dtolnay",
    "swatinem",
    "pnpm",
    "ruby",
    "gradle",
    "astral-sh",
    "aws-actions",
    "azure",
    "google-github-actions",
];

/// Actions that push with what the checkout left.
const PUSHING: &[&str] = &[
    "stefanzweifel/git-auto-commit-action",
    "peter-evans/create-pull-request",
    "ad-m/github-push-action",
    "endbug/add-and-commit",
    "jamesives/github-pages-deploy-action",
    "peaceiris/actions-gh-pages",
    "changesets/action",
    "cycjimmy/semantic-release-action",
    "mathieudutour/github-tag-action",
    "anothrnick/github-tag-action",
    "test-room-7/action-update-file",
    "python-semantic-release/python-semantic-release",
    "release-plz/action",
    "helm/chart-releaser-action",
    "planetscale/ghcommit-action",
];

/// Whether a step may need the token that the checkout left. Those inside of `parallel` are steps of their own.
pub(super) fn may_need_token(file: &File<'_>, site: StepSite<'_>) -> Need {
    match &site.step.kind {
        StepKind::Uses { uses, .. } => match &uses.value {
            action if PUSHING.iter().any(|slug| is_of_repository(action, slug)) => Need::Surely,
            ActionRef::Remote { owner, .. } if KNOWN_OWNERS.iter().any(|known| owner.eq_ignore_ascii_case(known)) => {
                Need::No
            }
            _ => Need::Maybe,
        },
        StepKind::Run { .. } => {
            let script = file.script_of(site);
            // What cannot be taken apart may do anything.
            let Some(script) = script.filter(|script| script.language.is_some()) else { return Need::Maybe };
            script.script().commands.iter().map(need_of).max().unwrap_or_default()
        }
        _ => Need::No,
    }
}

fn need_of(command: &Command) -> Need {
    let (Some((program, arguments)), Some(written)) = (command.program(), command.program_word()) else {
        return Need::No;
    };
    let written = written.text.as_str();
    let mut words = arguments.iter().map(|word| word.text.as_str());
    if program == "git" {
        let talks = ["push", "fetch", "pull", "clone", "submodule", "lfs", "ls-remote", "remote"];
        return if words.any(|word| talks.contains(&word)) { Need::Surely } else { Need::No };
    }
    let releases = [
        "semantic-release",
        "release-it",
        "lerna",
        "changeset",
        "standard-version",
        "mike",
        "gh-deploy",
        "publish",
        "deploy",
        "bump",
    ];
    // A script of the repository may do anything.
    let is_script = written.starts_with("./") || written.starts_with(".github/") || written.ends_with(".sh");
    let mut all = std::iter::once(written).chain(words);
    if is_script || all.any(|word| releases.contains(&word) || word.contains("release")) {
        return Need::Maybe;
    }
    Need::No
}
