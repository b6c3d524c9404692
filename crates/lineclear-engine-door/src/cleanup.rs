//! The end of a door: what still runs is told, everything is removed, and what is left is named.

use std::io::{self, Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use lineclear_backend::Told;
use serde_json::{Value, json};

use crate::engine::{Engine, answer_head};
use crate::http::{Body, Headers, Inbound, RequestHead, Target};
use crate::rewrite::{DOOR_LABEL, Job, found};
use crate::stream::Stream;

/// Lines of a container's log that are told.
const LOG_LINES: u32 = 100;
/// Bytes of a container's log that are told.
const LOG_BYTES: u64 = 64 * 1024;
/// Checks of a container's health that are told.
const CHECKS: usize = 5;
/// How long removal may take in all.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked whether the engine is done with a removal.
const PAUSE: Duration = Duration::from_millis(50);

/// Kinds of things in the order of their removal: a network is held by its containers, a volume too.
const KINDS: &[Kind] = &[
    Kind { what: "container", list: "/containers/json", key: None, remove: "/containers" },
    Kind { what: "network", list: "/networks", key: None, remove: "/networks" },
    Kind { what: "volume", list: "/volumes", key: Some("Volumes"), remove: "/volumes" },
];

struct Kind {
    what: &'static str,
    list: &'static str,
    /// Where the answer has its list, if it is not the list itself.
    key: Option<&'static str>,
    remove: &'static str,
}

/// Tells of every container that is still there, in the order of their making.
pub(crate) fn tell(engine: &Engine, job: &Job, told: &dyn Told) {
    let mut containers = listed(engine, job, &KINDS[0]).unwrap_or_default();
    containers.sort_by_key(|container| container["Created"].as_i64());
    for container in containers {
        let id = found(&container).id;
        let Ok(answer) = engine.get(Target::of(&format!("/containers/{id}/json"))) else { continue };
        if answer.is_fine() {
            tell_one(engine, job, &answer.value(), told);
        }
    }
}

fn tell_one(engine: &Engine, job: &Job, container: &Value, told: &dyn Told) {
    let text = |path: &str| container.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let name = job.names.shown(text("/Name").trim_start_matches('/'));
    let status = text("/State/Status");
    let health = text("/State/Health/Status");
    let mut state = match status {
        "exited" | "dead" => format!("{status} with {}", container.pointer("/State/ExitCode").unwrap_or(&Value::Null)),
        other => other.to_owned(),
    };
    if container.pointer("/State/OOMKilled") == Some(&Value::Bool(true)) {
        state.push_str(", out of memory");
    }
    if !matches!(health, "" | "none") {
        state.push_str(", ");
        state.push_str(health);
    }
    told.group(&format!("Container {name} ({}): {state}", text("/Config/Image")));
    if !text("/State/Error").is_empty() {
        told.line(text("/State/Error"));
    }
    let checks = container.pointer("/State/Health/Log").and_then(Value::as_array);
    if health != "healthy" {
        let checks = checks.into_iter().flatten();
        let skipped = checks.clone().count().saturating_sub(CHECKS);
        for check in checks.skip(skipped) {
            let output = check["Output"].as_str().unwrap_or_default().trim();
            told.line(&format!("health check ended with {}: {output}", check["ExitCode"]));
        }
    }
    let is_terminal = container.pointer("/Config/Tty") == Some(&Value::Bool(true));
    match logs(engine, text("/Id"), is_terminal) {
        Ok(log) => log.lines().for_each(|line| told.line(line)),
        Err(error) => told.line(&format!("the log cannot be read: {error}")),
    }
}

/// The end of a container's log.
fn logs(engine: &Engine, id: &str, is_terminal: bool) -> Result<String, crate::http::HttpError> {
    let target = Target::of(&format!("/containers/{id}/logs")).with("stdout", "1").with("stderr", "1");
    let target = target.with("tail", LOG_LINES.to_string());
    let mut headers = Headers::default();
    headers.set("Host", "engine");
    headers.set("Connection", "close");
    let head = RequestHead { method: "GET".into(), target: target.write(), minor: 1, headers };
    let mut stream = Stream::connect(&engine.address)?;
    stream.set_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(&head.write())?;
    let mut inbound = Inbound::new(stream);
    let framing = answer_head(&mut inbound)?.framing("GET")?;
    let mut bytes = Vec::new();
    // Long lines make a log of few lines long, too.
    let read = Body::new(&mut inbound, framing).take(LOG_BYTES).read_to_end(&mut bytes);
    if bytes.is_empty() {
        read?;
    }
    let text = if is_terminal { bytes } else { unframed(&bytes) };
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The bytes of a log whose streams come in frames: kind, three zeroes, length, bytes.
fn unframed(mut bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let (frame, rest) = rest.split_at(length.min(rest.len()));
        text.extend_from_slice(frame);
        bytes = rest;
    }
    text
}

/// Removes everything that was made through the door.
///
/// # Errors
/// What is left, one sentence each.
pub(crate) fn remove(engine: &Engine, job: &Job) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut left = Vec::new();
    for kind in KINDS {
        loop {
            let items = listed(engine, job, kind)?;
            if items.is_empty() {
                break;
            }
            let problems = remove_all(engine, kind, &items);
            if Instant::now() >= until {
                let name =
                    |item: &Value| found(item).names.first().map(|name| job.names.shown(name)).unwrap_or_default();
                let problem = problems.first().map(|problem| format!(": {problem}")).unwrap_or_default();
                left.extend(
                    items.iter().map(|item| format!("{} `{}` could not be removed{problem}", kind.what, name(item))),
                );
                break;
            }
            // What is on its way out is looked for again.
            thread::sleep(PAUSE);
        }
    }
    if left.is_empty() { Ok(()) } else { Err(io::Error::other(left.join("; "))) }
}

