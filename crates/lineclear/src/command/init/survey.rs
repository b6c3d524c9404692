//! What a repository is made of, as far as `init` goes by it.

use std::collections::BTreeSet;
use std::path::Path;

use lineclear_check::offered_checks;
use lineclear_policy::{CheckClass, OfferedCheck};
use lineclear_workflow::Workflow;

use crate::workflow_files::{self, WorkflowFile};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Parts with a language of their own: the root, and folders in it.
    pub(super) parts: Vec<Part>,
    /// Where an image is built: the image's name and the path of its Dockerfile.
    pub(super) dockerfiles: Vec<(String, String)>,
    /// The compose file of the root.
    pub(super) compose: Option<String>,
    /// The checks of the workflows that are there.
    pub(super) offered: Vec<OfferedCheck>,
    /// Whether a workflow is there that cannot be understood.
    pub(super) has_unreadable: bool,
    /// The names of the workflows that are there.
    pub(super) workflows: Vec<String>,
    /// Whether one of them pushes images.
    pub(super) publishes: bool,
    pub(super) default_branch: String,
}

/// A folder with code of one language.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Below the root; empty for the root.
    pub(super) folder: String,
    pub(super) language: Language,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python {
        /// `requirements.txt`, if it is there.
        requirements: Option<String>,
        /// Whether `pip install .` makes sense.
        is_package: bool,
        tests: Option<PythonTests>,
        ruff: bool,
    },
    Node {
        /// Whether there is something to install, and by a lock file.
        install: Install,
        /// Those of `lint`, `test` and `build` that `package.json` has.
        scripts: Vec<&'static str>,
    },
    Rust,
    Go,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum PythonTests {
    Pytest,
    /// With the folder in which they are.
    Unittest(String),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Install {
    Nothing,
    Locked,
    Unlocked,
}

impl Survey {
    /// Looks at the repository at `root`, whose workflows were read before.
    pub(super) fn of(root: &Path, files: &[WorkflowFile], default_branch: String) -> Self {
        let mut survey = Self { default_branch, ..Self::default() };
        let mut folders = vec![String::new()];
        folders.extend(folders_of(root));
        for folder in &folders {
            survey.parts.extend(parts_of(root, folder));
            if is_file(root, folder, "Dockerfile") {
                let name = if folder.is_empty() { root_name(root) } else { image_name(folder) };
                survey.dockerfiles.push((name, in_folder(folder, "Dockerfile")));
            }
        }
        let names = ["compose.yml", "compose.yaml", "docker-compose.yml", "docker-compose.yaml"];
        survey.compose = names.into_iter().find(|name| is_file(root, "", name)).map(str::to_owned);
        survey.has_unreadable = files.iter().any(|file| file.workflow.is_none());
        let models = || files.iter().filter_map(|file| file.workflow.as_ref());
        survey.workflows = models().map(|workflow| workflow.display_name().to_owned()).collect();
        survey.publishes = models().any(publishes);
        survey.offered = offered_checks(models(), &workflow_files::called(files));
        survey
    }

    /// Whether the workflows that are there already have a check of this class.
    pub(super) fn has(&self, class: CheckClass) -> bool {
        self.offered.iter().any(|check| CheckClass::of(&check.name) == class)
    }

    /// Whether a first workflow has to be written: none says whether the code is sound.
    pub(super) fn lacks_ci(&self) -> bool {
        !self.has(CheckClass::Quality) && !self.has_unreadable && !self.parts.is_empty()
    }

    /// Whether images are built here and nothing publishes them yet.
    pub(super) fn lacks_publication(&self) -> bool {
        !self.dockerfiles.is_empty() && !self.publishes && !self.has_unreadable
    }
}

fn publishes(workflow: &Workflow) -> bool {
    let text = workflow.source.text();
    text.contains("docker push") || text.contains("docker/build-push-action") || text.contains("lineclear/publish")
}

/// The folders of the root, without those that hold no code of one's own.
fn folders_of(root: &Path) -> Vec<String> {
    let left_out = ["node_modules", "target", "vendor", "dist", "build", "docs", "venv", "examples"];
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter(|name| !name.starts_with('.') && !left_out.contains(&name.as_str()) && is_plain(name)).collect();
    names.sort();
    names
}

/// Whether a name can stand in a workflow as it is.
fn is_plain(name: &str) -> bool {
    name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.'))
}

fn parts_of(root: &Path, folder: &str) -> Vec<Part> {
    let is = |name: &str| is_file(root, folder, name);
    let mut parts = Vec::new();
    let mut add = |language: Language| parts.push(Part { folder: folder.to_owned(), language });
    if is("pyproject.toml") || is("setup.py") || is("requirements.txt") {
        add(python(root, folder));
    }
    if is("package.json") {
        add(node(root, folder));
    }
    if is("Cargo.toml") {
        add(Language::Rust);
    }
    if is("go.mod") {
        add(Language::Go);
    }
    parts
}

fn python(root: &Path, folder: &str) -> Language {
    let requirements = is_file(root, folder, "requirements.txt").then(|| "requirements.txt".to_owned());
    let named: String = ["requirements.txt", "pyproject.toml", "tox.ini", "setup.cfg"]
        .iter()
        .filter_map(|name| text(root, folder, name))
        .collect();
    let project = text(root, folder, "pyproject.toml").unwrap_or_default();
    let tests = match () {
        () if named.contains("pytest") => Some(PythonTests::Pytest),
        () => ["tests", "test", ""]
            .into_iter()
            .find(|tests| has_test_files(&root.join(folder).join(tests)))
            .map(|tests| PythonTests::Unittest(tests.to_owned())),
    };
    Language::Python {
        requirements,
        is_package: project.contains("[build-system]") || is_file(root, folder, "setup.py"),
        tests,
        ruff: named.contains("ruff"),
    }
}

fn has_test_files(folder: &Path) -> bool {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| name.into_string().ok()).any(|name| name.starts_with("test") && name.ends_with(".py"))
}

fn node(root: &Path, folder: &str) -> Language {
    let package = text(root, folder, "package.json").unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&package).unwrap_or_default();
    let has = |table: &str, name: &str| package.get(table).and_then(|table| table.get(name)).is_some();
    let needs =
        |table: &str| package.get(table).and_then(|table| table.as_object()).is_some_and(|table| !table.is_empty());
    let install = match (is_file(root, folder, "package-lock.json"), needs("dependencies") || needs("devDependencies"))
    {
        (true, _) => Install::Locked,
        (false, true) => Install::Unlocked,
        (false, false) => Install::Nothing,
    };
    let scripts: BTreeSet<&'static str> =
        ["lint", "test", "build"].into_iter().filter(|name| has("scripts", name)).collect();
    Language::Node {
        install,
        scripts: ["lint", "test", "build"].into_iter().filter(|name| scripts.contains(name)).collect(),
    }
}

fn root_name(root: &Path) -> String {
    root.file_name().map_or_else(|| "app".to_owned(), |name| image_name(&name.to_string_lossy()))
}

/// The name in the letters that names of images may have.
fn image_name(name: &str) -> String {
    let letters = name
        .to_ascii_lowercase()
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() { char } else { '-' })
        .collect::<String>();
    let trimmed = letters.trim_matches('-');
    if trimmed.is_empty() { "app".to_owned() } else { trimmed.to_owned() }
}

pub(super) fn in_folder(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn is_file(root: &Path, folder: &str, name: &str) -> bool {
    root.join(folder).join(name).is_file()
}

fn text(root: &Path, folder: &str, name: &str) -> Option<String> {
    std::fs::read_to_string(root.join(folder).join(name)).ok()
}
