//! Events that a job asks for. They are recorded; whoever can start runs reads them.

use lineclear_forge::ApiResponse;
use serde_json::json;

use super::not_offered;
use super::workflows::text_at;
use crate::call::{Answer, Call, Refusal};
use crate::journal::Transaction;
use crate::record::Dispatch;

/// The most inputs and payload keys that GitHub takes.
const MAX_KEYS: usize = 25;
const MAX_PAYLOAD_KEYS: usize = 10;

/// `POST actions/workflows/{id}/dispatches`.
pub(super) fn workflow(call: &Call<'_>, memory: &mut Transaction, path: &str) -> Answer {
    let fields = call.fields()?;
    let reference = fields.required("WorkflowDispatch", "ref")?;
    let name =
        reference.strip_prefix("refs/heads/").or_else(|| reference.strip_prefix("refs/tags/")).unwrap_or(reference);
    if call.git()?.resolve(name)?.is_none() {
        return Err(Refusal::said(422, &format!("No ref found for: {reference}")));
    }
    let text = text_at(call, path, name)?.unwrap_or_default();
    if !text.contains("workflow_dispatch") {
        return Err(Refusal::said(422, "Workflow does not have 'workflow_dispatch' trigger"));
    }
    let inputs = fields.value("inputs").clone();
    let too_many = inputs.as_object().is_some_and(|inputs| inputs.len() > MAX_KEYS);
    if too_many || !(inputs.is_null() || inputs.is_object()) {
        return Err(Refusal::said(
            422,
            &format!("Invalid request.\n\n`inputs` is an object with at most {MAX_KEYS} keys."),
        ));
    }
    let id = memory.new_id();
    memory.put(&Dispatch {
        id,
        run: call.caller.run.0,
        workflow: path.to_owned(),
        reference: reference.to_owned(),
        event_type: "workflow_dispatch".into(),
        payload: if inputs.is_null() { json!({}) } else { inputs },
        created: call.now,
    });
    Ok(ApiResponse::empty(204))
}

/// `POST dispatches`.
pub(super) fn repository(call: &Call<'_>, memory: &mut Transaction, method: &str) -> Answer {
    if method != "POST" {
        return not_offered(call);
    }
    let fields = call.fields()?;
    let event_type = fields.required("RepositoryDispatch", "event_type")?.to_owned();
    let payload = fields.value("client_payload").clone();
    if payload.as_object().is_some_and(|payload| payload.len() > MAX_PAYLOAD_KEYS) {
        let message = format!(
            "No more than {MAX_PAYLOAD_KEYS} properties are allowed; {} were supplied.",
            payload.as_object().map_or(0, serde_json::Map::len)
        );
        return Err(Refusal::said(422, &format!("Invalid request.\n\n{message}")));
    }
    let id = memory.new_id();
    memory.put(&Dispatch {
        id,
        run: call.caller.run.0,
        workflow: String::new(),
        reference: format!("refs/heads/{}", call.facts().default_branch),
        event_type,
        payload: if payload.is_null() { json!({}) } else { payload },
        created: call.now,
    });
    Ok(ApiResponse::empty(204))
}
