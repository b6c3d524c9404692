//! One `lineclear run`: the event, the workflows it starts, and the engine that runs them here.

pub(crate) mod actions;
mod ask;
mod chain;
mod containers;
mod delivering;
pub(crate) mod evidence;
pub(crate) mod forge_choice;
mod git_bridge;
mod hands;
mod host_ports;
mod interrupt;
pub(crate) mod isolation;
pub(crate) mod machine;
mod narrow;
mod pause;
pub(crate) mod permits;
pub(crate) mod prepare;
pub(crate) mod registry;
pub(crate) mod rerun;
mod sink;
mod talk;
pub(crate) mod values;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lineclear_backend::{Backend, Isolation, NetworkAccess, Workspace};
use lineclear_backend_host::{GuardProgram, HostBackend, HostSettings, SandboxSettings, WorkingTree};
use lineclear_drive::{Drive, RealTime, inbox};
use lineclear_event::{AnnotationLevel, Conclusion, Envelope, JobReport, JobSpec, RunEvent};
use lineclear_ledger::LedgerOf;
use lineclear_runner::{DockerConfig, FailurePause, JobControl, JobHands, LeftReports, RunnerSettings};
use lineclear_store::{Artifacts, Caches, Ledgers, Store};
use lineclear_store_folder::FolderStore;

use crate::command::run::RunArgs;
use crate::exit::Exit;
use crate::history::durations::UsualDurations;
use crate::output;
use crate::report::{self, Invocation};
use crate::scanning::Known;
use crate::settings::{self, now};
use actions::ActionFiles;
use chain::Chain;
use containers::EngineOfRun;
use delivering::StepDelivery;
use evidence::{Inspection, Recorder, closing};
use forge_choice::{ForgeAsked, ForgeChoice};
use hands::{LocalHands, Pool};
use host_ports::HostPorts;
use machine::Machine;
use pause::ShellPause;
use permits::JobPermits;
use prepare::{Prepared, Stopped};
use registry::RunRegistry;
use sink::{RunSink, Telling};
use talk::{Talk, Told};
use values::{SecretsOfRun, VarsOfRun};

/// Jobs that run at once on a machine with few cores: most of a job's time is spent waiting.
const FEWEST_AT_ONCE: usize = 4;

/// Carries out `run`.
pub(crate) fn run(args: &RunArgs) -> Exit {
    match try_run(args) {
        Ok(exit) => exit,
        Err(Stopped { exit, message }) => {
            if let Some(message) = message {
                output::complain(&format!("error: {message}"));
            }
            exit
        }
    }
}

