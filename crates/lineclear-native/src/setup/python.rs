//! `actions/setup-python`.
//!
//! Steps get a private environment made from the interpreter that is found: on a hosted machine `pip install` writes into an
//! interpreter that is thrown away, here it would write into the user's own.
//!
//! # Source
//! `action.yml` and the documentation of `actions/setup-python`: inputs, outputs, variables, keys of its cache.

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeAction, NativeError, RunOptions};

use super::dependency_cache::{self, DependencyCache, dependency_files, own_folder, platform};
use super::python_environment::environment;
use super::tool::{self, Installation, Search, VersionsFolder, home_folder};
use super::version::{Prereleases, Wanted};
use super::version_file;

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
        let update = call.flag("update-environment")?;
        let mut chosen = None;
        // Of several versions asked for, one a line, the last is the one that `python` means.
        for text in &wanted {
            let found = find(call, text)?;
            let folder = environment(call, &found)?;
            call.effects.log(&format!(
                "Found Python {} in {} ({})",
                found.version,
                found.source,
                found.program.display()
            ));
            tool::used(call, "python", &found.version.to_string());
            if update {
                let location = folder.to_string_lossy().into_owned();
                for name in ["pythonLocation", "Python_ROOT_DIR", "Python2_ROOT_DIR", "Python3_ROOT_DIR"] {
                    call.effects.export(name, &location);
                }
                call.effects.add_path(&folder.join("bin"));
            }
            chosen = Some((folder, found));
        }
        let Some((folder, found)) = chosen else {
            return Err(NativeError("no version of Python is asked for".into()));
        };
        let python = folder.join("bin/python").to_string_lossy().into_owned();
        call.effects.output("python-version", &found.version.to_string());
        call.effects.output("python-path", &python);
        let cache = call.input("cache").to_owned();
        if !cache.is_empty() {
            restore_cache(call, &cache, &found)?;
        }
        let version = call.input("pip-version").to_owned();
        if !version.is_empty() {
            pip_install(call, &python, &format!("pip=={version}"))?;
        }
        let what = call.input("pip-install").to_owned();
        if what.is_empty() { Ok(()) } else { pip_install(call, &python, &what) }
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
    let named: Vec<String> = call.lines("python-version").into_iter().map(str::to_owned).collect();
    let file = call.input("python-version-file").to_owned();
    if !named.is_empty() {
        if !file.is_empty() {
            let message =
                "Both python-version and python-version-file inputs are specified, only python-version will be used.";
            call.effects.annotate(AnnotationLevel::Warning, message);
        }
        return Ok(named);
    }
    if !file.is_empty() {
        return version_file::read(call, "python-version-file", &file, &["python"]);
    }
    if call.workspace().join(".python-version").is_file() {
        return version_file::read(call, "python-version-file", ".python-version", &["python"]);
    }
    let message = "Neither 'python-version' nor 'python-version-file' inputs were supplied: the newest Python of this machine is used.";
    call.effects.annotate(AnnotationLevel::Warning, message);
    Ok(vec!["latest".to_owned()])
}

/// The interpreter for a version as workflows write it: `3.12`, `3.x`, `>=3.9 <3.13`, `3.14-dev`.
fn find(call: &mut Call<'_>, text: &str) -> Result<Installation, NativeError> {
    let lower = text.trim().to_ascii_lowercase();
    let other = ["pypy", "graalpy"].into_iter().find(|other| lower.starts_with(other));
    let is_freethreaded = call.flag("freethreaded")?
        || lower.strip_suffix('t').is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()));
    if other.is_some() || is_freethreaded {
        let what = other.unwrap_or("a free-threaded Python");
        let way_out = "ask for a CPython version, or use the real action with --no-native-actions";
        return Err(NativeError(format!(
            "`{text}` asks for {what}, which the built-in setup-python does not look for: {way_out}"
        )));
    }
    let (text, is_dev) = lower.strip_suffix("-dev").map_or((lower.as_str(), false), |text| (text, true));
    let allowed = is_dev || call.flag("allow-prereleases")?;
    let prereleases = if allowed { Prereleases::IfNeeded } else { Prereleases::Never };
    let wanted = Wanted::parse(text).map_err(|error| NativeError(error.to_string()))?;
    let search = search(call);
    tool::find(call, &search, &wanted, prereleases)
}

fn search(call: &Call<'_>) -> Search {
    let versions = |source, folder, program| VersionsFolder { source, folder, program };
    let tool_cache = call.room.layout().tool_cache.join("Python");
    let minors = (8..=20).rev().map(|minor| format!("python3.{minor}"));
    Search {
        tool: "Python",
        folders: vec![
            versions("tool cache", tool_cache.clone(), "x64/bin/python"),
            versions("tool cache", tool_cache, "arm64/bin/python"),
            versions("pyenv", home_folder(call, "PYENV_ROOT", ".pyenv").join("versions"), "bin/python"),
            versions("asdf", home_folder(call, "ASDF_DATA_DIR", ".asdf").join("installs/python"), "bin/python"),
            versions("mise", home_folder(call, "MISE_DATA_DIR", ".local/share/mise").join("installs/python"), "bin/python"),
            versions("uv", home_folder(call, "UV_PYTHON_INSTALL_DIR", ".local/share/uv/python"), "bin/python3"),
        ],
        version_file: None,
        on_path: ["python3", "python"].into_iter().map(str::to_owned).chain(minors).collect(),
        version_argument: "--version",
        how_to_get: "Install it (with pyenv: `pyenv install VERSION`; with uv: `uv python install VERSION`), or ask for one that is there."
            .into(),
    }
}

fn pip_install(call: &mut Call<'_>, python: &str, what: &str) -> Result<(), NativeError> {
    let args: Vec<&str> =
        ["-m", "pip", "install", "--disable-pip-version-check"].into_iter().chain(what.split_whitespace()).collect();
    match call.effects.run(python, &args, RunOptions::default())? {
        0 => Ok(()),
        code => Err(NativeError(format!("`pip install {what}` ended with exit code {code}"))),
    }
}

fn restore_cache(call: &mut Call<'_>, manager: &str, found: &Installation) -> Result<(), NativeError> {
    let (variable, name, files): (&str, &'static str, &[&str]) = match manager {
        "pip" => ("PIP_CACHE_DIR", "pip", &["**/requirements.txt", "**/pyproject.toml"]),
        "pipenv" => ("PIPENV_CACHE_DIR", "pipenv", &["**/Pipfile.lock"]),
        "poetry" => ("POETRY_CACHE_DIR", "poetry", &["**/poetry.lock"]),
        other => {
            return Err(NativeError(format!("Caching for '{other}' is not supported; expected pip, pipenv or poetry")));
        }
    };
    let folder = own_folder(call, name);
    call.effects.export(variable, &folder.to_string_lossy());
    let files = match dependency_files(call, files) {
        // The manager's own files are looked for one after the other: the second only where there is none of the first.
        own if call.input("cache-dependency-path").is_empty() => first_that_exists(call, own)?,
        named => named,
    };
    let prefix = format!("setup-python-{}-python-{}-{manager}", platform(call), found.version);
    let cache = DependencyCache { prefix, folders: vec![name], dependency_files: files, falls_back: true };
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
