//! Another repository than the run's own: from a folder of repositories on this machine, or over the network.
//!
//! # Source
//! `src/git-source-provider` and `src/ref-helper` of `actions/checkout`: what is fetched for which ref.

use std::fs;
use std::path::{Path, PathBuf};

use lineclear_runner::native::{Call, NativeError};

use super::credentials::Credentials;
use super::files::{self, end_group, group};
use super::git::Git;
use super::git_dir::{self, Files};
use super::refs::{self, Kind, Target};
use super::settings::Settings;
use super::{lfs, own, submodules};

/// How errors begin when there is no way to the repository.
const UNREACHABLE: &str = "cannot reach";

/// How often a fetch is tried.
const TRIES: u32 = 2;

/// Checks another repository out and gives the commit.
///
/// # Errors
/// It is not on this machine and cannot be reached, it lacks what is asked for, or git or the file system fail.
pub(super) fn check_out(
    call: &mut Call<'_>,
    settings: &Settings,
    repositories: Option<&Path>,
) -> Result<String, NativeError> {
    if settings.clean || !files::is_repository(&settings.folder) {
        files::make_empty(&settings.folder)?;
    }
    let Some(place) = repositories.and_then(|folder| on_this_machine(folder, &settings.repository)) else {
        return from_network(call, settings, &settings.url()).map_err(|error| {
            let name = &settings.repository;
            if !error.0.starts_with(UNREACHABLE) {
                return error;
            }
            NativeError(format!("{error}. A clone of it in the folder that LINECLEAR_REPOSITORIES_DIR names, as `{name}`, would be used instead"))
        });
    };
    call.effects.log(&format!("Using the repository in {}", place.display()));
    let source = with_dot_git(call, &place)?;
    let git = Git::new(&source);
    let target = match (&settings.commit, settings.reference.as_str()) {
        (Some(commit), _) => refs::commit(call, &git, commit).map(|commit| Target { commit, kind: Kind::Commit }),
        (None, "") => Some(refs::default_branch(call, &git)?),
        (None, reference) => refs::find(call, &git, reference),
    };
    let target = target.ok_or_else(|| {
        let wanted = settings.commit.as_ref().unwrap_or(&settings.reference);
        NativeError(format!(
            "A branch, tag or commit with the name '{wanted}' could not be found in `{}`",
            place.display()
        ))
    })?;
    call.effects.log(&format!("Using {}", target.describe()));
    own::from_store(call, settings, &source, &target, Files::Others)?;
    Ok(target.commit)
}

/// The repository's folder, bare or not.
fn on_this_machine(repositories: &Path, name: &str) -> Option<PathBuf> {
    let lower = name.to_lowercase();
    let places = [name.to_owned(), format!("{name}.git"), lower.clone(), format!("{lower}.git")];
    places.iter().map(|place| repositories.join(place)).find(|place| files::is_repository(place) || is_bare(place))
}

fn is_bare(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir()
}

/// A folder with a `.git` for the repository: for a bare one a new folder that points to it.
fn with_dot_git(call: &Call<'_>, place: &Path) -> Result<PathBuf, NativeError> {
    if files::is_repository(place) {
        return Ok(place.to_path_buf());
    }
    let fails = |error: std::io::Error| NativeError(format!("cannot use `{}`: {error}", place.display()));
    let place = fs::canonicalize(place).map_err(fails)?;
    let folder = tempfile::Builder::new().prefix("_bare-").tempdir_in(&call.room.layout().temp).map_err(fails)?.keep();
    fs::write(folder.join(".git"), format!("gitdir: {}\n", place.display())).map_err(fails)?;
    Ok(folder)
}

/// Fetches what the settings ask for from `url` into the settings' folder, which is empty, and checks it out.
///
/// # Errors
/// The address cannot be reached, or lacks what is asked for.
pub(super) fn from_network(call: &mut Call<'_>, settings: &Settings, url: &str) -> Result<String, NativeError> {
    let credentials = Credentials::make(call, settings)?;
    let result = fetch(call, settings, url, &credentials);
    match &result {
        Ok(_) => credentials.finish(call, settings)?,
        Err(_) => credentials.discard(),
    }
    result
}

