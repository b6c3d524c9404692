//! `ignored-result`: `|| true` behind a test or scan makes it a decoration.

use lineclear_shell::{Command, Connector, Language, Word};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/ignored-result.md`.
#[derive(Debug)]
pub(super) struct IgnoredResult;

static META: RuleMeta = RuleMeta {
    id: "ignored-result",
    summary: "the result of a test or scan is thrown away",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("ignored-result"),
};

impl Rule for IgnoredResult {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in shells::scripts_with(file, Language::Posix, &["||"]) {
            let script = site.script();
            for (index, command) in script.commands.iter().enumerate() {
                if command.connector != Connector::Or || command.inside.is_some() {
                    continue;
                }
                let Some(name) = test_or_scan(command) else { continue };
                let next = script.commands.get(index + 1..).unwrap_or_default();
                let Some(instead) = next.iter().find(|other| other.inside == command.inside) else { continue };
                let Some(written) = hides(instead) else { continue };
                let span = site.span_of(instead.span.clone());
                report
                    .at(
                        span,
                        format!(
                            "`|| {written}` throws the result of `{name}` away: the step succeeds whatever it finds"
                        ),
                    )
                    .label(shells::span_of_command(site, command), "its result")
                    .help("let it fail; what is known and accepted belongs into its own list of exceptions");
            }
        }
    }
}

/// `true`, `:`, `exit 0` and `echo` succeed always.
fn hides(command: &Command) -> Option<&'static str> {
    let (program, arguments) = command.program()?;
    let is_last = matches!(command.connector, Connector::End);
    match program {
        "true" | ":" if is_last => Some(if program == "true" { "true" } else { ":" }),
        "exit" if arguments.first().is_some_and(|word| word.text == "0") => Some("exit 0"),
        "echo" if is_last && command.redirects.is_empty() => Some("echo …"),
        _ => None,
    }
}

/// The program and its subcommand, if it tests or scans.
fn test_or_scan(command: &Command) -> Option<String> {
    let (mut program, mut arguments) = command.program()?;
    // What starts the tools of a project.
    loop {
        let skip = match (program, arguments.first().map(|word| word.text.as_str())) {
            ("npx" | "bunx" | "uvx", Some(_)) => 0,
            ("poetry" | "uv" | "pipenv" | "pdm" | "hatch", Some("run"))
            | ("bundle" | "yarn" | "pnpm", Some("exec")) => 1,
            ("python" | "python3", Some("-m")) => 1,
            _ => break,
        };
        let (first, rest) = arguments.get(skip..)?.split_first()?;
        (program, arguments) = (first.text.as_str(), rest);
    }
    const ALWAYS: &[&str] = &[
        "pytest",
        "tox",
        "nox",
        "ctest",
        "jest",
        "vitest",
        "phpunit",
        "rspec",
        "trivy",
        "grype",
        "snyk",
        "bandit",
        "pip-audit",
        "eslint",
        "flake8",
        "mypy",
        "pyright",
        "pylint",
        "shellcheck",
        "hadolint",
        "golangci-lint",
        "semgrep",
        "gitleaks",
        "trufflehog",
        "rubocop",
        "stylelint",
        "yamllint",
        "actionlint",
        "zizmor",
        "checkov",
        "tfsec",
        "tflint",
        "kubeconform",
        "detekt",
        "ktlint",
        "phpstan",
        "psalm",
        "govulncheck",
        "staticcheck",
        "gosec",
        "osv-scanner",
        "cargo-audit",
        "cargo-deny",
        "tsc",
        "markdownlint",
        "codespell",
        "cppcheck",
    ];
    const WITH: &[(&str, &[&str])] = &[
        ("npm", &["test", "t", "audit"]),
        ("yarn", &["test", "lint", "audit"]),
        ("pnpm", &["test", "lint", "audit"]),
        ("bun", &["test"]),
        ("deno", &["test", "lint"]),
        ("go", &["test", "vet"]),
        ("cargo", &["test", "nextest", "clippy", "audit", "deny"]),
        ("dotnet", &["test"]),
        ("mvn", &["test", "verify"]),
        ("./mvnw", &["test", "verify"]),
        ("gradle", &["test", "check"]),
        ("gradlew", &["test", "check"]),
        ("mvnw", &["test", "verify"]),
        ("make", &["test", "check", "lint"]),
        ("ruff", &["check"]),
        ("safety", &["check", "scan"]),
        ("playwright", &["test"]),
        ("cypress", &["run"]),
        ("mix", &["test"]),
        ("composer", &["audit", "test"]),
        ("bundle", &["audit"]),
        ("docker", &["scout"]),
        ("terraform", &["validate"]),
        ("helm", &["lint"]),
        ("swift", &["test"]),
        ("flutter", &["test", "analyze"]),
    ];
    if ALWAYS.contains(&program) {
        return (!only_prints(arguments)).then(|| program.to_owned());
    }
    let (_, subcommands) = WITH.iter().find(|(name, _)| *name == program)?;
    let mut operands = arguments.iter().filter(|word| !word.text.starts_with('-')).map(|word| word.text.as_str());
    let first = operands.next()?;
    if subcommands.contains(&first) {
        // What mends is no check.
        if operands.next() == Some("fix") {
            return None;
        }
        return Some(format!("{program} {first}"));
    }
    // `npm run test`
    let second = operands.next().filter(|_| first == "run" && matches!(program, "npm" | "yarn" | "pnpm" | "bun"))?;
    let script = second.split(':').next().unwrap_or_default();
    matches!(script, "test" | "lint" | "check" | "typecheck" | "audit").then(|| format!("{program} run {second}"))
}

fn only_prints(arguments: &[Word]) -> bool {
    shells::has_option(arguments, &["--version", "--help", "-V", "-h", "--fix"])
}
