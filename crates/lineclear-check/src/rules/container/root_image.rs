//! `root-image`: an image whose programs run as root.

use lineclear_dockerfile::{Base, Dockerfile, InstructionKind, Stage, Word};
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/root-image.md`.
#[derive(Debug)]
pub(super) struct RootImage;

static META: RuleMeta = RuleMeta {
    id: "root-image",
    summary: "an image whose programs run as root",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("root-image"),
};

impl Rule for RootImage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        let Some(last) = dockerfile.last_stage() else { return };
        let user = dockerfile.lineage(last).find_map(|stage| stage.instructions.iter().rev().find_map(user));
        if let Some(user) = user {
            if is_root(user.raw()) {
                report
                    .at(user.span(), "the image's programs run as `root`: who breaks into one owns the container")
                    .help("end the last stage with a user of its own: `USER app`");
            }
            return;
        }
        // An action's container has to run as root to reach the workspace.
        if changes_user_itself(dockerfile, last)
            || has_other_user(dockerfile, last)
            || file.project().exists(&file.beside("action.yml"))
        {
            return;
        }
        let is_started = dockerfile
            .lineage(last)
            .flat_map(|stage| &stage.instructions)
            .any(|instruction| matches!(instruction.kind, InstructionKind::Cmd(_) | InstructionKind::Entrypoint(_)));
        report
            .at(
                last.from.span,
                format!(
                    "the last stage, from `{}`, has no `USER`: unless its image sets one, its programs run as root",
                    last.from.image.raw()
                ),
            )
            .help("add a user of its own, and end the stage with it: `USER app`")
            .severity(if is_started { Severity::Warning } else { Severity::Info });
    }
}

fn user(instruction: &lineclear_dockerfile::Instruction) -> Option<&Word> {
    if let InstructionKind::User(user) = &instruction.kind { Some(user) } else { None }
}

fn is_root(user: &str) -> bool {
    let name = user.trim_matches(['"', '\'']).split(':').next().unwrap_or_default();
    name == "root" || !name.is_empty() && name.bytes().all(|byte| byte == b'0')
}

/// Whether a program of the image takes another user by itself when it starts.
fn changes_user_itself(dockerfile: &Dockerfile, last: &Stage) -> bool {
    dockerfile.lineage(last).flat_map(|stage| &stage.instructions).any(|instruction| {
        let text = instruction.text.as_str();
        ["gosu", "su-exec", "setpriv", "setuidgid", "s6-overlay"].iter().any(|program| text.contains(program))
    })
}

/// Whether the image says by its name that it has a user.
fn has_other_user(dockerfile: &Dockerfile, last: &Stage) -> bool {
    let root = dockerfile.lineage(last).last().filter(|stage| stage.from.base == Base::Image);
    let Some(stage) = root else { return false };
    match &stage.from.expanded {
        Some(image) => ["nonroot", "non-root", "rootless", "unprivileged", "chainguard", "cgr.dev"]
            .iter()
            .any(|word| image.contains(word)),
        // Which image it is, nobody knows before the build.
        None => true,
    }
}
