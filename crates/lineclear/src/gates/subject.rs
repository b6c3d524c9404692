//! What people call a commit or an image.

use std::str::FromStr;

use lineclear_event::{Statement, Subject};
use lineclear_gate::Index;
use lineclear_oci::Reference;

use super::{Fault, Place};
use crate::history::commits::is_commit;

/// Asks a registry which digest a name with a tag stands for now.
pub(crate) type AskRegistry<'a> = dyn Fn(&Reference) -> Result<String, String> + 'a;

/// The commit or digest that `text` means: a revision of git, `sha256:…`, `name@sha256:…`, or the name of an image with its tag, which the
/// registry is asked for. Nothing means what is checked out.
///
/// # Errors
/// A sentence: it is none of these.
pub(crate) fn find(
    text: Option<&str>,
    place: &Place,
    index: &Index,
    ask: Option<&AskRegistry<'_>>,
) -> Result<Subject, Fault> {
    let Some(text) = text else {
        return place.commits.resolve("HEAD").map(Subject::Commit).ok_or_else(|| {
            Fault::Input("there is no commit here: go to a git repository, or name a commit or an image".into())
        });
    };
    if let Ok(subject) = Subject::from_str(text) {
        return Ok(subject);
    }
    if let Some(beginning) = text.strip_prefix("sha256:") {
        return beginning_with(text, beginning, index).map_err(Fault::Input);
    }
    if let Some(commit) = place.commits.resolve(text) {
        return Ok(Subject::Commit(commit));
    }
    if let Some((_, digest)) = text.split_once('@')
        && let Ok(subject @ Subject::Digest(_)) = Subject::from_str(digest)
    {
        return Ok(subject);
    }
    // A commit that git has not, or has no more, may still be known here.
    if is_commit(text) {
        return Ok(Subject::Commit(text.to_lowercase()));
    }
    let Ok(image) = text.parse::<Reference>() else {
        return Err(Fault::Input(format!(
            "`{text}` is neither a commit of this repository, nor a digest, nor an image"
        )));
    };
    let pushed = pushed_as(index, text);
    let found = match (pushed, ask) {
        // Without a host it is meant as runs here call it.
        (Some(digest), _) if !has_host(text) => Ok(digest),
        (pushed, Some(ask)) if text.contains([':', '/']) => ask(&image.or_latest()).or_else(|why| pushed.ok_or(why)),
        (Some(digest), _) => Ok(digest),
        (None, _) => Err("it is no commit of this repository, and no run pushed an image of that name".to_owned()),
    };
    let subject = found.and_then(|digest| Subject::from_str(&digest).map_err(|error| error.to_string()));
    subject.map_err(|why| Fault::Input(format!("`{text}` is not known: {why}")))
}

/// The digest of which the beginning is given, as lists show it.
fn beginning_with(text: &str, beginning: &str, index: &Index) -> Result<Subject, String> {
    if beginning.len() < 6 || !beginning.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!(
            "`{text}` is no digest: `sha256:` and 64 hexadecimal digits, or at least the first 6 of one that is known"
        ));
    }
    let subjects = index.entries().iter().map(|entry| &entry.evidence.subject);
    let mut known = subjects.filter(|subject| match subject {
        Subject::Digest(digest) => digest.starts_with(text),
        Subject::Commit(_) => false,
    });
    let first = known.next().ok_or_else(|| format!("the ledger knows no digest that begins with `{text}`"))?;
    match known.find(|other| *other != first) {
        Some(other) => Err(format!("`{text}` is the beginning of several digests: {first}, {other}")),
        None => Ok(first.clone()),
    }
}

fn has_host(name: &str) -> bool {
    let first = name.split_once('/').map(|(first, _)| first).unwrap_or_default();
    first.contains(['.', ':']) || first == "localhost"
}

/// The digest that a run pushed last under this name.
fn pushed_as(index: &Index, name: &str) -> Option<String> {
    let entries = index.entries().iter().rev();
    let mut images = entries.filter_map(|entry| match (&entry.evidence.subject, &entry.evidence.statement) {
        (Subject::Digest(digest), Statement::Image(image)) => Some((digest, image)),
        _ => None,
    });
    let with_tag = format!("{name}:latest");
    images
        .find(|(_, image)| image.names.iter().any(|known| known == name || *known == with_tag))
        .map(|(digest, _)| digest.clone())
}
