//! Steps.

use lineclear_source::{Span, Spanned};

use super::{Condition, Env, Text};

/// One step of a job or of a composite action.
#[derive(Clone, Debug)]
pub struct Step {
    pub id: Option<Spanned<String>>,
    pub name: Option<Text>,
    /// `if:`; absent means `success()`.
    pub condition: Option<Condition>,
    pub env: Option<Env>,
    pub continue_on_error: Option<Text>,
    pub timeout_minutes: Option<Text>,
    /// Starts and does not block; a later `wait` collects it.
    pub background: bool,
    pub kind: StepKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum StepKind {
    Run {
        script: Text,
        shell: Option<Text>,
        working_directory: Option<Text>,
    },
    Uses {
        uses: Spanned<ActionRef>,
        /// A key may hold expressions, or be [`INSERT`](crate::INSERT), whose value gives an object of further inputs.
        with: Vec<(Spanned<String>, Text)>,
    },
    /// Waits for the background steps named.
    Wait {
        ids: Vec<Spanned<String>>,
    },
    WaitAll,
    /// Stops a background step.
    Cancel {
        id: Spanned<String>,
    },
    /// Starts all at once and waits for all.
    Parallel {
        steps: Vec<Step>,
    },
}

/// What `uses:` of a step names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionRef {
    /// `./path`: in the workspace. The path has no `./`.
    Local { path: String },
    /// `$/path`: in the repository and commit of the file that contains the step.
    SameRepository { path: String },
    /// `owner/repo@ref` or `owner/repo/path@ref`.
    Remote { owner: String, repo: String, path: Option<String>, reference: String },
    /// `docker://image`.
    Docker { image: String },
}
