//! `token-publishing`: registries of packages trust workflows, and need no password.

use lineclear_shell::Word;
use lineclear_source::Severity;
use lineclear_workflow::{Access, Env, Job, Step, StepKind, Workflow};

use super::needed_scopes::allows;
use super::reference::of_step;
use crate::rules::deeds::Deed;
use crate::rules::script::shells::has_option;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/token-publishing.md`.
#[derive(Debug)]
pub(super) struct TokenPublishing;

static META: RuleMeta = RuleMeta {
    id: "token-publishing",
    summary: "a package is published with a password where the registry would trust the workflow",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("token-publishing"),
};

/// The public index, as addresses of it begin: `upload.` and `test.` come before it.
const PYPI_HOST: &str = concat!("pypi", ".org");

const RUBYGEMS_HOST: &str = concat!("rubygems", ".org");

impl Rule for TokenPublishing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let mut last = None;
        for done in file.deeds().iter().filter(|done| done.deed == Deed::PublishPackage) {
            let (Some(job), Some((script, command))) = (done.site.job, done.command) else { continue };
            let Some(site) = file.scripts().get(script).filter(|_| last != Some(script)) else { continue };
            let Some(command) = site.script().commands.get(command) else { continue };
            let Some(registry) = command.program().and_then(|(program, arguments)| registry(program, arguments)) else {
                continue;
            };
            if has_identity(workflow, job)
                || registry == "npm" && (uses_other_registry(job, file) || has_own_token(done.site.step))
            {
                continue;
            }
            let is_verb = |word: &&Word| matches!(word.text.as_str(), "publish" | "upload" | "push");
            let span = command.words.iter().find(is_verb).map_or(done.span, |verb| site.span_of(verb.span.clone()));
            say(report, span, registry);
            // One of a script is enough.
            last = Some(script);
        }
        for &site in file.steps() {
            let StepKind::Uses { with, .. } = &site.step.kind else { continue };
            let Some(remote) = of_step(site) else { continue };
            let is_pypi = (remote.owner, remote.repo) == ("pypa", "gh-action-pypi-publish");
            let password = with.iter().find(|(name, _)| is_pypi && name.value == "password");
            let is_other = with.iter().any(|(name, value)| {
                matches!(name.value.as_str(), "repository-url" | "repository_url") && !value.raw().contains(PYPI_HOST)
            });
            if let Some((name, _)) = password.filter(|_| !is_other) {
                say(report, name.span, "PyPI");
            }
            let is_release = (remote.owner, remote.repo) == ("rubygems", "release-gem");
            let off = with
                .iter()
                .find(|(name, value)| is_release && name.value == "setup-trusted-publisher" && value.raw() == "false");
            if let Some((name, _)) = off {
                say(report, name.span, "RubyGems");
            }
            let is_gems = (remote.owner, remote.repo) == ("rubygems", "configure-rubygems-credentials");
            let token = with.iter().find(|(name, _)| is_gems && name.value == "api-token");
            let is_other =
                with.iter().any(|(name, value)| name.value == "gem-server" && !value.raw().contains(RUBYGEMS_HOST));
            if let Some((name, _)) = token.filter(|_| !is_other) {
                say(report, name.span, "RubyGems");
            }
        }
    }
}

/// Whether the step's token is the forge's own: then its registry is, too.
fn has_own_token(step: &Step) -> bool {
    let Some(Env::Names(names)) = &step.env else { return false };
    names.iter().any(|(name, value)| {
        name.raw() == "NODE_AUTH_TOKEN"
            && (value.raw().contains("secrets.GITHUB_TOKEN") || value.raw().contains("github.token"))
    })
}

fn say(report: &mut Report<'_>, span: lineclear_source::Span, registry: &str) {
    report
        .at(span, format!("this publishes with a password that holds for ever: {registry} can trust the workflow itself"))
        .help(format!("name this workflow as a trusted publisher at {registry}, give the job `id-token: write`, and remove the secret"));
}

/// Whether the job can prove who it is: then it needs no password, whatever it has beside that.
fn has_identity(workflow: &Workflow, job: &Job) -> bool {
    let permissions = job.permissions.as_ref().or(workflow.permissions.as_ref());
    permissions.is_some_and(|permissions| allows(permissions, ("id-token", Access::Write)))
}

/// The registry that a command, which publishes, publishes to, if it is one that trusts workflows.
fn registry(program: &str, arguments: &[Word]) -> Option<&'static str> {
    let has = |text: &str| arguments.iter().any(|word| word.text == text);
    let elsewhere = ["--registry", "--index", "--repository", "--repository-url", "--publish-url", "--host"];
    // For others, `-r` takes the whole workspace.
    let names_repository = matches!(program, "twine" | "python" | "python3" | "pipx" | "uvx" | "poetry" | "hatch");
    if has_option(arguments, &elsewhere) || names_repository && has("-r") {
        return None;
    }
    match program {
        "npm" | "pnpm" | "bun" => Some("npm"),
        "npx" | "bunx" | "yarn" if has("npm") => Some("npm"),
        "cargo" => Some("crates.io"),
        "uv" | "poetry" | "hatch" | "flit" | "pdm" | "twine" => Some("PyPI"),
        "pipx" | "uvx" | "python" | "python3" if arguments.iter().any(|word| word.text.starts_with("twine")) => {
            Some("PyPI")
        }
        "gem" => Some("RubyGems"),
        "bundle" if has("gem") => Some("RubyGems"),
        "nuget" | "dotnet" if !sources_elsewhere(arguments) => Some("NuGet"),
        _ => None,
    }
}

fn sources_elsewhere(arguments: &[Word]) -> bool {
    let at = arguments.iter().position(|word| ["--source", "-s", "-Source"].contains(&word.text.as_str()));
    at.and_then(|at| arguments.get(at + 1)).is_some_and(|source| !source.text.contains("nuget.org"))
}

/// Whether the job speaks to another registry of npm's kind.
fn uses_other_registry(job: &Job, file: &File<'_>) -> bool {
    let is_other = |text: &str| text.contains("npm.pkg.github") || (text.contains("://") && !text.contains("npmjs."));
    file.steps().iter().filter(|site| site.job.is_some_and(|of| of.id.span == job.id.span)).any(|site| {
        let in_env = match &site.step.env {
            Some(Env::Names(names)) => names
                .iter()
                .any(|(name, value)| name.raw().to_ascii_lowercase().contains("registry") && is_other(value.raw())),
            _ => false,
        };
        let StepKind::Uses { with, .. } = &site.step.kind else { return in_env };
        in_env || with.iter().any(|(name, value)| name.value == "registry-url" && is_other(value.raw()))
    })
}
