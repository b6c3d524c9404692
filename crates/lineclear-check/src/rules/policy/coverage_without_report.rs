//! `coverage-without-report`: a gate that asks for a coverage which nothing measures.

use lineclear_source::Severity;

use crate::project::Repository;
use crate::rules::delivery::AllWorkflows;
use crate::{Activity, Dialect, FileKind, Group, Repair, Report, RepositoryRule, RuleMeta, page};

/// Manual and tests: `docs/rules/coverage-without-report.md`.
#[derive(Debug)]
pub(super) struct CoverageWithoutReport;

static META: RuleMeta = RuleMeta {
    id: "coverage-without-report",
    summary: "a gate that asks for coverage where nothing measures it",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy, FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("coverage-without-report"),
};

impl RepositoryRule for CoverageWithoutReport {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>) {
        let Some((_, policy)) = repository.policy else { return };
        // A gate that asks for coverage and names no bound waits for a report all the same.
        let mut asked = policy.gates.iter().filter_map(|gate| gate.coverage.as_ref()).peekable();
        if asked.peek().is_none() || measures(repository) {
            return;
        }
        for coverage in asked {
            let is_ratchet = coverage.ratchet.as_ref().is_some_and(|ratchet| ratchet.value);
            let key = match (coverage.min.is_some(), is_ratchet) {
                (true, _) => "min",
                (false, true) => "ratchet",
                (false, false) => "coverage",
            };
            report
                .at(coverage.span, format!("`{key}` asks for a coverage, and nothing in the workflows or settings of tests measures one: the gate stays closed"))
                .help("let the tests write a report (Cobertura, JaCoCo or LCOV) and a step hand it in, as `pytest --cov --cov-report=xml` does");
        }
    }
}

/// Files in which people say that their tests measure coverage, so that no workflow has to.
const SETTINGS: &[&str] = &[
    ".coveragerc",
    "Cargo.toml",
    "Justfile",
    "Makefile",
    "build.gradle",
    "build.gradle.kts",
    "jest.config.js",
    "jest.config.ts",
    "justfile",
    "noxfile.py",
    "package.json",
    "pom.xml",
    "pyproject.toml",
    "pytest.ini",
    "setup.cfg",
    "tox.ini",
    "vite.config.js",
    "vite.config.ts",
    "vitest.config.ts",
];

/// Whether something speaks of coverage. What is in programs of the repository is not looked at, only what starts them.
fn measures(repository: &Repository<'_>) -> bool {
    let workflows = AllWorkflows::of(repository);
    if workflows.has_unreadable || workflows.iter().any(|workflow| speaks(workflow.source.text())) {
        return true;
    }
    let list = repository.project.list();
    let settings = list.iter().filter(|path| SETTINGS.contains(&path.rsplit('/').next().unwrap_or_default()));
    let mut texts = settings.filter_map(|path| repository.project.files().read(path).ok().flatten());
    texts.any(|bytes| speaks(&String::from_utf8_lossy(&bytes)))
}

fn speaks(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["coverage", "--cov", "codecov", "coveralls", "llvm-cov", "lcov", "-cover", "jacoco", "tarpaulin"]
        .iter()
        .any(|word| text.contains(word))
}
