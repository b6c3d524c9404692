//! `lineclear plan`: says what an event would run, and why.

mod stored;
mod text;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lineclear_event::ForgeEvent;
use lineclear_plan::{Plan, PlannedWorkflow};

use crate::cli::name_and_value;
use crate::exit::Exit;
use crate::local_event::{Checkout, EventOptions};
use crate::output;
use crate::planning::{self, Asked, Planning};
use crate::session::actions::{ActionFiles, FetchArgs};
use crate::workflow_files::FOLDER;
use stored::Stored;

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

    /// Take this file as changed for path filters, instead of what git says; may be repeated.
    #[arg(long, value_name = "PATH", conflicts_with = "changed_since")]
    changed: Vec<String>,

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

    #[command(flatten)]
    fetch: FetchArgs,

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
    let here = match std::env::current_dir() {
        Ok(here) => here,
        Err(error) => {
            output::complain(&format!("error: this folder cannot be used: {error}"));
            return Exit::BadInput;
        }
    };
    let checkout = Checkout::find(&here);
    let stored = match Stored::read(&checkout, &args.vars) {
        Ok(stored) => stored,
        Err(message) => {
            output::complain(&format!("error: {message}"));
            return Exit::BadInput;
        }
    };
    let asked = Asked {
        event: args.event.clone(),
        options: EventOptions {
            payload: args.payload.clone(),
            reference: args.reference.clone(),
            actor: args.actor.clone(),
            default_branch: args.default_branch.clone(),
            changed_since: args.changed_since.clone(),
            changed: args.changed.clone(),
            inputs: args.inputs.iter().cloned().collect(),
        },
        workflows: args.workflows.clone(),
        vars: stored.vars(),
    };
    let called = ActionFiles::new(checkout.root.clone(), &args.fetch);
    match planning::plan(&asked, &checkout, &called) {
        Ok(planning) => {
            let exit = show(&planning, args, &checkout);
            if args.format == Format::Text {
                stored.note_lacks(&planning, &called);
            }
            exit
        }
        Err(error) => {
            output::complain_of(&error);
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

fn show(planning: &Planning, args: &PlanArgs, checkout: &Checkout) -> Exit {
    complain(&planning.plan, args.format);
    if planning.plan.workflows.is_empty() && args.format == Format::Text {
        let looked_in = checkout.root.join(FOLDER);
        output::print(&format!("There are no workflows: no *.yml or *.yaml file in {}\n", looked_in.display()));
    } else {
        let exit = print(&planning.plan, &planning.event, args.format == Format::Json);
        if exit != Exit::Success {
            return exit;
        }
    }
    planning.notes.iter().for_each(|note| output::complain(&format!("note: {note}")));
    let is_broken = |workflow: &PlannedWorkflow| workflow.has_errors() || workflow.startup_failure.is_some();
    let workflows = &planning.plan.workflows;
    let named_is_broken = !args.workflows.is_empty() && workflows.iter().any(is_broken);
    let all_are_broken = !workflows.is_empty() && workflows.iter().all(is_broken);
    if named_is_broken || all_are_broken || planning.refused_dispatch().is_some() {
        Exit::BadInput
    } else {
        Exit::Success
    }
}

/// Shows findings against their files: errors always, warnings to people.
fn complain(plan: &Plan, format: Format) {
    for (source, finding) in plan.workflows.iter().flat_map(|workflow| &workflow.diagnostics) {
        if finding.is_error() || format == Format::Text {
            output::complain_findings(source, std::slice::from_ref(finding));
        }
    }
}
