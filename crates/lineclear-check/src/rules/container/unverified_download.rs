//! `unverified-download`: `ADD` of an address without a checksum.

use lineclear_dockerfile::InstructionKind;
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unverified-download.md`.
#[derive(Debug)]
pub(super) struct UnverifiedDownload;

static META: RuleMeta = RuleMeta {
    id: "unverified-download",
    summary: "`ADD` of an address without a checksum",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("unverified-download"),
};

impl Rule for UnverifiedDownload {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for instruction in dockerfile.stages.iter().flat_map(|stage| &stage.instructions) {
            let InstructionKind::Add(transfer) = &instruction.kind else { continue };
            if instruction.flag("checksum").is_some() {
                continue;
            }
            for source in transfer.sources.iter().filter(|source| is_address(source.raw())) {
                report
                    .at(
                        source.span(),
                        format!(
                            "what `{}` gives on the day of the build goes into the image unseen",
                            lineclear_source::clipped(source.raw(), 60)
                        ),
                    )
                    .help("name what is expected: `ADD --checksum=sha256:… address path`");
            }
        }
    }
}

/// A file on the net; a repository of git is pinned by its own reference.
fn is_address(source: &str) -> bool {
    let lower = source.to_ascii_lowercase();
    (lower.starts_with("http://") || lower.starts_with("https://"))
        && !lower.contains(".git#")
        && !lower.ends_with(".git")
}
