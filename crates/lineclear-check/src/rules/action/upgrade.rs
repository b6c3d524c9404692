//! Writes another version of an action into a `uses`.

use lineclear_source::Span;
use lineclear_workflow::ActionRef;

use crate::{Edit, File, Fix, UseSite};

/// Owners that give every major version a tag of its own.
const WITH_MAJOR_TAGS: &[&str] = &[
    "actions",
    "aws-actions",
    "azure",
    "codecov",
    "docker",
    "github",
    "golangci",
    "google-github-actions",
    "goreleaser",
    "hashicorp",
    "peter-evans",
    "softprops",
];

/// Puts the newest major version there, if it takes all inputs that the step gives, and needs no others.
pub(super) fn upgrade(file: &File<'_>, site: &UseSite<'_>, newest: u32) -> Option<Fix> {
    let owner = site.name.split('/').next()?;
    if !WITH_MAJOR_TAGS.iter().any(|known| known.eq_ignore_ascii_case(owner)) {
        return None;
    }
    let reference = format!("v{newest}");
    let facts = lineclear_catalog::action(&site.name, &reference)?;
    let is_known =
        site.with.iter().all(|(key, _)| facts.input(&key.value).is_some_and(|input| input.deprecation.is_none()));
    let is_enough = facts.inputs.iter().all(|input| !input.is_required || site.input(input.name).is_some());
    if is_known && is_enough { replace(file, site, &reference) } else { None }
}

/// Puts the first version without a hole there, in the way in which the version was written: a major version, or the whole of it.
pub(super) fn raise(file: &File<'_>, site: &UseSite<'_>, fixed: &str) -> Option<Fix> {
    let written = site.reference()?;
    let (prefix, number) = written.strip_prefix('v').map_or(("", written), |number| ("v", number));
    let fixed = fixed.strip_prefix('v').unwrap_or(fixed);
    let whole = number.split('.').count() == 3 && fixed.split('.').count() == 3;
    whole.then(|| replace(file, site, &format!("{prefix}{fixed}"))).flatten()
}

/// Replaces what stands behind the `@`, if it is a version and no commit or branch.
fn replace(file: &File<'_>, site: &UseSite<'_>, reference: &str) -> Option<Fix> {
    let ActionRef::Remote { reference: written, .. } = &site.uses.value else { return None };
    let number = written.strip_prefix('v')?;
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let text = file.source().slice(site.uses.span);
    let at = text.rfind(&format!("@{written}"))?;
    let start = site.uses.span.start as usize + at + 1;
    let edit = Edit::replace(Span::new(start, start + written.len()), reference);
    Some(Fix::review(format!("use `{reference}`"), vec![edit]))
}
