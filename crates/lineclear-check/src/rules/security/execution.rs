//! What runs code that lies in the workspace: builds, tests, scripts of the repository, local actions.

use lineclear_shell::Word;
use lineclear_source::Span;
use lineclear_workflow::{ActionRef, StepKind};

use crate::uses::is_of_repository;
use crate::{File, ScriptSite, StepSite};

/// What in a step runs code of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Runs {
    /// Where.
    pub(super) span: Span,
    /// The word for it: `npm ci`.
    pub(super) what: String,
}

/// Programs that run what the repository's own files say.
const BUILDERS: &[&str] = &[
    "npm",
    "yarn",
    "pnpm",
    "npx",
    "bun",
    "deno",
    "make",
    "cmake",
    "ninja",
    "cargo",
    "go",
    "mvn",
    "mvnw",
    "gradle",
    "gradlew",
    "ant",
    "sbt",
    "bazel",
    "bazelisk",
    "tox",
    "nox",
    "pytest",
    "poetry",
    "pdm",
    "hatch",
    "uv",
    "bundle",
    "rake",
    "composer",
    "phpunit",
    "mix",
    "dotnet",
    "msbuild",
    "stack",
    "cabal",
    "nix",
    "nix-build",
    "just",
    "task",
    "meson",
    "swift",
    "xcodebuild",
    "fastlane",
    "flutter",
    "dart",
    "pre-commit",
    "jekyll",
    "terraform",
    "tofu",
    "terragrunt",
    "ansible-playbook",
    "docker-compose",
    "earthly",
    "rustc",
    "webpack",
    "eslint",
    "jest",
    "vitest",
    "lerna",
    "nx",
    "turbo",
    "hugo",
    "mkdocs",
    "sphinx-build",
    "gulp",
    "grunt",
    "php",
    "perl",
    "ruby",
    "python",
    "python3",
    "node",
    "sh",
    "bash",
    "source",
    "pwsh",
    "zsh",
    "conda-build",
    "rebar3",
    "elm",
    "zig",
    "lake",
    "wrangler",
    "vercel",
    "sam",
    "cdk",
    "pulumi",
    "helmfile",
    "configure",
    "setup.py",
];

/// Actions that do.
const ACTIONS: &[&str] = &[
    "docker/build-push-action",
    "docker/bake-action",
    "gradle/gradle-build-action",
    "gradle/actions",
    "pre-commit/action",
    "golangci/golangci-lint-action",
    "goreleaser/goreleaser-action",
    "ruby/setup-ruby",
    "cypress-io/github-action",
    "bahmutov/npm-install",
    "actions-rs/cargo",
    "borales/actions-yarn",
    "pypa/cibuildwheel",
    "changesets/action",
    "cloudflare/wrangler-action",
    "cloudflare/pages-action",
    "amondnet/vercel-action",
    "chromaui/action",
    "helm/chart-testing-action",
    "super-linter/super-linter",
    "github/super-linter",
    "wagoid/commitlint-github-action",
    "andresz1/size-limit-action",
    "preactjs/compressed-size-action",
    "treosh/lighthouse-ci-action",
    "nick-fields/retry",
    "reactivecircus/android-emulator-runner",
    "hashicorp/tfc-workflows-github",
];

/// What in a step runs code of the workspace, if anything does.
pub(super) fn runs_workspace(file: &File<'_>, site: StepSite<'_>) -> Option<Runs> {
    match &site.step.kind {
        StepKind::Run { .. } => script_runs_workspace(file.script_of(site)?),
        StepKind::Uses { uses, .. } => {
            let what = match &uses.value {
                ActionRef::Local { path } => format!("./{path}"),
                action => (*ACTIONS.iter().find(|slug| is_of_repository(action, slug))?).to_owned(),
            };
            Some(Runs { span: uses.span, what })
        }
        _ => None,
    }
}

fn script_runs_workspace(script: &ScriptSite<'_>) -> Option<Runs> {
    script.script().commands.iter().find_map(|command| {
        let (name, arguments) = command.program()?;
        let first = command.program_word()?.text.as_str();
        let second = arguments.first().map_or("", |word| word.text.as_str());
        let is_file = ["./", "../", "scripts/", ".github/", "$GITHUB_WORKSPACE/", "${GITHUB_WORKSPACE}/"]
            .iter()
            .any(|folder| first.starts_with(folder));
        let is_script = (is_file && first.len() > 2)
            || first == "." && !second.is_empty()
            || is_builder(name, second)
            || matches!((name, second), ("pip" | "pip3", "install")) && installs_workspace(arguments)
            || matches!((name, second), ("docker", "build" | "compose" | "buildx"))
            || matches!((name, second), ("act" | "lineclear", "run"));
        is_script.then(|| {
            let what = if second.is_empty() { first.to_owned() } else { format!("{first} {second}") };
            Runs { span: script.span_of(command.span.clone()), what }
        })
    })
}

/// Whether the program reads the repository's files: not `go version`, not `python -c`, not `npm view`.
fn is_builder(name: &str, second: &str) -> bool {
    BUILDERS.contains(&name)
        && match name {
            "python" | "python3" | "node" | "php" | "ruby" | "perl" | "bash" | "sh" | "zsh" | "pwsh" => {
                second == "-m" || !(second.starts_with('-') || second.is_empty() || second.starts_with("<"))
            }
            "npm" | "yarn" | "pnpm" => !matches!(second, "view" | "whoami" | "config" | "--version" | "info" | "login"),
            "go" => !matches!(second, "version" | "env"),
            "source" => !second.is_empty(),
            _ => !matches!(second, "--version" | "version" | "-V" | "-v" | "--help" | "login" | "fmt"),
        }
}

fn installs_workspace(arguments: &[Word]) -> bool {
    arguments.iter().map(|word| word.text.as_str()).any(|word| {
        matches!(word, "." | "-e" | "-r")
            || word.starts_with("./")
            || word.starts_with(".[")
            || word.starts_with("--requirement")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_only_show_something_run_nothing() {
        for (name, second, expected) in [
            ("npm", "ci", true),
            ("npm", "view", false),
            ("go", "test", true),
            ("go", "version", false),
            ("python", "-c", false),
            ("python", "-m", true),
            ("python3", "x.py", true),
            ("echo", "x", false),
        ] {
            assert_eq!(is_builder(name, second), expected, "{name} {second}");
        }
    }
}
