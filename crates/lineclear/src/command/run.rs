//! `lineclear run`: runs the workflows that an event starts, here and now.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::name_and_value;
use crate::exit::Exit;
use crate::session::actions::FetchArgs;
use crate::session::forge_choice::ForgeAsked;
use crate::session::isolation::IsolationArgs;
use crate::session::machine::MachineArgs;
use crate::session::registry::RegistryArgs;
use crate::{session, watch};

const EXAMPLES: &str = "\
Examples:
  lineclear run                                   as if this branch had just been pushed
  lineclear run --event pull_request              as if a pull request had been opened from it
  lineclear run -W .github/workflows/ci.yml -j test --matrix python:3.12
                                                  one leg of one job, and the jobs it needs
  lineclear run -j deploy --skip-needs            only that job; its needs' outputs come from the last run
  lineclear run --event workflow_dispatch --input environment=staging --secret TOKEN
                                                  TOKEN's value is taken from the environment
  lineclear run --isolate --memory 2G             on a read-only system, without a network, with limits (docs/isolation.md)
  lineclear run --network allow=packages.example.org:443,files.example.org:443
                                                  any other connection is refused, and told
  lineclear run --payload event.json --format json
                                                  for programs: one JSON event a line (docs/events.md)";

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunArgs {
    /// The event: push, pull_request, workflow_dispatch, schedule … [default: push, or the only one a single workflow has]
    #[arg(long, value_name = "NAME")]
    pub(crate) event: Option<String>,

    /// The event's payload, a JSON file as the forge's webhook sends it ("-": standard input).
    #[arg(long, value_name = "FILE")]
    pub(crate) payload: Option<PathBuf>,

    /// A workflow file, or a folder of them; may be repeated. [default: .github/workflows]
    #[arg(short = 'W', long = "workflow", value_name = "FILE|DIR")]
    pub(crate) workflows: Vec<PathBuf>,

    /// Run this job and what it needs; may be repeated.
    #[arg(short, long = "job", value_name = "JOB")]
    pub(crate) jobs: Vec<String>,

    /// With --job: do not run what the jobs need; take results and outputs from the last run.
    #[arg(long, requires = "jobs")]
    pub(crate) skip_needs: bool,

    /// Run only the legs of a matrix that have this value; may be repeated.
    #[arg(long, value_name = "AXIS:VALUE", value_parser = axis_and_value)]
    pub(crate) matrix: Vec<(String, String)>,

    /// Take this file as changed for path filters, instead of what git says; may be repeated.
    #[arg(long, value_name = "PATH")]
    pub(crate) changed: Vec<String>,

    /// An input of `workflow_dispatch`; may be repeated.
    #[arg(long = "input", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) inputs: Vec<(String, String)>,

    /// A secret; without a value it is taken from the environment. May be repeated.
    #[arg(short, long = "secret", value_name = "NAME[=VALUE]")]
    pub(crate) secrets: Vec<String>,

    /// A file of secrets, NAME=VALUE a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,

    /// A store of secrets and variables beside that of this machine, such as .lineclear/secrets; it wins over that one.
    #[arg(long, value_name = "FILE", env = crate::secret_stores::VARIABLE)]
    pub(crate) secret_store: Option<PathBuf>,

    /// Start no job while a secret or variable that the jobs need is not set.
    #[arg(long)]
    pub(crate) require_secrets: bool,

    /// A configuration variable (the `vars` context); may be repeated.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) vars: Vec<(String, String)>,

    /// A file of configuration variables, NAME=VALUE a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Option<PathBuf>,

    /// A variable in every step's environment, below the workflow's own `env`; may be repeated.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) env: Vec<(String, String)>,

    /// A file of environment variables, NAME=VALUE a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,

    /// The ref the event happened on, such as refs/heads/main or refs/tags/v1. [default: what is checked out]
    #[arg(long = "ref", value_name = "REF")]
    pub(crate) reference: Option<String>,

    /// Who caused the event. [default: git's user.name]
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,

    /// Work in the repository's own folder instead of a private copy: steps change your files.
    #[arg(long)]
    pub(crate) in_place: bool,

    /// Start with an empty workspace until a step checks out, as on a hosted machine.
    #[arg(long, conflicts_with = "in_place")]
    pub(crate) empty_workspace: bool,

    /// How many jobs run at once. [default: 4, or the number of cores if larger]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) parallel: Option<u16>,

    /// A label of `runs-on` that this machine may stand for; may be repeated. Linux labels need no mention.
    #[arg(long = "label", value_name = "LABEL", env = "LINECLEAR_LABELS", value_delimiter = ',')]
    pub(crate) labels: Vec<String>,

    /// Where calls of the forge's API go: local, github, github=URL, gitea=URL or forgejo=URL. A real forge needs a token in
    /// LINECLEAR_FORGE_TOKEN; with `local`, what would be posted is kept here and shown.
    #[arg(long, value_name = "FORGE", env = "LINECLEAR_FORGE", default_value = "local")]
    pub(crate) forge: ForgeAsked,

    /// Use the real actions instead of those that are built in.
    #[arg(long)]
    pub(crate) no_native_actions: bool,

    /// Show debug messages of steps, as ACTIONS_STEP_DEBUG does.
    #[arg(long)]
    pub(crate) debug: bool,

    /// At a step that fails, open a shell in its environment; then run it again or go on.
    #[arg(long)]
    pub(crate) pause_on_failure: bool,

    /// Stay, and run again what a change of the repository's files affects.
    #[arg(long, conflicts_with_all = ["dry_run", "payload", "changed"])]
    pub(crate) watch: bool,

    /// Do not run the workflows that follow those of the event (`on: workflow_run`).
    #[arg(long)]
    pub(crate) no_chain: bool,

    /// Say what would run, and run nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) fetch: FetchArgs,

    #[command(flatten)]
    pub(crate) machine: MachineArgs,

    #[command(flatten)]
    pub(crate) registry: RegistryArgs,

    #[command(flatten)]
    pub(crate) isolation: IsolationArgs,

    /// How to show what happens. [default: tree on a terminal, else plain]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,

    /// A recorded run instead of what the working tree has: `replay --run`.
    #[arg(skip)]
    pub(crate) again: Option<Box<crate::session::rerun::Again>>,
}

/// How `run` shows what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A live tree of jobs and steps; needs a terminal.
    Tree,
    /// Every line, with its job before it.
    Plain,
    /// One JSON event a line.
    Json,
}

/// Carries out `run`.
pub(crate) fn run(args: &RunArgs) -> Exit {
    if args.watch { watch::run(args) } else { session::run(args) }
}

fn axis_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once([':', '=']) {
        Some((axis, value)) if !axis.is_empty() => Ok((axis.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected AXIS:VALUE, such as os:ubuntu-latest".to_owned()),
    }
}
