//! `lineclear plan`: says what an event would run, and why.

mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lineclear_event::ForgeEvent;
use lineclear_plan::{Facts, Plan, PlannedWorkflow, dispatch_inputs, given_inputs, plan};
use lineclear_source::Diagnostic;
use lineclear_workflow::Workflow;

use crate::exit::Exit;
use crate::local_event::{Checkout, EventOptions, LocalEvent, Wants};
use crate::output;
use crate::session::actions::ActionsFolder;
use crate::workflow_files::{self, FOLDER, WorkflowFile};

const EXAMPLES: &str = "\
Examples:
  lineclear plan                                  what a push of this branch starts, and why
  lineclear plan --event pull_request --changed-since main
                                                  which path filters a branch's changes pass
  lineclear plan --event push --ref refs/tags/v1.2.0
                                                  what a version tag would start
  lineclear plan --payload event.json --format json
                                                  for programs, from a webhook's payload
  lineclear plan -W .github/workflows/deploy.yml --event workflow_dispatch --input environment=staging";

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PlanArgs {
    /// The event: push, pull_request, tag, workflow_dispatch, schedule … [default: push, or what the payload is of]
    #[arg(long, value_name = "NAME")]
    event: Option<String>,

    /// The event's payload, a JSON file as the forge's webhook sends it ("-": standard input).
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,

    /// A workflow file, or a folder of them; may be repeated. [default: .github/workflows]
    #[arg(short = 'W', long = "workflow", value_name = "FILE|DIR")]
    workflows: Vec<PathBuf>,

    /// Take the files changed since this revision for path filters, instead of the event's own.
    #[arg(long, value_name = "REF")]
    changed_since: Option<String>,

    /// An input of `workflow_dispatch`; may be repeated.
    #[arg(long = "input", value_name = "NAME=VALUE", value_parser = name_and_value)]
    inputs: Vec<(String, String)>,

    /// A configuration variable (the `vars` context); may be repeated.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = name_and_value)]
    vars: Vec<(String, String)>,

    /// The ref the event happened on, such as refs/heads/main or refs/tags/v1. [default: what is checked out]
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,

    /// The repository's default branch. [default: what the payload or the remote says]
    #[arg(long, value_name = "BRANCH")]
    default_branch: Option<String>,

    /// Who caused the event. [default: the payload's sender, or git's user.name]
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,

    /// How to show the plan.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// How `plan` shows what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A tree for people.
    Text,
    /// One JSON document.
    Json,
}

/// Carries out `plan`.
pub(crate) fn run(args: &PlanArgs) -> Exit {
    match Planned::make(args) {
        Ok(planned) => planned.show(args),
        Err(Failed::Event(error)) => {
            output::complain_of(&error);
            Exit::BadInput
        }
        Err(Failed::Files(sentence)) => {
            output::complain(&format!("error: {sentence}"));
            Exit::BadInput
        }
    }
}

/// Prints a plan, as text or as JSON, and gives the exit code.
pub(crate) fn print(plan: &Plan, event: &ForgeEvent, as_json: bool) -> Exit {
    let text = match as_json {
        false => text::show(plan, event, output::stdout_style()),
        true => match serde_json::to_string_pretty(plan) {
            Ok(json) => format!("{json}\n"),
            Err(error) => {
                output::complain_of(&error);
                return Exit::EngineFault;
            }
        },
    };
    output::print(&text);
    Exit::Success
}

/// A plan with everything it was made from.
#[derive(Debug)]
struct Planned {
    plan: Plan,
    event: ForgeEvent,
    notes: Vec<String>,
    /// Where workflows were looked for.
    looked_in: String,
    /// Whether a dispatch was asked for whose inputs no workflow accepts.
    refused: bool,
}

#[derive(Debug)]
enum Failed {
    Event(crate::local_event::EventError),
    Files(String),
}

impl Planned {
    fn make(args: &PlanArgs) -> Result<Self, Failed> {
        let here =
            std::env::current_dir().map_err(|error| Failed::Files(format!("this folder cannot be used: {error}")))?;
        let checkout = Checkout::find(&here);
        let inputs: BTreeMap<_, _> = args.inputs.iter().cloned().collect();
        let options = EventOptions {
            payload: args.payload.clone(),
            reference: args.reference.clone(),
            actor: args.actor.clone(),
            default_branch: args.default_branch.clone(),
            changed_since: args.changed_since.clone(),
            inputs: inputs.clone(),
        };
        // git works while the files are read.
        let started = LocalEvent::start(&checkout, args.event.as_deref(), &options).map_err(Failed::Event)?;
        let files = workflow_files::read(&checkout.root, &args.workflows).map_err(Failed::Files)?;
        let models = files.iter().filter_map(|file| file.workflow.as_ref());
        let wants = Wants::of(models, started.name());
        let local = started.finish(&wants).map_err(Failed::Event)?;
        let facts = Facts {
            vars: args.vars.iter().cloned().collect(),
            inputs,
            head_message: local.head_message,
            ..Facts::default()
        };
        let called = ActionsFolder::from_environment(checkout.root.clone());
        let (readable, unreadable) = sort_out(files);
        let mut plan = plan(&readable, &local.event, &facts, &called);
        for (at, workflow) in unreadable {
            plan.workflows.insert(at.min(plan.workflows.len()), workflow);
        }
        let refused = local.event.name == "workflow_dispatch" && {
            let given = given_inputs(&local.event, &facts);
            let mut asked =
                readable.iter().filter(|(workflow, _)| workflow.on.get("workflow_dispatch").is_some()).peekable();
            asked.peek().is_some() && asked.all(|(workflow, _)| dispatch_inputs(workflow, &given).is_err())
        };
        let looked_in = checkout.root.join(FOLDER).display().to_string();
        Ok(Self { plan, event: local.event, notes: local.notes, looked_in, refused })
    }

    fn show(&self, args: &PlanArgs) -> Exit {
        self.complain(args.format);
        match args.format {
            Format::Text if self.plan.workflows.is_empty() => {
                output::print(&format!("There are no workflows: no *.yml or *.yaml file in {}\n", self.looked_in));
            }
            format => match print(&self.plan, &self.event, format == Format::Json) {
                Exit::Success => {}
                fault => return fault,
            },
        }
        for note in &self.notes {
            output::complain(&format!("note: {note}"));
        }
        let is_broken = |workflow: &PlannedWorkflow| workflow.has_errors() || workflow.startup_failure.is_some();
        match !args.workflows.is_empty() && self.plan.workflows.iter().any(is_broken) || self.refused {
            true => Exit::BadInput,
            false => Exit::Success,
        }
    }

    /// Shows findings against their files: errors always, warnings to people.
    fn complain(&self, format: Format) {
        for (source, finding) in self.plan.workflows.iter().flat_map(|workflow| &workflow.diagnostics) {
            if finding.is_error() || format == Format::Text {
                output::complain_findings(source, std::slice::from_ref(finding));
            }
        }
    }
}

/// A workflow and what is wrong with it.
type Readable = (Workflow, Vec<Diagnostic>);

/// Files that hold a workflow, and the entries of those that do not with their places.
fn sort_out(files: Vec<WorkflowFile>) -> (Vec<Readable>, Vec<(usize, PlannedWorkflow)>) {
    let mut readable = Vec::with_capacity(files.len());
    let mut unreadable = Vec::new();
    for (at, file) in files.into_iter().enumerate() {
        match file.workflow {
            Some(workflow) => readable.push((workflow, file.findings)),
            None => unreadable.push((at, PlannedWorkflow::unreadable(&file.source, &file.findings))),
        }
    }
    (readable, unreadable)
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
