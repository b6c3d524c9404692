//! `lineclear docs`: the guide of the repository's pipelines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use lineclear_secrets::Kind;
use lineclear_workflow::Workflow;

use super::secret::audit::uses_of;
use super::secret::keep::{self, StoreArgs};
use crate::exit::Exit;
use crate::guide::{Need, State, guide};
use crate::output;
use crate::preflight::{Given, Named, Standing};
use crate::session::actions::{ActionFiles, FetchArgs};
use crate::workflow_files;

const EXAMPLES: &str = "\
Examples:
  lineclear docs                                  print the guide
  lineclear docs --output docs/pipelines.md       write it
  lineclear docs --output docs/pipelines.md --check
                                                  fail if it is not up to date, for continuous integration
  lineclear docs --no-secrets --output PIPELINES.md
                                                  without what is set on this machine

The guide has a table of events and branches with the jobs they start, the required checks, each workflow's jobs with the command
that runs them here, and secrets and variables by scope, those that are missing marked.";

/// Arguments of `docs`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DocsArgs {
    /// A workflow file, or a folder of them; may be repeated. [default: .github/workflows]
    #[arg(short = 'W', long = "workflow", value_name = "FILE|DIR")]
    workflows: Vec<PathBuf>,

    /// Write the guide into this file. [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write nothing, and fail if the file of --output says something else.
    #[arg(long, requires = "output")]
    check: bool,

    /// Do not say which secrets and variables are set on this machine.
    #[arg(long)]
    no_secrets: bool,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    fetch: FetchArgs,
}

/// Carries out `docs`.
pub(crate) fn run(args: &DocsArgs) -> Exit {
    written(args).unwrap_or_else(|message| {
        output::complain(&format!("error: {message}"));
        Exit::BadInput
    })
}

fn written(args: &DocsArgs) -> Result<Exit, String> {
    let checkout = keep::checkout()?;
    let files = workflow_files::read(&checkout.root, &args.workflows)?;
    if files.is_empty() {
        return Err("there are no workflows here".to_owned());
    }
    let called = ActionFiles::new(checkout.root.clone(), &args.fetch);
    let (uses, is_broken) = uses_of(&files, &called);
    if is_broken {
        return Ok(Exit::BadInput);
    }
    let repository = keep::repository(None)?;
    let known = if args.no_secrets { None } else { Some(args.store.open()?.read()?) };
    let mut needs: BTreeMap<(Kind, Option<String>, String), Need> = BTreeMap::new();
    for used in &uses {
        let Some(name) = &used.name else { continue };
        if name == "GITHUB_TOKEN" {
            continue;
        }
        let standing = known.as_ref().map(|known| Standing::of(used, known, &repository, &Given::default()));
        let state = match standing {
            Some(Standing::Missing) if used.is_optional => State::Optional,
            Some(Standing::Missing) => State::Missing,
            Some(_) => State::Set,
            None => State::Unknown,
        };
        let environment = match &used.environment {
            Named::Known(environment) => Some(environment.clone()),
            Named::None | Named::AtRunTime(_) => None,
        };
        let file = used.workflow.name().rsplit('/').next().unwrap_or_default();
        let job = if used.job.is_empty() { file.to_owned() } else { format!("{file}: {}", used.job) };
        let need = needs.entry((used.kind, environment.clone(), name.clone())).or_insert_with(|| Need {
            name: name.clone(),
            environment,
            jobs: Vec::new(),
            state,
        });
        if !need.jobs.contains(&job) {
            need.jobs.push(job);
        }
        // What one job cannot do without is missing, whatever the others can.
        if state == State::Missing {
            need.state = State::Missing;
        }
    }
    let of_kind = |wanted: Kind| -> Vec<Need> {
        needs.iter().filter(|((kind, ..), _)| *kind == wanted).map(|(_, need)| need.clone()).collect()
    };
    let workflows: Vec<&Workflow> = files.iter().filter_map(|file| file.workflow.as_ref()).collect();
    let text = guide(
        &workflows,
        &crate::policy_file::read(&checkout.root)?.policy,
        &of_kind(Kind::Secret),
        &of_kind(Kind::Variable),
    );
    match &args.output {
        None => {
            output::print(&text);
            Ok(Exit::Success)
        }
        Some(path) if args.check => Ok(compare(path, &text)),
        Some(path) => {
            let wrong = |error: std::io::Error| format!("`{}` cannot be written: {error}", path.display());
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(wrong)?;
            }
            std::fs::write(path, text).map_err(wrong)?;
            Ok(Exit::Success)
        }
    }
}

fn compare(path: &Path, text: &str) -> Exit {
    match std::fs::read_to_string(path) {
        Ok(there) if there == text => Exit::Success,
        Ok(_) => {
            output::complain(&format!("`{0}` is out of date: lineclear docs --output {0}", path.display()));
            Exit::WorkFailed
        }
        Err(error) => {
            output::complain(&format!("`{}` cannot be read: {error}", path.display()));
            Exit::WorkFailed
        }
    }
}
