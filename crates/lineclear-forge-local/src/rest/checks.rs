//! Check runs.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::{commits, not_offered, number, suites};
use crate::call::{Answer, Call, Fields, Refusal, node, time};
use crate::git::is_object_id;
use crate::journal::Transaction;
use crate::person::APP_ID;
use crate::posted::{PostedAction, Posting};
use crate::record::{CheckRun, CheckSuite};

/// What one request may say.
const MAX_ANNOTATIONS: usize = 50;
const MAX_TEXT: usize = 65_535;
/// What one check run may gather.
const MAX_ALL_ANNOTATIONS: usize = 10_000;

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("POST", []) => create(call, memory),
        ("GET", [id]) => Ok(ApiResponse::json(200, &shown(call, &known(memory, id)?))),
        ("PATCH", [id]) => {
            let mut run = known(memory, id)?;
            take(call, &mut run, &call.fields()?)?;
            Ok(ApiResponse::json(200, &keep(call, memory, &run, PostedAction::Updated)))
        }
        ("GET", [id, "annotations"]) => Ok(call.page(&known(memory, id)?.annotations, Value::clone)),
        ("POST", [id, "rerequest"]) => {
            known(memory, id)?;
            Ok(ApiResponse::json(201, &json!({})))
        }
        _ => not_offered(call),
    }
}

pub(super) fn of_commit(call: &Call<'_>, memory: &Transaction, sha: &str) -> Answer {
    let runs = memory.all::<CheckRun>().into_iter().filter(|run| run.sha == sha).collect();
    Ok(listed(call, runs))
}

/// With the filters `check_name`, `status`, `app_id` and `filter`: the latest of each name, unless all are asked for.
pub(super) fn listed(call: &Call<'_>, mut runs: Vec<CheckRun>) -> ApiResponse {
    runs.retain(|run| {
        call.query("check_name").is_none_or(|name| run.name == name)
            && call.query("status").is_none_or(|status| run.status == status)
            && call.query("app_id").is_none_or(|app| app == APP_ID.to_string())
    });
    if call.query("filter") != Some("all") {
        let all = runs.clone();
        runs.retain(|run| !all.iter().any(|later| later.name == run.name && later.id > run.id));
    }
    runs.reverse();
    call.counted_page("check_runs", &runs, |run| shown(call, run))
}

fn known(memory: &Transaction, id: &str) -> Result<CheckRun, Refusal> {
    memory.get(number(id)?).ok_or_else(Refusal::not_found)
}

fn create(call: &Call<'_>, memory: &mut Transaction) -> Answer {
    let fields = call.fields()?;
    let name = fields.required("CheckRun", "name")?.to_owned();
    let sha = fields.required("CheckRun", "head_sha")?;
    if !is_object_id(sha) {
        return Err(Refusal::invalid("CheckRun", "head_sha", "invalid"));
    }
    let sha = commits::known(call, sha)?;
    let suite = suites::of_sha(memory, &sha, call.now);
    let mut run = CheckRun {
        id: memory.new_id(),
        suite: suite.id,
        sha,
        name,
        status: "queued".into(),
        conclusion: None,
        details_url: None,
        external_id: String::new(),
        started: time(call.now),
        completed: None,
        title: None,
        summary: None,
        text: None,
        annotations: Vec::new(),
        created: call.now,
    };
    take(call, &mut run, &fields)?;
    Ok(ApiResponse::json(201, &keep(call, memory, &run, PostedAction::Created)))
}

