//! The private environment of a job for a Python interpreter.
//!
//! Installing pip takes seconds, so it is done once for each interpreter, in a pristine environment in the tool cache, and
//! copied from there.

use std::io;
use std::path::{Path, PathBuf};

use lineclear_runner::native::{Call, NativeError, RunOptions};
use sha2::{Digest, Sha256};

use super::tool::Installation;

/// The longest path that every system takes behind `#!`, with what stands before and after it.
const LONGEST_SHEBANG: usize = 120;

/// The environment of this job for an interpreter, made in the job's temporary folder the first time.
///
/// # Errors
/// The interpreter cannot make one: it lacks the module `venv`, or pip.
pub(super) fn environment(call: &mut Call<'_>, found: &Installation) -> Result<PathBuf, NativeError> {
    let temp = call.room.layout().temp.clone();
    let folder = call.reached("the environment of Python", temp.join("_python").join(found.version.to_string()))?;
    let python = folder.join("bin/python");
    if python.exists() {
        return Ok(folder);
    }
    let packages = pristine(call, found)?;
    make(call, &found.program, &["--without-pip"], &folder)?;
    let site = site_packages(&folder).map_err(|error| cannot("read", &folder, &error))?;
    for package in &packages {
        let name = package.file_name().unwrap_or_default();
        copy_tree(package, &site.join(name)).map_err(|error| cannot("copy pip into", &folder, &error))?;
    }
    let minor = format!("{}.{}", found.version.major, found.version.minor);
    // Older interpreters leave this name out.
    let named = folder.join("bin").join(format!("python{minor}"));
    if !named.exists() {
        std::os::unix::fs::symlink("python", &named).map_err(|error| cannot("make", &named, &error))?;
    }
    for name in ["pip", "pip3", &format!("pip{minor}")] {
        let script = folder.join("bin").join(name);
        write_program(&script, &pip_script(&python)).map_err(|error| cannot("write", &script, &error))?;
    }
    Ok(folder)
}

/// pip and what comes with it, as the interpreter itself installs them.
fn pristine(call: &mut Call<'_>, found: &Installation) -> Result<Vec<PathBuf>, NativeError> {
    let layout = call.room.layout();
    // Two interpreters of one version are still two.
    let program = Sha256::digest(found.program.to_string_lossy().as_bytes());
    let name = format!("{}-{:02x}{:02x}{:02x}", found.version, program[0], program[1], program[2]);
    let kept = layout.tool_cache.join("_pristine-python").join(&name);
    let kept = call.reached("what is kept of Python", kept)?;
    if !kept.is_dir() {
        let new = layout.temp.join("_pristine-python").join(&name);
        make(call, &found.program, &["--clear"], &new)?;
        let site = site_packages(&new).map_err(|error| cannot("read", &new, &error))?;
        // If it cannot be kept, this job uses what it has, and the next one makes it again.
        if keep(&site, &kept).is_err() {
            return packages(&site).map_err(|error| cannot("read", &site, &error));
        }
    }
    packages(&kept).map_err(|error| cannot("read", &kept, &error))
}

/// Copies finished packages to where all jobs find them. They appear at once; of several jobs the first one's stay.
fn keep(site: &Path, kept: &Path) -> io::Result<()> {
    let parent = kept.parent().unwrap_or(kept);
    std::fs::create_dir_all(parent)?;
    let staging = tempfile::tempdir_in(parent)?;
    let staged = staging.path().join("packages");
    copy_tree(site, &staged)?;
    let moved = std::fs::rename(&staged, kept);
    if kept.is_dir() { Ok(()) } else { moved }
}

fn packages(site: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(site)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    all.retain(|path| path.file_name().is_some_and(|name| name != "__pycache__"));
    all.sort();
    Ok(all)
}

/// `lib/python3.12/site-packages`, whatever the interpreter calls its own.
fn site_packages(environment: &Path) -> io::Result<PathBuf> {
    for entry in std::fs::read_dir(environment.join("lib"))? {
        let site = entry?.path().join("site-packages");
        if site.is_dir() {
            return Ok(site);
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "it has no site-packages"))
}

fn make(call: &mut Call<'_>, program: &Path, options: &[&str], folder: &Path) -> Result<(), NativeError> {
    let (program, folder) = (program.to_string_lossy(), folder.to_string_lossy());
    let args: Vec<&str> = ["-m", "venv"].into_iter().chain(options.iter().copied()).chain([&*folder]).collect();
    // Settings of the user's own environment would end up in this one.
    let env = [("PYTHONHOME", ""), ("PYTHONPATH", ""), ("PIP_USER", "0"), ("PIP_REQUIRE_VIRTUALENV", "0")];
    let options = RunOptions { quiet: true, env: &env, ..RunOptions::default() };
    call.effects.capture(&program, &args, options).map(|_| ()).map_err(|error| {
        let advice = "on Debian and Ubuntu, what it needs for that is in the package python3-venv (or python3.N-venv)";
        NativeError(format!("cannot make an environment of {program}: {}; {advice}", error.0))
    })
}

fn pip_script(python: &Path) -> String {
    let python = python.to_string_lossy();
    let code = "import sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n";
    if python.len() <= LONGEST_SHEBANG && !python.contains(char::is_whitespace) {
        return format!("#!{python}\n{code}");
    }
    // What a shell and Python both read: the shell starts Python, which sees a text that it ignores.
    format!("#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n{code}")
}

fn write_program(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let kind = std::fs::symlink_metadata(from)?.file_type();
    if kind.is_dir() {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            copy_tree(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if kind.is_symlink() {
        return std::os::unix::fs::symlink(std::fs::read_link(from)?, to);
    }
    std::fs::copy(from, to).map(drop)
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> NativeError {
    NativeError(format!("cannot {what} `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_starts_its_interpreter_however_long_its_path_is() {
        assert!(pip_script(Path::new("/e/bin/python")).starts_with("#!/e/bin/python\n"));
        assert!(pip_script(Path::new("/a b/bin/python")).starts_with("#!/bin/sh\n'''exec' \"/a b/bin/python\""));
        assert!(pip_script(&PathBuf::from("/x".repeat(80))).starts_with("#!/bin/sh\n"));
    }

    #[test]
    fn of_two_jobs_that_keep_pip_at_once_the_first_one_wins() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = folder.path().join("kept/3.1");
        for who in ["one", "two"] {
            let site = folder.path().join(who);
            std::fs::create_dir_all(site.join("pip")).expect("folders");
            std::fs::write(site.join("pip/who"), who).expect("a file");
            keep(&site, &kept).expect("it is kept, or was");
        }
        assert_eq!(std::fs::read_to_string(kept.join("pip/who")).expect("a file"), "one");
        assert_eq!(
            std::fs::read_dir(folder.path().join("kept")).expect("a folder").count(),
            1,
            "nothing is left beside it"
        );
    }
}
