//! `unhashed-package`: a version alone does not say what its dependencies are.

use lineclear_source::Severity;

use super::adhoc_package::{fetches, name_of};
use super::shells;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unhashed-package.md`.
#[derive(Debug)]
pub(super) struct UnhashedPackage;

static META: RuleMeta = RuleMeta {
    id: "unhashed-package",
    summary: "a package in a named version that no lock of the repository knows",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("unhashed-package"),
};

impl Rule for UnhashedPackage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        const NEEDLES: &[&str] = &["npm", "npx", "bunx", "pip", "uv", "gem ", "yarn", "pnpm", "bun"];
        for site in file.scripts().iter().filter(|site| site.language.is_some() && site.has_any(NEEDLES)) {
            for command in &site.script().commands {
                let Some((program, arguments)) = command.program() else { continue };
                for fetch in
                    fetches(program, arguments).into_iter().filter(|fetch| fetch.is_pinned && fetch.is_of_registry())
                {
                    let name = name_of(&fetch.word.text);
                    report
                        .at(
                            shells::span_of_word(site, fetch.word),
                            format!("`{}` fetches `{name}` in one version, but its dependencies in the newest, and checks no hash", fetch.how),
                        )
                        .help("add it to the project's dependencies, and install by a lock that has hashes");
                }
            }
        }
    }
}
