//! Running a recorded run again: the same commit, event, inputs, variables and workflow texts, under a new run id.
//!
//! What is recorded decides, not the working tree: the run works in a copy of its commit. Secrets are never recorded, so they
//! come from where `run` takes them. The session itself is that of `run`: [`prepare`] stands in for the planning.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use lineclear_engine::RunRequest;
use lineclear_plan::Plan;
use lineclear_store::{NewRun, RunRecord, RunSummary, Store};

use super::prepare::{PathFiltered, Prepared, Stopped};
use super::values::{self, SecretsOfRun, VarsOfRun};
use crate::command::run::RunArgs;
use crate::exit::Exit;
use crate::history::commits;
use crate::local_event::{Checkout, git_says};
use crate::output;
use crate::secret_stores::{self, SecretStores};
use crate::settings::{self, now};
use crate::workflow_files;

/// What is run again.
#[derive(Clone, Debug)]
pub(crate) struct Again {
    request: RunRequest,
    /// What the workflow was called.
    workflow: String,
    /// The repository that the command was given in.
    origin: PathBuf,
    /// Where the recorded commit is checked out; the current folder where the run had none.
    pub(crate) folder: PathBuf,
}

/// The options of `run` that a rerun may have.
#[derive(Debug, Parser)]
#[command(name = "lineclear replay RUN --run --", disable_version_flag = true)]
struct Options {
    #[command(flatten)]
    run: RunArgs,
}

/// Runs a recorded request again. `root` is the repository that has its commit, `options` are options of `lineclear run` that
/// say how to run, not what.
pub(crate) fn rerun(root: &Path, run: &RunSummary, request: RunRequest, options: &[String]) -> Exit {
    let name = "lineclear".to_owned();
    let mut args = match Options::try_parse_from(std::iter::once(&name).chain(options)) {
        Ok(options) => options.run,
        Err(error) => {
            // Help is printed through the same door and is no error. A closed pipe is nobody's fault.
            let _ = error.print();
            return if error.use_stderr() { Exit::BadInput } else { Exit::Success };
        }
    };
    if let Some(option) = recorded(&args) {
        output::complain(&format!(
            "error: {option} has no place in a rerun: it is recorded what ran; `lineclear run` runs something else"
        ));
        return Exit::BadInput;
    }
    let id = run.header.id;
    let checked_out = match check_out(root, &request) {
        Ok(checked_out) => checked_out,
        Err(sentence) => {
            output::complain(&format!("error: run {id} cannot be run again: {sentence}"));
            return Exit::BadInput;
        }
    };
    match &checked_out {
        Some(_) => {
            let sha = &request.event.sha;
            let subject = commits::subjects(root, &[sha]).remove(sha).map(|subject| format!(" ({subject})"));
            output::complain(&format!(
                "note: runs {id} again at its commit {}{}; what the working tree has beyond it is left out",
                commits::short(sha),
                subject.unwrap_or_default()
            ));
        }
        None => output::complain(&format!(
            "note: run {id} had no commit, so the files are those of `{}` as they are now",
            root.display()
        )),
    }
    let folder = checked_out.as_ref().map_or_else(|| root.to_path_buf(), |place| place.folder.clone());
    let workflow = run.header.run.workflow.clone();
    args.again = Some(Box::new(Again { request, workflow, origin: root.to_path_buf(), folder }));
    super::run(&args)
}

/// An option that says what to run.
fn recorded(args: &RunArgs) -> Option<&'static str> {
    let given = [
        ("--event", args.event.is_some()),
        ("--payload", args.payload.is_some()),
        ("--workflow", !args.workflows.is_empty()),
        ("--job", !args.jobs.is_empty()),
        ("--matrix", !args.matrix.is_empty()),
        ("--input", !args.inputs.is_empty()),
        ("--var", !args.vars.is_empty()),
        ("--var-file", args.var_file.is_some()),
        ("--ref", args.reference.is_some()),
        ("--actor", args.actor.is_some()),
        ("--in-place", args.in_place),
        ("--watch", args.watch),
        ("--dry-run", args.dry_run),
    ];
    given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
}

/// A copy of the repository at one commit; it goes when it is dropped.
struct CheckedOut {
    folder: PathBuf,
    _parent: tempfile::TempDir,
}

