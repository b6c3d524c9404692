//! `dependabot-directory`: a folder that is to be updated is not there.

use lineclear_source::Severity;
use lineclear_source::suggest;

use super::update::updates;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/dependabot-directory.md`.
#[derive(Debug)]
pub(super) struct DependabotDirectory;

static META: RuleMeta = RuleMeta {
    id: "dependabot-directory",
    summary: "a folder that is to be updated is not there",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Dependabot],
    repair: Repair::None,
    since: "0.1",
    page: page!("dependabot-directory"),
};

impl Rule for DependabotDirectory {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let all = updates(file);
        if all.is_empty() {
            return;
        }
        let list = file.project().list();
        // Without a list of files nothing can be missing in it.
        if list.len() < 2 {
            return;
        }
        for update in &all {
            let Some((ecosystem, _)) = update.ecosystem() else { continue };
            let is_elsewhere = update.get("target-branch").is_some();
            for (directory, span) in update.directories() {
                let folder = directory.trim_matches('/');
                if is_elsewhere || folder.contains(['*', '?', '[', '{']) || folder.starts_with('.') {
                    continue;
                }
                let mut inside = list.iter().filter_map(|path| within(path, folder)).peekable();
                if inside.peek().is_none() {
                    let folders = list.iter().filter_map(|path| path.rsplit_once('/').map(|(folder, _)| folder));
                    let message = match suggest(folder, folders) {
                        Some(near) => format!("there is no folder `{directory}`; did you mean `/{near}`?"),
                        None => format!("there is no folder `{directory}`: this update fails each time"),
                    };
                    report.at(span, message);
                } else if let Some((_, manifest)) = MANIFESTS.iter().find(|(name, _)| *name == ecosystem)
                    && !inside.any(|name| name == *manifest)
                {
                    report.at(span, format!("there is no `{manifest}` in `{directory}`: this update fails each time"));
                }
            }
        }
    }
}

/// Package managers that have one file that must be there.
const MANIFESTS: &[(&str, &str)] = &[
    ("cargo", "Cargo.toml"),
    ("npm", "package.json"),
    ("gomod", "go.mod"),
    ("composer", "composer.json"),
    ("mix", "mix.exs"),
    ("pub", "pubspec.yaml"),
];

/// The path inside of the folder.
fn within<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}
