//! The repository that the run is about: its working tree, or another commit of it.

use std::path::Path;

use lineclear_backend::Fill;
use lineclear_backend_host::{GitDirOptions, WorkingTree, clone_git_dir};
use lineclear_event::{AnnotationLevel, with_causes};
use lineclear_runner::native::{Call, NativeError};

use super::credentials::Credentials;
use super::files::{self, end_group, group};
use super::git::Git;
use super::git_dir::{self, Files};
use super::refs::{self, Kind, Target};
use super::settings::{Settings, is_commit};
use super::{lfs, other, submodules};
use crate::caching::text;

/// Checks the run's own repository out and gives the commit.
///
/// # Errors
/// A ref that neither this machine nor the repository's remote has, or git or the file system fail.
pub(super) fn check_out(call: &mut Call<'_>, settings: &Settings) -> Result<String, NativeError> {
    let source = call.repository_root.clone();
    if !files::is_repository(&source) {
        return without_repository(call, settings, &source);
    }
    let git = Git::new(&source);
    let head = refs::commit(call, &git, "HEAD");
    let Some(head) = head else { return without_commit(call, settings, &source) };
    let target = match target(call, settings, &git, &head)? {
        Some(target) => target,
        None => return from_remote(call, settings, &git),
    };
    let is_tree = target.commit == head && is_of_run(call, settings);
    call.effects.log(&match is_tree {
        true => {
            format!("Using the working tree of {}: {}, with what is not committed", source.display(), target.describe())
        }
        false => format!("Using {} of {}", target.describe(), source.display()),
    });
    if is_tree {
        use_working_tree(call, settings, &source, &target)?;
    } else {
        use_commit(call, settings, &source, &target)?;
    }
    Ok(target.commit)
}

fn use_working_tree(
    call: &mut Call<'_>,
    settings: &Settings,
    source: &Path,
    target: &Target,
) -> Result<(), NativeError> {
    files::bring_working_tree(call, settings, source)?;
    group(call, "Setting up the repository");
    git_dir::make(call, settings, source, target, Files::OfSource)?;
    end_group(call);
    let credentials = Credentials::make(call, settings)?;
    let git = credentials.apply(Git::new(&settings.folder));
    files::apply_sparse(call, settings, &git)?;
    lfs::pull(call, settings, &git)?;
    submodules::complete(call, settings, &git, source)?;
    credentials.finish(call, settings)
}

fn use_commit(call: &mut Call<'_>, settings: &Settings, source: &Path, target: &Target) -> Result<(), NativeError> {
    // In a workspace that was filled only what differs is written.
    let is_filled = settings.folder == call.workspace() && files::is_repository(&settings.folder);
    let is_filled = is_filled && !git_dir::is_checked_out(&settings.folder);
    let there = if is_filled { Files::OfSource } else { Files::Others };
    if !is_filled && (settings.clean || !files::is_repository(&settings.folder)) {
        files::make_empty(&settings.folder)?;
    }
    from_store(call, settings, source, target, there)
}

/// Makes the folder a checkout of a commit of a repository on this machine.
///
/// # Errors
/// git or the file system fail.
pub(super) fn from_store(
    call: &mut Call<'_>,
    settings: &Settings,
    source: &Path,
    target: &Target,
    there: Files,
) -> Result<(), NativeError> {
    group(call, "Setting up the repository");
    git_dir::make(call, settings, source, target, there)?;
    end_group(call);
    let credentials = Credentials::make(call, settings)?;
    let git = credentials.apply(Git::new(&settings.folder));
    files::reset(call, settings, &git, there)?;
    lfs::pull(call, settings, &git)?;
    submodules::check_out(call, settings, &git, Some(source))?;
    credentials.finish(call, settings)
}

/// Whether the inputs mean what the run is about, by whatever name.
fn is_of_run(call: &Call<'_>, settings: &Settings) -> bool {
    let github = &call.contexts.github;
    if settings.is_default {
        return true;
    }
    if let Some(commit) = &settings.commit {
        let head = &github["event"]["pull_request"]["head"]["sha"];
        return commit == text(github, "sha") || head.as_str() == Some(commit);
    }
    let name = settings.reference.as_str();
    let head = text(github, "head_ref");
    [text(github, "ref"), text(github, "ref_name"), head].contains(&name)
        || name.strip_prefix("refs/heads/") == Some(head)
}

