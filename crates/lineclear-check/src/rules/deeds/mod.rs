//! What the steps of a file do, as far as it matters for what reaches people: tests, scans, builds, publications, deployments.
//!
//! It is read from the actions that steps use and from the commands that their scripts call. A step that calls a script of the
//! repository, or a make target of some name, may do anything: what cannot be told is not listed. What publishes, deploys, tests or scans
//! is said here once, for rules of all groups: of actions in `actions.rs`, of commands in `programs.rs`.

mod actions;
mod programs;

use lineclear_shell::Command;
use lineclear_source::Span;
use lineclear_workflow::{Job, StepKind};

use self::actions::of_action;
use self::programs::of_program;
use crate::uses::action_name;
use crate::{File, ScriptSite, StepSite};

/// Something that a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Deed {
    /// Runs tests.
    Test,
    /// Looks at the text of the sources.
    Lint,
    /// Looks for vulnerabilities or secrets.
    Scan,
    /// Builds a container image and keeps it.
    BuildImage,
    /// Pushes a container image.
    PushImage,
    /// Publishes a package to a registry of packages.
    PublishPackage,
    /// Makes a release, or puts files into one.
    Release,
    /// Signs.
    Sign,
    /// Lists what is inside.
    Sbom,
    /// Attests where something was built.
    Attest,
    /// Logs in to a registry.
    Login,
    /// Gives an image that exists another name.
    Promote,
    /// Changes a running system.
    Deploy,
    /// Puts pages of a project onto the web.
    DeployPages,
    /// Changes a database.
    Migrate,
    /// Waits for a system to be well, or asks it.
    HealthCheck,
}

impl Deed {
    /// Whether it brings something into the world that others take.
    pub(crate) fn is_publication(self) -> bool {
        matches!(self, Self::PushImage | Self::PublishPackage | Self::Release)
    }

    /// As messages say it: "the job …".
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Test => "tests",
            Self::Lint => "lints",
            Self::Scan => "scans",
            Self::BuildImage => "builds an image",
            Self::PushImage => "pushes an image",
            Self::PublishPackage => "publishes a package",
            Self::Release => "makes a release",
            Self::Sign => "signs",
            Self::Sbom => "lists contents",
            Self::Attest => "attests",
            Self::Login => "logs in to a registry",
            Self::Promote => "promotes an image",
            Self::Deploy | Self::DeployPages => "deploys",
            Self::Migrate => "changes a database",
            Self::HealthCheck => "asks for health",
        }
    }
}

/// A deed and where it is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done<'a> {
    pub(crate) deed: Deed,
    pub(crate) site: StepSite<'a>,
    /// The action, or the command's first words.
    pub(crate) span: Span,
    /// The indices in [`File::scripts`] and in its commands, if a script does it.
    pub(crate) command: Option<(usize, usize)>,
    /// Whether it is done only where an input holds that is an expression: `push: ${{ … }}`.
    pub(crate) is_conditional: bool,
}

impl<'a> Done<'a> {
    /// Whether it is done in this job.
    pub(crate) fn is_in(&self, job: &Job) -> bool {
        self.site.job.is_some_and(|own| std::ptr::eq(own, job))
    }
}

/// All deeds of the file, in the order of its steps.
pub(crate) fn deeds<'a>(file: &File<'a>) -> Vec<Done<'a>> {
    let mut all = Vec::new();
    for &site in file.steps() {
        match &site.step.kind {
            StepKind::Uses { uses, with } => {
                if let Some((deed, is_conditional)) = of_action(&uses.value, with) {
                    all.push(Done { deed, site, span: uses.span, command: None, is_conditional });
                }
            }
            StepKind::Run { .. } => {
                if let (Some(index), Some(script)) = (site.script, file.script_of(site)) {
                    of_script(index, script, site, &mut all);
                }
            }
            StepKind::Wait { .. } | StepKind::WaitAll | StepKind::Cancel { .. } | StepKind::Parallel { .. } => {}
        }
    }
    leave_out_test_clusters(file, &mut all);
    all
}

/// What is deployed into a cluster that the job itself makes is a test.
fn leave_out_test_clusters(file: &File<'_>, all: &mut Vec<Done<'_>>) {
    if !all.iter().any(|done| done.deed == Deed::Deploy) {
        return;
    }
    let mut jobs: Vec<*const Job> = Vec::new();
    for site in file.steps() {
        let makes_cluster = match &site.step.kind {
            StepKind::Uses { uses, .. } => action_name(&uses.value).is_some_and(|name| {
                ["kind-action", "setup-minikube", "minikube", "k3d", "setup-kind", "action-k3s"]
                    .iter()
                    .any(|one| name.contains(one))
            }),
            StepKind::Run { script, .. } => ["kind create cluster", "minikube start", "k3d cluster create"]
                .iter()
                .any(|one| script.raw().contains(one)),
            _ => false,
        };
        if makes_cluster && let Some(job) = site.job {
            jobs.push(job);
        }
    }
    all.retain(|done| {
        done.deed != Deed::Deploy || !done.site.job.is_some_and(|job| jobs.iter().any(|one| std::ptr::eq(*one, job)))
    });
}

fn of_script<'a>(index: usize, script: &ScriptSite<'a>, site: StepSite<'a>, all: &mut Vec<Done<'a>>) {
    for (at, command) in script.script().commands.iter().enumerate() {
        if let Some((program, arguments)) = command.program()
            && let Some(deed) = of_program(program, arguments, 0)
        {
            let span = script.span_of(head_of(command));
            all.push(Done { deed, site, span, command: Some((index, at)), is_conditional: command.group.is_some() });
        }
    }
}

/// The first words of a command: enough to know it by.
fn head_of(command: &Command) -> std::ops::Range<usize> {
    let last = command.words.get(1).or(command.words.first()).map_or(command.span.end, |word| word.span.end);
    let first = command.words.first().map_or(command.span.start, |word| word.span.start);
    first..last
}