fn fetch(
    call: &mut Call<'_>,
    settings: &Settings,
    url: &str,
    credentials: &Credentials,
) -> Result<String, NativeError> {
    let folder = settings.folder.as_path();
    let git = credentials.apply(Git::new(folder));
    // Asked first, with little patience: a server that is not there is known soon, however long a fetch may take.
    let names = match settings.reference.as_str() {
        "" => Vec::new(),
        name if name.starts_with("refs/") => vec![name.to_owned()],
        name => vec![format!("refs/heads/{name}"), format!("refs/tags/{name}")],
    };
    let args: Vec<&str> =
        ["ls-remote", "--symref", url, "HEAD"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let said = git.ask_soon(call, &args);
    let said =
        said.map_err(|error| NativeError(format!("{UNREACHABLE} {}: {}", settings.url(), last_line(&error.0))))?;
    let has = |name: &String| said.lines().any(|line| line.split('\t').nth(1) == Some(name.as_str()));
    let reference = match (&settings.commit, settings.reference.as_str()) {
        (None, "") => said
            .lines()
            .find_map(|line| line.strip_prefix("ref: ")?.strip_suffix("\tHEAD"))
            .map(str::to_owned)
            .ok_or_else(|| NativeError(format!("{} has no default branch: name a `ref`", settings.url())))?,
        (None, reference) if !names.iter().any(has) => {
            let url = settings.url();
            return Err(NativeError(format!(
                "A branch or tag with the name '{reference}' could not be found in {url}"
            )));
        }
        (_, reference) => reference.to_owned(),
    };
    group(call, "Fetching the repository");
    if !files::is_repository(folder) {
        git.ask(call, &["init", "--quiet", "--template=", "."])?;
        git.ask(call, &["config", "gc.auto", "0"])?;
    }
    let mut args = vec!["fetch", "--no-tags", "--prune", "--no-recurse-submodules"];
    args.push(if settings.progress { "--progress" } else { "--quiet" });
    let filter = settings.filter.clone().or_else(|| (!settings.sparse.is_empty()).then(|| "blob:none".to_owned()));
    let filter = filter.map(|filter| format!("--filter={filter}"));
    args.extend(filter.as_deref());
    let depth = settings.depth.map(|depth| format!("--depth={depth}"));
    args.extend(depth.as_deref());
    git.ask(call, &["config", "remote.origin.url", url])?;
    args.push("origin");
    let specs = specs(settings, &reference);
    args.extend(specs.iter().map(String::as_str));
    let mut result = git.run(call, &args);
    for _ in 1..TRIES {
        if result.is_err() && !call.control.is_cancelled() {
            result = git.run(call, &args);
        }
    }
    end_group(call);
    result?;
    let found = match &settings.commit {
        Some(commit) => refs::commit(call, &git, commit).map(|commit| Target { commit, kind: Kind::Commit }),
        None => refs::find(call, &git, &reference),
    };
    let wanted = settings.commit.as_ref().unwrap_or(&reference);
    let target =
        found.ok_or_else(|| NativeError(format!("A branch or tag with the name '{wanted}' could not be found")))?;
    group(call, "Checking out the ref");
    if !settings.sparse.is_empty() {
        git.ask(call, &["update-ref", "--no-deref", "HEAD", &target.commit])?;
    }
    let remote = match &target.kind {
        Kind::Branch(name) => Some((name.clone(), format!("refs/remotes/origin/{name}"))),
        _ => None,
    };
    if !settings.sparse.is_empty() {
        files::set_sparse(call, settings, &git)?;
    }
    match &remote {
        Some((name, start)) => git.run(call, &["checkout", "--force", "-B", name, start])?,
        None => git.run(call, &["checkout", "--force", "--detach", &target.commit])?,
    }
    end_group(call);
    lfs::pull(call, settings, &git)?;
    submodules::check_out(call, settings, &git, None)?;
    // Last, as until now `origin` is where things come from.
    git_dir::finish(folder, &settings.url(), &target)?;
    Ok(target.commit)
}

/// What is fetched, and the names that it gets.
fn specs(settings: &Settings, reference: &str) -> Vec<String> {
    const TAGS: &str = "+refs/tags/*:refs/tags/*";
    let mut specs = Vec::new();
    if settings.depth.is_none() {
        specs.extend(["+refs/heads/*:refs/remotes/origin/*".to_owned(), TAGS.to_owned()]);
        match (&settings.commit, Kind::of(reference)) {
            (_, Some(Kind::Pull(name))) => specs.push(format!("+{reference}:refs/remotes/pull/{name}")),
            (Some(commit), _) => specs.push(commit.clone()),
            _ => {}
        }
        return specs;
    }
    if settings.tags {
        specs.push(TAGS.to_owned());
    }
    if let Some(commit) = &settings.commit {
        specs.push(commit.clone());
        return specs;
    }
    match Kind::of(reference) {
        Some(Kind::Branch(name)) => specs.push(format!("+{reference}:refs/remotes/origin/{name}")),
        Some(Kind::Pull(name)) => specs.push(format!("+{reference}:refs/remotes/pull/{name}")),
        Some(Kind::Tag(_)) if settings.tags => {}
        Some(Kind::Tag(_) | Kind::Commit) => specs.push(format!("+{reference}:{reference}")),
        None => {
            specs.push(format!("+refs/heads/{reference}*:refs/remotes/origin/{reference}*"));
            if !settings.tags {
                specs.push(format!("+refs/tags/{reference}*:refs/tags/{reference}*"));
            }
        }
    }
    specs
}

fn last_line(text: &str) -> &str {
    text.trim().lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason").trim()
}
