//! From arguments to runs that are ready to be asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lineclear_engine::{GivenNeed, RunRequest, Selection};
use lineclear_event::{Changed, ForgeEvent, RunEvent};
use lineclear_plan::{Facts, Plan, PlannedWorkflow, is_fork_pull_request, load_calls, run_inputs};
use lineclear_source::{Diagnostic, suggest};
use lineclear_store::{NewRun, RunRecord, Store};
use lineclear_workflow::Workflow;

use super::actions::ActionFiles;
use super::chain::Ground;
use super::values::{self, SecretsOfRun, VarsOfRun};
use super::{ask, last_run_of, narrow, rerun};
use crate::command::plan;
use crate::command::run::{Format, RunArgs};
use crate::exit::Exit;
use crate::local_event::{Checkout, EventOptions};
use crate::output;
use crate::planning::{self, Asked, Planning};
use crate::preflight::{self, Given, Lack};
use crate::report::shell_word;
use crate::secret_stores::{self, SecretStores};
use crate::settings::{self, now};
use crate::workflow_files;

/// The command ends here.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) exit: Exit,
    /// `None`: everything has been said already.
    pub(crate) message: Option<String>,
}

impl Stopped {
    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self { exit: Exit::BadInput, message: Some(message.into()) }
    }

    /// The folder that Lineclear keeps its things in cannot be used.
    pub(crate) fn unusable_home(error: &lineclear_store::StoreError) -> Self {
        let Self { exit, message } = Self::fault(error);
        let advice = "LINECLEAR_HOME names another folder, one that can be written";
        Self { exit, message: message.map(|message| format!("{message}; {advice}")) }
    }

    pub(crate) fn fault(error: impl std::error::Error) -> Self {
        let message = lineclear_event::with_causes(&error);
        Self { exit: Exit::EngineFault, message: Some(message) }
    }
}

/// A run to be asked for, and its record.
pub(crate) type Begun = (RunRequest, Arc<dyn RunRecord>);

/// What is known before the first job starts.
pub(crate) struct Prepared {
    pub(crate) event: ForgeEvent,
    pub(crate) plan: Plan,
    pub(crate) runs: Vec<Begun>,
    pub(crate) secrets: SecretsOfRun,
    pub(crate) vars: VarsOfRun,
    pub(crate) env: BTreeMap<String, String>,
    /// Whether files were left out because of their errors.
    pub(crate) left_out: bool,
    /// What may follow.
    pub(crate) ground: Ground,
    pub(crate) filtered: PathFiltered,
}

/// Workflows that the event would have started, but for their paths.
#[derive(Debug, Default)]
pub(crate) struct PathFiltered {
    /// Each as it would have been started, with the reason why it was not.
    pub(crate) workflows: Vec<(PlannedWorkflow, String)>,
    /// The commit that the changed paths were counted from.
    pub(crate) since: Option<String>,
    /// Why that proves nothing; empty where git alone says what changed.
    pub(crate) adjusted: Vec<String>,
}

impl PathFiltered {
    fn of(planning: &Planning, checkout: &Checkout, calls: &ActionFiles, args: &RunArgs) -> Self {
        if !matches!(planning.event.changed, Changed::Files { .. }) {
            return Self::default();
        }
        let planned = |file: &str| planning.plan.workflows.iter().find(|planned| planned.file == file);
        let has_paths = |workflow: &Workflow| {
            let trigger = workflow.on.get(&planning.event.name);
            trigger.is_some_and(|trigger| trigger.paths.is_some())
        };
        let left_out = planning.workflows.iter().filter(|(workflow, _)| {
            has_paths(workflow) && planned(workflow.source.name()).is_some_and(|known| !known.triggered)
        });
        let left_out: Vec<_> = left_out.cloned().collect();
        if left_out.is_empty() {
            return Self::default();
        }
        // The same event, of which nobody knows what changed, starts what only its paths kept out.
        let reason = "asked as if all paths had changed".to_owned();
        let event = ForgeEvent { changed: Changed::Unknown { reason }, ..planning.event.clone() };
        let whole = lineclear_plan::plan(&left_out, &event, &planning.facts, calls);
        let workflows = whole.workflows.into_iter().filter(|workflow| workflow.triggered).map(|workflow| {
            let reason = planned(&workflow.file).map(|known| known.reason.clone()).unwrap_or_default();
            (workflow, reason)
        });
        let since = planning.compared.as_ref().and_then(|one| one.commit(checkout));
        // It names the commit before, or the files themselves: whoever wrote it chose what nothing looks at.
        let of_payload = args.payload.is_some().then(|| "--payload, whose word alone says what changed".to_owned());
        Self { workflows: workflows.collect(), since, adjusted: of_payload.into_iter().collect() }
    }
}

