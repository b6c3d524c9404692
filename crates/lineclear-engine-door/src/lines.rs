//! Answers that are lines of JSON: progress, events.

use lineclear_event::ImageDeed;
use lineclear_oci::Digest;
use serde_json::Value;

use crate::images::{Built, Seen};
use crate::rewrite::{Lines, full_name, is_own_event};
use crate::serve::Shared;

/// A line that is longer is passed on without being read, in bytes.
const LINE_LIMIT: usize = 4 * 1024 * 1024;

/// Reads lines, passes them on, and remembers what they tell.
pub(crate) struct Reader<'r> {
    lines: &'r Lines,
    shared: &'r Shared,
    /// A text, and what stands in its place.
    replace: Option<(&'r str, &'r str)>,
    /// A line that has no end yet.
    begun: Vec<u8>,
    /// The rest of a line that is too long.
    is_skipping: bool,
    has_failed: bool,
    digest: Option<String>,
    image: Option<String>,
    loaded: Vec<String>,
}

impl<'r> Reader<'r> {
    pub(crate) fn new(lines: &'r Lines, shared: &'r Shared, replace: Option<(&'r str, &'r str)>) -> Self {
        Self {
            lines,
            shared,
            replace,
            begun: Vec::new(),
            is_skipping: false,
            has_failed: false,
            digest: None,
            image: None,
            loaded: Vec::new(),
        }
    }

    /// Reads bytes; `out` gets what is passed on of them.
    pub(crate) fn read(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(at + 1);
            bytes = rest;
            if std::mem::take(&mut self.is_skipping) {
                out.extend_from_slice(line);
                continue;
            }
            if self.begun.is_empty() {
                self.line(line, out);
            } else {
                let mut whole = std::mem::take(&mut self.begun);
                whole.extend_from_slice(line);
                self.line(&whole, out);
            }
        }
        if self.is_skipping {
            out.extend_from_slice(bytes);
            return;
        }
        self.begun.extend_from_slice(bytes);
        if self.begun.len() > LINE_LIMIT {
            out.append(&mut self.begun);
            self.is_skipping = true;
        }
    }

    /// What is left at the end.
    pub(crate) fn rest(&mut self, out: &mut Vec<u8>) {
        let rest = std::mem::take(&mut self.begun);
        if !rest.is_empty() {
            self.line(&rest, out);
        }
    }

    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let Ok(mut value) = serde_json::from_slice::<Value>(line) else {
            out.extend_from_slice(line);
            return;
        };
        match self.lines {
            Lines::Events => {
                if !self.shared.is_own_event(&value) {
                    return;
                }
                self.shared.job.names.show(&mut value);
                out.extend_from_slice(value.to_string().as_bytes());
                out.push(b'\n');
            }
            Lines::Plain => {
                self.shared.job.names.show(&mut value);
                out.extend_from_slice(value.to_string().as_bytes());
                out.push(b'\n');
            }
            Lines::Push(_) | Lines::Pull { .. } | Lines::Build(_) | Lines::Load | Lines::Import(_) => {
                self.note(&value);
                match self.replace {
                    Some((text, by)) => {
                        out.extend_from_slice(String::from_utf8_lossy(line).replace(text, by).as_bytes())
                    }
                    None => out.extend_from_slice(line),
                }
            }
        }
    }

    fn note(&mut self, value: &Value) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        self.has_failed |= value.get("error").is_some() || value.get("errorDetail").is_some();
        let status = value.get("status").and_then(Value::as_str).unwrap_or_default();
        match self.lines {
            Lines::Push(_) => {
                if let Some(digest) = text(value.pointer("/aux/Digest")) {
                    self.digest = Some(digest);
                }
            }
            Lines::Pull { .. } => {
                if let Some(digest) = status.strip_prefix("Digest: ") {
                    self.digest = Some(digest.to_owned());
                }
            }
            Lines::Build(_) => {
                // A build that is asked to be quiet says nothing but the id.
                let said = text(value.get("stream")).map(|said| said.trim().to_owned());
                if let Some(id) = text(value.pointer("/aux/ID")).or(said.filter(|said| Digest::parse(said).is_ok())) {
                    self.image = Some(id);
                }
            }
            Lines::Import(_) => {
                if status.starts_with("sha256:") {
                    self.image = Some(status.to_owned());
                }
            }
            Lines::Load => {
                let told = value.get("stream").and_then(Value::as_str).unwrap_or_default().trim();
                let name = told.strip_prefix("Loaded image: ").or_else(|| told.strip_prefix("Loaded image ID: "));
                self.loaded.extend(name.map(str::to_owned));
            }
            Lines::Events | Lines::Plain => {}
        }
    }

    /// Remembers and tells what came of it; gives whether it went well.
    pub(crate) fn conclude(self) -> bool {
        if self.has_failed {
            return false;
        }
        let names = |names: &[String]| names.iter().filter_map(|name| full_name(name)).collect::<Vec<_>>();
        match self.lines {
            Lines::Events | Lines::Plain => {}
            Lines::Push(name) => {
                if let Some(digest) = self.digest {
                    self.shared.tell_image(ImageDeed::Pushed, vec![name.clone()], digest, None);
                }
            }
            Lines::Pull { image, was_there } => self.shared.note_pulled(image, *was_there, self.digest),
            Lines::Build(tags) => {
                if let Some(id) = self.image {
                    self.shared.note_built(&Built { id, names: names(tags) }, tags);
                }
            }
            Lines::Import(name) => {
                if let Some(id) = self.image {
                    self.shared.note_made(&Seen { id, names: names(std::slice::from_ref(name)) });
                }
            }
            Lines::Load => self.shared.note_loaded(&self.loaded),
        }
        true
    }
}

impl Shared {
    fn is_own_event(&self, event: &Value) -> bool {
        let is_own_container = |id: &str| self.known.get().containers.contains(id);
        let is_own_network = |id: &str| self.owns("networks", id);
        let is_own_volume = |id: &str| self.owns("volumes", id);
        is_own_event(event, &self.job, &is_own_container, &is_own_network, &is_own_volume)
    }
}