/// What of this kind was made through the door.
fn listed(engine: &Engine, job: &Job, kind: &Kind) -> io::Result<Vec<Value>> {
    let filters = json!({ "label": [job.label_filter(), format!("{DOOR_LABEL}=1")] }).to_string();
    let answer = engine.get(Target::of(kind.list).with("all", "1").with("filters", filters));
    let answer = answer.map_err(|error| io::Error::other(lineclear_event::with_causes(&error)))?;
    if !answer.is_fine() {
        return Err(io::Error::other(format!("cannot list what was made: {}", answer.problem())));
    }
    let value = answer.value();
    let list = kind.key.map_or(Some(&value), |key| value.get(key));
    Ok(list.and_then(Value::as_array).cloned().unwrap_or_default())
}

/// Removes all at once; gives what the engine says of those that stay.
fn remove_all(engine: &Engine, kind: &Kind, items: &[Value]) -> Vec<String> {
    let remove = |item: &Value| {
        let found = found(item);
        let id = if kind.what == "volume" { found.names.first().cloned().unwrap_or_default() } else { found.id };
        if kind.what == "network" {
            disconnect_all(engine, &id);
        }
        let mut target = Target::of(kind.remove);
        target.path.push(id);
        let answer = engine.delete(target.with("force", "1").with("v", "1"));
        match answer {
            // Gone already, or going: the next look will tell.
            Ok(answer) if answer.is_fine() || matches!(answer.status, 404 | 409) => None,
            Ok(answer) => Some(answer.problem()),
            Err(error) => Some(lineclear_event::with_causes(&error)),
        }
    };
    thread::scope(|scope| {
        let remove = &remove;
        let threads: Vec<_> = items.iter().map(|item| scope.spawn(move || remove(item))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect()
    })
}

/// Containers that were not made through the door, such as the job's own, may have been connected to a network.
fn disconnect_all(engine: &Engine, network: &str) {
    let Ok(answer) = engine.get(Target::of(&format!("/networks/{network}"))) else { return };
    let value = answer.value();
    for id in value["Containers"].as_object().into_iter().flat_map(|containers| containers.keys()) {
        let body = json!({ "Container": id, "Force": true });
        // If it stays connected, the network's removal tells.
        let _told_there = engine.post(Target::of(&format!("/networks/{network}/disconnect")), Some(&body));
    }
}

#[cfg(test)]
mod tests {
    use super::unframed;

    #[test]
    fn a_log_that_was_cut_in_a_frame_is_read_as_far_as_it_goes() {
        let mut log = b"\x01\0\0\0\0\0\0\x03one\x02\0\0\0\0\0\0\x05tw".to_vec();
        assert_eq!(unframed(&log), b"onetw");
        log.extend_from_slice(b"o");
        assert_eq!(unframed(&log), b"onetwo");
        assert_eq!(unframed(b"\x01\0\0\0\xff\xff\xff\xffx"), b"x");
        assert_eq!(unframed(b"\x01\0\0"), b"");
    }
}
