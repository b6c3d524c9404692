//! `lineclear.toml` of a repository as everything goes by it: read, and with what its preset stands for.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use lineclear_check::offered_checks;
use lineclear_policy::{PRESET_GATE, Policy, Preset, PresetPolicy, RequiredCheck};
use lineclear_source::{Diagnostic, Source, Span, Spanned, Style, render};

use crate::workflow_files::{self, WorkflowFile};

/// The file's name, in the repository's root.
pub(crate) const NAME: &str = "lineclear.toml";

/// A larger file is no policy that anybody wrote.
const LARGEST: u64 = 1 << 20;

/// What `lineclear.toml` says.
#[derive(Debug)]
pub(crate) struct PolicyFile {
    /// Its text; empty where there is no file.
    pub(crate) source: Source,
    /// Whether there is a file.
    pub(crate) exists: bool,
    /// What everything goes by.
    pub(crate) policy: Policy,
    /// What is wrong with its text, in order.
    pub(crate) findings: Vec<Diagnostic>,
    /// What its preset does not find in the workflows.
    pub(crate) problems: Vec<Diagnostic>,
}

/// Reads the policy of the repository whose root this is, and its workflows, if a preset asks for them.
///
/// A file that is not there is an empty one. What is wrong with it is in the findings: see [`PolicyFile::sound`].
///
/// # Errors
/// A sentence: the file is there and cannot be read, or is not text.
pub(crate) fn read(root: &Path) -> Result<PolicyFile, String> {
    read_as(root, None)
}

/// As [`read`], of a policy that may be called otherwise.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_file(file: &Path, root: &Path) -> Result<PolicyFile, String> {
    read_named(file, &file.display().to_string(), root, None)
}

/// As [`read`], as if the file named `preset`.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_as(root: &Path, preset: Option<Preset>) -> Result<PolicyFile, String> {
    read_named(&root.join(NAME), NAME, root, preset)
}

/// What stands in the file that a policy is in; `None` where there is none.
///
/// # Errors
/// A sentence that names the file: it is there and cannot be read, is no regular file (or a link to one), or is too large.
pub(crate) fn bytes_of(file: &Path, name: &str) -> Result<Option<Vec<u8>>, String> {
    let cannot = |error: std::io::Error| format!("`{name}` cannot be read: {error}");
    let about = match std::fs::metadata(file) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(error)),
    };
    // A pipe would be waited for, and a device never ends.
    if !about.is_file() {
        let what = if about.is_dir() { "a folder" } else { "a device or a pipe, or a link to one" };
        return Err(format!("`{name}` cannot be read: it is {what}; expected a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(file).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!(
            "`{name}` cannot be read: it has more than {LARGEST} bytes, the most that a policy may have"
        ));
    }
    Ok(Some(bytes))
}

fn read_named(file: &Path, name: &str, root: &Path, preset: Option<Preset>) -> Result<PolicyFile, String> {
    let bytes = bytes_of(file, name)?;
    let exists = bytes.is_some();
    let text = String::from_utf8(bytes.unwrap_or_default())
        .map_err(|_| format!("`{name}` is not valid UTF-8; save it as UTF-8"))?;
    let source = Source::new(name, text);
    let (mut written, findings) = Policy::read(&source);
    if let Some(preset) = preset {
        written.preset = Some(PresetPolicy {
            preset: Spanned::new(preset, Span::default()),
            checks: written.preset.map(|known| known.checks).unwrap_or_default(),
        });
    }
    let (policy, problems) = match written.preset {
        Some(_) => expanded(&written, &workflow_files::read(root, &[])?),
        None => (written, Vec::new()),
    };
    Ok(PolicyFile { source, exists, policy, findings, problems })
}

/// The policy with what its preset stands for in these workflows, and what is wrong with that.
///
/// A workflow that has errors may have any check, the very ones that the preset asks for: that is an error with the code
/// `preset-of-faulty-workflow`, and the preset's gate stays closed. Only a gate with a `require` of its own does not rest on workflows.
pub(crate) fn expanded(written: &Policy, files: &[WorkflowFile]) -> (Policy, Vec<Diagnostic>) {
    let models = files.iter().filter_map(|file| file.workflow.as_ref());
    let (mut policy, mut problems) = written.expanded(&offered_checks(models, &workflow_files::called(files)));
    let Some(preset) = &written.preset else { return (policy, problems) };
    let gate = policy.gates.iter_mut().find(|gate| gate.name.value == PRESET_GATE && !gate.has_require);
    if let Some(gate) = gate {
        let span = preset.preset.span;
        for name in files.iter().filter(|file| file.has_errors()).map(|file| file.source.name()) {
            let preset = preset.preset.value.as_str();
            let message =
                format!("the preset `{preset}` asks for checks of the workflows, and nobody knows those of `{name}`");
            let problem = Diagnostic::error("preset-of-faulty-workflow", message).at(span);
            problems.push(problem.help("`lineclear check` says what is wrong with it"));
            // Whoever asks the gate all the same finds it closed, and reads why.
            let check = format!("any check of {name} (the workflow has errors, so nobody knows which it has)");
            gate.require.push(RequiredCheck { check: Spanned::new(check, span), on: None });
        }
    }
    (policy, problems)
}

