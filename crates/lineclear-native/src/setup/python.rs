//! `actions/setup-python`.
//!
//! Steps get a private environment made from the interpreter that is found: on a hosted machine `pip install` writes into an
//! interpreter that is thrown away, here it would write into the user's own.

use std::path::{Path, PathBuf};

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeAction, NativeError, RunOptions};

use super::dependency_cache::{self, DependencyCache, dependency_files, own_folder, platform};
use super::tool::{self, Installation, Search, VersionsFolder, home_folder};
use super::version::Wanted;

/// Finds an interpreter and puts a private environment of it on the PATH.
#[derive(Debug)]
pub(crate) struct SetupPython;

impl NativeAction for SetupPython {
    fn name(&self) -> &'static str {
        "actions/setup-python"
    }

    fn metadata(&self) -> &'static str {
        "
name: Setup Python
inputs:
  python-version: {}
  python-version-file: {}
  cache: {}
  architecture: {}
  check-latest: { default: 'false' }
  token: {}
  cache-dependency-path: {}
  update-environment: { default: 'true' }
  allow-prereleases: { default: 'false' }
  freethreaded: { default: 'false' }
  pip-version: {}
  pip-install: {}
outputs:
  python-version: { description: the version that was found }
  cache-hit: { description: whether the cache was found under its very key }
  python-path: { description: the interpreter }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let wanted = wanted(call)?;
        let search = search(call);
        let mut chosen = None;
        // Of several versions asked for, one a line, the last is the one that `python` means.
        for version in &wanted {
            let version = Wanted::parse(version).map_err(|error| NativeError(error.to_string()))?;
            let found = tool::find(call, &search, &version)?;
            call.effects.log(&format!(
                "Found Python {} in {} ({})",
                found.version,
                found.source,
                found.program.display()
            ));
            chosen = Some(environment(call, &found)?);
        }
        let Some((folder, found)) = chosen else { return Err(NativeError("no version of Python is asked for".into())) };
        let python = folder.join("bin/python");
        if call.flag("update-environment")? {
            let location = folder.to_string_lossy().into_owned();
            for name in ["pythonLocation", "Python_ROOT_DIR", "Python2_ROOT_DIR", "Python3_ROOT_DIR"] {
                call.effects.export(name, &location);
            }
            call.effects.add_path(&folder.join("bin"));
        }
        call.effects.output("python-version", &found.version.to_string());
        call.effects.output("python-path", &python.to_string_lossy());
        let python = python.to_string_lossy().into_owned();
        let pip = |call: &mut Call<'_>, what: &str| -> Result<(), NativeError> {
            let mut args = vec!["-m", "pip", "install", "--disable-pip-version-check"];
            args.extend(what.split_whitespace());
            match call.effects.run(&python, &args, RunOptions::default())? {
                0 => Ok(()),
                code => Err(NativeError(format!("pip install {what} ended with exit code {code}"))),
            }
        };
        let cache = call.input("cache").to_owned();
        if !cache.is_empty() {
            restore_cache(call, &cache, &found)?;
        }
        if !call.input("pip-version").is_empty() {
            let version = format!("pip=={}", call.input("pip-version"));
            pip(call, &version)?;
        }
        if !call.input("pip-install").is_empty() {
            let what = call.input("pip-install").to_owned();
            pip(call, &what)?;
        }
        Ok(())
    }

    fn has_post(&self) -> bool {
        true
    }

    fn post_if(&self) -> &'static str {
        "success()"
    }

    fn post(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        dependency_cache::save(call)
    }
}

/// The versions asked for, one a line.
fn wanted(call: &mut Call<'_>) -> Result<Vec<String>, NativeError> {
    let tools = ["python"];
    let named: Vec<String> = call.lines("python-version").into_iter().map(str::to_owned).collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let file = call.input("python-version-file").to_owned();
    if !file.is_empty() {
        return Ok(vec![tool::from_file(call, &file, &tools)?]);
    }
    if call.workspace().join(".python-version").is_file() {
        return Ok(vec![tool::from_file(call, ".python-version", &tools)?]);
    }
    let message = "Neither 'python-version' nor 'python-version-file' inputs were supplied: the newest Python of this machine is used.";
    call.effects.annotate(AnnotationLevel::Warning, message);
    Ok(vec!["latest".to_owned()])
}

