//! What there is to tell and to clear away at a job's end.

use lineclear_backend::{Remain, Room};
use lineclear_command::SharedMasker;
use lineclear_event::{AnnotationLevel, JobSpec, RunEvent, with_causes};
use lineclear_workflow::StepsJob;

use crate::context::{Speaker, StepScope};
use crate::evaluate;
use crate::frame::Frame;
use crate::job::Job;
use crate::log::StepLog;
use crate::outputs::JobOutputs;
use crate::ports::{JobHands, LeftReport, lock};
use crate::stage::Stage;
use crate::step::{self, Finished};
use crate::worker::Worker;

/// Tells what there is to tell at a job's end: outputs that were dropped, the environment's address, what outlived its step.
pub(crate) fn complete(
    job: &Job<'_>,
    worker: &Worker,
    frame: &mut Frame,
    steps_job: &StepsJob,
    outputs: &mut JobOutputs,
) {
    let url = environment_url(job, worker, frame, steps_job);
    let remains = job.room.remains();
    // What became of processes that steps left running.
    let interventions = job.room.interventions();
    let left = left_reports(job);
    let is_quiet = interventions.is_empty()
        && left == LeftReport::default()
        && outputs.warnings.is_empty()
        && outputs.errors.is_empty()
        && remains.is_empty()
        && url.is_none();
    if is_quiet {
        return;
    }
    let (id, begun) = ("__complete_job", (job.hands.clock)());
    let mut finished = Finished::skipped("Complete job".to_owned());
    step::tell_started(job, id, &finished.name);
    let log = StepLog::new(job, id);
    let mut stage = Stage::success(Vec::new());
    match url {
        Some(Ok(url)) => log.show(&format!("Evaluate and set environment url\nEnvironment url is {url}")),
        Some(Err(reason)) => outputs.errors.push(reason),
        None => {}
    }
    for warning in &outputs.warnings {
        log.warning(warning);
    }
    for intervention in &interventions {
        log.say(intervention.level(), &intervention.message);
    }
    for remain in &remains {
        log.notice(&leak(remain));
    }
    for line in &left.lines {
        log.show(line);
    }
    for warning in &left.warnings {
        log.warning(warning);
    }
    for fact in &left.facts {
        log.fact(fact);
    }
    if !left.summary.is_empty() {
        log.summary(&left.summary);
    }
    for error in &outputs.errors {
        log.error(error);
        stage = Stage::failure(error.as_str());
    }
    step::apply_stage(&mut finished, stage, false);
    finished.mask(job);
    step::tell_finished(job, id, &finished, begun);
    step::note(frame, finished.conclusion, || finished.as_failure());
}

/// What scanners wrote and no step told of: it is evidence all the same.
fn left_reports(job: &Job<'_>) -> LeftReport {
    let Some(looks) = &job.hands.settings.left_reports else { return LeftReport::default() };
    // A workspace that a step replaced by a link is none.
    if job.reach.check_own_folders().is_err() {
        return LeftReport::default();
    }
    let told = lock(&job.told_reports).clone();
    looks.find(&job.room.layout().workspace, job.begun, &told)
}

fn environment_url(
    job: &Job<'_>,
    worker: &Worker,
    frame: &Frame,
    steps_job: &StepsJob,
) -> Option<Result<String, String>> {
    let url = steps_job.environment.as_ref()?.url.as_ref()?;
    let scope = StepScope::new(job, &worker.env, frame, Speaker { step: "", env: None, files: None });
    match evaluate::text(&frame.source, "environment.url", url, &scope) {
        Ok(url) if url.is_empty() => None,
        Ok(url) => {
            let name = job.spec.environment.as_deref().unwrap_or_default();
            job.hands.sink.event(RunEvent::Notice {
                level: AnnotationLevel::Notice,
                message: job.masker.mask(&format!("environment {name}: {url}")).into_owned(),
            });
            Some(Ok(url))
        }
        Err(reason) => Some(Err(reason)),
    }
}

fn leak(remain: &Remain) -> String {
    // Of a command line that was cut only the program is told: the cut may go through a secret, which no mask would find.
    let command = if remain.command.ends_with('…') {
        remain.command.split_whitespace().next().unwrap_or_default()
    } else {
        &remain.command
    };
    format!("process {} (`{command}`) outlived its step and is ended with the job", remain.pid)
}

/// Ends what is left of the job and removes its folders.
pub(crate) fn close(spec: &JobSpec, hands: &JobHands<'_>, masker: &SharedMasker, room: Box<dyn Room>) {
    if let Err(error) = room.close() {
        let message = format!("cannot remove all folders of job `{}`: {}", spec.job, with_causes(&error));
        hands
            .sink
            .event(RunEvent::Notice { level: AnnotationLevel::Warning, message: masker.mask(&message).into_owned() });
    }
}
