//! Pages: deployments are recorded and succeed at once; nothing is served.

use lineclear_forge::ApiResponse;
use serde_json::{Value, json};

use super::{not_offered, number};
use crate::call::{Answer, Call, Refusal};
use crate::journal::Transaction;
use crate::posted::{PostedAction, Posting};
use crate::record::PagesDeployment;

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => Ok(ApiResponse::json(200, &site(call))),
        ("POST", []) => Ok(ApiResponse::json(201, &site(call))),
        ("POST", ["deployments" | "deployment"]) => deploy(call, memory),
        ("GET", ["deployments", id]) | ("GET", ["deployments", id, "status"]) => {
            let found: PagesDeployment = memory.get(number(id)?).ok_or_else(Refusal::not_found)?;
            let status = if found.cancelled { "deployment_cancelled" } else { "succeed" };
            Ok(ApiResponse::json(200, &json!({"status": status})))
        }
        ("POST", ["deployments", id, "cancel"]) => {
            let found: PagesDeployment = memory.get(number(id)?).ok_or_else(Refusal::not_found)?;
            memory.put(&PagesDeployment { cancelled: true, ..found });
            Ok(ApiResponse::empty(204))
        }
        _ => not_offered(call),
    }
}

fn address(call: &Call<'_>) -> String {
    let facts = call.facts();
    let owner = facts.owner.to_lowercase();
    if facts.name.eq_ignore_ascii_case(&format!("{owner}.github.io")) {
        return format!("https://{owner}.github.io/");
    }
    format!("https://{owner}.github.io/{}/", facts.name)
}

fn site(call: &Call<'_>) -> Value {
    json!({
        "url": call.api("pages"),
        "status": "built",
        "cname": null,
        "custom_404": false,
        "html_url": address(call),
        "build_type": "workflow",
        "source": {"branch": call.facts().default_branch, "path": "/"},
        "public": !call.facts().private,
        "https_enforced": true,
    })
}

fn deploy(call: &Call<'_>, memory: &mut Transaction) -> Answer {
    let fields = call.fields()?;
    let artifact = match fields.value("artifact_id") {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    if artifact.is_none() && fields.text("artifact_url")?.is_none() {
        return Err(Refusal::invalid("PagesDeployment", "artifact_id", "missing_field"));
    }
    let new = PagesDeployment {
        id: memory.new_id(),
        artifact,
        version: fields.required("PagesDeployment", "pages_build_version")?.to_owned(),
        environment: fields.text("environment")?.unwrap_or("github-pages").to_owned(),
        cancelled: false,
    };
    memory.put(&new);
    let url = address(call);
    let posting = Posting {
        kind: "deployment",
        object: new.id,
        title: format!("Pages deployment to {}", new.environment),
        markdown: "",
        url: url.clone(),
        action: PostedAction::Created,
    };
    memory.posted(call.caller, posting);
    let status = call.api(&format!("pages/deployments/{}", new.id));
    Ok(ApiResponse::json(200, &json!({"id": new.id, "status_url": status, "page_url": url, "preview_url": ""})))
}
