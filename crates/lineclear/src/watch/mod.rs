//! `run --watch`: stays, and runs again what a change of the repository's files affects.
//!
//! A change of a workflow file affects the jobs whose text changed and those that need them; any other change affects the
//! workflows whose path filters it passes. Each run is a command of its own, which a further change that affects something
//! cancels.

mod affected;
mod changes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::command::run::RunArgs;
use crate::exit::Exit;
use crate::local_event::{Checkout, EventOptions};
use crate::output;
use crate::planning::{self, Asked};
use crate::session::actions::ActionFiles;
use crate::workflow_files::{self, WorkflowFile};
use affected::{Affected, Pieces};
use changes::Changes;

/// How soon the end of a run and Ctrl-C are noticed.
const LOOK: Duration = Duration::from_millis(200);
/// Changed files that are named.
const NAMED: usize = 3;

/// Carries out `run --watch`. It ends by a signal only.
pub(crate) fn run(args: &RunArgs) -> Exit {
    let watched = std::env::current_dir().and_then(|here| {
        let root = Checkout::find(&here).root;
        let changes = Changes::of(&root)?;
        Ok((root, changes))
    });
    let outcome = watched.and_then(|(root, changes)| {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        Watch { args, root, changes, pieces: BTreeMap::new(), interrupted, next: VecDeque::new(), running: None }.stay()
    });
    match outcome {
        Ok(()) => Exit::Cancelled,
        Err(error) => {
            output::complain(&format!(
                "error: the repository cannot be watched: {error}; --watch needs git, and a limit of watched folders \
                 (fs.inotify.max_user_watches) that holds them all"
            ));
            Exit::BadInput
        }
    }
}

struct Watch<'a> {
    args: &'a RunArgs,
    root: PathBuf,
    changes: Changes,
    pieces: BTreeMap<String, Pieces>,
    interrupted: Arc<AtomicBool>,
    next: VecDeque<Narrowed>,
    running: Option<Child>,
}

/// A run that is narrower than what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Narrowed {
    workflows: Vec<String>,
    /// Empty: all that were asked for.
    jobs: Vec<String>,
    changed: Vec<String>,
}

impl Watch<'_> {
    fn stay(&mut self) -> io::Result<()> {
        self.pieces = affected::pieces_of(&self.files());
        self.next.push_back(Narrowed::default());
        loop {
            if self.interrupted.load(Ordering::SeqCst) {
                return self.end();
            }
            self.begin_next()?;
            let changed = self.changes.wait(LOOK)?;
            if !changed.is_empty() {
                self.changed(&changed)?;
            }
        }
    }

    /// The terminal has told a running command of Ctrl-C already; any other signal came to this process alone.
    fn end(&mut self) -> io::Result<()> {
        self.cancel()
    }

    fn begin_next(&mut self) -> io::Result<()> {
        if let Some(child) = &mut self.running {
            if child.try_wait()?.is_none() {
                return Ok(());
            }
            self.running = None;
            if self.next.is_empty() {
                output::complain("watching for changes; Ctrl-C ends");
            }
        }
        if let Some(narrowed) = self.next.pop_front() {
            self.running = Some(self.command(&narrowed)?.spawn()?);
        }
        Ok(())
    }

    fn changed(&mut self, changed: &BTreeSet<String>) -> io::Result<()> {
        let files = self.files();
        let pieces = affected::pieces_of(&files);
        let next = self.decide(changed, &pieces);
        let names = name_some(changed);
        if next.is_empty() {
            output::complain(&format!("changed: {names}; no workflow looks at it"));
        } else {
            let what: Vec<String> = next.iter().map(Narrowed::describe).collect();
            output::complain(&format!("changed: {names}; running {}", what.join(", ")));
            self.cancel()?;
            self.next = next.into();
        }
        // A file that cannot be read now is compared with what it said last.
        self.pieces.extend(pieces);
        Ok(())
    }

    fn decide(&self, changed: &BTreeSet<String>, pieces: &BTreeMap<String, Pieces>) -> Vec<Narrowed> {
        let mut runs = Vec::new();
        let (of_workflows, others): (Vec<&String>, Vec<&String>) =
            changed.iter().partition(|path| pieces.contains_key(*path) || self.pieces.contains_key(*path));
        let whole = if others.is_empty() { Vec::new() } else { self.started_by(&others) };
        for file in of_workflows {
            let (Some(now), false) = (pieces.get(file), whole.contains(file)) else { continue };
            let jobs = match self.pieces.get(file).map(|before| now.against(before)) {
                None | Some(Affected::Whole) => Vec::new(),
                Some(Affected::Jobs(jobs)) => {
                    let asked = |job: &String| {
                        self.args.jobs.is_empty() || self.args.jobs.iter().any(|asked| asked.eq_ignore_ascii_case(job))
                    };
                    let jobs: Vec<String> = jobs.into_iter().filter(asked).collect();
                    if jobs.is_empty() {
                        continue;
                    }
                    jobs
                }
            };
            runs.push(Narrowed { workflows: vec![file.clone()], jobs, changed: Vec::new() });
        }
        if !whole.is_empty() {
            let changed = others.into_iter().cloned().collect();
            runs.insert(0, Narrowed { workflows: whole, jobs: Vec::new(), changed });
        }
        runs
    }

    /// The workflows that a change of these files starts. A repository that cannot be planned now starts none: the next change
    /// is asked again.
    fn started_by(&self, changed: &[&String]) -> Vec<String> {
        let args = self.args;
        let asked = Asked {
            event: args.event.clone(),
            options: EventOptions {
                reference: args.reference.clone(),
                actor: args.actor.clone(),
                changed: changed.iter().map(|path| (*path).clone()).collect(),
                inputs: args.inputs.iter().cloned().collect(),
                ..EventOptions::default()
            },
            workflows: args.workflows.clone(),
            vars: args.vars.iter().cloned().collect(),
        };
        let called = ActionFiles::new(self.root.clone(), &args.fetch);
        match planning::plan(&asked, &Checkout::find(&self.root), &called) {
            Ok(planning) => {
                let started = planning.plan.workflows.into_iter().filter(|workflow| workflow.triggered);
                started.map(|workflow| workflow.file).collect()
            }
            Err(error) => {
                output::complain_of(&error);
                Vec::new()
            }
        }
    }

    fn files(&self) -> Vec<WorkflowFile> {
        workflow_files::read(&self.root, &self.args.workflows).unwrap_or_default()
    }

    fn cancel(&mut self) -> io::Result<()> {
        let Some(mut child) = self.running.take() else { return Ok(()) };
        if child.try_wait()?.is_none()
            && let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
        {
            // It may have ended just now.
            let _ = kill_process(pid, Signal::TERM);
        }
        child.wait().map(drop)
    }

    /// This command line, narrowed.
    fn command(&self, narrowed: &Narrowed) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(narrow(std::env::args_os().skip(1).collect(), narrowed));
        if let Some(folder) = crate::cli::started_in() {
            command.current_dir(folder);
        }
        Ok(command)
    }
}

