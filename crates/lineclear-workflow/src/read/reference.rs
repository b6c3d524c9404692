//! What `uses:` may say.

use crate::{ActionRef, WorkflowRef};

/// Why a text is no reference to an action or workflow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("it is empty")]
    Empty,
    #[error("the `@` with a branch, tag or commit is missing, as in `{0}@v1`")]
    NoRef(String),
    #[error("the branch, tag or commit after `@` is missing")]
    EmptyRef,
    #[error("there is more than one `@`")]
    SeveralRefs,
    #[error("expected `owner/repository@ref`, `owner/repository/path@ref`, `./path`, `$/path` or `docker://image`")]
    NoRepository,
    #[error("the image after `docker://` is missing")]
    NoImage,
    #[error("the path leads out of the repository")]
    OutOfRepository,
    #[error("a reusable workflow is called by `uses` of a job, not of a step")]
    WorkflowInStep,
    #[error("a path in this repository takes no `@ref`: it is read from the same commit")]
    RefOnLocal,
    #[error("expected `./.github/workflows/file.yml` or `owner/repository/.github/workflows/file.yml@ref`")]
    NoWorkflow,
    #[error("a reusable workflow must lie in `.github/workflows` itself and end in `.yml` or `.yaml`")]
    WorkflowPath,
}

/// Steps that are part of Lineclear itself, as `lineclear/publish`.
const OWN: [&str; 3] = ["publish", "promote", "gate"];

impl ActionRef {
    /// Whether it is a step of Lineclear's own: there is nothing to fetch, and so nothing that a ref could name.
    pub fn is_own(&self) -> bool {
        let Self::Remote { owner, repo, path: None, .. } = self else { return false };
        owner.eq_ignore_ascii_case("lineclear") && OWN.iter().any(|own| repo.eq_ignore_ascii_case(own))
    }

    /// Reads the `uses` of a step. A step of Lineclear's own may stand without a ref.
    ///
    /// # Errors
    /// Why the text names no action. An expression is not one: it would have to be evaluated before actions are fetched.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if let Some(image) = text.strip_prefix("docker://") {
            return match image {
                "" => Err(ReferenceError::NoImage),
                image => Ok(Self::Docker { image: image.to_owned() }),
            };
        }
        if let Some(path) = text.strip_prefix("./").or_else(|| text.strip_prefix(".\\")) {
            return Ok(Self::Local { path: path.trim_end_matches('/').to_owned() });
        }
        if let Some(path) = text.strip_prefix("$/") {
            return Ok(Self::SameRepository { path: path.trim_end_matches('/').to_owned() });
        }
        // As if the only version that there is were written behind it.
        if let Ok(own) = Self::parse_remote(&format!("{text}@v1"))
            && own.is_own()
        {
            return Ok(own);
        }
        Self::parse_remote(text)
    }

    fn parse_remote(text: &str) -> Result<Self, ReferenceError> {
        let (owner, repo, path, reference) = split_remote(text).map_err(|error| match error {
            // With no owner there is no telling whether a `./` or an `@` was forgotten.
            ReferenceError::NoRef(_) if !text.contains(['/', '\\']) => ReferenceError::NoRepository,
            other => other,
        })?;
        if path.starts_with(".github/workflows/") {
            return Err(ReferenceError::WorkflowInStep);
        }
        Ok(Self::Remote { owner, repo, path: (!path.is_empty()).then_some(path), reference })
    }
}

impl WorkflowRef {
    /// Reads the `uses` of a job.
    ///
    /// # Errors
    /// Why the text names no reusable workflow.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        // Both mean the repository and commit of the calling file.
        if let Some(path) = text.strip_prefix("./").or_else(|| text.strip_prefix("$/")) {
            return match path.contains('@') {
                true => Err(ReferenceError::RefOnLocal),
                false => Ok(Self::Local { path: workflow_path(path)? }),
            };
        }
        if text.starts_with("docker://") {
            return Err(ReferenceError::NoWorkflow);
        }
        let (owner, repo, path, reference) = split_remote(text).map_err(|error| match error {
            ReferenceError::NoRepository => ReferenceError::NoWorkflow,
            other => other,
        })?;
        if path.is_empty() {
            return Err(ReferenceError::NoWorkflow);
        }
        Ok(Self::Remote { owner, repo, path: workflow_path(&path)?, reference })
    }
}

fn workflow_path(path: &str) -> Result<String, ReferenceError> {
    let file = [".github/workflows/", ".github/workflows-lab/"].iter().find_map(|folder| path.strip_prefix(folder));
    let file = file.ok_or(ReferenceError::WorkflowPath)?;
    let has_ending = [".yml", ".yaml"].iter().any(|ending| file.len() > ending.len() && file.ends_with(ending));
    if has_ending && !file.contains('/') { Ok(path.to_owned()) } else { Err(ReferenceError::WorkflowPath) }
}

