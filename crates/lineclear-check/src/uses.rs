//! The steps that use an action, with what is known of the action.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use lineclear_catalog::{ActionFacts, Runtime, Standing};
use lineclear_source::{Source, Spanned};
use lineclear_workflow::{Action, ActionRef, INSERT, Read, Runs, StepKind, Text};

use crate::{Project, StepSite};

/// A step that uses an action.
#[derive(Debug)]
pub struct UseSite<'a> {
    /// The step.
    pub site: StepSite<'a>,
    /// What it uses.
    pub uses: &'a Spanned<ActionRef>,
    /// Its inputs.
    pub with: &'a [(Spanned<String>, Text)],
    /// `owner/repo[/path]` as it is written; the path of a local action; empty for an image.
    pub name: String,
    /// The version: the reference, or what a comment behind a commit says (`@1a2b… # v4.1.2`). Empty where there is none.
    pub version: &'a str,
    interface: OnceCell<Option<Interface>>,
    standing: OnceCell<Standing>,
}

/// What an action takes.
#[derive(Clone, Debug)]
pub enum Interface {
    /// Its metadata, from this repository or this machine.
    Metadata(Arc<Read<Action>>),
    /// What the catalog knows.
    Facts(&'static ActionFacts),
}

/// One input of an action.
#[derive(Clone, Copy, Debug)]
pub struct Parameter<'i> {
    /// As it is declared; lower case where the catalog says it.
    pub name: &'i str,
    /// Required, and without a default.
    pub is_required: bool,
    /// Deprecated; with a hint, as far as there is one.
    pub deprecation: Option<&'i str>,
}

impl<'a> UseSite<'a> {
    pub(crate) fn of(site: StepSite<'a>, source: &'a Source) -> Option<Self> {
        let StepKind::Uses { uses, with } = &site.step.kind else { return None };
        let (name, version) = match &uses.value {
            ActionRef::Local { path } | ActionRef::SameRepository { path } => (path.clone(), ""),
            ActionRef::Docker { .. } => (String::new(), ""),
            ActionRef::Remote { owner, repo, path, reference } => {
                let name = match path {
                    Some(path) => format!("{owner}/{repo}/{path}"),
                    None => format!("{owner}/{repo}"),
                };
                let version = if is_commit(reference) {
                    version_in_comment(uses, source).unwrap_or(reference)
                } else {
                    reference
                };
                (name, version)
            }
        };
        Some(Self { site, uses, with, name, version, interface: OnceCell::new(), standing: OnceCell::new() })
    }

    /// The value of an input, in whatever case it is written.
    pub fn input(&self, name: &str) -> Option<&'a Text> {
        input(self.with, name)
    }

    /// The value of an input that is written without an expression.
    pub fn literal(&self, name: &str) -> Option<&'a str> {
        self.input(name).filter(|value| value.template.as_literal().is_some()).map(Text::raw)
    }

    /// Whether it uses this action of another repository, in whatever case.
    pub fn is(&self, name: &str) -> bool {
        is_action(&self.uses.value, name)
    }

    /// What stands behind the `@`.
    pub fn reference(&self) -> Option<&'a str> {
        if let ActionRef::Remote { reference, .. } = &self.uses.value { Some(reference) } else { None }
    }

    /// Whether every input is written down: neither a key nor a whole mapping comes from an expression.
    pub fn has_all_inputs(&self) -> bool {
        self.with.iter().all(|(key, _)| key.value != INSERT && !key.value.contains("${{"))
    }

    /// Whether this version of the action still works; of what is no action of another repository nothing is known.
    pub fn standing(&self) -> Standing {
        *self.standing.get_or_init(|| match self.reference() {
            Some(_) => lineclear_catalog::standing(&self.name, self.version),
            None => Standing::Current,
        })
    }

    /// What the action takes, if that is known.
    pub fn interface(&self, project: &Project<'_>) -> Option<&Interface> {
        self.interface.get_or_init(|| Interface::of(self, project)).as_ref()
    }
}

impl Interface {
    fn of(site: &UseSite<'_>, project: &Project<'_>) -> Option<Self> {
        let read = match &site.uses.value {
            ActionRef::Local { path } | ActionRef::SameRepository { path } => project.action(path).found()?,
            ActionRef::Docker { .. } => return None,
            own if own.is_own() => return lineclear_catalog::action(&site.name, site.version).map(Self::Facts),
            ActionRef::Remote { reference, .. } => {
                match project.remote_action(&format!("{}@{reference}", site.name)).found() {
                    Some(read) => read,
                    None => return lineclear_catalog::action(&site.name, site.version).map(Self::Facts),
                }
            }
        };
        Some(Self::Metadata(read))
    }

    /// Whether it takes inputs of any name.
    pub fn takes_any_input(&self) -> bool {
        match self {
            Self::Facts(facts) => facts.takes_any_input,
            // What could not be read may be an input, but not under `runs`.
            Self::Metadata(read) => read.model.as_ref().is_none_or(|action| {
                let mut errors = read.diagnostics.iter().filter(|finding| finding.is_error()).peekable();
                errors.peek().is_some() && {
                    let runs = runs_of(action.source.text());
                    errors.any(|error| error.span.is_none_or(|span| !runs.contains(&(span.start as usize))))
                }
            }),
        }
    }

