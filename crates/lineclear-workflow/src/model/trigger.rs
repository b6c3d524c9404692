//! `on:`: which events start a workflow.

use lineclear_source::{Span, Spanned};

use super::{Text, TextTree};

/// All triggers of a workflow, in file order, each event at most once.
#[derive(Clone, Debug, Default)]
pub struct Triggers {
    pub events: Vec<Trigger>,
    pub span: Span,
}

impl Triggers {
    pub fn get(&self, event: &str) -> Option<&Trigger> {
        self.events.iter().find(|trigger| trigger.event.value == event)
    }
}

/// One event under `on:` with its filters. Filters that the event does not know are reported and left out.
#[derive(Clone, Debug)]
pub struct Trigger {
    pub event: Spanned<String>,
    /// Activity types; `None` is the event's default.
    pub types: Option<Vec<Spanned<String>>>,
    pub branches: Option<Patterns>,
    pub tags: Option<Patterns>,
    pub paths: Option<Patterns>,
    /// `workflow_run`: names of workflows.
    pub workflows: Vec<Spanned<String>>,
    /// `image_version`: `names` and `versions`.
    pub names: Option<Patterns>,
    pub versions: Option<Patterns>,
    pub schedule: Vec<Schedule>,
    /// `workflow_dispatch` and `workflow_call`.
    pub inputs: Vec<Input>,
    /// `workflow_call`.
    pub secrets: Vec<CallSecret>,
    /// `workflow_call`: output name and value.
    pub outputs: Vec<CallOutput>,
}

/// A filter list: `branches` or `branches-ignore`, never both.
#[derive(Clone, Debug)]
pub struct Patterns {
    /// Whether this is the `-ignore` form.
    pub ignore: bool,
    pub list: Vec<Spanned<String>>,
    pub span: Span,
}

/// One entry of `schedule`.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub cron: Spanned<String>,
    /// IANA name; UTC when absent.
    pub timezone: Option<Spanned<String>>,
}

/// An input of `workflow_dispatch`, `workflow_call` or an action.
#[derive(Clone, Debug)]
pub struct Input {
    pub name: Spanned<String>,
    pub description: Option<String>,
    pub required: bool,
    /// For `workflow_call` and actions it may hold expressions.
    pub default: Option<Text>,
    pub kind: InputKind,
    pub deprecation: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputKind {
    String,
    Boolean,
    Number,
    Choice(Vec<String>),
    Environment,
}

#[derive(Clone, Debug)]
pub struct CallSecret {
    pub name: Spanned<String>,
    pub description: Option<String>,
    pub required: bool,
}

#[derive(Clone, Debug)]
pub struct CallOutput {
    pub name: Spanned<String>,
    pub description: Option<String>,
    pub value: Option<Text>,
}

/// `jobs.<id>.strategy`.
#[derive(Clone, Debug)]
pub struct Strategy {
    pub matrix: Option<TextTree>,
    pub fail_fast: Option<Text>,
    pub max_parallel: Option<Text>,
    /// Where `strategy` is one expression: it gives an object with the keys above, which are then absent.
    pub expression: Option<Text>,
    pub span: Span,
}
