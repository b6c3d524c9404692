//! What `uses` names in other repositories, and how firmly.

use lineclear_source::{Source, Span};
use lineclear_workflow::{ActionRef, CallJob, JobKind, StepKind, WorkflowRef};

use crate::{Edit, File, Fix, Locked, StepSite};

/// An action or a workflow of another repository, where it is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote<'a> {
    /// Whose repository it is.
    pub owner: &'a str,
    /// Its repository.
    pub repo: &'a str,
    /// The folder of the action or the path of the workflow in it.
    pub path: Option<&'a str>,
    /// What stands behind the `@`.
    pub reference: &'a str,
    /// The whole value of `uses`.
    pub span: Span,
    /// The step that uses it; none for a called workflow.
    pub step: Option<StepSite<'a>>,
}

/// How firmly a reference holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Firmness {
    /// A full commit: always the same code.
    Commit,
    /// The first digits of a commit.
    ShortCommit,
    /// A version: a tag, which its owner can move.
    Version,
    /// A name that is known to be a branch's: it moves with every push.
    Branch,
    /// Some other tag or branch.
    Name,
}

/// Names that are branches nearly everywhere.
const BRANCHES: &[&str] = &[
    "main",
    "master",
    "develop",
    "development",
    "dev",
    "trunk",
    "head",
    "default",
    "next",
    "canary",
    "edge",
    "unstable",
];

/// All uses of other repositories in a file, in its order.
pub(crate) fn remotes<'f, 'a>(file: &'f File<'a>) -> impl Iterator<Item = Remote<'a>> + use<'f, 'a> {
    let calls = file.jobs().iter().filter_map(|job| match &job.kind {
        JobKind::Call(call) => of_call(call),
        JobKind::Steps(_) => None,
    });
    calls.chain(file.steps().iter().filter_map(|&site| of_step(site)))
}

/// What a step uses of another repository.
pub(crate) fn of_step(site: StepSite<'_>) -> Option<Remote<'_>> {
    let StepKind::Uses { uses, .. } = &site.step.kind else { return None };
    // Those of Lineclear are part of it.
    let ActionRef::Remote { owner, repo, path, reference } = &uses.value else { return None };
    if uses.value.is_own() {
        return None;
    }
    let path = path.as_deref();
    Some(Remote { owner, repo, path, reference, span: uses.span, step: Some(site) })
}

fn of_call(call: &CallJob) -> Option<Remote<'_>> {
    let WorkflowRef::Remote { owner, repo, path, reference } = &call.uses.value else { return None };
    Some(Remote { owner, repo, path: Some(path), reference, span: call.uses.span, step: None })
}

