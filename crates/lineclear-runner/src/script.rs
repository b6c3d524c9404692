//! `run:` steps.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lineclear_workflow::Text;

use crate::containers::Place;
use crate::context::{Speaker, StepScope};
use crate::display_name;
use crate::evaluate;
use crate::frame::Frame;
use crate::header::Header;
use crate::invocation::{ProcessKind, Program, StepCall};
use crate::program;
use crate::shell::Shell;
use crate::stage::Stage;
use crate::worker::Worker;

/// What a `run` step holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script<'s> {
    pub(crate) text: &'s Text,
    pub(crate) shell: Option<&'s Text>,
    pub(crate) folder: Option<&'s Text>,
}

/// Carries a script to its end.
pub(crate) fn run(call: &StepCall<'_>, worker: &mut Worker, frame: &Frame, script: Script<'_>) -> Stage {
    match try_run(call, worker, frame, script) {
        Ok(stage) => stage,
        Err(reason) => Stage::told_failure(call.log, reason),
    }
}

fn try_run(call: &StepCall<'_>, worker: &mut Worker, frame: &Frame, script: Script<'_>) -> Result<Stage, String> {
    let job = call.job;
    let files = call.command_files()?;
    let speaker = Speaker { step: call.id, env: Some(call.env), files: Some(&files) };
    let scope = StepScope::new(job, &worker.env, frame, speaker);
    let source = &frame.source;
    let text = evaluate::text(source, "run", script.text, &scope)?;
    let given = |key: &str, given: Option<&Text>, default: &Option<String>| match given {
        Some(given) => evaluate::text(source, key, given, &scope).map(Some),
        // Defaults of the job do not reach into composite actions (trap 14).
        None if frame.is_composite() => Ok(None),
        None => Ok(default.clone()),
    };
    let shell = given("shell", script.shell, &job.defaults.shell)?.filter(|shell| !shell.trim().is_empty());
    let folder = given("working-directory", script.folder, &job.defaults.folder)?;
    drop(scope);
    if shell.is_none() && frame.is_composite() {
        return Err("a `run` step of a composite action needs a `shell`".to_owned());
    }

    let place = job.place();
    let env = call.process_env(worker, frame, &frame.identity, &files, ProcessKind::Run(place), &[]);
    let path = env.get("PATH").unwrap_or_default();
    let shell = match shell {
        Some(shell) => Shell::parse(&shell).map_err(|error| error.to_string())?,
        // Nobody looks for a bash in a container (trap 2).
        None => Shell::unspecified(place == Place::Machine && job.programs.shell("bash", path).is_some()),
    };
    let program = match place {
        Place::Machine => find_shell(call, &shell, path)?,
        // Found inside, when it is started.
        Place::Container | Place::Action => PathBuf::from(&shell.program),
    };
    let folder = match folder.as_deref().filter(|folder| !folder.is_empty()) {
        Some(folder) => job.here(&job.room.layout().workspace.join(folder)).into_owned(),
        None => job.room.layout().workspace.clone(),
    };
    let file = write_script(call, &shell, &text)?;
    let arguments = shell.arguments(&job.inside(place, &file).to_string_lossy()).into_iter().map(Into::into).collect();

    let mut header = Header::new(display_name::first_line(&text));
    header.script(&text);
    header.shell(&program.to_string_lossy(), &shell.arguments);
    header.env(&[&worker.env, &frame.calling_env, call.env]);
    call.log.show(&header.finish());
    let program = Program { program: program.as_os_str(), arguments, folder: &folder, place, tells_exit_code: true };
    Ok(call.run(worker, files, env, &program))
}

fn find_shell(call: &StepCall<'_>, shell: &Shell, path: &OsStr) -> Result<PathBuf, String> {
    let found = match shell.program.as_str() {
        "bash" => call.job.programs.shell("bash", path),
        "sh" => call.job.programs.shell("sh", path),
        other => program::find(other, path),
    };
    found.ok_or_else(|| {
        format!(
            "there is no `{}` on this job's PATH, which the step's shell needs: install it on this machine, or add its folder to \
             $GITHUB_PATH in an earlier step",
            shell.program
        )
    })
}

/// The script in a file of its own, which stays until the job ends: shells read their scripts little by little.
fn write_script(call: &StepCall<'_>, shell: &Shell, text: &str) -> Result<PathBuf, String> {
    let folder: &Path = &call.job.room.layout().scratch;
    let file = folder.join(format!("{}{}", call.job.next_number(), shell.extension()));
    let contents = shell.script(text);
    let written = match fs::write(&file, contents.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).and_then(|()| fs::write(&file, contents.as_bytes()))
        }
        other => other,
    };
    written.map_err(|error| format!("cannot write the step's script to `{}`: {error}", file.display()))?;
    Ok(file)
}
