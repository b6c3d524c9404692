//! Finding a command's program, and saying what was wrong when it could not be started.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use lineclear_backend::{Command, StartError};
use rustix::fs::{Access, Mode, OFlags, ResolveFlags, access, openat2};
use rustix::io::Errno;

/// Where programs are looked for when the environment has no `PATH`, as in `execvp`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The files that a job sees, looked at from outside.
#[derive(Debug)]
pub(crate) struct Sight {
    /// The root of the job's own view; `None`: what this process sees.
    root: Option<OwnedFd>,
}

/// A file that was found, by a path that leads to it from here.
struct Found {
    path: PathBuf,
    /// Keeps the path valid.
    _file: Option<OwnedFd>,
}

impl Sight {
    /// With a root that cannot be opened, everything is taken to be as it is here.
    pub(crate) fn of(root: Option<&Path>) -> Self {
        let open =
            |root: &Path| rustix::fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        Self { root: root.and_then(|root| open(root).ok()) }
    }

    fn find(&self, path: &Path) -> io::Result<Found> {
        let Some(root) = &self.root else { return Ok(Found { path: path.to_owned(), _file: None }) };
        // Links are followed in the job's own view, also those that begin with a slash.
        let file = openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::IN_ROOT)?;
        Ok(Found { path: format!("/proc/self/fd/{}", file.as_raw_fd()).into(), _file: Some(file) })
    }

    fn metadata(&self, path: &Path) -> io::Result<fs::Metadata> {
        fs::metadata(self.find(path)?.path)
    }

    fn may_execute(&self, path: &Path) -> bool {
        self.find(path).is_ok_and(|found| access(&found.path, Access::EXEC_OK).is_ok())
    }
}

/// The program of `command` as a path.
///
/// A name without a slash is looked up on the `PATH` in the command's own environment. Everything else is a path as it
/// stands, relative to the working directory.
pub(crate) fn program(command: &Command, sight: &Sight) -> Result<PathBuf, StartError> {
    let name = &command.program;
    if name.as_bytes().contains(&b'/') {
        return Ok(PathBuf::from(name));
    }
    let not_found = || StartError::NotFound { program: shown(name) };
    if name.is_empty() {
        return Err(not_found());
    }
    let mut forbidden = false;
    for folder in search_path(command).as_bytes().split(|&byte| byte == b':') {
        // An empty entry means the working directory. `join` keeps an absolute entry as it is.
        let found = command.working_directory.join(OsStr::from_bytes(folder)).join(name);
        let Ok(metadata) = sight.metadata(&found) else { continue };
        if metadata.is_file() && sight.may_execute(&found) {
            return Ok(found);
        }
        // A folder of that name is passed over, as every shell does.
        forbidden |= metadata.is_file();
    }
    Err(if forbidden { StartError::NotExecutable { program: shown(name) } } else { not_found() })
}

/// The last `PATH` of the command's environment.
fn search_path(command: &Command) -> OsString {
    let last = command.env.iter().rev().find(|(name, _)| name == "PATH");
    last.map_or_else(|| DEFAULT_PATH.into(), |(_, value)| value.clone())
}

/// What a failure to start `path`, the program of `command`, means.
pub(crate) fn explain(command: &Command, path: &Path, error: io::Error, sight: &Sight) -> StartError {
    let program = shown(&command.program);
    let because = |kind, text: String| StartError::Io { program: program.clone(), source: io::Error::new(kind, text) };
    if error.kind() == io::ErrorKind::InvalidInput {
        return because(error.kind(), "its arguments, its environment or its working directory hold a NUL byte".into());
    }
    if let Err(error) = directory(command, sight) {
        return error;
    }
    let folder = &command.working_directory;
    match Errno::from_io_error(&error) {
        Some(Errno::TOOBIG) => StartError::TooLarge { program },
        Some(Errno::ACCESS | Errno::PERM) => StartError::NotExecutable { program },
        Some(Errno::NOENT | Errno::NOTDIR) => match sight.metadata(&folder.join(path)) {
            Ok(_) => because(error.kind(), missing_interpreter(&folder.join(path), sight)),
            Err(_) => StartError::NotFound { program },
        },
        Some(Errno::NOEXEC) => because(
            error.kind(),
            "it is neither a program for this machine nor a script whose first line names its interpreter (`#!…`)"
                .into(),
        ),
        _ => StartError::Io { program, source: error },
    }
}