impl Remote<'_> {
    /// `owner/repo`.
    pub(crate) fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.repo)
    }

    /// `owner/repo` with the path behind it, if it has one.
    pub(crate) fn name(&self) -> String {
        match self.path {
            Some(path) => format!("{}/{}/{path}", self.owner, self.repo),
            None => self.repository(),
        }
    }

    /// Whether the forge itself keeps it: who can change it can change the runner, too.
    pub(crate) fn is_official(&self) -> bool {
        self.owner.eq_ignore_ascii_case("actions") || self.owner.eq_ignore_ascii_case("github")
    }

    /// How firmly its reference holds.
    pub(crate) fn firmness(&self) -> Firmness {
        firmness(self.reference)
    }

    /// Where the reference stands, without the `@`.
    pub(crate) fn reference_span(&self, source: &Source) -> Span {
        match source.slice(self.span).rfind(&format!("@{}", self.reference)) {
            Some(at) => {
                let start = self.span.start as usize + at + 1;
                Span::new(start, start + self.reference.len())
            }
            None => self.span,
        }
    }

    /// The comment behind it on its line, from the `#` on.
    pub(crate) fn comment<'s>(&self, source: &'s Source) -> Option<(Span, &'s str)> {
        let rest = rest_of_line(source, self.span)?;
        let comment = rest.trim_start();
        if !comment.starts_with('#') {
            return None;
        }
        let start = self.span.end as usize + (rest.len() - comment.len());
        let comment = comment.trim_end();
        Some((Span::new(start, start + comment.len()), comment))
    }

    /// The version that the comment behind it speaks of, without words around it.
    pub(crate) fn commented_version<'s>(&self, source: &'s Source) -> Option<(Span, &'s str)> {
        let (span, comment) = self.comment(source)?;
        let bare = |word: &'s str| {
            let word = word.trim_start_matches('#');
            let word = word.rsplit(['@', '=']).next().unwrap_or(word);
            word.trim_matches(|char: char| !char.is_ascii_alphanumeric())
        };
        let version = comment.split_whitespace().map(bare).find(|word| is_version(word))?;
        let start = span.start as usize + (version.as_ptr() as usize - comment.as_ptr() as usize);
        Some((Span::new(start, start + version.len()), version))
    }

    /// The commit that its reference is, from the lock or, for a fix, from the server.
    pub(crate) fn commit(&self, file: &File<'_>, for_fix: bool) -> Option<Locked> {
        let repository = self.repository();
        let locked = file.project().locked(&repository, self.reference);
        let found = locked.or_else(|| if for_fix { file.project().resolve(&repository, self.reference) } else { None });
        found.filter(|found| firmness(&found.commit) == Firmness::Commit)
    }

    /// Puts `to` in the place of the reference, and its name behind it as a comment. A comment that is there is kept.
    pub(crate) fn pin(&self, source: &Source, to: &Locked) -> Option<Fix> {
        let reference = self.reference_span(source);
        if reference == self.span {
            return None;
        }
        let mut edits = vec![Edit::replace(reference, to.commit.as_str())];
        let rest = rest_of_line(source, self.span).unwrap_or_default();
        if let Some((comment, _)) = self.comment(source) {
            let named = self.commented_version(source).is_some_and(|(_, version)| version == to.reference);
            if !named {
                edits.push(Edit::insert(comment.start, format!("# {} ", to.reference)));
            }
        } else if rest.trim().is_empty() && !source.slice(self.span).contains('\n') {
            edits.push(Edit::insert(self.span.end, format!(" # {}", to.reference)));
        }
        Some(Fix::safe(format!("pin `{}` to commit `{}`", self.name(), to.commit), edits))
    }
}

/// How firmly a reference holds, by its form.
pub(crate) fn firmness(reference: &str) -> Firmness {
    let is_hex = reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && (reference.len() == 40 || reference.len() == 64) {
        return Firmness::Commit;
    }
    // Words of these letters alone and dates of these digits alone are names.
    let is_mixed =
        reference.bytes().any(|byte| byte.is_ascii_digit()) && reference.bytes().any(|byte| byte.is_ascii_alphabetic());
    if is_hex && is_mixed && (7..40).contains(&reference.len()) {
        return Firmness::ShortCommit;
    }
    if is_version(reference.rsplit('/').next().unwrap_or(reference)) {
        return Firmness::Version;
    }
    let name = reference.strip_prefix("refs/heads/");
    if name.is_some() || BRANCHES.iter().any(|branch| branch.eq_ignore_ascii_case(reference)) {
        return Firmness::Branch;
    }
    Firmness::Name
}

/// `v4`, `4.2`, `v1.0.0-rc.1`.
fn is_version(word: &str) -> bool {
    let digits = word.strip_prefix(['v', 'V']).unwrap_or(word);
    digits.starts_with(|char: char| char.is_ascii_digit())
        && digits.len() < 40
        && digits.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '+' | '_'))
        && (digits.len() < word.len() || digits.contains('.') || digits.len() < 3)
}

fn rest_of_line(source: &Source, span: Span) -> Option<&str> {
    let rest = source.text().get(span.end as usize..)?;
    Some(rest.split(['\n', '\r']).next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_holds_as_firmly_as_its_form_says() {
        for (reference, expected) in [
            ("11bd71901bbe5b1630ceea73d27597364c9af683", Firmness::Commit),
            ("11bd719", Firmness::ShortCommit),
            ("deadbeef", Firmness::Name),
            ("20240101", Firmness::Name),
            ("v4", Firmness::Version),
            ("1.89", Firmness::Version),
            ("release/v1", Firmness::Version),
            ("main", Firmness::Branch),
            ("refs/heads/x", Firmness::Branch),
            ("stable", Firmness::Name),
        ] {
            assert_eq!(firmness(reference), expected, "{reference}");
        }
    }
}