impl Prepared {
    /// Prints the plan instead of running it.
    pub(crate) fn show_plan(&self, args: &RunArgs) -> Exit {
        plan::print(&narrow::narrow(&self.plan, args), &self.event, args.format == Some(Format::Json))
    }

    /// The command line as far as it applies to any job of the run.
    pub(crate) fn invocation(&self, args: &RunArgs) -> String {
        let mut command = format!("lineclear run --event {}", shell_word(&self.event.name));
        if let Some(payload) = &args.payload {
            push(&mut command, "--payload", &payload.to_string_lossy());
        }
        for (option, pairs) in [("--input", &args.inputs), ("--var", &args.vars)] {
            pairs.iter().for_each(|(name, value)| push(&mut command, option, &format!("{name}={value}")));
        }
        if let Some(file) = &args.var_file {
            push(&mut command, "--var-file", &file.to_string_lossy());
        }
        for (option, value) in [("--ref", &args.reference), ("--actor", &args.actor)] {
            value.iter().for_each(|value| push(&mut command, option, value));
        }
        if args.in_place {
            command.push_str(" --in-place");
        }
        let options = Self::options(args);
        if options.is_empty() { command } else { format!("{command} {options}") }
    }

    /// Files of the workflows that [`Prepared::invocation`] starts. No event of a replayed follower's starts it again: its payload is in the record.
    pub(crate) fn starts(&self, args: &RunArgs) -> BTreeSet<String> {
        if args.again.is_some() && self.event.name == "workflow_run" {
            return BTreeSet::new();
        }
        self.runs.iter().map(|(request, _)| request.file.clone()).collect()
    }

    /// The part of the command line that says how to run, not what: a replay has it, too.
    pub(crate) fn options(args: &RunArgs) -> String {
        let mut options = String::new();
        for (name, value) in &args.env {
            push(&mut options, "--env", &format!("{name}={value}"));
        }
        for secret in &args.secrets {
            // The value is not repeated where it could be read over a shoulder.
            push(&mut options, "--secret", secret.split('=').next().unwrap_or(secret));
        }
        let paths = [
            ("--secret-file", &args.secret_file),
            ("--secret-store", &args.secret_store),
            ("--env-file", &args.env_file),
        ];
        for (option, path) in paths {
            path.iter().for_each(|path| push(&mut options, option, &path.to_string_lossy()));
        }
        args.labels.iter().for_each(|label| push(&mut options, "--label", label));
        let flags = [
            ("--empty-workspace", args.empty_workspace),
            ("--no-native-actions", args.no_native_actions),
            ("--frozen", args.fetch.frozen),
            ("--require-secrets", args.require_secrets),
        ];
        flags.iter().filter(|(_, is_set)| *is_set).for_each(|(flag, _)| options.push_str(&format!(" {flag}")));
        options.trim_start().to_owned()
    }
}

/// Appends an option with its value.
fn push(command: &mut String, option: &str, value: &str) {
    command.push_str(&format!(" {option} {}", shell_word(value)));
}

