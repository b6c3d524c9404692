//! The plan's hash: equal for equal inputs, on every machine.

use lineclear_event::{ForgeEvent, hexadecimal};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::model::Facts;

/// SHA-256 over files, event and facts, each part with its length before it, objects in the order of their keys.
#[derive(Debug)]
pub(crate) struct PlanHash(Sha256);

impl PlanHash {
    pub(crate) fn new() -> Self {
        let mut this = Self(Sha256::new());
        this.text("lineclear plan 1");
        this
    }

    pub(crate) fn file(&mut self, name: &str, text: &str) {
        self.text(name);
        self.text(text);
    }

    pub(crate) fn event(&mut self, event: &ForgeEvent) {
        // An event is strings, lists of strings and JSON, so writing it as JSON cannot fail. If it ever could, its debug form
        // would still tell events apart.
        match serde_json::to_value(event) {
            Ok(value) => self.json(&value),
            Err(_) => self.text(&format!("{event:?}")),
        }
    }

    pub(crate) fn facts(&mut self, facts: &Facts) {
        for map in [&facts.vars, &facts.inputs] {
            self.0.update((map.len() as u64).to_le_bytes());
            for (name, value) in map {
                self.text(name);
                self.text(value);
            }
        }
        let platform = &facts.platform;
        for text in [&platform.server_url, &platform.api_url, &platform.graphql_url] {
            self.text(text);
        }
        self.0.update(platform.retention_days.to_le_bytes());
        self.text(facts.head_message.as_deref().unwrap_or_default());
    }

    pub(crate) fn finish(self) -> String {
        hexadecimal(&self.0.finalize())
    }

    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
    }

    /// `value` is an event, whose depth the reader of its JSON has limited.
    fn json(&mut self, value: &Value) {
        match value {
            Value::Object(object) => {
                let mut entries: Vec<_> = object.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| key.as_str());
                self.0.update([b'{']);
                self.0.update((entries.len() as u64).to_le_bytes());
                for (key, value) in entries {
                    self.text(key);
                    self.json(value);
                }
            }
            Value::Array(items) => {
                self.0.update([b'[']);
                self.0.update((items.len() as u64).to_le_bytes());
                items.iter().for_each(|item| self.json(item));
            }
            Value::String(text) => {
                self.0.update([b'"']);
                self.text(text);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.0.update([b'0']);
                self.text(&value.to_string());
            }
        }
    }
}
