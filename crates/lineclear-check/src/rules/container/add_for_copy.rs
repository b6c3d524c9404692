//! `add-for-copy`: `ADD` where `COPY` does the same and no more.

use lineclear_dockerfile::{InstructionKind, Word};
use lineclear_source::Severity;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/add-for-copy.md`.
#[derive(Debug)]
pub(super) struct AddForCopy;

static META: RuleMeta = RuleMeta {
    id: "add-for-copy",
    summary: "`ADD` where `COPY` does the same and no more",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("add-for-copy"),
};

impl Rule for AddForCopy {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for instruction in dockerfile.stages.iter().flat_map(|stage| &stage.instructions) {
            let InstructionKind::Add(transfer) = &instruction.kind else { continue };
            let has_own_flag =
                ["checksum", "keep-git-dir", "unpack"].iter().any(|name| instruction.flag(name).is_some());
            if has_own_flag || !transfer.sources.iter().all(is_plain) {
                continue;
            }
            let keyword = instruction.keyword.span();
            let fix = report.wants_fixes().then(|| {
                let is_lower = instruction.keyword.raw().starts_with('a');
                Fix::safe("write `COPY`", vec![Edit::replace(keyword, if is_lower { "copy" } else { "COPY" })])
            });
            report
                .at(keyword, "`ADD` loads from the net and unpacks archives, and here it only copies")
                .help("write `COPY`: it does nothing that is not seen")
                .fix(fix);
        }
    }
}

/// A file of the context that is no archive for sure: neither an address nor a pattern that could match one.
fn is_plain(source: &Word) -> bool {
    let raw = source.raw().trim_matches(['"', '\'']);
    let lower = raw.to_ascii_lowercase();
    let is_archive = [".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".txz", ".tbz2", ".tbz"]
        .iter()
        .any(|ending| lower.ends_with(ending));
    !is_archive && !raw.contains(['*', '?', '$', '[']) && !raw.contains("://") && !raw.starts_with("git@")
}