impl Narrowed {
    fn describe(&self) -> String {
        let files: Vec<&str> = self
            .workflows
            .iter()
            .map(|file| Path::new(file).file_name().and_then(|name| name.to_str()).unwrap_or(file))
            .collect();
        match self.jobs.as_slice() {
            [] => files.join(", "),
            [job] => format!("job {job} of {}", files.join(", ")),
            jobs => format!("jobs {} of {}", jobs.join(", "), files.join(", ")),
        }
    }
}

/// `args` without `--watch`, and with what narrows them. Workflows and jobs that were asked for give way to narrower ones.
fn narrow(args: Vec<OsString>, narrowed: &Narrowed) -> Vec<OsString> {
    let mut out = Vec::new();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy().into_owned();
        let replaced = [("-W", "--workflow", narrowed.workflows.is_empty()), ("-j", "--job", narrowed.jobs.is_empty())];
        let of = replaced.iter().find(|(short, long, stays)| {
            !stays && (text.starts_with(short) || text == *long || text.starts_with(&format!("{long}=")))
        });
        match of {
            // Its value is the next word, unless it is a part of this one.
            Some((short, long, _)) if text == *short || text == *long => drop(args.next()),
            Some(_) => {}
            // Nothing is to be published at every save.
            None if text == "--watch" => out.push("--no-chain".into()),
            None if text == "--no-chain" => {}
            None => out.push(arg),
        }
    }
    let options = [("-W", &narrowed.workflows), ("-j", &narrowed.jobs), ("--changed", &narrowed.changed)];
    for (option, values) in options {
        for value in values {
            out.extend([option.into(), value.into()]);
        }
    }
    out
}

fn name_some(changed: &BTreeSet<String>) -> String {
    let named: Vec<&str> = changed.iter().take(NAMED).map(String::as_str).collect();
    match changed.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_narrowed() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let line = || words("run --watch -W a.yml --workflow=b.yml -Wc.yml -j x --job y --env A=1");
        assert_eq!(
            narrow(line(), &Narrowed::default()),
            words("run --no-chain -W a.yml --workflow=b.yml -Wc.yml -j x --job y --env A=1")
        );
        let narrowed = Narrowed { workflows: vec!["d.yml".into()], jobs: vec!["z".into()], changed: vec!["f".into()] };
        assert_eq!(narrow(line(), &narrowed), words("run --no-chain --env A=1 -W d.yml -j z --changed f"));
    }
}