/// Says what is wrong with the folder that a command is to run in.
fn directory(command: &Command, sight: &Sight) -> Result<(), StartError> {
    let program = shown(&command.program);
    let because = |kind, text: String| StartError::Io { program, source: io::Error::new(kind, text) };
    let folder = &command.working_directory;
    match sight.metadata(folder) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            return Err(StartError::NoWorkingDirectory { path: folder.clone() });
        }
        Err(other) => {
            return Err(because(
                other.kind(),
                format!("the working directory `{}` cannot be entered: {other}", folder.display()),
            ));
        }
        Ok(metadata) if !metadata.is_dir() => {
            let text = format!("the working directory `{}` is not a folder", folder.display());
            return Err(because(io::ErrorKind::NotADirectory, text));
        }
        Ok(_) => {}
    }
    if !sight.may_execute(folder) {
        let text = format!("the working directory `{}` may not be entered", folder.display());
        return Err(because(io::ErrorKind::PermissionDenied, text));
    }
    Ok(())
}

/// Says beforehand what would keep `path` from starting, for when something else starts it and could only fail.
pub(crate) fn check(command: &Command, path: &Path, sight: &Sight) -> Result<(), StartError> {
    directory(command, sight)?;
    let target = command.working_directory.join(path);
    let fault = match sight.metadata(&target) {
        Err(error) => Some(error),
        Ok(metadata) if !metadata.is_file() || !sight.may_execute(&target) => Some(Errno::ACCESS.into()),
        Ok(_) => match interpreter(&target, sight) {
            Some(path) if sight.metadata(&command.working_directory.join(&path)).is_err() => Some(Errno::NOENT.into()),
            _ => None,
        },
    };
    fault.map_or(Ok(()), |error| Err(explain(command, path, error, sight)))
}

/// The program is there, and yet the system says "no such file": then what it needs to run is not there.
fn missing_interpreter(program: &Path, sight: &Sight) -> String {
    match interpreter(program, sight) {
        Some(interpreter) => {
            let hint = if interpreter.ends_with('\r') { "; the file has Windows line ends" } else { "" };
            format!("its first line names the interpreter `{}`, which does not exist{hint}", interpreter.trim_end())
        }
        None => "the loader that it was built for does not exist on this machine".into(),
    }
}

/// What the first line of a script names, as the system reads it: a carriage return belongs to the name.
fn interpreter(program: &Path, sight: &Sight) -> Option<String> {
    let mut start = [0; 256];
    let found = sight.find(program).ok()?;
    let length = fs::File::open(&found.path).and_then(|mut file| file.read(&mut start)).ok()?;
    let line = start.get(..length)?.split(|&byte| byte == b'\n').next()?.strip_prefix(b"#!")?;
    let line = String::from_utf8_lossy(line);
    line.trim_start_matches([' ', '\t']).split([' ', '\t']).next().map(str::to_owned)
}

fn shown(program: &OsStr) -> String {
    program.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const HERE: Sight = Sight { root: None };

    fn command(program: &str, path: &str, folder: &Path) -> Command {
        Command {
            program: program.into(),
            args: Vec::new(),
            env: vec![("PATH".into(), path.into())],
            working_directory: folder.into(),
        }
    }

    fn place(file: &Path, text: &str, mode: u32) {
        fs::create_dir_all(file.parent().expect("a file in a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("permissions");
    }

    #[test]
    fn the_commands_own_path_decides_and_not_that_of_this_process() {
        let folder = tempfile::tempdir().expect("a folder");
        place(&folder.path().join("bin/bash"), "", 0o755);
        let own = folder.path().join("bin");
        let command = command("bash", &own.to_string_lossy(), folder.path());
        assert_eq!(program(&command, &HERE).expect("found"), own.join("bash"));
    }

    #[test]
    fn what_may_not_be_executed_is_passed_over_but_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        place(&folder.path().join("a/tool"), "", 0o644);
        fs::create_dir_all(folder.path().join("b/tool")).expect("a folder");
        let only_a = command("tool", "a:b", folder.path());
        assert!(matches!(program(&only_a, &HERE), Err(StartError::NotExecutable { .. })));
        place(&folder.path().join("c/tool"), "", 0o755);
        let with_c = command("tool", "a:b:c", folder.path());
        assert_eq!(program(&with_c, &HERE).expect("found"), folder.path().join("c/tool"));
    }

    #[test]
    fn an_empty_entry_of_the_path_is_the_working_directory() {
        let folder = tempfile::tempdir().expect("a folder");
        place(&folder.path().join("tool"), "", 0o755);
        assert!(program(&command("tool", "/nowhere:", folder.path()), &HERE).is_ok());
        assert!(matches!(
            program(&command("tool", "/nowhere", folder.path()), &HERE),
            Err(StartError::NotFound { .. })
        ));
    }

    #[test]
    fn a_path_is_not_looked_up() {
        let command = command("./tool", "/bin", Path::new("/"));
        assert_eq!(program(&command, &HERE).expect("a path is taken as it is"), Path::new("./tool"));
    }
}
