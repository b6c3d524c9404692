//! `copy-before-dependencies`: every change of a file installs all dependencies again.

use lineclear_dockerfile::InstructionKind;
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/copy-before-dependencies.md`.
#[derive(Debug)]
pub(super) struct CopyBeforeDependencies;

static META: RuleMeta = RuleMeta {
    id: "copy-before-dependencies",
    summary: "every change of a file installs all dependencies again",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("copy-before-dependencies"),
};

impl Rule for CopyBeforeDependencies {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for stage in &dockerfile.stages {
            let mut whole = None;
            for instruction in &stage.instructions {
                match &instruction.kind {
                    InstructionKind::Copy(transfer) | InstructionKind::Add(transfer)
                        if transfer.from.is_none()
                            && transfer.sources.iter().any(|source| matches!(source.raw(), "." | "./")) =>
                    {
                        whole = whole.or(Some(instruction));
                    }
                    InstructionKind::Run(run) => {
                        let Some(copy) = whole else { continue };
                        let Some(script) = run.script() else { continue };
                        let Some(install) = INSTALLS.iter().find(|install| script.as_str().contains(**install)) else {
                            continue;
                        };
                        report
                            .at(copy.span, format!("`{install}` comes behind a copy of everything: it runs again after every change of any file"))
                            .label(instruction.span, "this one")
                            .help("copy the list of dependencies first, install them, and copy the rest behind that");
                        break;
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Commands that install what a list in the repository names.
const INSTALLS: [&str; 10] = [
    "npm ci",
    "npm install",
    "yarn install",
    "pnpm install",
    "pip install -r",
    "poetry install",
    "uv sync",
    "bundle install",
    "composer install",
    "go mod download",
];
