//! `lineclear secret audit`: which job uses which secret, and what is missing, old or unused. S1-121, S1-128.

mod document;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use lineclear_event::Timestamp;
use lineclear_plan::load_calls;
use lineclear_secrets::{Entry, Kind, RepositoryName};

use super::keep::{self, Format, StoreArgs, days_since};
use crate::exit::Exit;
use crate::output;
use crate::preflight::{Given, KnownValues, Lack, Named, Standing, Use, Walk, lacking, of_workflow};
use crate::session::actions::{ActionFiles, FetchArgs};
use crate::workflow_files::{self, WorkflowFile};

/// Arguments of `secret audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// A workflow file, or a folder of them; may be repeated. [default: .github/workflows]
    #[arg(short = 'W', long = "workflow", value_name = "FILE|DIR")]
    workflows: Vec<PathBuf>,

    /// Secrets whose value is older than this many days are to be changed.
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    max_age: u64,

    /// End with 1 when a secret or variable is missing that a job cannot do without.
    #[arg(long)]
    strict: bool,

    /// The repository. [default: the one in this folder]
    #[arg(long, value_name = "OWNER/NAME")]
    repo: Option<String>,

    /// How to show what was found.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    fetch: FetchArgs,
}

/// What was found.
struct Audit<'k> {
    repository: &'k RepositoryName,
    uses: Vec<(&'k Use, Standing<'k>)>,
    lacks: Vec<Lack>,
    /// Records of this repository that no workflow reads.
    unused: Vec<&'k Entry>,
    /// Secrets that are older than they should be.
    old: Vec<&'k Entry>,
    max_age: u64,
    last_uses: BTreeMap<String, i64>,
}

/// Carries out `secret audit`.
pub(super) fn run(args: &AuditArgs) -> Result<Exit, String> {
    let checkout = keep::checkout()?;
    let repository = keep::repository(args.repo.as_deref())?;
    let mut stores = args.store.open()?;
    let known = stores.read()?;
    let files = workflow_files::read(&checkout.root, &args.workflows)?;
    let called = ActionFiles::new(checkout.root.clone(), &args.fetch);
    let (uses, is_broken) = uses_of(&files, &called);
    if files.is_empty() {
        output::complain("note: there are no workflows here");
    }
    let standing = |used| (used, Standing::of(used, &known, &repository, &Given::default()));
    let uses: Vec<(&Use, Standing<'_>)> = uses.iter().map(standing).collect();
    let of_repository = || known.entries().filter(|entry| entry.scope().repository() == Some(&repository));
    let is_read = |entry: &&Entry| uses.iter().any(|(used, standing)| reads(used, standing, entry));
    let is_old = |entry: &&Entry| entry.kind() == Kind::Secret && days_since(Timestamp(entry.updated())) > args.max_age;
    let audit = Audit {
        repository: &repository,
        lacks: lacking(uses.iter().map(|(used, standing)| (*used, standing.clone()))),
        unused: of_repository().filter(|entry| !is_read(entry)).collect(),
        old: known
            .entries()
            .filter(is_old)
            .filter(|entry| of_repository().any(|own| own.id() == entry.id()) || is_read(entry))
            .collect(),
        max_age: args.max_age,
        last_uses: stores.uses().read(),
        uses,
    };
    match args.format {
        Format::Text => output::print(&document::text(&audit)),
        Format::Json => output::print(&format!("{:#}\n", document::json(&audit))),
    }
    Ok(match audit.lacks.iter().any(|lack| !lack.is_optional) {
        _ if is_broken => Exit::BadInput,
        true if args.strict => Exit::WorkFailed,
        true | false => Exit::Success,
    })
}

/// What all workflows use, and whether any of them has errors, which are told.
pub(in crate::command) fn uses_of(files: &[WorkflowFile], called: &ActionFiles) -> (Vec<Use>, bool) {
    let mut uses = Vec::new();
    let mut called_files: BTreeSet<String> = BTreeSet::new();
    let mut only_called = Vec::new();
    let mut is_broken = false;
    for file in files {
        if file.has_errors() {
            is_broken = true;
            output::complain_findings(&file.source, &file.findings);
        }
        let Some(workflow) = &file.workflow else { continue };
        // What such a file uses depends on who calls it, and is shown there.
        if workflow.on.events.iter().all(|trigger| trigger.event.value == "workflow_call") {
            only_called.push(file.source.name());
            continue;
        }
        let calls = load_calls(workflow, called);
        called_files.extend(calls.workflows.keys().cloned());
        for error in &calls.errors {
            output::complain(&format!("note: {}: what it uses is not known: {error}", file.source.name()));
        }
        let walk = Walk { calls: &calls, is_wanted: &|_| true, legs: &|_| Vec::new() };
        uses.extend(of_workflow(workflow, &KnownValues::default(), &walk));
    }
    for file in only_called.iter().filter(|file| !called_files.contains(**file)) {
        output::complain(&format!("note: {file}: no workflow here calls it, so what it uses is not shown"));
    }
    (uses, is_broken)
}

/// Whether a use may read a record.
fn reads(used: &Use, standing: &Standing<'_>, entry: &Entry) -> bool {
    let same_name = used.name.as_deref().is_none_or(|name| name == entry.name().as_str());
    used.kind == entry.kind()
        && same_name
        && match standing {
            Standing::Stored(stored) => stored.id() == entry.id(),
            Standing::InEnvironments(_) => entry.scope().environment_name().is_some(),
            Standing::All => entry.scope().environment_name().is_none_or(|environment| match &used.environment {
                Named::None => false,
                Named::Known(of_job) => of_job.to_lowercase() == environment.to_lowercase(),
                Named::AtRunTime(_) => true,
            }),
            Standing::Given | Standing::Passed | Standing::NotPassed | Standing::Missing => false,
        }
}
