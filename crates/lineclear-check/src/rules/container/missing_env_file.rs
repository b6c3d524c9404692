//! `missing-env-file`: a file of variables that is not there.

use lineclear_source::Severity;

use super::layers::{folder_of, joined};
use crate::Project;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-env-file.md`.
#[derive(Debug)]
pub(super) struct MissingEnvFile;

static META: RuleMeta = RuleMeta {
    id: "missing-env-file",
    summary: "a file of variables that is not there",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("missing-env-file"),
};

impl Rule for MissingEnvFile {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(compose) = file.compose() else { return };
        for service in &compose.services {
            for env_file in service.env_files.iter().filter(|env_file| env_file.is_required) {
                let Some(path) = joined(folder_of(file.path()), &env_file.path.text) else { continue };
                if file.project().exists(&path) || is_made_by_hand(&path, file.project()) {
                    continue;
                }
                report
                    .at(
                        env_file.path.span,
                        format!("there is no `{path}`: `{}` does not start without it", service.name()),
                    )
                    .help("add it, or an example of it beside it; or write `{ path: …, required: false }`");
            }
        }
    }
}

/// Whether each user makes the file: there is an example of it, or git leaves it out.
fn is_made_by_hand(path: &str, project: &Project<'_>) -> bool {
    let folder = folder_of(path);
    let name = path.rsplit('/').next().unwrap_or_default();
    let in_folder =
        |folder: &str, name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let bare = name.strip_suffix(".env").unwrap_or(name);
    let has_example = ["example", "sample", "dist", "template", "tmpl", "default", "defaults"].iter().any(|word| {
        project.exists(&in_folder(folder, &format!("{name}.{word}")))
            || project.exists(&in_folder(folder, &format!("{word}{name}")))
            || project.exists(&in_folder(folder, &format!("{bare}.{word}.env")))
            || project.exists(&in_folder(folder, &format!("{word}.env")))
    });
    let mut at = folder;
    loop {
        let ignored = project.files().read(&in_folder(at, ".gitignore")).ok().flatten();
        let text = ignored.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        if has_example || text.lines().any(|line| fits(line.trim(), name, path)) {
            return true;
        }
        if at.is_empty() {
            return false;
        }
        at = folder_of(at);
    }
}

/// Whether a line of a `.gitignore` may mean the file: a name, a name with one star, or a folder on its way.
fn fits(pattern: &str, name: &str, path: &str) -> bool {
    if pattern.is_empty() || pattern.starts_with(['#', '!']) {
        return false;
    }
    let pattern = pattern.trim_start_matches("**/").trim_matches('/');
    let last = pattern.rsplit('/').next().unwrap_or_default();
    match last.split_once('*') {
        Some((start, end)) => name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
        None => last == name || path.split('/').any(|part| part == last),
    }
}
