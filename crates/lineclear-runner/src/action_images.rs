//! The images of Docker actions, made ready before the first step, each shown as a step of its own.
//!
//! What cannot be made ready fails only the step that uses it: a step that is skipped does not need it. Local actions are not known
//! yet: their images are made when their step is reached.
//!
//! # Source
//! Section 1.10 of the protocol notes, after `ActionManager.cs` of `actions/runner`.

use std::collections::BTreeSet;
use std::sync::Arc;

use lineclear_backend::{ActionImage, Stop};
use lineclear_workflow::Runs;

use crate::action::{Body, LoadedAction};
use crate::containers;
use crate::docker_action;
use crate::job::Job;
use crate::planned_step;
use crate::stage::Stage;
use crate::told::ToldStep;

/// Pulls and builds what `actions` need, each image once.
pub(crate) fn make_ready(job: &Job<'_>, actions: &[Arc<LoadedAction>]) {
    let mut known = BTreeSet::new();
    let docker = |action: &&Arc<LoadedAction>| {
        action.body == Body::OfItsOwn && matches!(action.metadata.runs, Runs::Docker { .. })
    };
    for action in actions.iter().filter(docker) {
        if job.hands.control.is_cancelled() {
            return;
        }
        match docker_action::image(action) {
            Ok(image) if known.contains(&image) => {}
            image => {
                known.extend(image.clone().ok());
                make_one_ready(job, action, image);
            }
        }
    }
}

fn make_one_ready(job: &Job<'_>, action: &LoadedAction, image: Result<ActionImage, String>) {
    let (id, name) = match &image {
        Ok(ActionImage::Registry(image)) => (format!("__pull_{}", planned_step::plain(image)), format!("Pull {image}")),
        _ => {
            let reference = &action.reference;
            (format!("__build_{}", planned_step::plain(reference)), format!("Build {reference}"))
        }
    };
    let told = ToldStep::new(job, &id, &name);
    let log = told.begin();
    let control = job.hands.control;
    let is_cancelled = || control.is_cancelled();
    let stop = Stop { wake: control.wake(), is_cancelled: &is_cancelled };
    let ready = image.and_then(|image| {
        let opened = job.for_action(control, &told)?;
        opened.containers.prepare(&image, stop, &told).map_err(|error| containers::refused(&error))
    });
    let stage = match ready {
        Ok(_) => Stage::success(Vec::new()),
        Err(_) if control.is_cancelled() => {
            log.error("The operation was canceled.");
            Stage::cancelled("the job was cancelled")
        }
        Err(reason) => {
            log.warning(&format!("{reason}; a step that uses `{}` fails when it is reached", action.reference));
            Stage::success(Vec::new())
        }
    };
    // A cancelled job is told by its control.
    told.end(stage);
}