impl PolicyFile {
    /// The policy, if nothing is wrong with it: what moves images must not go by half of what somebody meant.
    ///
    /// # Errors
    /// All errors as they are shown to a person, each with its line.
    pub(crate) fn sound(&self, style: Style) -> Result<&Policy, String> {
        let errors: Vec<String> = self
            .findings
            .iter()
            .chain(&self.problems)
            .filter(|finding| finding.is_error())
            .map(|finding| render(finding, &self.source, style).trim_end().to_owned())
            .collect();
        if errors.is_empty() { Ok(&self.policy) } else { Err(errors.join("\n\n")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_is_filled_in_from_the_workflows_and_its_faults_are_errors() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        let nothing = read(folder.path()).expect("no file is an empty one");
        assert!(!nothing.exists && nothing.findings.is_empty() && nothing.policy.gates.is_empty());
        write("lineclear.toml", "preset = 'publish-only'\n");
        let file = read(folder.path()).expect("it can be read");
        assert!(file.sound(Style::Plain).expect_err("there is no check").contains("lineclear.toml:1"), "{file:?}");
        write(
            ".github/workflows/ci.yml",
            "name: CI\non: push\njobs:\n  lint: { runs-on: ubuntu-latest, steps: [{ run: a }] }\n",
        );
        let file = read(folder.path()).expect("it can be read");
        let policy = file.sound(Style::Plain).expect("nothing is wrong");
        assert_eq!(policy.gate("main").expect("the preset's").require[0].check.value, "CI / lint");
    }

    #[test]
    fn what_is_no_file_or_too_large_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(NAME);
        let refused = || read(folder.path()).expect_err("it is no policy");
        for endless in ["/dev/zero", "/dev/null"] {
            std::os::unix::fs::symlink(endless, &file).expect("a link");
            assert!(refused().contains("`lineclear.toml` cannot be read: it is a device"), "{}", refused());
            std::fs::remove_file(&file).expect("it is there");
        }
        std::fs::create_dir(&file).expect("a folder");
        assert!(refused().contains("it is a folder; expected a regular file"), "{}", refused());
        std::fs::remove_dir(&file).expect("it is there");
        let largest = usize::try_from(LARGEST).expect("it is small");
        std::fs::write(&file, "#".repeat(largest + 1)).expect("a file");
        assert!(refused().contains("more than 1048576 bytes"), "{}", refused());
        // A link to a file is what the file is.
        let policy = folder.path().join("policy.toml");
        std::fs::write(&policy, "#".repeat(largest)).expect("a file");
        std::fs::remove_file(&file).expect("it is there");
        std::os::unix::fs::symlink("policy.toml", &file).expect("a link");
        assert!(read(folder.path()).expect("it can be read").exists);
    }

    #[test]
    fn a_workflow_that_cannot_be_understood_takes_no_check_from_a_presets_gate() {
        let of = |policy: &str, second: &str| {
            let (written, findings) = Policy::read(&Source::new(NAME, policy));
            assert_eq!(findings, []);
            let job = "{ runs-on: ubuntu-latest, steps: [{ run: a }] }";
            let first = format!("name: CI\non: push\njobs: {{ lint: {job} }}\n");
            let file = |name: &str, text: &str| workflow_files::of_text(name, text.to_owned());
            expanded(&written, &[file("ci.yml", &first), file("tests.yml", second)])
        };
        for faulty in ["name: [", "name: T\non: push\njobs: { test: 5 }\n"] {
            let (policy, problems) = of("preset = 'publish-only'", faulty);
            assert!(problems.iter().any(|problem| problem.message.contains("nobody knows those of `tests.yml`")));
            let required = &policy.gate("main").expect("the preset's").require;
            assert!(required.iter().any(|one| one.check.value.starts_with("any check of tests.yml")), "{required:?}");
            // A list of one's own rests on no workflow.
            let (policy, problems) = of("preset = 'publish-only'\n[gate.main]\nrequire = ['CI / lint']", faulty);
            assert_eq!((policy.gate("main").expect("it is there").require.len(), problems), (1, Vec::new()));
        }
    }
}