fn search(call: &Call<'_>) -> Search {
    let versions = |source, folder: PathBuf, program| VersionsFolder { source, folder, program };
    let on_path = ["python3", "python"].into_iter().map(str::to_owned);
    let minors = (8..=20).rev().map(|minor| format!("python3.{minor}"));
    Search {
        tool: "Python",
        folders: vec![
            versions("tool cache", call.room.layout().tool_cache.join("Python"), "x64/bin/python"),
            versions("tool cache", call.room.layout().tool_cache.join("Python"), "arm64/bin/python"),
            versions("pyenv", home_folder(call, "PYENV_ROOT", ".pyenv").join("versions"), "bin/python"),
            versions("asdf", home_folder(call, "ASDF_DATA_DIR", ".asdf").join("installs/python"), "bin/python"),
            versions("mise", home_folder(call, "MISE_DATA_DIR", ".local/share/mise").join("installs/python"), "bin/python"),
            versions("uv", home_folder(call, "UV_PYTHON_INSTALL_DIR", ".local/share/uv/python"), "bin/python3"),
        ],
        on_path: on_path.chain(minors).collect(),
        version_argument: "--version",
        how_to_get: "Install it (with pyenv: `pyenv install VERSION`; with uv: `uv python install VERSION`), or ask for one that is there."
            .into(),
    }
}

/// The private environment of this job for an interpreter: made once, in the job's temporary folder.
fn environment(call: &mut Call<'_>, found: &Installation) -> Result<(PathBuf, Installation), NativeError> {
    let folder = call.room.layout().temp.join("_python").join(found.version.to_string());
    let python = folder.join("bin/python");
    if python.exists() {
        return Ok((folder, found.clone()));
    }
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    let program = found.program.to_string_lossy().into_owned();
    let make = |call: &mut Call<'_>, options: &[&str], place: &Path| -> Result<(), NativeError> {
        let place = place.to_string_lossy();
        let args: Vec<&str> = ["-m", "venv"].into_iter().chain(options.iter().copied()).chain([&*place]).collect();
        call.effects.capture(&program, &args, quiet).map(|_| ()).map_err(|error| {
            let advice = "on Debian the module is in the package python3-venv";
            NativeError(format!("cannot make an environment of {program}: {}; {advice}", error.0))
        })
    };
    // Installing pip takes seconds; it is done once for each interpreter and copied from there.
    let pristine = call.room.layout().tool_cache.join("_pristine-python").join(format!("{}", found.version));
    let site = format!("lib/python{}.{}/site-packages", found.version.major, found.version.minor);
    if !pristine.join(&site).join("pip").is_dir() {
        make(call, &["--clear"], &pristine)?;
    }
    make(call, &["--without-pip"], &folder)?;
    copy_tree(&pristine.join(&site), &folder.join(&site))
        .map_err(|error| NativeError(format!("cannot copy pip into `{}`: {error}", folder.display())))?;
    let minor = format!("pip{}.{}", found.version.major, found.version.minor);
    for name in ["pip", "pip3", &minor] {
        let script =
            format!("#!{}\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n", python.display());
        write_program(&folder.join("bin").join(name), &script)
            .map_err(|error| NativeError(format!("cannot write `{name}`: {error}")))?;
    }
    Ok((folder, found.clone()))
}

fn write_program(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn restore_cache(call: &mut Call<'_>, manager: &str, found: &Installation) -> Result<(), NativeError> {
    let (variable, files): (&str, &[&str]) = match manager {
        "pip" => ("PIP_CACHE_DIR", &["**/requirements.txt", "**/pyproject.toml"]),
        "pipenv" => ("PIPENV_CACHE_DIR", &["**/Pipfile.lock"]),
        "poetry" => ("POETRY_CACHE_DIR", &["**/poetry.lock"]),
        other => {
            return Err(NativeError(format!("Caching for '{other}' is not supported; expected pip, pipenv or poetry")));
        }
    };
    let folder = own_folder(call, manager);
    call.effects.export(variable, &folder.to_string_lossy());
    let files = match dependency_files(call, files) {
        // The manager's own files are looked for one after the other: the second only where there is none of the first.
        own if call.input("cache-dependency-path").is_empty() => first_that_exists(call, own)?,
        named => named,
    };
    let prefix = format!("setup-python-{}-python-{}-{manager}", platform(call), found.version);
    let cache = DependencyCache { prefix, folders: vec![folder], dependency_files: files };
    dependency_cache::restore(call, &cache)
}

fn first_that_exists(call: &Call<'_>, patterns: Vec<String>) -> Result<Vec<String>, NativeError> {
    for pattern in &patterns {
        if !crate::search::hash_files(call, std::slice::from_ref(pattern))?.is_empty() {
            return Ok(vec![pattern.clone()]);
        }
    }
    Ok(patterns)
}
