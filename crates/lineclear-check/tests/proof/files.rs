//! The good files, and how they are checked.

use std::path::PathBuf;

use lineclear_check::{Checked, Checker, FileKind, Memory, Project, Settings};
use lineclear_source::Source;

/// A workflow of `tests/corpus`.
pub(crate) struct Good {
    pub(crate) name: String,
    pub(crate) text: String,
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// All of them, by name.
pub(crate) fn good() -> Vec<Good> {
    let mut all: Vec<Good> = std::fs::read_dir(folder())
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .map(|path| Good {
            name: path.file_name().expect("a file has one").to_string_lossy().into_owned(),
            text: std::fs::read_to_string(&path).expect("it is text"),
        })
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// The text as a workflow of a repository that has nothing else.
pub(crate) fn source(name: &str, text: &str) -> Source {
    Source::new(format!(".github/workflows/{name}"), text)
}

/// What the rules say of a text, where nothing is set.
pub(crate) fn check(name: &str, text: &str) -> Checked {
    let memory = Memory::default();
    Checker::new(&Settings::default()).check(source(name, text), FileKind::Workflow, &Project::new(&memory))
}
