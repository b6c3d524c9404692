//! Finds and reads the workflow files of a repository.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineclear_source::{Diagnostic, Source};
use lineclear_workflow::{Read, Workflow};

/// Where GitHub looks for workflows.
pub(crate) const FOLDER: &str = ".github/workflows";
/// A larger file is no workflow that GitHub would read.
const LARGEST: u64 = 1 << 20;

/// One file that was read: its model, as far as it could be understood, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct WorkflowFile {
    pub(crate) source: Source,
    pub(crate) workflow: Option<Workflow>,
    pub(crate) findings: Vec<Diagnostic>,
}

impl WorkflowFile {
    pub(crate) fn has_errors(&self) -> bool {
        self.workflow.is_none() || self.findings.iter().any(Diagnostic::is_error)
    }
}

/// Reads the files that `named` names (files, or folders of them), or else those of the repository.
///
/// A file that cannot be read, is too large or is not text is in the list with that finding.
///
/// # Errors
/// A sentence for a file or folder that was named and is not there, or a folder that cannot be listed.
pub(crate) fn read(root: &Path, named: &[PathBuf]) -> Result<Vec<WorkflowFile>, String> {
    let mut paths = Vec::new();
    let own = root.join(FOLDER);
    // What cannot be looked at is not taken for what is not there.
    if named.is_empty() && !matches!(own.try_exists(), Ok(false)) {
        paths.extend(in_folder(&own)?);
    }
    for name in named {
        // As typed, as the repository calls it, or by its bare name: reports name files from the repository's root.
        let places = [name.clone(), root.join(name), root.join(FOLDER).join(name)];
        let place = places.into_iter().find(|place| place.exists());
        let place = place.ok_or_else(|| format!("there is no workflow file or folder `{}`", name.display()))?;
        if place.is_dir() {
            let nested = place.join(FOLDER);
            paths.extend(in_folder(if nested.is_dir() { &nested } else { &place })?);
        } else {
            paths.push(place);
        }
    }
    Ok(paths.iter().map(|path| read_one(root, path)).collect())
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let wrong = |error: std::io::Error| format!("cannot read the folder `{}`: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if is_workflow(&path) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Whether the name is that of a workflow.
pub(crate) fn is_workflow(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
}

/// What `text` says as the workflow `name`.
pub(crate) fn of_text(name: &str, text: String) -> WorkflowFile {
    let source = Source::new(name, text);
    let read = Workflow::read(&source);
    WorkflowFile { source, workflow: read.model, findings: read.diagnostics }
}

/// Where these files find each other, by their paths: workflows call workflows.
pub(crate) fn called(files: &[WorkflowFile]) -> impl Fn(&str) -> Option<Arc<Read<Workflow>>> + use<'_> {
    |path| {
        let file = files.iter().find(|file| file.source.name() == path)?;
        Some(Arc::new(Workflow::read(&file.source)))
    }
}

fn read_one(root: &Path, path: &Path) -> WorkflowFile {
    let name = name_in_repository(root, path);
    match text_of(path) {
        Ok(text) => of_text(&name, text),
        Err(problem) => {
            let finding = Diagnostic::error("unreadable-file", problem);
            WorkflowFile { source: Source::new(name, ""), workflow: None, findings: vec![finding] }
        }
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("the file cannot be read: {error}");
    let size = std::fs::metadata(path).map_err(wrong)?.len();
    if size > LARGEST {
        return Err(format!("the file has {size} bytes; a workflow file may have {LARGEST} at most"));
    }
    String::from_utf8(std::fs::read(path).map_err(wrong)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        format!("the file is not valid UTF-8 in line {line}; save it as UTF-8")
    })
}

/// The path from the repository's root, with forward slashes; a file outside keeps the path it was named by.
fn name_in_repository(root: &Path, path: &Path) -> String {
    let absolute = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let (root, full) = (absolute(root), absolute(path));
    let name = full.strip_prefix(&root).unwrap_or(path);
    name.to_string_lossy().replace('\\', "/").trim_start_matches("./").to_owned()
}