/// Checks the request's commit out into a folder of its own, which shares the objects of `root`. `None` for a run without one.
///
/// # Errors
/// A sentence: the commit is not here, or the copy cannot be made.
fn check_out(root: &Path, request: &RunRequest) -> Result<Option<CheckedOut>, String> {
    let sha = request.event.sha.as_str();
    if !commits::is_commit(sha) {
        return Ok(None);
    }
    git_says(root, &["cat-file", "-e", &format!("{sha}^{{commit}}")], &[]).map_err(|_| {
        format!("its commit {sha} is not in `{}`; fetch it, or go to the repository that has it", root.display())
    })?;
    let parent = tempfile::Builder::new().prefix("lineclear-rerun-").tempdir();
    let parent = parent.map_err(|error| format!("no folder can be made for its commit: {error}"))?;
    let name = root.file_name().map_or_else(|| "repository".into(), std::ffi::OsStr::to_os_string);
    let folder = parent.path().join(name);
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| format!("`{}` is no text", path.display()));
    let (from, to) = (text(root)?, text(&folder)?);
    // The working tree may be a folder inside of its repository.
    let top = git_says(root, &["rev-parse", "--show-toplevel"], &[])?;
    let top = String::from_utf8_lossy(&top).trim_end_matches('\n').to_owned();
    let from = if top.is_empty() { from } else { top };
    git_says(root, &["clone", "--quiet", "--shared", "--no-checkout", &from, &to], &[])?;
    match git_says(root, &["config", "--get", "remote.origin.url"], &[]) {
        Ok(url) => {
            let url = String::from_utf8_lossy(&url).trim().to_owned();
            git_says(&folder, &["config", "remote.origin.url", &url], &[])?;
        }
        Err(_) => {
            git_says(&folder, &["remote", "remove", "origin"], &[])?;
        }
    }
    let branch = request.event.reference.strip_prefix("refs/heads/").filter(|branch| !branch.starts_with('-'));
    match branch {
        Some(branch) => git_says(&folder, &["checkout", "--quiet", "-B", branch, sha], &[])?,
        None => git_says(&folder, &["checkout", "--quiet", "--detach", sha], &[])?,
    };
    let inside = root.strip_prefix(&from).ok().filter(|inside| !inside.as_os_str().is_empty());
    let folder = inside.map_or_else(|| folder.clone(), |inside| folder.join(inside));
    Ok(Some(CheckedOut { folder, _parent: parent }))
}

/// What `prepare` makes of arguments and files, made of the record.
pub(super) fn prepare(again: &Again, args: &RunArgs, store: &dyn Store) -> Result<Prepared, Stopped> {
    let home = settings::home().map_err(Stopped::bad_input)?;
    let known = SecretStores::new(&home, args.secret_store.as_deref()).read().map_err(Stopped::bad_input)?;
    let repository = secret_stores::repository_of(&Checkout::find(&again.origin)).map_err(Stopped::bad_input)?;
    let mut request = again.request.clone();
    let vars = VarsOfRun::new(&known, &repository, &request.vars);
    let env = values::pairs(args.env_file.as_deref(), &args.env).map_err(Stopped::bad_input)?;
    let secrets = values::secrets(args.secret_file.as_deref(), &args.secrets).map_err(Stopped::bad_input)?;
    let secrets = SecretsOfRun::new(&known, &repository, &secrets);
    let event = request.event.clone();
    let record = store.begin(NewRun {
        repository: event.repository.full_name(),
        file: request.file.clone(),
        workflow: again.workflow.clone(),
        event: event.name.clone(),
        reference: event.reference.clone(),
        sha: event.sha.clone(),
        started: now(),
    });
    let record: Arc<dyn RunRecord> = record.map_err(Stopped::fault)?.into();
    request.run = record.header().id;
    request.number = record.header().number;
    request.attempt = request.attempt.saturating_add(1);
    let plan = Plan {
        event: event.name.clone(),
        hash: request.plan_hash.clone(),
        changed: String::new(),
        workflows: Vec::new(),
        followers: Vec::new(),
    };
    let default_sha = Checkout::find(&again.origin).default_tip(&event, true);
    let ground = super::prepare::ground(args, default_sha, || {
        let files = workflow_files::read(&again.folder, &[]).unwrap_or_default();
        files.into_iter().filter_map(|file| Some((file.workflow?, file.findings))).collect()
    });
    Ok(Prepared {
        event,
        plan,
        runs: vec![(request, record)],
        secrets,
        vars,
        env,
        left_out: false,
        ground,
        filtered: PathFiltered::default(),
    })
}
