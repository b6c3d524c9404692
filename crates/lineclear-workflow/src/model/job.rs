//! Jobs.

use lineclear_source::{Span, Spanned};

use super::{Concurrency, Condition, Env, Permissions, RunDefaults, Step, Strategy, Text, TextTree};

/// One entry of `jobs:`.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: Spanned<String>,
    pub name: Option<Text>,
    pub needs: Vec<Spanned<String>>,
    /// `if:`; absent means `success()`.
    pub condition: Option<Condition>,
    pub permissions: Option<Permissions>,
    pub strategy: Option<Strategy>,
    pub concurrency: Option<Concurrency>,
    pub kind: JobKind,
    /// The whole job, from its id on.
    pub span: Span,
    /// The mapping behind the id: from its first key or `{`.
    pub body: Span,
}

/// A job has steps of its own or calls another workflow.
#[derive(Clone, Debug)]
pub enum JobKind {
    Steps(Box<StepsJob>),
    Call(Box<CallJob>),
}

/// A job that runs steps on a machine.
#[derive(Clone, Debug)]
pub struct StepsJob {
    pub runs_on: RunsOn,
    pub environment: Option<Environment>,
    pub env: Option<Env>,
    pub defaults: Option<RunDefaults>,
    pub timeout_minutes: Option<Text>,
    pub cancel_timeout_minutes: Option<Text>,
    pub continue_on_error: Option<Text>,
    pub container: Option<Container>,
    pub services: Vec<Service>,
    /// Where `services` is one expression: it gives an object of services, and the list above is empty.
    pub services_expression: Option<Text>,
    pub outputs: Vec<(Spanned<String>, Text)>,
    pub steps: Vec<Step>,
    pub snapshot: Option<Snapshot>,
}

/// `runs-on:`.
#[derive(Clone, Debug)]
pub enum RunsOn {
    /// A string or a sequence: the machine must have every label. One expression may give a sequence, or an object
    /// with `group` and `labels`.
    Labels(Spanned<Vec<Text>>),
    Group {
        group: Option<Text>,
        labels: Vec<Text>,
        span: Span,
    },
}

/// `environment:`.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Where `environment` was one expression, it may give an object with the other keys, too.
    pub name: Text,
    pub url: Option<Text>,
    /// Absent means true.
    pub deployment: Option<Text>,
    pub span: Span,
}

/// `container:` or a service. An image that evaluates to the empty string means no container.
#[derive(Clone, Debug)]
pub struct Container {
    /// Where the whole was one expression, it may give an object with the other keys, too.
    pub image: Text,
    pub credentials: Option<Credentials>,
    pub env: Option<Env>,
    /// A single expression may give a sequence; the same holds for `volumes`.
    pub ports: Vec<Text>,
    pub volumes: Vec<Text>,
    pub options: Option<Text>,
    pub span: Span,
}

/// One entry of `services:`.
#[derive(Clone, Debug)]
pub struct Service {
    pub id: Spanned<String>,
    pub container: Container,
    pub entrypoint: Option<Text>,
    pub command: Option<Text>,
}

#[derive(Clone, Debug)]
pub struct Credentials {
    pub username: Text,
    pub password: Text,
}

/// `snapshot:`, which only hosted machines have.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub image_name: Text,
    pub version: Option<Text>,
    pub condition: Option<Condition>,
    pub span: Span,
}

/// A job that calls a reusable workflow.
#[derive(Clone, Debug)]
pub struct CallJob {
    pub uses: Spanned<WorkflowRef>,
    /// Values are scalars.
    pub with: Vec<(Spanned<String>, TextTree)>,
    pub secrets: CallSecrets,
}

/// The workflow that a job calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkflowRef {
    /// `./.github/workflows/f.yml` or `$/.github/workflows/f.yml`: of the same repository and commit as the calling file. The path has neither.
    Local { path: String },
    /// `owner/repo/.github/workflows/f.yml@ref`.
    Remote { owner: String, repo: String, path: String, reference: String },
}

/// `secrets:` of a calling job.
#[derive(Clone, Debug)]
pub enum CallSecrets {
    None,
    Inherit(Span),
    Map(Vec<(Spanned<String>, Text)>),
}
