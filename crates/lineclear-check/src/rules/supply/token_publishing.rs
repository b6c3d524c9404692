//! `token-publishing`: registries of packages trust workflows, and need no password.

use lineclear_source::Severity;
use lineclear_workflow::{Access, Env, Job, Step, StepKind, Workflow};

use super::command_line::each_command;
use super::needed_scopes::allows;
use super::reference::of_step;

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

impl Rule for TokenPublishing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        for &site in file.steps() {
            let Some(job) = site.job else { continue };
            match &site.step.kind {
                StepKind::Run { script, .. } => {
                    let text = script.raw();
                    if !["publish", "upload", "push"].iter().any(|word| text.contains(word))
                        || has_identity(workflow, job)
                    {
                        continue;
                    }
                    let mut said = false;
                    each_command(text, |program, arguments| {
                        let Some(registry) = published_to(program, arguments).filter(|_| !said) else { return };
                        if registry == "npm" && (uses_other_registry(job, file) || has_own_token(site.step)) {
                            return;
                        }
                        said = true;
                        let verb = arguments
                            .iter()
                            .find(|word| ["publish", "upload", "push"].contains(word))
                            .copied()
                            .unwrap_or_default();
                        let span =
                            text.find(verb).map_or(script.span(), |at| script.scalar.span_of(at..at + verb.len()));
                        say(report, span, registry);
                    });
                }
                StepKind::Uses { with, .. } => {
                    let Some(remote) = of_step(site) else { continue };
                    let is_pypi = (remote.owner, remote.repo) == ("pypa", "gh-action-pypi-publish");
                    let password = with.iter().find(|(name, _)| is_pypi && name.value == "password");
                    let is_other = with.iter().any(|(name, value)| {
                        matches!(name.value.as_str(), "repository-url" | "repository_url")
                            && !value.raw().contains(PYPI_HOST)
                    });
                    if let Some((name, _)) = password.filter(|_| !is_other) {
                        say(report, name.span, "PyPI");
                    }
                    let is_release = (remote.owner, remote.repo) == ("rubygems", "release-gem");
                    let off = with.iter().find(|(name, value)| {
                        is_release && name.value == "setup-trusted-publisher" && value.raw() == "false"
                    });
                    if let Some((name, _)) = off {
                        say(report, name.span, "RubyGems");
                    }
                    let is_gems = (remote.owner, remote.repo) == ("rubygems", "configure-rubygems-credentials");
                    let token = with.iter().find(|(name, _)| is_gems && name.value == "api-token");
                    let is_other = with
                        .iter()
                        .any(|(name, value)| name.value == "gem-server" && !value.raw().contains("RubyGems"));
                    if let Some((name, _)) = token.filter(|_| !is_other) {
                        say(report, name.span, "RubyGems");
                    }
                }
                _ => {}
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

/// The registry that a command publishes to, if it is one that trusts workflows.
fn published_to(program: &str, arguments: &[&str]) -> Option<&'static str> {
    let has = |word: &str| arguments.contains(&word);
    let tries = has("--dry-run") || has("-n") || has("--help");
    let goes_elsewhere = arguments.iter().any(|word| {
        ["--registry", "--index", "--repository", "--publish-url", "--host", "-r"]
            .iter()
            .any(|flag| word.split('=').next() == Some(*flag))
    });
    if tries || goes_elsewhere {
        return None;
    }
    match program {
        "npx" | "bunx" if has("npm") && has("publish") => Some("npm"),
        "npm" | "pnpm" | "bun"
            if arguments.iter().find(|word| !word.starts_with('-') && **word != "-r") == Some(&"publish") =>
        {
            Some("npm")
        }
        "yarn" if has("npm") && has("publish") => Some("npm"),
        "cargo" if arguments.iter().find(|word| !word.starts_with('+')) == Some(&"publish") => Some("crates.io"),
        "cargo" if matches!(arguments.first(), Some(&"workspaces" | &"ws")) && has("publish") => Some("crates.io"),
        "uv" | "poetry" | "hatch" | "flit" | "pdm" if arguments.first() == Some(&"publish") => Some("PyPI"),
        "twine" if has("upload") => Some("PyPI"),
        program if program.starts_with("python") && has("twine") && has("upload") => Some("PyPI"),
        "pipx" | "uvx" if arguments.iter().any(|word| word.starts_with("twine")) && has("upload") => Some("PyPI"),
        "gem" if has("push") => Some("RubyGems"),
        "bundle" if has("gem") && has("push") => Some("RubyGems"),
        "nuget" | "nuget.exe" if has("push") && !sources_elsewhere(arguments) => Some("NuGet"),
        "dotnet" if has("nuget") && has("push") && !sources_elsewhere(arguments) => Some("NuGet"),
        _ => None,
    }
}

fn sources_elsewhere(arguments: &[&str]) -> bool {
    let at = arguments.iter().position(|word| ["--source", "-s", "-Source"].contains(word));
    at.and_then(|at| arguments.get(at + 1)).is_some_and(|source| !source.contains("nuget.org"))
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
