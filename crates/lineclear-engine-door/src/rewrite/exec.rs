//! Processes that are started in running containers.

use super::{Answer, Ask, BodyUse, Decision, Endpoint, Pass, Refusal, Shape, endpoint};

pub(super) const TABLE: &[Endpoint] = &[
    endpoint("POST", "exec/{}/start", BodyUse::Ignored, start),
    endpoint("POST", "exec/{}/resize", BodyUse::Ignored, resize),
    endpoint("GET", "exec/{}/json", BodyUse::Ignored, inspect),
];

fn start(ask: Ask<'_>) -> Result<Decision, Refusal> {
    pass(ask, Answer::Tunnel)
}

fn resize(ask: Ask<'_>) -> Result<Decision, Refusal> {
    pass(ask, Answer::Raw)
}

fn inspect(ask: Ask<'_>) -> Result<Decision, Refusal> {
    pass(ask, Answer::Value(Shape::Plain))
}

fn pass(ask: Ask<'_>, answer: Answer) -> Result<Decision, Refusal> {
    let missing = || Refusal::new(404, format!("No such exec instance: {}", ask.name));
    let container = ask.machine.exec(&ask.name)?.ok_or_else(missing)?;
    ask.own_container(&container).map_err(|_| missing())?;
    Ok(Pass::new(ask.target, answer).into())
}
