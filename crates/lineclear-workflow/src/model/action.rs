//! `action.yml`: what an action takes, gives and runs.

use lineclear_source::{Source, Spanned};

use super::{Condition, Env, Input, Step, Text};

/// An action's metadata file.
#[derive(Clone, Debug)]
pub struct Action {
    pub source: Source,
    pub name: Option<String>,
    pub description: Option<String>,
    pub inputs: Vec<Input>,
    pub outputs: Vec<ActionOutput>,
    pub runs: Runs,
}

/// A declared output; only a composite action gives it a value here.
#[derive(Clone, Debug)]
pub struct ActionOutput {
    pub name: Spanned<String>,
    pub description: Option<String>,
    pub value: Option<Text>,
}

/// `runs:`.
#[derive(Clone, Debug)]
pub enum Runs {
    JavaScript {
        /// `node20`, `node24`, or an older one that is run on a newer Node.
        using: Spanned<String>,
        main: String,
        pre: Option<String>,
        /// As it is written: no `success()` is implied, and absent means `always()`. The same holds for `post_if`.
        pre_if: Option<Condition>,
        post: Option<String>,
        post_if: Option<Condition>,
    },
    Composite {
        steps: Vec<Step>,
    },
    Docker {
        image: Spanned<String>,
        entrypoint: Option<String>,
        pre_entrypoint: Option<String>,
        post_entrypoint: Option<String>,
        /// As for JavaScript actions.
        pre_if: Option<Condition>,
        post_if: Option<Condition>,
        args: Vec<Text>,
        env: Option<Env>,
    },
}
