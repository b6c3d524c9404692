//! Why a process did not start in a container.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use lineclear_backend::{Command, StartError};
use lineclear_container_engine::EngineError;

/// How long one argument or variable may be.
///
/// # Source
/// Linux, `MAX_ARG_STRLEN`: 32 pages.
const LONGEST_ARGUMENT: usize = 128 << 10;
/// How much of a script is read for its interpreter.
const FIRST_LINE: usize = 256;

type OnHost<'h> = &'h dyn Fn(&Path) -> Option<PathBuf>;

pub(crate) fn shown(program: &OsStr) -> String {
    program.to_string_lossy().into_owned()
}

/// Looks for what can be said before the engine is asked. `has` says whether the container has a file.
pub(crate) fn check(command: &Command, on_host: OnHost<'_>, has: &dyn Fn(&str) -> bool) -> Result<(), StartError> {
    let program = shown(&command.program);
    if command.program.is_empty() {
        return Err(StartError::NotFound { program });
    }
    let too_large = command.args.iter().any(|arg| arg.len() >= LONGEST_ARGUMENT)
        || command.env.iter().any(|(name, value)| name.len() + value.len() + 1 >= LONGEST_ARGUMENT);
    if too_large {
        return Err(StartError::TooLarge { program });
    }
    // A path on this machine, or one in the container that is mapped to one.
    let folder = &command.working_directory;
    let place = on_host(folder).unwrap_or_else(|| folder.clone());
    match place.metadata() {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(StartError::Io { program, source: io::ErrorKind::NotADirectory.into() }),
        // It may be there in the container only: the engine will say.
        Err(_) if on_host(folder).is_none() && !is_known_here(folder) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StartError::NoWorkingDirectory { path: folder.clone() });
        }
        Err(source) => return Err(StartError::Io { program, source }),
    }
    match program_on_host(command, on_host) {
        Some(file) => check_file(program, &file, has),
        None => Ok(()),
    }
}

/// Where a program that is named by a path is on this machine, if it is there.
fn program_on_host(command: &Command, on_host: OnHost<'_>) -> Option<PathBuf> {
    let path = Path::new(&command.program);
    if path.is_absolute() {
        return on_host(path);
    }
    let folder = &command.working_directory;
    let is_path = command.program.as_bytes().contains(&b'/');
    is_path.then(|| on_host(folder)).flatten().map(|folder| folder.join(path))
}

/// Older runtimes tell of these by an exit code only.
fn check_file(program: String, file: &Path, has: &dyn Fn(&str) -> bool) -> Result<(), StartError> {
    match file.metadata() {
        // A link may lead to a place in the container.
        Err(_) if file.symlink_metadata().is_ok() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StartError::NotFound { program }),
        Err(source) => Err(StartError::Io { program, source }),
        Ok(metadata) if metadata.is_dir() || metadata.permissions().mode() & 0o111 == 0 => {
            Err(StartError::NotExecutable { program })
        }
        Ok(_) => match interpreter(file).filter(|interpreter| !has(interpreter)) {
            Some(interpreter) => Err(no_interpreter(program, &interpreter)),
            None => Ok(()),
        },
    }
}

fn no_interpreter(program: String, interpreter: &str) -> StartError {
    let problem = format!("its interpreter `{interpreter}` is not in the container");
    StartError::Io { program, source: io::Error::new(io::ErrorKind::NotFound, problem) }
}

/// Whether the folder above it is on this machine, so that its absence here means something.
fn is_known_here(folder: &Path) -> bool {
    folder.parent().is_some_and(Path::exists) && folder.components().count() > 2
}

/// What the engine said instead of starting it.
pub(crate) fn of_engine(command: &Command, on_host: OnHost<'_>, error: EngineError) -> StartError {
    match error {
        EngineError::Refused { message, .. } => of_runtime(command, on_host, &message),
        error => StartError::Io { program: shown(&command.program), source: io::Error::other(error.chain()) },
    }
}

/// What the container's runtime said of a program that it could not start.
pub(crate) fn of_runtime(command: &Command, on_host: OnHost<'_>, said: &str) -> StartError {
    let program = shown(&command.program);
    let has = |text: &str| said.contains(text);
    if has("argument list too long") {
        return StartError::TooLarge { program };
    }
    if has("chdir to cwd") || has("cwd: ") {
        return match has("no such file or directory") {
            true => StartError::NoWorkingDirectory { path: command.working_directory.clone() },
            false => StartError::Io { program, source: io::Error::other(said.to_owned()) },
        };
    }
    if has("permission denied") || has("is a directory") {
        return StartError::NotExecutable { program };
    }
    if has("executable file not found") {
        return StartError::NotFound { program };
    }
    if has("no such file or directory") {
        // The file is there, so it is what it asks to be run by that is not.
        if let Some(place) = program_on_host(command, on_host).filter(|place| place.exists()) {
            if let Some(interpreter) = interpreter(&place) {
                return no_interpreter(program, &interpreter);
            }
            let problem = "the loader or a library that it needs is not in the container";
            return StartError::Io { program, source: io::Error::new(io::ErrorKind::NotFound, problem) };
        }
        return StartError::NotFound { program };
    }
    let said = if said.is_empty() { "the engine does not say why" } else { said };
    StartError::Io { program, source: io::Error::other(said.to_owned()) }
}

/// What a script's first line names.
fn interpreter(script: &Path) -> Option<String> {
    use std::io::Read;
    let mut start = Vec::new();
    std::fs::File::open(script).ok()?.take(FIRST_LINE as u64).read_to_end(&mut start).ok()?;
    let line = start.split(|&byte| byte == b'\n').next()?.strip_prefix(b"#!")?;
    let line = OsStr::from_bytes(line).to_string_lossy().into_owned();
    line.trim_start().split([' ', '\t']).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &str) -> StartError {
        let command = Command {
            program: "tool".into(),
            args: Vec::new(),
            env: Vec::new(),
            working_directory: "/nowhere/at/all".into(),
        };
        of_runtime(&command, &|_| None, said)
    }

    /// What runc, crun and Docker of several versions say.
    #[test]
    fn what_runtimes_say_is_understood() {
        let prefix = "OCI runtime exec failed: exec failed: unable to start container process: ";
        let not_found = [
            r#"exec: "tool": executable file not found in $PATH: unknown"#,
            r#"exec: "/no/tool": stat /no/tool: no such file or directory: unknown"#,
            "executable file `tool` not found in $PATH: No such file or directory",
        ];
        for said in not_found {
            let error = of(&format!("{prefix}{said}").replace("No such", "no such"));
            assert!(matches!(error, StartError::NotFound { .. }), "{said}: {error:?}");
        }
        for said in [r#"exec: "./tool": permission denied: unknown"#, r#"exec: "./tool": is a directory: unknown"#] {
            assert!(matches!(of(&format!("{prefix}{said}")), StartError::NotExecutable { .. }), "{said}");
        }
        let cwd = r#"chdir to cwd ("/x") set in config.json failed: no such file or directory: unknown"#;
        assert!(matches!(of(&format!("{prefix}{cwd}")), StartError::NoWorkingDirectory { .. }));
        let large = r#"exec /bin/true: argument list too long: unknown"#;
        assert!(matches!(of(&format!("{prefix}{large}")), StartError::TooLarge { .. }));
        assert!(matches!(of("container abc is not running"), StartError::Io { .. }));
    }
}