/// Plans, and begins the record of each run.
pub(crate) fn prepare(
    args: &RunArgs,
    checkout: &Checkout,
    calls: &ActionFiles,
    store: &dyn Store,
) -> Result<Prepared, Stopped> {
    if let Some(again) = &args.again {
        return rerun::prepare(again, args, store);
    }
    let home = settings::home().map_err(Stopped::bad_input)?;
    let mut stores = SecretStores::new(&home, args.secret_store.as_deref());
    let known = stores.read().map_err(Stopped::bad_input)?;
    let repository = secret_stores::repository_of(checkout).map_err(Stopped::bad_input)?;
    let vars = values::pairs(args.var_file.as_deref(), &args.vars).map_err(Stopped::bad_input)?;
    let given_vars = vars.keys().map(|name| name.to_ascii_uppercase()).collect();
    let vars = VarsOfRun::new(&known, &repository, &vars);
    let env = values::pairs(args.env_file.as_deref(), &args.env).map_err(Stopped::bad_input)?;
    let secrets = values::secrets(args.secret_file.as_deref(), &args.secrets).map_err(Stopped::bad_input)?;
    let given = Given { secrets: secrets.keys().cloned().collect(), vars: given_vars };
    let secrets = SecretsOfRun::new(&known, &repository, &secrets);
    let mut asked = Asked {
        event: args.event.clone(),
        options: EventOptions {
            payload: args.payload.clone(),
            reference: args.reference.clone(),
            actor: args.actor.clone(),
            default_branch: None,
            changed_since: None,
            changed: args.changed.clone(),
            inputs: args.inputs.iter().cloned().collect(),
        },
        workflows: args.workflows.clone(),
        vars: vars.of_run().clone(),
    };
    let plan = |asked: &Asked| {
        planning::plan(asked, checkout, calls)
            .map_err(|error| Stopped { exit: Exit::BadInput, ..Stopped::fault(error) })
    };
    let mut planning = plan(&asked)?;
    if planning.event.name == "workflow_dispatch" && args.payload.is_none() && ask::is_possible() {
        let mut given = asked.options.inputs.clone();
        for (workflow, _) in &planning.workflows {
            ask::for_inputs(workflow, &mut given).map_err(|error| Stopped::bad_input(error.to_string()))?;
        }
        asked.options.inputs = given;
        planning = plan(&asked)?;
    }
    if planning.plan.workflows.is_empty() {
        let place = checkout.root.join(workflow_files::FOLDER);
        let message =
            format!("there are no workflows: no .yml or .yaml file in `{}`; -W names another", place.display());
        return Err(Stopped::bad_input(message));
    }
    planning.notes.iter().for_each(|note| output::complain(&format!("note: {note}")));
    calls.check_lock().map_err(Stopped::bad_input)?;
    let left_out = complain_of_errors(&planning.plan, !args.workflows.is_empty())?;
    if let Some(wrong) = planning.refused_dispatch() {
        return Err(Stopped::bad_input(wrong));
    }
    if !secrets.is_empty() && is_fork_pull_request(&planning.event) {
        output::complain("note: the pull request comes from a fork: its jobs see no secret, as on GitHub");
    }
    check_jobs(args, &planning.plan)?;
    if let Some(wrong) = narrow::unknown_axis(&planning.plan, args) {
        return Err(Stopped::bad_input(wrong));
    }
    let selected = narrow::narrow(&planning.plan, args);
    let checked = preflight::check(&planning, &selected, calls, &known, &repository, &given);
    complain_of_lacks(&checked.lacks, args.require_secrets && checked.lacks_needed())?;
    if !args.dry_run
        && let Err(problem) = stores.remember(&checked.used)
    {
        output::complain(&format!("note: when secrets were used last is not kept: {problem}"));
    }
    let runs = if args.dry_run { Vec::new() } else { begin(args, &planning, calls, store)? };
    let filtered =
        if args.dry_run { PathFiltered::default() } else { PathFiltered::of(&planning, checkout, calls, args) };
    let ground = ground(args, checkout.default_tip(&planning.event, args.payload.is_some()), || planning.workflows);
    Ok(Prepared { event: planning.event, plan: planning.plan, runs, secrets, vars, env, left_out, ground, filtered })
}

