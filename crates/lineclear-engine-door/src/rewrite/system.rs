//! What is asked of the engine as a whole, and what is refused.

use serde_json::json;

use super::fields::{object, text};
use super::{Answer, Ask, BodyUse, Decision, Endpoint, Lines, Pass, Refusal, Shape, Then, endpoint, filters};
use crate::http::Target;

pub(super) const TABLE: &[Endpoint] = &[
    endpoint("GET", "_ping", BodyUse::Ignored, pass),
    endpoint("HEAD", "_ping", BodyUse::Ignored, pass),
    endpoint("GET", "version", BodyUse::Ignored, pass),
    endpoint("GET", "info", BodyUse::Ignored, pass),
    endpoint("GET", "plugins", BodyUse::Ignored, pass),
    endpoint("GET", "events", BodyUse::Ignored, events),
    endpoint("GET", "system/df", BodyUse::Ignored, disk_usage),
    endpoint("POST", "auth", BodyUse::Json, auth),
    // BuildKit: sessions and its own interface. What is built in them is not said in any answer.
    endpoint("POST", "session", BodyUse::Ignored, build),
    endpoint("POST", "grpc", BodyUse::Ignored, build),
];

fn pass(ask: Ask<'_>) -> Result<Decision, Refusal> {
    Ok(Pass::new(ask.target, Answer::Raw).into())
}

fn events(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    // Networks' and volumes' events have no labels, so those of others are left out one by one.
    filters::rewrite(&mut ask.target, ask.job, false)?;
    Ok(Pass::new(ask.target, Answer::Lines(Lines::Events)).into())
}

fn disk_usage(ask: Ask<'_>) -> Result<Decision, Refusal> {
    Ok(Pass::new(ask.target, Answer::Value(Shape::DiskUsage)).into())
}

/// A login to a registry whose names are mapped is checked where they are mapped to.
fn auth(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let mut body = std::mem::take(&mut ask.body);
    let login = object(&mut body, &["serveraddress"])?;
    let address = text(login, "serveraddress")?;
    let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://")).unwrap_or(address);
    let host = host.split('/').next().unwrap_or_default();
    if let Some(mapped) = ask.job.mapped(&format!("{host}/login")) {
        login.insert("serveraddress".into(), mapped.kept.registry().as_str().into());
    }
    Ok(Pass::new(ask.target, Answer::Raw).with_body(body).into())
}

fn build(ask: Ask<'_>) -> Result<Decision, Refusal> {
    Ok(Pass::new(ask.target, Answer::Tunnel).then(Then::MaybeBuilt).into())
}

/// Why a request that is in no table is refused.
pub(super) fn refused(method: &str, target: &Target) -> Refusal {
    let path = || target.path.join("/");
    match target.path.first().map(String::as_str) {
        Some("libpod") => Refusal::new(
            501,
            "this socket speaks Docker's API, not Podman's own; use `docker`, or another client of Docker's API",
        ),
        Some("swarm" | "services" | "tasks" | "nodes" | "secrets" | "configs") => Refusal::new(
            503,
            "This node is not a swarm manager: swarms belong to the machine, and steps cannot use them; use `docker compose`",
        ),
        // `docker inspect` looks for a thing of every kind.
        Some("plugins") if method == "GET" => Refusal::new(404, "no such plugin"),
        Some("plugins") => {
            Refusal::forbidden("plugins of the engine belong to the machine, and steps cannot change them")
        }
        _ => Refusal::new(
            404,
            format!(
                "page not found: `{method} /{}` is not passed on to the container engine, because it is not known what it may reach",
                path()
            ),
        ),
    }
}

/// An answer to a prune of what all jobs share.
pub(super) fn nothing_pruned(key: &str) -> Decision {
    Decision::Reply(200, json!({ key: [], "SpaceReclaimed": 0 }))
}