fn try_run(args: &RunArgs) -> Result<Exit, Stopped> {
    if args.pause_on_failure && !pause::is_possible() {
        return Err(Stopped::bad_input(
            "--pause-on-failure needs a terminal: it opens a shell at the step that failed",
        ));
    }
    let home = settings::home().map_err(Stopped::bad_input)?;
    let here = match &args.again {
        Some(again) => again.folder.clone(),
        None => std::env::current_dir()
            .map_err(|error| Stopped::bad_input(format!("cannot tell the current folder: {error}")))?,
    };
    let checkout = crate::local_event::Checkout::find(&here);
    let root = checkout.root.clone();
    // Listing the files takes git a moment: it works while the workflows are read.
    let tree = (!args.in_place && !args.empty_workspace)
        .then(|| Arc::new(WorkingTree::new(&root).without(&home).without_git()));
    let sandbox = isolation::sandbox(&home, &root, checkout.git_dir());
    let backend = Arc::new(host_backend(&home, sandbox, withheld(args))?);
    let store = Arc::new(FolderStore::open(&home).map_err(|error| Stopped::unusable_home(&error))?);
    let files = Arc::new(ActionFiles::new(root.clone(), &args.fetch));
    let machine = Machine::of(&root, &args.machine, &args.labels)?;
    let mut prepared = prepare::prepare(args, &checkout, &files, &*store)?;
    if args.dry_run {
        return Ok(prepared.show_plan(args));
    }
    let registry = RunRegistry::of(&args.registry, &machine.policy.registry, &args.forge, &store)?;
    let is_filled = !(args.in_place || args.empty_workspace);
    let ground = permits::ground(&checkout, &home, &machine.policy, is_filled);
    let permits = JobPermits::new(ground, Arc::clone(&store));
    let talk = Talk::begin(&home, &store, registry, Arc::clone(&permits))?;
    let isolation = isolation::asked(&args.isolation, machine.policy.runner.isolation.as_ref())?;
    if let Some(address) = talk.local_address() {
        backend.offer(address);
    }
    for (request, _) in &mut prepared.runs {
        request.platform = talk.platform(&request.platform);
    }

    let usual = report::Usual::default();
    let reporter = report::reporter(
        args.format,
        Invocation {
            command: prepared.invocation(args),
            starts: prepared.starts(args),
            options: Prepared::options(args),
            reach: reach(args),
            usual: Arc::clone(&usual),
            from_fork: lineclear_plan::is_fork_pull_request(&prepared.event),
        },
    );
    let telling = Arc::new(Telling::new(reporter));
    let known = Arc::new(Known::new(machine.policy.scan.clone(), root.clone()));
    let recorder = recorder(args, &prepared, &machine, &store, &root, &files, &known);
    if let Some(recorder) = &recorder {
        recorder.path_filtered(&prepared.filtered);
        permits.ask(recorder);
    }
    if prepared.runs.is_empty() {
        let exit = nothing_to_run(&prepared, &telling);
        let exit = if prepared.left_out { Exit::BadInput } else { exit };
        return Ok(closing::close(recorder.as_deref(), &machine.policy, &root, args).unwrap_or(exit));
    }
    let workspace = match tree {
        Some(tree) => Workspace::Copy(tree),
        None if args.in_place => Workspace::InPlace(root.clone()),
        None => Workspace::Empty,
    };
    // A fork's pull request has a token of its own, whatever was given: it can do little, and opens nothing elsewhere.
    let is_fork = lineclear_plan::is_fork_pull_request(&prepared.event);
    let given_token = prepared.secrets.get("GITHUB_TOKEN").filter(|_| !is_fork).map(str::to_owned);
    if let Some((request, _)) = prepared.runs.first() {
        let token = std::env::var(forge_choice::TOKEN).ok().filter(|token| !token.is_empty());
        let choice = ForgeChoice { asked: args.forge.clone(), token: token.or_else(|| given_token.clone()) };
        let told = Told { telling: &telling, recorder: recorder.as_ref() };
        talk.offer(&prepared.event, &request.platform, checkout.git_dir(), &store, &choice, told)?;
    }
    let pause = args.pause_on_failure.then(|| Arc::new(ShellPause::new(Arc::clone(&telling))) as Arc<dyn FailurePause>);
    let runner = RunnerSettings {
        debug: args.debug,
        native_actions: !args.no_native_actions,
        env: prepared.env.clone(),
        repository_root: root.clone(),
        store_repository: prepared.event.repository.full_name(),
        host_labels: machine.labels.clone(),
        isolation,
        label_images: machine.images.clone(),
        docker_config: match machine.docker_config {
            lineclear_policy::DockerConfig::Own => DockerConfig::Own,
            lineclear_policy::DockerConfig::Inherit => DockerConfig::Inherit,
        },
        pause,
        left_reports: Some(left_reports(&machine)?),
        ..RunnerSettings::default()
    };
    let engine = EngineOfRun::new(&machine, &home, talk.image_routes())?;
    let delivering = StepDelivery {
        root: checkout.root.clone(),
        store: Arc::clone(&store),
        registry: args.registry.clone(),
        claims: permits::claims::Claims::of(&home),
    };
    let mut natives = lineclear_native::all();
    natives.extend(lineclear_native::scanning(&(known as Arc<dyn lineclear_native::Vulnerabilities>)));
    natives.extend(lineclear_native::delivery(&(Arc::new(delivering) as Arc<dyn lineclear_native::Delivery>)));
    let job_runner = JobRunner {
        runner,
        backend: Arc::clone(&backend),
        engine: engine.clone(),
        workspace,
        store: Arc::clone(&store),
        files: Arc::clone(&files),
        natives,
        secrets: prepared.secrets.clone(),
        vars: prepared.vars.clone(),
        telling: Arc::clone(&telling),
        recorder: recorder.clone(),
        given_token,
        talk,
        permits,
    };
    if telling.wants_ticks() {
        look_up_usual_durations(&prepared, &store, usual);
    }
    let at_once = args.parallel.map_or_else(
        || std::thread::available_parallelism().map_or(FEWEST_AT_ONCE, |cores| cores.get().max(FEWEST_AT_ONCE)),
        usize::from,
    );
    let left_out = prepared.left_out;
    let (inbox, messages) = inbox(now);
    let pool = Pool::new(at_once, inbox.clone(), Box::new(move |spec, control| job_runner.run(spec, control)));
    let interrupt = {
        let files = Arc::clone(&files);
        interrupt::listen(inbox.clone(), move || files.cancel()).map_err(Stopped::fault)?
    };
    let ground = std::mem::take(&mut prepared.ground);
    let mut chain =
        Chain::new(ground, files.clone(), store, telling.clone(), inbox, interrupt.clone(), recorder.clone());
    prepared.runs.drain(..).for_each(|begun| chain.request(begun));
    let hands = LocalHands {
        pool,
        telling: Arc::clone(&telling),
        conclusions: BTreeMap::new(),
        chain,
        recorder: recorder.clone(),
    };
    let _ticks = telling.wants_ticks().then(|| tick(Arc::clone(&telling)));
    let mut drive = Drive::new(messages, RealTime(now), hands);
    let ended = drive.run_until_idle();
    if let Some(problem) = engine.guard_problem() {
        output::complain(&format!("note: had this command been killed, its containers would have gone on: {problem}"));
    }
    if let Some(problem) = backend.guard_problem() {
        output::complain(&format!("note: had this command been killed, its steps would have gone on: {problem}"));
    }
    let conclusions = std::mem::take(&mut drive.hands_mut().conclusions);
    telling.close();
    ended.map_err(Stopped::fault)?;
    if let Some(problem) = drive.hands_mut().chain.problem() {
        return Err(problem);
    }
    files.finish().map_err(Stopped::bad_input)?.iter().for_each(|note| output::complain(&format!("note: {note}")));
    if let Some(fault) = closing::close(recorder.as_deref(), &machine.policy, &root, args) {
        return Ok(fault);
    }
    let worst = conclusions.into_values().max_by_key(|conclusion| report::badness(*conclusion));
    Ok(match worst {
        Some(Conclusion::Cancelled) | None if interrupt.was_heard() => Exit::Cancelled,
        Some(worst) if Exit::of(worst) == Exit::Success && left_out => Exit::BadInput,
        Some(worst) => Exit::of(worst),
        None => Exit::EngineFault,
    })
}