/// What may follow, of `workflows`.
pub(super) fn ground(
    args: &RunArgs,
    default_sha: String,
    workflows: impl FnOnce() -> Vec<(Workflow, Vec<Diagnostic>)>,
) -> Ground {
    // Whoever watches looks at what they change: nothing is to be published at every save.
    if args.no_chain || args.watch {
        return Ground::default();
    }
    let narrowed =
        [("--job", !args.jobs.is_empty()), ("--matrix", !args.matrix.is_empty()), ("--skip-needs", args.skip_needs)];
    let narrowed_by = narrowed.iter().find(|(_, is_given)| *is_given).map(|(option, _)| *option);
    Ground { narrowed_by, ..Ground::of(workflows(), default_sha) }
}

/// Names what is not set, before anything starts. S1-122.
fn complain_of_lacks(lacks: &[Lack], is_fatal: bool) -> Result<(), Stopped> {
    let lines = preflight::lines(lacks, if is_fatal { "" } else { preflight::EMPTY });
    let Some((first, rest)) = lines.split_first() else { return Ok(()) };
    let word = if is_fatal { "error" } else { "note" };
    output::complain(&format!("{word}: {first}"));
    rest.iter().for_each(|line| output::complain(line));
    if is_fatal {
        return Err(Stopped { exit: Exit::BadInput, message: None });
    }
    Ok(())
}

/// Begins the record of each run that the plan asks for.
fn begin(args: &RunArgs, planning: &Planning, calls: &ActionFiles, store: &dyn Store) -> Result<Vec<Begun>, Stopped> {
    let facts = &planning.facts;
    let mut runs = Vec::new();
    for (workflow, _) in &planning.workflows {
        let file = workflow.source.name();
        let planned = planning.plan.workflows.iter().find(|planned| planned.file == file && planned.triggered);
        let jobs = jobs_of(args, workflow);
        // Workflows without the jobs asked for are left out.
        let Some(planned) = planned.filter(|_| args.jobs.is_empty() || !jobs.is_empty()) else { continue };
        let (event, inputs) = run_inputs(workflow, &planning.event, facts).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Stopped::bad_input(format!("{file}: {}", lines.join("\n  ")))
        })?;
        let selection = Selection { matrix: args.matrix.clone(), given: given(args, store, &event, workflow)?, jobs };
        let new = NewRequest {
            planned,
            workflow,
            event,
            inputs: inputs.to_json(),
            facts,
            plan_hash: &planning.plan.hash,
            selection,
        };
        runs.push(begin_one(new, calls, store)?);
    }
    Ok(runs)
}

/// A run that is to be begun.
pub(super) struct NewRequest<'a> {
    pub(super) planned: &'a PlannedWorkflow,
    pub(super) workflow: &'a Workflow,
    pub(super) event: ForgeEvent,
    pub(super) inputs: serde_json::Value,
    pub(super) facts: &'a Facts,
    pub(super) plan_hash: &'a str,
    pub(super) selection: Selection,
}

/// Begins the record of one run.
pub(super) fn begin_one(new: NewRequest<'_>, calls: &ActionFiles, store: &dyn Store) -> Result<Begun, Stopped> {
    let NewRequest { planned, workflow, event, inputs, facts, plan_hash, selection } = new;
    let record = store.begin(NewRun {
        repository: event.repository.full_name(),
        file: planned.file.clone(),
        workflow: planned.name.clone(),
        event: event.name.clone(),
        reference: event.reference.clone(),
        sha: event.sha.clone(),
        started: now(),
    });
    let record: Arc<dyn RunRecord> = record.map_err(Stopped::fault)?.into();
    calls.want(workflow);
    let mut texts = load_calls(workflow, calls).texts();
    texts.insert(planned.file.clone(), workflow.source.text().into());
    let request = RunRequest {
        run: record.header().id,
        number: record.header().number,
        attempt: 1,
        file: planned.file.clone(),
        files: texts,
        event,
        inputs,
        vars: facts.vars.clone(),
        platform: facts.platform.clone(),
        plan_hash: plan_hash.to_owned(),
        run_name: planned.run_name.clone().unwrap_or_default(),
        selection,
    };
    Ok((request, record))
}

