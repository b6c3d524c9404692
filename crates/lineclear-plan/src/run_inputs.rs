//! The inputs of a run as its event gives them.

use std::collections::BTreeMap;

use lineclear_event::ForgeEvent;
use lineclear_expr::Value;
use lineclear_workflow::Workflow;

use crate::input::{InputError, dispatch_inputs};
use crate::model::Facts;

/// The inputs that a dispatch was given: those of the payload, replaced by those of the facts.
pub fn given_inputs(event: &ForgeEvent, facts: &Facts) -> BTreeMap<String, String> {
    let mut given = BTreeMap::new();
    if let Some(inputs) = event.payload.get("inputs").and_then(serde_json::Value::as_object) {
        for (name, value) in inputs {
            let text = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Null => continue,
                other => other.to_string(),
            };
            given.insert(name.clone(), text);
        }
    }
    for (name, value) in &facts.inputs {
        given.retain(|known, _| !known.eq_ignore_ascii_case(name));
        given.insert(name.clone(), value.clone());
    }
    given
}

/// The event as the run of `workflow` sees it, and the run's `inputs` context.
///
/// For a dispatch the payload's `inputs` are completed with the defaults, as text, and the context has them typed. A schedule
/// that does not say which of the workflow's times it was gets the first. Every other event is as it was, and has no inputs.
///
/// # Errors
/// All that is wrong with a dispatch's inputs.
pub fn run_inputs(
    workflow: &Workflow,
    event: &ForgeEvent,
    facts: &Facts,
) -> Result<(ForgeEvent, Value), Vec<InputError>> {
    let mut event = event.clone();
    if let (Some(cron), Some(payload)) = (open_schedule(workflow, &event), event.payload.as_object_mut()) {
        payload.insert("schedule".into(), cron.into());
    }
    if event.name != "workflow_dispatch" {
        return Ok((event, Value::Null));
    }
    let inputs = dispatch_inputs(workflow, &given_inputs(&event, facts))?;
    if let Some(payload) = event.payload.as_object_mut() {
        payload.insert("inputs".into(), inputs.payload);
    }
    Ok((event, inputs.typed))
}

/// The time that a schedule is taken for which does not say its own.
pub(crate) fn open_schedule(workflow: &Workflow, event: &ForgeEvent) -> Option<String> {
    let is_open = event.name == "schedule" && event.payload.get("schedule").is_none_or(serde_json::Value::is_null);
    let trigger = workflow.on.get("schedule").filter(|_| is_open)?;
    trigger.schedule.first().map(|schedule| schedule.cron.value.clone())
}
