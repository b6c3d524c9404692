//! Deployments, their statuses, and the environments they name.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::{commits, not_offered, number};
use crate::call::{Answer, Call, Refusal, encoded, node, time};
use crate::journal::Transaction;
use crate::person::{BOT, number_of};
use crate::posted::{PostedAction, Posting};
use crate::record::{Deployment, DeploymentStatus};

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => {
            let mut all = memory.all::<Deployment>();
            let is = |query: &str, value: &str| call.query(query).is_none_or(|wanted| wanted == value);
            all.retain(|one| {
                is("sha", &one.sha)
                    && is("ref", &one.reference)
                    && is("task", &one.task)
                    && is("environment", &one.environment)
            });
            all.reverse();
            Ok(call.page(&all, |one| shown(call, one)))
        }
        ("POST", []) => create(call, memory),
        ("GET", [id]) => Ok(ApiResponse::json(200, &shown(call, &known(memory, id)?))),
        ("DELETE", [id]) => {
            let gone = known(memory, id)?;
            let active = |state: &str| matches!(state, "success" | "in_progress" | "queued" | "pending");
            if statuses_of(memory, gone.id).last().is_some_and(|last| active(&last.state)) {
                return Err(Refusal::said(
                    422,
                    "We cannot delete an active deployment unless it is the only deployment in a given environment.",
                ));
            }
            memory.remove::<Deployment>(gone.id);
            memory.unposted(call.caller, "deployment", gone.id);
            Ok(ApiResponse::empty(204))
        }
        ("GET", [id, "statuses"]) => {
            let mut all = statuses_of(memory, known(memory, id)?.id);
            all.reverse();
            Ok(call.page(&all, |one| status(call, one)))
        }
        ("POST", [id, "statuses"]) => {
            let deployment = known(memory, id)?;
            create_status(call, memory, deployment)
        }
        ("GET", [id, "statuses", which]) => {
            let deployment = known(memory, id)?.id;
            let found: Option<DeploymentStatus> = memory.get(number(which)?);
            let found = found.filter(|found| found.deployment == deployment).ok_or_else(Refusal::not_found)?;
            Ok(ApiResponse::json(200, &status(call, &found)))
        }
        _ => not_offered(call),
    }
}

/// The environments that deployments have named.
pub(super) fn environments(call: &Call<'_>, memory: &Transaction, method: &str, rest: &[&str]) -> Answer {
    let mut names: Vec<String> = memory.all::<Deployment>().into_iter().map(|one| one.environment).collect();
    names.sort();
    names.dedup();
    let shown = |name: &String| {
        json!({
            "id": number_of(name),
            "node_id": "",
            "name": name,
            "url": call.api(&format!("environments/{}", encoded(name))),
            "html_url": call.html(&format!("deployments/activity_log?environments_filter={}", encoded(name))),
            "created_at": time(call.now),
            "updated_at": time(call.now),
            "protection_rules": [],
            "deployment_branch_policy": null,
        })
    };
    match (method, rest) {
        ("GET", []) => Ok(call.counted_page("environments", &names, shown)),
        ("GET", [name]) => match names.iter().find(|known| known == name) {
            Some(name) => Ok(ApiResponse::json(200, &shown(name))),
            None => Err(Refusal::not_found()),
        },
        _ => not_offered(call),
    }
}

fn known(memory: &Transaction, id: &str) -> Result<Deployment, Refusal> {
    memory.get(number(id)?).ok_or_else(Refusal::not_found)
}

fn statuses_of(memory: &Transaction, deployment: u64) -> Vec<DeploymentStatus> {
    memory.all::<DeploymentStatus>().into_iter().filter(|one| one.deployment == deployment).collect()
}

fn create(call: &Call<'_>, memory: &mut Transaction) -> Answer {
    let fields = call.fields()?;
    let reference = fields.required("Deployment", "ref")?.to_owned();
    let sha =
        commits::known(call, &reference).map_err(|_| Refusal::said(422, &format!("No ref found for: {reference}")))?;
    let environment = fields.text("environment")?.filter(|name| !name.is_empty()).unwrap_or("production").to_owned();
    let deployment = Deployment {
        id: memory.new_id(),
        sha,
        reference,
        task: fields.text("task")?.unwrap_or("deploy").to_owned(),
        production: fields.flag("production_environment")?.unwrap_or(environment == "production"),
        environment,
        description: fields.owned("description")?,
        payload: if fields.value("payload").is_null() { json!({}) } else { fields.value("payload").clone() },
        transient: fields.flag("transient_environment")?.unwrap_or(false),
        user: BOT.into(),
        created: call.now,
        updated: call.now,
    };
    memory.put(&deployment);
    tell(call, memory, &deployment, "", deployment.description.as_deref().unwrap_or_default(), PostedAction::Created);
    Ok(ApiResponse::json(201, &shown(call, &deployment)))
}

