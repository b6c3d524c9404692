//! What runs code that lies in the workspace: builds, tests, scripts of the repository, local actions.

use lineclear_source::Span;
use lineclear_workflow::{ActionRef, Step, StepKind, Text};

use super::relay::is_action;

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

/// What in `step` runs code of the workspace, if anything does.
pub(super) fn runs_workspace(step: &Step) -> Option<Runs> {
    match &step.kind {
        StepKind::Run { script, .. } => script_runs_workspace(script),
        StepKind::Uses { uses, .. } => {
            let what = match &uses.value {
                ActionRef::Local { path } => format!("./{path}"),
                action => (*ACTIONS.iter().find(|slug| is_action(action, slug))?).to_owned(),
            };
            Some(Runs { span: uses.span, what })
        }
        StepKind::Parallel { steps } => steps.iter().find_map(runs_workspace),
        _ => None,
    }
}

fn script_runs_workspace(script: &Text) -> Option<Runs> {
    let raw = script.raw();
    commands(raw).find_map(|(at, command)| {
        let mut words = command.split_ascii_whitespace().map(|word| word.trim_matches(['"', '\'', '(', ')']));
        let first = words.find(|word| {
            !(word.contains('=') || matches!(*word, "sudo" | "time" | "env" | "exec" | "then" | "do" | "else" | "{"))
        })?;
        let second = words.next().unwrap_or_default();
        let name = first.rsplit('/').next().unwrap_or_default();
        let is_file = first.starts_with("./")
            || first.starts_with("../")
            || first.starts_with("scripts/")
            || first.starts_with(".github/");
        let is_script = (is_file && first.len() > 2)
            || first == "." && !second.is_empty()
            || is_builder(name, second)
            || matches!((name, second), ("pip" | "pip3", "install")) && installs_workspace(command)
            || matches!((name, second), ("docker", "build" | "compose" | "buildx"))
            || matches!((name, second), ("act" | "lineclear", "run"));
        is_script.then(|| {
            let shown = if second.is_empty() { first.to_owned() } else { format!("{first} {second}") };
            let length = command.trim_end().len();
            Runs { span: script.scalar.span_of(at..at + length), what: shown }
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

fn installs_workspace(command: &str) -> bool {
    command.split_ascii_whitespace().any(|word| {
        word == "."
            || word.starts_with("./")
            || word.starts_with(".[")
            || word == "-e"
            || word == "-r"
            || word.starts_with("--requirement")
    })
}

/// The simple commands of a script with their places, as far as lines and `;`, `&&`, `||`, `|` tell.
pub(super) fn commands(script: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    script.split_inclusive('\n').flat_map(move |line| {
        let start = offset;
        offset += line.len();
        let text = line.trim_end();
        let is_comment = text.trim_start().starts_with('#');
        let mut at = start;
        let pieces = text.split_inclusive([';', '&', '|']).filter_map(move |piece| {
            let begin = at;
            at += piece.len();
            let command = piece.trim_end_matches([';', '&', '|']).trim_end();
            let skipped = command.len() - command.trim_start().len();
            let command = command.trim_start();
            (!command.is_empty() && !is_comment).then_some((begin + skipped, command))
        });
        pieces.collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_apart() {
        let found: Vec<_> = commands("a b; c\n  # d\n e && f | g\n").collect();
        assert_eq!(found, [(0, "a b"), (5, "c"), (14, "e"), (19, "f"), (23, "g")]);
    }

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