    /// Whether it runs in a container: such an action takes `args` and `entrypoint` without declaring them.
    pub fn is_docker(&self) -> bool {
        match self {
            Self::Facts(facts) => matches!(facts.runtime, Some(Runtime::Docker) | None),
            Self::Metadata(read) => {
                read.model.as_ref().is_some_and(|action| matches!(action.runs, Runs::Docker { .. }))
            }
        }
    }

    /// Whether it is JavaScript, which mostly refuses to run without a required input; the runner itself does not ask for it.
    pub fn is_javascript(&self) -> bool {
        match self {
            Self::Facts(facts) => matches!(facts.runtime, Some(Runtime::Node(_))),
            Self::Metadata(read) => {
                read.model.as_ref().is_some_and(|action| matches!(action.runs, Runs::JavaScript { .. }))
            }
        }
    }

    /// Its inputs.
    pub fn inputs(&self) -> impl Iterator<Item = Parameter<'_>> {
        let (facts, metadata) = match self {
            Self::Facts(facts) => (Some(*facts), None),
            Self::Metadata(read) => (None, read.model.as_ref()),
        };
        let of_facts = facts.into_iter().flat_map(|facts| &facts.inputs).map(|input| Parameter {
            name: input.name,
            is_required: input.is_required,
            deprecation: input.deprecation,
        });
        let of_metadata = metadata.into_iter().flat_map(|action| &action.inputs).map(|input| Parameter {
            name: &input.name.value,
            is_required: input.required && input.default.is_none(),
            deprecation: input.deprecation.as_deref(),
        });
        of_facts.chain(of_metadata)
    }

    /// The input of this name, in whatever case.
    pub fn input(&self, name: &str) -> Option<Parameter<'_>> {
        self.inputs().find(|input| input.name.eq_ignore_ascii_case(name))
    }
}

/// Where the text of an action has what stands under `runs`; nothing in flow style.
fn runs_of(text: &str) -> Range<usize> {
    const KEY: &str = "\nruns:";
    let start = if text.starts_with("runs:") { Some("runs:".len()) } else { text.find(KEY).map(|at| at + KEY.len()) };
    let Some(start) = start else { return 0..0 };
    let rest = text.get(start..).unwrap_or_default();
    let is_key = |at: &usize| rest.as_bytes().get(at + 1).is_some_and(u8::is_ascii_alphabetic);
    let end = memchr::memchr_iter(b'\n', rest.as_bytes()).find(is_key).unwrap_or(rest.len());
    start..start + end
}

/// The input `name`, in whatever case it is written.
pub(crate) fn input<'w>(with: &'w [(Spanned<String>, Text)], name: &str) -> Option<&'w Text> {
    entry(with, name).map(|(_, value)| value)
}

/// The input `name` with its key, in whatever case it is written.
pub(crate) fn entry<'w>(with: &'w [(Spanned<String>, Text)], name: &str) -> Option<&'w (Spanned<String>, Text)> {
    with.iter().find(|(key, _)| key.value.eq_ignore_ascii_case(name))
}

/// `owner/repo[/path]` in lower case, of an action of another repository.
pub(crate) fn action_name(action: &ActionRef) -> Option<String> {
    let ActionRef::Remote { owner, repo, path, .. } = action else { return None };
    let mut name = format!("{owner}/{repo}");
    if let Some(path) = path {
        name.push('/');
        name.push_str(path);
    }
    name.make_ascii_lowercase();
    Some(name)
}

/// Whether this is the action `owner/repo` or `owner/repo/path` of another repository, at whatever reference.
pub(crate) fn is_action(action: &ActionRef, name: &str) -> bool {
    let ActionRef::Remote { owner, repo, path, .. } = action else { return false };
    let mut parts = name.splitn(3, '/');
    let mut is_next = |part: &str| parts.next().is_some_and(|own| own.eq_ignore_ascii_case(part));
    is_next(owner) && is_next(repo) && parts.next() == path.as_deref()
}

/// Whether this is any action of the repository `owner/repo`, in whatever folder.
pub(crate) fn is_of_repository(action: &ActionRef, repository: &str) -> bool {
    match (action, repository.split_once('/')) {
        (ActionRef::Remote { owner, repo, .. }, Some((of, name))) => {
            repo.eq_ignore_ascii_case(name) && owner.eq_ignore_ascii_case(of)
        }
        _ => false,
    }
}

/// Whether a reference is a whole commit.
pub(crate) fn is_commit(reference: &str) -> bool {
    reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The version that the comment behind a `uses` names.
pub(crate) fn version_in_comment<'a>(uses: &Spanned<ActionRef>, source: &'a Source) -> Option<&'a str> {
    let rest = source.text().get(uses.span.end as usize..)?.lines().next()?;
    let (_, comment) = rest.split_once('#')?;
    comment.split_ascii_whitespace().map(|word| word.rsplit(['@', '=']).next().unwrap_or(word)).find(|word| {
        lineclear_catalog::Version::of(word).is_some() && word.bytes().any(|byte| byte == b'.' || byte == b'v')
    })
}
