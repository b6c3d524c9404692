//! A workflow file as a whole.

use lineclear_source::{Diagnostic, Source, Span, Spanned};

use super::{Env, Job, Text, Triggers};

/// One workflow file.
#[derive(Clone, Debug)]
pub struct Workflow {
    pub source: Source,
    /// `name:`; a workflow without one is called by its path.
    pub name: Option<Spanned<String>>,
    pub run_name: Option<Text>,
    pub description: Option<Spanned<String>>,
    pub on: Triggers,
    pub permissions: Option<Permissions>,
    pub env: Option<Env>,
    pub defaults: Option<RunDefaults>,
    pub concurrency: Option<Concurrency>,
    /// In file order.
    pub jobs: Vec<Job>,
}

/// What reading a file gave: the model as far as it was understood, and all findings.
#[derive(Clone, Debug)]
pub struct Read<T> {
    /// `None` only where the text is no YAML mapping at all.
    pub model: Option<T>,
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Read<T> {
    /// Whether any finding is an error: such a file does not run.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

impl Workflow {
    /// `name:`, or the path of the file.
    pub fn display_name(&self) -> &str {
        self.name.as_ref().map_or(self.source.name(), |name| &name.value)
    }

    /// The job called `id`, ignoring case as GitHub does.
    pub fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id.value.eq_ignore_ascii_case(id))
    }
}

/// `defaults.run`.
#[derive(Clone, Debug, Default)]
pub struct RunDefaults {
    pub shell: Option<Text>,
    pub working_directory: Option<Text>,
}

/// `concurrency:` of a workflow or a job.
#[derive(Clone, Debug)]
pub struct Concurrency {
    /// Where `concurrency` was one expression, it may give an object with the other keys, too.
    pub group: Text,
    /// Absent means false.
    pub cancel_in_progress: Option<Text>,
    pub queue: Queue,
    pub span: Span,
}

/// How many wait for a busy concurrency group: the newest only, or up to a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Queue {
    #[default]
    Single,
    Max,
}

/// `permissions:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permissions {
    ReadAll(Span),
    WriteAll(Span),
    /// Every scope that is not named is `none`. An empty mapping grants nothing.
    Scopes(Spanned<Vec<(Spanned<String>, Spanned<Access>)>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    None,
    Read,
    Write,
}

impl Access {
    /// As it is written: `none`, `read`, `write`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}