/// What is to be checked out; `None` if this machine does not have it.
fn target(call: &mut Call<'_>, settings: &Settings, git: &Git<'_>, head: &str) -> Result<Option<Target>, NativeError> {
    let reference = settings.reference.as_str();
    if let Some(wanted) = &settings.commit {
        let kind = Kind::of(reference).unwrap_or(Kind::Commit);
        if wanted == head || refs::commit(call, git, wanted).is_some() {
            return Ok(Some(Target { commit: wanted.clone(), kind }));
        }
        if settings.is_default {
            let message = format!(
                "The commit {wanted} of the event is not in `{}`: the working tree is used, which is at {head}",
                git.folder().display()
            );
            call.effects.annotate(AnnotationLevel::Warning, &message);
            return Ok(Some(Target { commit: head.to_owned(), kind }));
        }
        return Ok(None);
    }
    if reference.is_empty() {
        return Ok(Some(Target { commit: head.to_owned(), kind: Kind::Commit }));
    }
    let github = call.contexts.github.clone();
    let own_sha = text(&github, "sha");
    if is_commit(own_sha) && (reference == text(&github, "ref") || reference == text(&github, "ref_name")) {
        let kind = Kind::of(text(&github, "ref")).unwrap_or(Kind::Commit);
        if own_sha == head || refs::commit(call, git, own_sha).is_some() {
            return Ok(Some(Target { commit: own_sha.to_owned(), kind }));
        }
    }
    // The branch that the user is on is where the user is, pushed or not.
    let branch = git.ask(call, &["symbolic-ref", "--quiet", "HEAD"]).unwrap_or_default();
    let short = branch.strip_prefix("refs/heads/").unwrap_or_default();
    if !short.is_empty() && (reference == short || reference == branch) {
        return Ok(Some(Target { commit: head.to_owned(), kind: Kind::Branch(short.to_owned()) }));
    }
    Ok(refs::find(call, git, reference))
}

/// Asks the repository's remote for what this machine does not have.
fn from_remote(call: &mut Call<'_>, settings: &Settings, git: &Git<'_>) -> Result<String, NativeError> {
    let what = match &settings.commit {
        Some(commit) => format!("The commit {commit}"),
        None => format!("A branch or tag with the name '{}'", settings.reference),
    };
    let missing = format!("{what} could not be found in `{}`", git.folder().display());
    let Ok(url) = git.ask(call, &["remote", "get-url", "origin"]) else {
        return Err(NativeError(format!("{missing}, and the repository has no remote `origin` to ask for it")));
    };
    call.effects.log(&format!("{missing}: asking {}", without_password(&url)));
    files::make_empty(&settings.folder)?;
    other::from_network(call, settings, &url).map_err(|error| NativeError(format!("{missing}, and {error}")))
}

/// An address as it may be shown.
fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or(rest);
            let shown = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{shown}{}", rest.get(host.len()..).unwrap_or_default())
        }
        None => url.to_owned(),
    }
}

/// A repository in which nothing is committed yet.
fn without_commit(call: &mut Call<'_>, settings: &Settings, source: &Path) -> Result<String, NativeError> {
    if !settings.is_default {
        return Err(NativeError(format!(
            "The repository in `{}` has no commit yet: there is nothing to check out",
            source.display()
        )));
    }
    files::bring_working_tree(call, settings, source)?;
    if !files::is_repository(&settings.folder) {
        clone_git_dir(source, &settings.folder, &GitDirOptions::default())
            .map_err(|error| NativeError(with_causes(&error)))?;
    }
    let target = Target { commit: String::new(), kind: Kind::Commit };
    git_dir::finish(&settings.folder, &settings.url(), &target)?;
    let message = "The repository has no commit yet: the files are there, and no history";
    call.effects.annotate(AnnotationLevel::Notice, message);
    Ok(String::new())
}

/// A folder that is no repository: its files are all there is.
fn without_repository(call: &mut Call<'_>, settings: &Settings, source: &Path) -> Result<String, NativeError> {
    let github = &call.contexts.github;
    let name = settings.reference.clone();
    if !settings.is_default && name != text(github, "ref") && name != text(github, "ref_name") {
        let place = source.display();
        return Err(NativeError(format!(
            "`{place}` is no git repository: `{name}` cannot be checked out. `git init` makes it one"
        )));
    }
    let commit = text(github, "sha").to_owned();
    let fails =
        |error: std::io::Error| NativeError(format!("cannot bring the files of `{}`: {error}", source.display()));
    let is_filled =
        settings.folder == call.workspace() && settings.folder.read_dir().is_ok_and(|mut items| items.next().is_some());
    if !is_filled {
        files::make_empty(&settings.folder)?;
        WorkingTree::new(source).without(call.workspace()).fill(&settings.folder).map_err(fails)?;
    }
    let message = format!("`{}` is no git repository: the files are there, and no history", source.display());
    call.effects.annotate(AnnotationLevel::Notice, &message);
    Ok(commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        assert_eq!(without_password("https://me:pw@host/o/r"), "https://host/o/r");
        assert_eq!(without_password("https://host"), "https://host");
        assert_eq!(without_password("git@host:o/r"), "git@host:o/r");
    }
}
