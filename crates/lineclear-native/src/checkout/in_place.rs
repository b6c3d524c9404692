//! A job that works in the user's own folder: a checkout looks whether it would change anything, and changes nothing.

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeError};

use super::files;
use super::git::Git;
use super::refs;
use super::settings::Settings;
use crate::caching::text;

const WAY_OUT: &str = "Without --in-place the job gets a private copy, where it can";

/// Gives the commit that the folder is at.
///
/// # Errors
/// The inputs ask for something else than what is there.
pub(super) fn verify(call: &mut Call<'_>, settings: &Settings) -> Result<String, NativeError> {
    let folder = settings.folder.clone();
    let is_root = folder == call.workspace();
    if !files::is_repository(&folder) {
        if is_root && settings.is_own && settings.is_default {
            call.effects.log(&format!(
                "The job works in place: `{}` is no git repository, and is left as it is",
                folder.display()
            ));
            return Ok(text(&call.contexts.github, "sha").to_owned());
        }
        return Err(NativeError(format!(
            "The job works in place, so {} cannot be checked out into `{}`. {WAY_OUT}",
            settings.repository,
            folder.display()
        )));
    }
    let git = Git::new(&folder);
    let head = refs::commit(call, &git, "HEAD").unwrap_or_default();
    let wanted = match (&settings.commit, settings.reference.as_str()) {
        (Some(commit), _) => Some(commit.clone()),
        (None, "") => Some(head.clone()),
        (None, reference) => match git.ask(call, &["symbolic-ref", "--quiet", "--short", "HEAD"]) {
            Ok(branch) if branch == reference || format!("refs/heads/{branch}") == reference => Some(head.clone()),
            _ => refs::find(call, &git, reference).map(|target| target.commit),
        },
    };
    if wanted.as_ref() == Some(&head) && (settings.is_own || !is_root) {
        call.effects.log(&format!("The job works in place: `{}` is at {head}, and is left as it is", folder.display()));
        return Ok(head);
    }
    let asked = match &wanted {
        Some(commit) if settings.reference.is_empty() => commit.clone(),
        Some(commit) => format!("{} at {commit}", settings.reference),
        None => settings.reference.clone(),
    };
    let asked = if settings.is_own { asked } else { format!("{} of {}", asked, settings.repository) };
    let message = format!("The job works in place: `{}` is at {head}, and the step asks for {asked}", folder.display());
    if settings.is_default && settings.is_own {
        call.effects.annotate(AnnotationLevel::Warning, &format!("{message}. It is left as it is"));
        return Ok(head);
    }
    Err(NativeError(format!("{message}. {WAY_OUT}")))
}
