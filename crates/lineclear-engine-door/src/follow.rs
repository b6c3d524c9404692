//! What follows from answers: what is remembered, which ports open, which failures are told in better words.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use lineclear_backend::labels;
use serde_json::{Value, json};

use crate::engine::answer_head;
use crate::http::{Body, Headers, Inbound, RequestHead, Target};
use crate::images::Seen;
use crate::rewrite::{Answer, Pass, Shape, Then, found, full_name, label};
use crate::serve::{Registered, Shared};
use crate::stream::Stream;

impl Shared {
    /// Does what has to be done before an answer without a value is told.
    ///
    /// # Errors
    /// What the client is told instead.
    pub(crate) fn follow_up(self: &Arc<Self>, then: &Then, registered: &Registered) -> Result<(), String> {
        match then {
            Then::Ports { container, must_open } if self.ports.is_own() => {
                self.follow_events(registered);
                let opened = self.ports.follow(&self.engine, container);
                if !must_open {
                    // It did what it was asked for, or is gone; its ports are closed in either case.
                    return Ok(());
                }
                opened.inspect_err(|_| {
                    // As in the engine itself: a container without its ports does not run.
                    let target = Target::of(&format!("/containers/{container}/kill"));
                    let _ended_itself = self.engine.post(target, None);
                    let _closed = self.ports.follow(&self.engine, container);
                })
            }
            Then::Tagged { name, id } => {
                self.note_made(&Seen { id: id.clone(), names: full_name(name).into_iter().collect() });
                // The image is not this job's because of its name: only what it made can be removed by its id.
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Remembers what an answer says.
    pub(crate) fn note(&self, then: &Then, value: &Value) {
        let id = value.get("Id").and_then(Value::as_str).map(str::to_owned);
        match (then, id) {
            (Then::Created, Some(id)) => {
                self.known.get().containers.insert(id);
            }
            (Then::Committed { name }, Some(id)) => {
                let names = name.iter().filter_map(|name| full_name(name)).collect();
                self.note_made(&Seen { id, names });
            }
            (Then::Removed { name }, _) => {
                let mut known = self.known.get();
                known.tags.remove(name);
                known.likely_tags.remove(name);
                known.images.remove(name);
            }
            _ => {}
        }
    }

    /// Whether a network or volume is this job's, by its id. An event may name it after its end, so the first answer is kept.
    pub(crate) fn owns(&self, kind: &str, id: &str) -> bool {
        let key = format!("{kind}/{id}");
        if let Some(known) = self.known.get().owned.get(&key) {
            return *known;
        }
        let mut target = Target::of(kind);
        target.path.push(id.to_owned());
        let Ok(answer) = self.engine.get(target) else { return false };
        let is_own = answer.is_fine() && self.job.owns(&found(&answer.value()));
        self.known.get().owned.insert(key, is_own);
        is_own
    }

    /// Says in better words why the engine did not do what it was asked for.
    pub(crate) fn explain(&self, pass: &Pass, message: &str) -> Option<String> {
        match (&pass.then, &pass.answer) {
            (Then::Ports { must_open: true, .. }, _) => self.explain_port(message),
            (_, Answer::Value(Shape::NetworkCreated { name, subnets })) => self.explain_subnet(message, name, subnets),
            _ => None,
        }
    }

    fn explain_port(&self, message: &str) -> Option<String> {
        let is_taken = ["port is already allocated", "address already in use", "failed to bind host port"];
        if !is_taken.iter().any(|text| message.contains(text)) {
            return None;
        }
        // `Bind for 0.0.0.0:5433 failed`, `listen tcp4 0.0.0.0:5433: bind`.
        let port = message.split(|char: char| char.is_whitespace() || char == '/').find_map(|word| {
            let (ip, port) = word.trim_end_matches([':', ',']).rsplit_once(':')?;
            let is_ip = ip.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
            port.parse::<u16>().ok().filter(|port| is_ip && *port > 0)
        })?;
        let target =
            Target::of("/containers/json").with("filters", json!({ "publish": [port.to_string()] }).to_string());
        let holders = self.engine.get(target).map(|answer| answer.value()).unwrap_or_default();
        let holder = holders.as_array().into_iter().flatten().find(|container| {
            container["Ports"].as_array().into_iter().flatten().any(|open| open["PublicPort"] == json!(port))
        });
        let who = match holder.map(|holder| (holder, label(holder, labels::RUN))) {
            Some((holder, _)) if self.job.owns(&found(holder)) => {
                let names = found(holder).names;
                format!("by `{}` of this very job", self.job.names.shown(names.first().map_or("", String::as_str)))
            }
            Some((_, Some(run))) => format!("by a container of Lineclear's run {run}"),
            _ => "by something else that runs on this machine".to_owned(),
        };
        Some(format!(
            "{message}\nport {port} of this machine is taken {who}. With `--network private` each job has ports of its own, and \
             jobs that publish the same port do not meet"
        ))
    }

    fn explain_subnet(&self, message: &str, name: &str, subnets: &[String]) -> Option<String> {
        if subnets.is_empty() || !message.contains("overlaps") {
            return None;
        }
        let networks = self.engine.get(Target::of("/networks")).map(|answer| answer.value()).unwrap_or_default();
        let overlaps = |network: &&Value| {
            let pools = network.pointer("/IPAM/Config").and_then(Value::as_array).into_iter().flatten();
            pools.filter_map(|pool| pool["Subnet"].as_str()).any(|other| subnets.iter().any(|own| overlap(own, other)))
        };
        let holder = networks.as_array().into_iter().flatten().find(overlaps);
        let who = match holder.map(|holder| label(holder, labels::RUN)) {
            Some(Some(run)) => format!("a network of Lineclear's run {run}"),
            _ => "another network of this machine".to_owned(),
        };
        Some(format!(
            "{message}\nthe subnet {} of the network `{name}` is used by {who}: addresses are the machine's, and two networks \
             cannot have the same. Leave `ipam` out, so that a free subnet is chosen, and reach containers by their names",
            subnets.join(", ")
        ))
    }

    /// Follows the engine's events, so that ports close with containers that end by themselves, and open with those that are
    /// restarted.
    fn follow_events(self: &Arc<Self>, _: &Registered) {
        if self.is_followed.swap(true, Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(self);
        // Without a thread, ports still open and close with what is asked for through the door.
        let _only_asked = thread::Builder::new().name("door-events".into()).spawn(move || {
            let registered = shared.register();
            // The engine or the door has ended: then there is nothing to follow.
            let _ended = shared.read_events(&registered);
        });
    }

    fn read_events(&self, registered: &Registered) -> Result<(), crate::http::HttpError> {
        use std::io::{BufRead as _, BufReader, Write as _};
        let filters =
            json!({ "type": ["container"], "event": ["start", "die", "destroy"], "label": [self.job.label_filter()] });
        let target = Target::of("/events").with("filters", filters.to_string());
        let mut headers = Headers::default();
        headers.set("Host", "engine");
        let head = RequestHead { method: "GET".into(), target: target.write(), minor: 1, headers };
        let mut stream = Stream::connect(&self.engine.address)?;
        registered.add(&stream)?;
        stream.write_all(&head.write())?;
        let mut inbound = Inbound::new(stream);
        let framing = answer_head(&mut inbound)?.framing("GET")?;
        let mut lines = BufReader::new(Body::new(&mut inbound, framing));
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 {
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            line.clear();
            if let Some(id) = event.pointer("/Actor/ID").and_then(Value::as_str) {
                // Nobody waits for this; what is asked for through the door tells its failures itself.
                let _told_there = self.ports.follow(&self.engine, id);
            }
        }
        Ok(())
    }
}

/// Whether two networks such as `10.5.0.0/16` have addresses in common. What is none overlaps with nothing.
fn overlap(one: &str, other: &str) -> bool {
    let parse = |text: &str| {
        let (address, bits) = text.split_once('/')?;
        let address = u32::from(address.parse::<Ipv4Addr>().ok()?);
        Some((address, bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?))
    };
    let Some(((one, bits), (other, other_bits))) = parse(one).zip(parse(other)) else { return one == other };
    let mask = u32::MAX.checked_shl(32 - bits.min(other_bits)).unwrap_or(0);
    one & mask == other & mask
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn networks_overlap_where_one_is_in_the_other() {
        assert!(overlap("10.5.0.0/16", "10.5.7.0/24"));
        assert!(overlap("0.0.0.0/0", "10.5.7.0/24"));
        assert!(!overlap("10.5.0.0/16", "10.6.0.0/16"));
        assert!(!overlap("10.5.0.0/33", "10.5.0.0/16"));
        assert!(overlap("fd00::/64", "fd00::/64"));
    }
}