fn take(call: &Call<'_>, run: &mut CheckRun, fields: &Fields) -> Result<(), Refusal> {
    const STATUSES: [&str; 6] = ["queued", "in_progress", "completed", "waiting", "requested", "pending"];
    const CONCLUSIONS: [&str; 8] =
        ["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "stale"];
    if let Some(name) = fields.text("name")?.filter(|name| !name.is_empty()) {
        name.clone_into(&mut run.name);
    }
    if let Some(status) = fields.text("status")? {
        if !STATUSES.contains(&status) {
            return Err(Refusal::invalid("CheckRun", "status", "invalid"));
        }
        status.clone_into(&mut run.status);
    }
    if let Some(conclusion) = fields.text("conclusion")? {
        if !CONCLUSIONS.contains(&conclusion) {
            return Err(Refusal::invalid("CheckRun", "conclusion", "invalid"));
        }
        run.conclusion = Some(conclusion.to_owned());
        "completed".clone_into(&mut run.status);
        run.completed = Some(fields.owned("completed_at")?.unwrap_or_else(|| time(call.now)));
    } else if run.status == "completed" && run.conclusion.is_none() {
        return Err(Refusal::invalid("CheckRun", "conclusion", "missing_field"));
    }
    if let Some(at) = fields.owned("started_at")? {
        run.started = at;
    }
    if let Some(url) = fields.owned("details_url")? {
        run.details_url = Some(url);
    }
    if let Some(id) = fields.owned("external_id")? {
        run.external_id = id;
    }
    if fields.value("output").is_object() {
        take_output(run, &Fields(fields.value("output").clone()))?;
    } else if fields.has("output") && !fields.value("output").is_null() {
        return Err(Refusal::said(422, "Invalid request.\n\nFor 'properties/output', this is not an object."));
    }
    Ok(())
}

fn take_output(run: &mut CheckRun, output: &Fields) -> Result<(), Refusal> {
    for (name, place) in [("title", &mut run.title), ("summary", &mut run.summary), ("text", &mut run.text)] {
        let Some(text) = output.owned(name)? else { continue };
        if text.chars().count() > MAX_TEXT {
            let message = format!("output.{name} is too long (maximum is {MAX_TEXT} characters)");
            return Err(Refusal::custom("CheckRun", &message));
        }
        *place = Some(text);
    }
    if run.summary.is_none() {
        return Err(Refusal::said(422, "Invalid request.\n\n\"summary\" wasn't supplied."));
    }
    let annotations = match output.value("annotations") {
        Value::Null => return Ok(()),
        Value::Array(annotations) => annotations,
        _ => return Err(Refusal::said(422, "Invalid request.\n\nFor 'properties/annotations', this is not an array.")),
    };
    if annotations.len() > MAX_ANNOTATIONS {
        let message = format!("No more than {MAX_ANNOTATIONS} annotations are allowed in one request.");
        return Err(Refusal::said(422, &format!("Invalid request.\n\n{message}")));
    }
    for annotation in annotations {
        let fields = Fields(annotation.clone());
        fields.required("CheckRun", "path")?;
        fields.required("CheckRun", "message")?;
        if !matches!(fields.text("annotation_level")?, Some("notice" | "warning" | "failure")) {
            return Err(Refusal::invalid("CheckRun", "annotation_level", "invalid"));
        }
        let missing = || Refusal::invalid("CheckRun", "start_line", "missing_field");
        let start = fields.number("start_line")?.ok_or_else(missing)?;
        let mut kept = json!({"start_column": null, "end_column": null, "title": null, "raw_details": null});
        for (name, value) in fields.0.as_object().into_iter().flatten() {
            kept[name.as_str()] = value.clone();
        }
        if kept["end_line"].is_null() {
            kept["end_line"] = json!(start);
        }
        if run.annotations.len() < MAX_ALL_ANNOTATIONS {
            run.annotations.push(kept);
        }
    }
    Ok(())
}

fn keep(call: &Call<'_>, memory: &mut Transaction, run: &CheckRun, action: PostedAction) -> Value {
    memory.put(run);
    let state = run.conclusion.as_deref().unwrap_or(&run.status);
    let parts = [run.title.as_deref(), run.summary.as_deref(), run.text.as_deref()];
    let markdown = parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    let posting = Posting {
        kind: "check",
        object: run.id,
        title: format!("Check `{}`: {state}", run.name),
        markdown: &markdown,
        url: page(call, run),
        action,
    };
    memory.posted(call.caller, posting);
    shown(call, run)
}

fn page(call: &Call<'_>, run: &CheckRun) -> String {
    call.html(&format!("runs/{}", run.id))
}

fn shown(call: &Call<'_>, run: &CheckRun) -> Value {
    let url = call.api(&format!("check-runs/{}", run.id));
    let suite = CheckSuite { id: run.suite, sha: run.sha.clone(), created: run.created };
    json!({
        "id": run.id,
        "node_id": node(NodeKind::CheckRun, run.id),
        "name": run.name,
        "head_sha": run.sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": page(call, run),
        "details_url": run.details_url.clone().unwrap_or_else(|| page(call, run)),
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": run.started,
        "completed_at": run.completed,
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": run.text,
            "annotations_count": run.annotations.len(),
            "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": {"id": suite.id},
        "app": call.app(),
        "pull_requests": suites::pulls_of(call, &run.sha),
    })
}