/// Who writes down what the runs prove; `None` outside of a git repository and before the first commit.
fn recorder(
    args: &RunArgs,
    prepared: &Prepared,
    machine: &Machine,
    store: &Arc<FolderStore>,
    root: &std::path::Path,
    files: &ActionFiles,
    known: &Arc<Known>,
) -> Option<Arc<Recorder>> {
    let requests: Vec<_> = prepared.runs.iter().map(|(request, _)| request).collect();
    let ledger = LedgerOf::open(Arc::clone(store) as Arc<dyn Ledgers>, prepared.event.repository.full_name());
    Recorder::new(ledger, &prepared.event, &machine.policy, Arc::clone(known), now, || {
        Inspection::begin(root, &prepared.event.sha, &requests, args, files.overridden())
    })
}

/// Who looks for reports that steps left in their workspace.
fn left_reports(machine: &Machine) -> Result<Arc<dyn LeftReports>, Stopped> {
    let patterns = machine.policy.scan.reports.iter().map(|pattern| pattern.value.as_str());
    let looks = lineclear_native::WorkspaceReports::new(patterns);
    Ok(Arc::new(looks.map_err(|error| Stopped::bad_input(format!("`reports` in `[scan]`: {error}")))?))
}

fn reach(args: &RunArgs) -> report::Reach {
    match args.forge {
        ForgeAsked::Local => report::Reach::Embedded,
        ForgeAsked::Remote { .. } => report::Reach::Remote,
    }
}

/// Everything a job is run with on this machine.
struct JobRunner {
    runner: RunnerSettings,
    backend: Arc<HostBackend>,
    engine: EngineOfRun,
    workspace: Workspace,
    store: Arc<FolderStore>,
    files: Arc<ActionFiles>,
    natives: Vec<Box<dyn lineclear_runner::native::NativeAction>>,
    secrets: SecretsOfRun,
    vars: VarsOfRun,
    telling: Arc<Telling>,
    recorder: Option<Arc<Recorder>>,
    talk: Talk,
    permits: Arc<JobPermits>,
    /// What every job has for its own token.
    given_token: Option<String>,
}

impl JobRunner {
    fn run(&self, spec: &JobSpec, control: &JobControl) -> JobReport {
        let spec = &*self.vars.for_job(spec);
        let sink = RunSink {
            run: spec.run,
            telling: Arc::clone(&self.telling),
            permits: Arc::clone(&self.permits),
            recorder: self.recorder.clone(),
        };
        let talk = match self.talk.open_job(spec, self.given_token.as_deref()) {
            Ok(talk) => talk,
            Err(reason) => {
                let reason = Some(format!("the job cannot be given its tokens: {reason}"));
                return JobReport { conclusion: Conclusion::Failure, outputs: BTreeMap::new(), reason };
            }
        };
        let (ports, isolation) = self.ports_for(spec);
        let settings = RunnerSettings {
            isolation,
            token: talk.token().to_owned(),
            image_route: Some(self.engine.route(talk.token())),
            service_env: talk.env.clone(),
            masks: Some(talk.masks.clone()),
            ..self.runner.clone()
        };
        let report = lineclear_runner::run_job(
            spec,
            &self.secrets.of(spec.environment.as_deref()),
            &JobHands {
                settings: &settings,
                backend: &*self.backend as &dyn Backend,
                containers: &*self.engine.containers,
                doors: &*self.engine.doors,
                images: Some(talk.images()),
                reach: Some(&self.talk),
                workspace: self.workspace.clone(),
                caches: Arc::clone(&self.store) as Arc<dyn Caches>,
                artifacts: Arc::clone(&self.store) as Arc<dyn Artifacts>,
                forge: self.talk.forge(),
                caller: talk.caller().clone(),
                actions: &*self.files,
                natives: &self.natives,
                sink: &sink,
                control,
                clock: &now,
            },
        );
        if let Some(recorder) = &self.recorder {
            recorder.job_ended(spec.run, &spec.job, report.conclusion);
        }
        // Not before what the job opened is closed.
        drop(ports);
        report
    }