/// Shows what is wrong with the files. Errors in a file that was named, or in all of them, stop the command; otherwise the
/// files with errors are left out, and the command ends as one with wrong input: on GitHub each would be a failed run.
/// Answers whether there are any.
fn complain_of_errors(plan: &Plan, named: bool) -> Result<bool, Stopped> {
    let errors =
        || plan.workflows.iter().flat_map(|workflow| &workflow.diagnostics).filter(|(_, finding)| finding.is_error());
    errors().for_each(|(source, finding)| output::complain_findings(source, std::slice::from_ref(finding)));
    let broken = plan.workflows.iter().filter(|workflow| workflow.has_errors()).count();
    if broken > 0 && (named || broken == plan.workflows.len()) {
        return Err(Stopped { exit: Exit::BadInput, message: None });
    }
    Ok(broken > 0)
}

/// Every job asked for exists in a workflow that the event starts.
fn check_jobs(args: &RunArgs, plan: &Plan) -> Result<(), Stopped> {
    let started = plan.workflows.iter().filter(|workflow| workflow.triggered);
    let ids: Vec<&str> = started.flat_map(|workflow| &workflow.jobs).map(|job| job.id.as_str()).collect();
    for job in &args.jobs {
        if ids.iter().any(|id| id.eq_ignore_ascii_case(job)) {
            continue;
        }
        let advice = match suggest(job, ids.iter().copied()) {
            Some(near) => format!("; did you mean `{near}`?"),
            None if ids.is_empty() => format!("; `{}` starts no workflow here (`lineclear plan` says why)", plan.event),
            None => format!("; there are {}", ids.join(", ")),
        };
        return Err(Stopped::bad_input(format!("there is no job `{job}`{advice}")));
    }
    Ok(())
}

/// The jobs asked for that a workflow has.
fn jobs_of(args: &RunArgs, workflow: &Workflow) -> Vec<String> {
    let own = |id: &str| id.split('/').next().and_then(|id| workflow.job(id)).map(|job| job.id.value.clone());
    args.jobs.iter().filter_map(|job| own(job)).collect()
}

/// `--skip-needs`: how the jobs needed went the last time.
fn given(
    args: &RunArgs,
    store: &dyn Store,
    event: &ForgeEvent,
    workflow: &Workflow,
) -> Result<BTreeMap<String, GivenNeed>, Stopped> {
    let mut given = BTreeMap::new();
    if !args.skip_needs {
        return Ok(given);
    }
    let file = workflow.source.name();
    let last = last_run_of(store, &event.repository.full_name(), file).ok_or_else(|| {
        Stopped::bad_input(format!(
            "--skip-needs: there is no earlier run of {file} whose outputs could be taken; run it once without"
        ))
    })?;
    let events = store.events(last.header.id).map_err(Stopped::fault)?;
    for event in events {
        if let RunEvent::JobFinished { job, conclusion, outputs, .. } = event.event {
            // A matrix's legs add up: a later leg's non-empty output wins.
            let id = job.as_str().split([' ', '/']).next().unwrap_or_default().to_owned();
            let known = given.entry(id).or_insert_with(|| GivenNeed { conclusion, outputs: BTreeMap::new() });
            known.outputs.extend(outputs.into_iter().filter(|(_, value)| !value.is_empty()));
            if conclusion != lineclear_event::Conclusion::Success {
                known.conclusion = conclusion;
            }
        }
    }
    for job in &args.jobs {
        given.remove(job);
    }
    Ok(given)
}
