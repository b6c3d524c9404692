//! The files through which a step speaks to its runner: `GITHUB_ENV`, `GITHUB_OUTPUT` and their kin.
//!
//! Every step, also one inside a composite action, gets new, empty files (trap 18). What a step does to them is its own
//! affair: it may delete them, and it may not make the runner read anything else, or wait.
//!
//! # Source
//! Section 2.5 of the protocol notes, after `FileCommandManager.cs` of `actions/runner`.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use lineclear_command::{parse_pairs, parse_paths};
use rustix::fs::{Mode, OFlags};

/// More than this in one file is an error: no process could be started with such an environment, and no hosted runner
/// keeps outputs of this size.
const LARGEST: u64 = 64 << 20;

/// A summary may not be larger; GitHub refuses to show one that is (trap 29).
pub(crate) const LARGEST_SUMMARY: u64 = 1 << 20;

const FILES: [(&str, &str); 5] = [
    ("env", "set_env"),
    ("output", "set_output"),
    ("path", "add_path"),
    ("state", "save_state"),
    ("step_summary", "step_summary"),
];

/// The files of one step. They are removed when this is read or dropped.
#[derive(Debug)]
pub(crate) struct CommandFiles {
    paths: [PathBuf; 5],
}

/// Who has to be able to write to the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writers {
    ThisUser,
    /// A container's user may be another one.
    AnyUser,
}

/// What a step wrote, file by file, as far as it could be read.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) env: Vec<(String, String)>,
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) state: Vec<(String, String)>,
    pub(crate) paths: Vec<String>,
    pub(crate) summary: Option<Summary>,
    /// Sentences, each of which fails the step.
    pub(crate) errors: Vec<String>,
}

#[derive(Debug)]
pub(crate) enum Summary {
    Markdown(String),
    TooLarge { bytes: u64 },
}

impl CommandFiles {
    /// Makes the files in `folder`; `number` is new in the job.
    pub(crate) fn create(folder: &Path, number: u64, writers: Writers) -> io::Result<Self> {
        let paths = FILES.map(|(_, prefix)| folder.join(format!("{prefix}_{number}")));
        match Self::create_all(&paths, writers) {
            // A step may have removed the whole folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder)?;
                Self::create_all(&paths, writers)?;
            }
            other => other?,
        }
        Ok(Self { paths })
    }

    fn create_all(paths: &[PathBuf; 5], writers: Writers) -> io::Result<()> {
        for path in paths {
            let file = OpenOptions::new().write(true).create_new(true).open(path)?;
            if writers == Writers::AnyUser {
                file.set_permissions(Permissions::from_mode(0o666))?;
            }
        }
        Ok(())
    }

    /// Key of the `github` context and path of each file.
    pub(crate) fn paths(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        FILES.iter().zip(&self.paths).map(|((key, _), path)| (*key, path.as_path()))
    }

    /// Reads what was written; a deleted file is an empty one.
    pub(crate) fn read(self) -> Written {
        let mut written = Written::default();
        let [env, output, path, state, summary] = &self.paths;
        written.env = pairs("GITHUB_ENV", env, &mut written.errors);
        written.outputs = pairs("GITHUB_OUTPUT", output, &mut written.errors);
        written.state = pairs("GITHUB_STATE", state, &mut written.errors);
        match contents("GITHUB_PATH", path, LARGEST) {
            Ok(Contents::Bytes(bytes)) => written.paths = parse_paths(&bytes),
            Ok(Contents::TooLarge(size)) => written.errors.push(too_large("GITHUB_PATH", size)),
            Ok(Contents::Empty) => {}
            Err(error) => written.errors.push(error),
        }
        match contents("GITHUB_STEP_SUMMARY", summary, LARGEST_SUMMARY) {
            Ok(Contents::Bytes(bytes)) => {
                written.summary = Some(Summary::Markdown(String::from_utf8_lossy(&bytes).into_owned()));
            }
            Ok(Contents::TooLarge(bytes)) => written.summary = Some(Summary::TooLarge { bytes }),
            Ok(Contents::Empty) => {}
            Err(error) => written.errors.push(error),
        }
        written
    }
}

impl Drop for CommandFiles {
    fn drop(&mut self) {
        for path in &self.paths {
            // Gone already when the step deleted it, and a folder in its place goes with the job's own folders.
            let _ = fs::remove_file(path);
        }
    }
}

fn pairs(variable: &str, path: &Path, errors: &mut Vec<String>) -> Vec<(String, String)> {
    match contents(variable, path, LARGEST) {
        Ok(Contents::Bytes(bytes)) => {
            let (pairs, error) = parse_pairs(&bytes);
            errors.extend(error.map(|error| {
                format!("Unable to process file command '{}' successfully: {variable}, {error}", file_command(variable))
            }));
            pairs
        }
        Ok(Contents::TooLarge(size)) => {
            errors.push(too_large(variable, size));
            Vec::new()
        }
        Ok(Contents::Empty) => Vec::new(),
        Err(error) => {
            errors.push(error);
            Vec::new()
        }
    }
}