    /// The machine's own ports for a job that may open some by containers, or, while another job has them, a loopback of its own.
    fn ports_for(&self, spec: &JobSpec) -> (Option<HostPorts>, Option<Isolation>) {
        let asked = self.runner.isolation.clone();
        if asked.is_some() || !self.engine.is_wanted() || !lineclear_runner::speaks_of_containers(spec, &self.runner) {
            return (None, asked);
        }
        match HostPorts::take() {
            Some(ports) => (Some(ports), None),
            None => {
                let own =
                    Isolation { network: NetworkAccess::Private, read_only_system: false, ..Isolation::default() };
                (None, Some(own))
            }
        }
    }
}

/// The variables that secrets are taken from: a step sees a secret where its workflow gives it one, and not else.
fn withheld(args: &RunArgs) -> Vec<String> {
    args.secrets.iter().filter(|secret| !secret.contains('=')).cloned().collect()
}

fn host_backend(
    home: &std::path::Path,
    sandbox: SandboxSettings,
    withheld: Vec<String>,
) -> Result<HostBackend, Stopped> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let tool_cache = ["RUNNER_TOOL_CACHE", "RUNNER_TOOLSDIRECTORY", "AGENT_TOOLSDIRECTORY"]
        .into_iter()
        .find_map(variable)
        .unwrap_or_else(|| home.join("tools"));
    let settings = HostSettings {
        sandbox,
        withheld,
        ..HostSettings::new(home.join("work"), tool_cache).with_guard(GuardProgram::this_program())
    };
    let backend = HostBackend::new(settings).map_err(Stopped::fault)?;
    // Both go on while the workflows are read.
    backend.begin_guard();
    sweep(home.join("work"));
    Ok(backend)
}

/// Removes what an earlier command, killed together with its guard, could not.
fn sweep(work: PathBuf) {
    std::thread::spawn(move || lineclear_backend_host::sweep(&work));
}

/// The event starts no workflow: that is told with the reason of each, and is no failure.
fn nothing_to_run(prepared: &Prepared, telling: &Telling) -> Exit {
    let run = lineclear_event::RunId(0);
    let tell = |event| telling.show(&Envelope { event, run, at: now() });
    for workflow in &prepared.plan.workflows {
        let message = format!("{} ({}) is not run: {}", workflow.name, workflow.file, workflow.reason);
        tell(RunEvent::Notice { level: AnnotationLevel::Notice, message });
    }
    tell(RunEvent::RunFinished { conclusion: Conclusion::Skipped, duration_ms: 0 });
    telling.close();
    Exit::Success
}

/// Fills `usual` beside the run: it is for looking at only.
fn look_up_usual_durations(prepared: &Prepared, store: &Arc<FolderStore>, usual: report::Usual) {
    let files: Vec<String> = prepared.runs.iter().map(|(request, _)| request.file.clone()).collect();
    let (repository, store) = (prepared.event.repository.full_name(), Arc::clone(store));
    std::thread::spawn(move || {
        let of = |file: String| Some((file.clone(), UsualDurations::of(&*store, &repository, &file).ok()?));
        // Nobody else sets it.
        let _ = usual.set(files.into_iter().filter_map(of).collect());
    });
}

/// Lets the reporter draw again now and then, until the command ends.
fn tick(telling: Arc<Telling>) {
    std::thread::spawn(move || {
        while std::io::stdout().is_terminal() {
            std::thread::sleep(Duration::from_millis(100));
            telling.tick();
        }
    });
}

/// Whether the store knows earlier runs of a repository; used to find outputs for `--skip-needs`.
fn last_run_of(store: &dyn Store, repository: &str, file: &str) -> Option<lineclear_store::RunSummary> {
    let runs = store.runs(Some(repository), 200).ok()?;
    runs.into_iter().find(|run| run.header.run.file == file && run.conclusion.is_some())
}
