//! Containers, but for their making.

use serde_json::Value;

use super::fields::{is_set, object};
use super::{Answer, Ask, BodyUse, Decision, Endpoint, Lines, Pass, Refusal, Shape, Then, create, endpoint, filters};

pub(super) const TABLE: &[Endpoint] = &[
    endpoint("GET", "containers/json", BodyUse::Ignored, list),
    endpoint("POST", "containers/create", BodyUse::Json, create::container),
    endpoint("POST", "containers/prune", BodyUse::Ignored, prune),
    endpoint("GET", "containers/{}/json", BodyUse::Ignored, inspect),
    endpoint("GET", "containers/{}/top", BodyUse::Ignored, look),
    endpoint("GET", "containers/{}/logs", BodyUse::Ignored, look),
    endpoint("GET", "containers/{}/changes", BodyUse::Ignored, look),
    endpoint("GET", "containers/{}/stats", BodyUse::Ignored, stats),
    endpoint("GET", "containers/{}/export", BodyUse::Ignored, look),
    endpoint("GET", "containers/{}/archive", BodyUse::Ignored, look),
    endpoint("HEAD", "containers/{}/archive", BodyUse::Ignored, look),
    endpoint("PUT", "containers/{}/archive", BodyUse::Stream, change),
    endpoint("GET", "containers/{}/attach/ws", BodyUse::Ignored, attach),
    endpoint("POST", "containers/{}/attach", BodyUse::Ignored, attach),
    endpoint("POST", "containers/{}/start", BodyUse::Json, start),
    endpoint("POST", "containers/{}/restart", BodyUse::Ignored, restart),
    endpoint("POST", "containers/{}/stop", BodyUse::Ignored, stop),
    endpoint("POST", "containers/{}/kill", BodyUse::Ignored, stop),
    endpoint("POST", "containers/{}/pause", BodyUse::Ignored, change),
    endpoint("POST", "containers/{}/unpause", BodyUse::Ignored, change),
    endpoint("POST", "containers/{}/wait", BodyUse::Ignored, change),
    endpoint("POST", "containers/{}/resize", BodyUse::Ignored, change),
    endpoint("POST", "containers/{}/rename", BodyUse::Ignored, rename),
    endpoint("POST", "containers/{}/update", BodyUse::Json, update),
    endpoint("POST", "containers/{}/exec", BodyUse::Json, exec),
    endpoint("DELETE", "containers/{}", BodyUse::Ignored, stop),
];

fn list(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    filters::rewrite(&mut ask.target, ask.job, !ask.job.is_shared())?;
    Ok(Pass::new(ask.target, Answer::Value(Shape::Containers)).into())
}

fn prune(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    filters::rewrite(&mut ask.target, ask.job, true)?;
    Ok(Pass::new(ask.target, Answer::Value(Shape::Plain)).into())
}

fn seen(mut ask: Ask<'_>, answer: Answer) -> Result<Decision, Refusal> {
    let id = ask.seen_container(&ask.name)?;
    ask.rename_target(&id);
    Ok(Pass::new(ask.target, answer).into())
}

fn inspect(ask: Ask<'_>) -> Result<Decision, Refusal> {
    seen(ask, Answer::Value(Shape::Container))
}

/// What changes nothing.
fn look(ask: Ask<'_>) -> Result<Decision, Refusal> {
    seen(ask, Answer::Raw)
}

fn stats(ask: Ask<'_>) -> Result<Decision, Refusal> {
    seen(ask, Answer::Lines(Lines::Plain))
}

fn own(mut ask: Ask<'_>, answer: Answer) -> Result<(Pass, String, Value), Refusal> {
    let id = ask.own_container(&ask.name)?;
    ask.rename_target(&id);
    Ok((Pass::new(ask.target, answer), id, ask.body))
}

fn change(ask: Ask<'_>) -> Result<Decision, Refusal> {
    Ok(own(ask, Answer::Raw)?.0.into())
}

fn attach(ask: Ask<'_>) -> Result<Decision, Refusal> {
    Ok(own(ask, Answer::Tunnel)?.0.into())
}

/// Old clients could send a new host configuration here; what they asked for would not be looked at.
fn start(ask: Ask<'_>) -> Result<Decision, Refusal> {
    if ask.body.as_object().is_some_and(|body| !body.is_empty()) {
        return Err(Refusal::bad("a container's settings are given when it is made, not when it is started"));
    }
    let (pass, container, _) = own(ask, Answer::Raw)?;
    Ok(pass.then(Then::Ports { container, must_open: true }).into())
}

fn restart(ask: Ask<'_>) -> Result<Decision, Refusal> {
    let (pass, container, _) = own(ask, Answer::Raw)?;
    Ok(pass.then(Then::Ports { container, must_open: true }).into())
}

fn stop(ask: Ask<'_>) -> Result<Decision, Refusal> {
    let (pass, container, _) = own(ask, Answer::Raw)?;
    Ok(pass.then(Then::Ports { container, must_open: false }).into())
}

fn rename(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let name = ask.target.get("name").unwrap_or_default().trim_start_matches('/').to_owned();
    if name.is_empty() {
        return Err(Refusal::bad("a container's new name is empty"));
    }
    ask.target.set("name", ask.job.names.engine(&name));
    Ok(own(ask, Answer::Raw)?.0.into())
}

fn update(ask: Ask<'_>) -> Result<Decision, Refusal> {
    let is_confined = ask.job.is_confined;
    let (pass, _, mut body) = own(ask, Answer::Value(Shape::Plain))?;
    const DEVICES: &[&str] = &["Devices", "DeviceRequests", "DeviceCgroupRules"];
    let config = object(&mut body, DEVICES)?;
    if is_confined && DEVICES.iter().any(|key| is_set(config, key)) {
        return Err(Refusal::forbidden("the job is kept from the machine: its containers get no devices"));
    }
    Ok(pass.with_body(body).into())
}

fn exec(ask: Ask<'_>) -> Result<Decision, Refusal> {
    let is_confined = ask.job.is_confined;
    let (pass, _, mut body) = own(ask, Answer::Value(Shape::Plain))?;
    let config = object(&mut body, &["Privileged"])?;
    if is_confined && is_set(config, "Privileged") {
        return Err(Refusal::forbidden("the job is kept from the machine: its containers get no privileges"));
    }
    Ok(pass.with_body(body).into())
}