/// The name that GitHub's own message uses.
fn file_command(variable: &str) -> &'static str {
    match variable {
        "GITHUB_ENV" => "env",
        "GITHUB_OUTPUT" => "output",
        _ => "state",
    }
}

fn too_large(variable: &str, size: u64) -> String {
    format!(
        "the file of {variable} holds {size} bytes; a step may write at most {LARGEST}: keep large data in files and artifacts"
    )
}

enum Contents {
    Empty,
    Bytes(Vec<u8>),
    TooLarge(u64),
}

/// What the file holds. Never follows a link and never waits for a writer: a step may have put anything in the file's place.
fn contents(variable: &str, path: &Path, largest: u64) -> Result<Contents, String> {
    let replaced = |by: &str| format!("the file of {variable} was replaced by {by}: append to the file instead");
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_symlink() => return Err(replaced("a symbolic link")),
        Ok(meta) if meta.is_dir() => return Err(replaced("a folder")),
        Ok(meta) if !meta.is_file() => return Err(replaced("something that is no file")),
        Ok(meta) if meta.len() == 0 => return Ok(Contents::Empty),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contents::Empty),
        Err(error) => return Err(format!("cannot look at the file of {variable}: {error}")),
    }
    let cannot_read = |error: io::Error| format!("cannot read the file of {variable}: {error}");
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(error) => return Err(cannot_read(error.into())),
    };
    let meta = file.metadata().map_err(cannot_read)?;
    if !meta.is_file() {
        return Err(replaced("something that is no file"));
    }
    if meta.len() > largest {
        return Ok(Contents::TooLarge(meta.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    // Someone left behind by the step may go on writing: what is read stays within the limit all the same.
    file.take(largest).read_to_end(&mut bytes).map_err(cannot_read)?;
    Ok(Contents::Bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(change: impl FnOnce(&CommandFiles)) -> Written {
        let folder = tempfile::tempdir().expect("a folder");
        let files = CommandFiles::create(&folder.path().join("made"), 1, Writers::ThisUser)
            .expect("the folder is made when it is missing");
        change(&files);
        files.read()
    }

    fn path<'f>(files: &'f CommandFiles, key: &str) -> &'f Path {
        files.paths().find(|(name, _)| *name == key).expect("a known file").1
    }

    #[test]
    fn untouched_and_deleted_files_are_empty() {
        let written = after(|files| fs::remove_file(path(files, "env")).expect("it was there"));
        assert!(written.errors.is_empty() && written.env.is_empty() && written.summary.is_none());
    }

    #[test]
    fn trap_29_a_summary_of_one_byte_too_many_is_not_kept() {
        let largest = usize::try_from(LARGEST_SUMMARY).expect("it fits");
        let fits = after(|files| fs::write(path(files, "step_summary"), vec![b'a'; largest]).expect("writes"));
        assert!(matches!(fits.summary, Some(Summary::Markdown(text)) if text.len() == largest));
        let more = after(|files| fs::write(path(files, "step_summary"), vec![b'a'; largest + 1]).expect("writes"));
        assert!(matches!(more.summary, Some(Summary::TooLarge { bytes }) if bytes == LARGEST_SUMMARY + 1));
        assert!(more.errors.is_empty(), "the step stays green");
    }

    #[test]
    fn a_link_a_folder_or_a_pipe_in_place_of_a_file_is_an_error_and_never_waits() {
        let replace = |with: fn(&Path)| {
            after(|files| {
                fs::remove_file(path(files, "output")).expect("it was there");
                with(path(files, "output"));
            })
            .errors
        };
        assert!(
            replace(|at| std::os::unix::fs::symlink("/etc/passwd", at).expect("links"))[0].contains("a symbolic link")
        );
        assert!(replace(|at| fs::create_dir(at).expect("makes"))[0].contains("a folder"));
        let pipe = replace(|at| {
            rustix::fs::mknodat(rustix::fs::CWD, at, rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o600), 0)
                .expect("makes");
        });
        assert!(pipe[0].contains("no file"));
    }

    #[test]
    fn a_file_that_is_too_large_is_named_with_its_size() {
        let written = after(|files| {
            File::create(path(files, "env")).and_then(|file| file.set_len(LARGEST + 1)).expect("a sparse file");
        });
        assert!(written.errors[0].contains("GITHUB_ENV holds 67108865 bytes"), "{:?}", written.errors);
    }
}