fn create_status(call: &Call<'_>, memory: &mut Transaction, mut deployment: Deployment) -> Answer {
    const STATES: [&str; 7] = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];
    let fields = call.fields()?;
    let state = fields.required("DeploymentStatus", "state")?;
    if !STATES.contains(&state) {
        return Err(Refusal::invalid("DeploymentStatus", "state", "invalid"));
    }
    let text = |name: &str| -> Result<String, Refusal> { Ok(fields.text(name)?.unwrap_or_default().to_owned()) };
    if let Some(environment) = fields.text("environment")?.filter(|name| !name.is_empty()) {
        environment.clone_into(&mut deployment.environment);
    }
    let log = if fields.has("log_url") { text("log_url")? } else { text("target_url")? };
    let new = DeploymentStatus {
        id: memory.new_id(),
        deployment: deployment.id,
        state: state.to_owned(),
        description: text("description")?,
        environment: deployment.environment.clone(),
        environment_url: text("environment_url")?,
        log_url: log,
        user: BOT.into(),
        created: call.now,
    };
    // A success takes the place of the earlier ones in its environment, unless that is not wanted.
    if new.state == "success" && fields.flag("auto_inactive")? != Some(false) {
        retire_others(call, memory, &deployment);
    }
    memory.put(&new);
    deployment.updated = call.now;
    memory.put(&deployment);
    let about = [new.description.as_str(), new.environment_url.as_str()];
    let about = about.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
    tell(call, memory, &deployment, &format!(": {}", new.state), &about, PostedAction::Updated);
    Ok(ApiResponse::json(201, &status(call, &new)))
}

fn retire_others(call: &Call<'_>, memory: &mut Transaction, deployment: &Deployment) {
    let others = memory.all::<Deployment>().into_iter().filter(|other| {
        other.id != deployment.id
            && other.environment == deployment.environment
            && !other.transient
            && !other.production
    });
    for other in others.collect::<Vec<_>>() {
        let Some(last) = statuses_of(memory, other.id).pop().filter(|last| last.state == "success") else { continue };
        let id = memory.new_id();
        memory.put(&DeploymentStatus { id, state: "inactive".into(), created: call.now, ..last });
    }
}

fn tell(
    call: &Call<'_>,
    memory: &mut Transaction,
    deployment: &Deployment,
    state: &str,
    about: &str,
    action: PostedAction,
) {
    let posting = Posting {
        kind: "deployment",
        object: deployment.id,
        title: format!("Deployment of `{}` to {}{state}", deployment.reference, deployment.environment),
        markdown: about,
        url: call.html(&format!("deployments/{}", encoded(&deployment.environment))),
        action,
    };
    memory.posted(call.caller, posting);
}

fn shown(call: &Call<'_>, deployment: &Deployment) -> Value {
    let url = call.api(&format!("deployments/{}", deployment.id));
    json!({
        "url": url,
        "id": deployment.id,
        "node_id": node(NodeKind::Deployment, deployment.id),
        "sha": deployment.sha,
        "ref": deployment.reference,
        "task": deployment.task,
        "payload": deployment.payload,
        "original_environment": deployment.environment,
        "environment": deployment.environment,
        "description": deployment.description,
        "creator": call.user(&deployment.user),
        "created_at": time(deployment.created),
        "updated_at": time(deployment.updated),
        "statuses_url": format!("{url}/statuses"),
        "repository_url": call.api(""),
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
    })
}

fn status(call: &Call<'_>, status: &DeploymentStatus) -> Value {
    let deployment = call.api(&format!("deployments/{}", status.deployment));
    json!({
        "url": format!("{deployment}/statuses/{}", status.id),
        "id": status.id,
        "node_id": node(NodeKind::DeploymentStatus, status.id),
        "state": status.state,
        "creator": call.user(&status.user),
        "description": status.description,
        "environment": status.environment,
        "target_url": status.log_url,
        "created_at": time(status.created),
        "updated_at": time(status.created),
        "deployment_url": deployment,
        "repository_url": call.api(""),
        "environment_url": status.environment_url,
        "log_url": status.log_url,
    })
}