/// Owner, repository, path (maybe empty, without `.` and `..`) and ref.
fn split_remote(text: &str) -> Result<(String, String, String, String), ReferenceError> {
    let mut parts = text.split('@');
    let name = parts.next().unwrap_or_default();
    let Some(reference) = parts.next() else { return Err(ReferenceError::NoRef(text.to_owned())) };
    if parts.next().is_some() {
        return Err(ReferenceError::SeveralRefs);
    }
    if reference.is_empty() {
        return Err(ReferenceError::EmptyRef);
    }
    let mut segments = name.split(['/', '\\']);
    let mut named = || segments.next().filter(|segment| !matches!(*segment, "" | "." | ".."));
    let (Some(owner), Some(repo)) = (named(), named()) else { return Err(ReferenceError::NoRepository) };
    let mut path = Vec::new();
    for segment in segments {
        match segment {
            "" | "." => {}
            ".." if path.pop().is_none() => return Err(ReferenceError::OutOfRepository),
            ".." => {}
            segment => path.push(segment),
        }
    }
    Ok((owner.to_owned(), repo.to_owned(), path.join("/"), reference.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(text: &str) -> String {
        match ActionRef::parse(text) {
            Ok(ActionRef::Local { path }) => format!("local {path}"),
            Ok(ActionRef::SameRepository { path }) => format!("same {path}"),
            Ok(ActionRef::Remote { owner, repo, path, reference }) => {
                format!("{owner} {repo} {} {reference}", path.as_deref().unwrap_or("-"))
            }
            Ok(ActionRef::Docker { image }) => format!("image {image}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_form_of_an_action_is_known() {
        assert_eq!(action("actions/checkout@v4"), "actions checkout - v4");
        assert_eq!(action("a/b/c/d@refs/heads/x"), "a b c/d refs/heads/x");
        assert_eq!(action("actions/cache/save/../restore//@v4"), "actions cache restore v4");
        assert_eq!(action("./.github/actions/x/"), "local .github/actions/x");
        assert_eq!(action("./"), "local ");
        assert_eq!(action("$/actions/x"), "same actions/x");
        assert_eq!(action("docker://alpine:3.20"), "image alpine:3.20");
    }

    #[test]
    fn trap_101_an_action_without_a_ref_is_refused() {
        assert_eq!(
            action("actions/checkout"),
            "the `@` with a branch, tag or commit is missing, as in `actions/checkout@v1`"
        );
        assert_eq!(action("a/b@"), "the branch, tag or commit after `@` is missing");
        assert_eq!(action("a/b@c@d"), "there is more than one `@`");
        assert_eq!(action("a/b/.github/workflows/x.yml@v1"), ReferenceError::WorkflowInStep.to_string());
        assert_eq!(action("a/b/../../c@v1"), "the path leads out of the repository");
        assert_eq!(action("docker://"), "the image after `docker://` is missing");
        for text in ["checkout", "../x@v1", "checkout@v4", "/a/b@v1"] {
            assert!(action(text).starts_with("expected `owner/repository@ref`"), "{text}");
        }
    }

    #[test]
    fn steps_of_lineclear_need_no_ref() {
        assert_eq!(action("lineclear/publish"), "lineclear publish - v1");
        assert_eq!(action("lineclear/promote@v1"), "lineclear promote - v1");
        assert_eq!(action("lineclear/gate@main"), "lineclear gate - main");
        for text in ["lineclear/other", "lineclear/publish/path", "other/publish"] {
            assert!(action(text).starts_with("the `@` with a branch"), "{text}");
        }
        let is_own = |text| ActionRef::parse(text).expect("valid").is_own();
        assert!(is_own("lineclear/publish@v1") && !is_own("lineclear/other@v1") && !is_own("acme/gate@v1"));
    }

    #[test]
    fn every_form_of_a_reusable_workflow_is_known() {
        let local = WorkflowRef::parse("./.github/workflows/f.yml").expect("valid");
        assert_eq!(local, WorkflowRef::Local { path: ".github/workflows/f.yml".to_owned() });
        assert_eq!(WorkflowRef::parse("$/.github/workflows/f.yml"), Ok(local));
        assert!(WorkflowRef::parse(".o/r/.github/workflows/f.yaml@main").is_ok());
        assert!(WorkflowRef::parse("o/r/.github/workflows/f.yaml@main").is_ok());
        for (text, expected) in [
            ("./.github/workflows/f.yml@main", ReferenceError::RefOnLocal),
            ("./.github/workflows/a/f.yml", ReferenceError::WorkflowPath),
            ("./f.yml", ReferenceError::WorkflowPath),
            ("o/r/.github/workflows/f.txt@main", ReferenceError::WorkflowPath),
            ("o/r@main", ReferenceError::NoWorkflow),
            ("docker://a", ReferenceError::NoWorkflow),
            (".github/workflows/f.yml", ReferenceError::NoRef(".github/workflows/f.yml".to_owned())),
        ] {
            assert_eq!(WorkflowRef::parse(text), Err(expected), "{text}");
        }
    }
}
