//! From the YAML tree to the model, with everything that is wrong on the way.

use std::collections::HashMap;

use lineclear_source::{Diagnostic, Source, Span, suggest};
use lineclear_yaml::{Entry, Limits, Node, Tree};

use crate::{Compose, Element, Override, Text};

mod keys;
mod service;
#[cfg(test)]
mod tests;

/// The code of a value of another kind than its key takes.
pub const VALUE_CODE: &str = "compose-value";

/// After so many findings the rest is left out: nobody reads more.
const MOST_FINDINGS: usize = 100;

impl Compose {
    /// Reads the file's text: all that could be understood, and everything that is wrong with it. `None` for what is no YAML, or no mapping.
    ///
    /// # Source
    /// The compose specification.
    pub fn read(source: &Source) -> (Option<Self>, Vec<Diagnostic>) {
        let parsed = lineclear_yaml::parse_ordinary(source, &Limits::workflow());
        let mut reader = Reader { findings: parsed.diagnostics, overrides: HashMap::new() };
        let compose = parsed.tree.and_then(|tree| reader.file(source, &tree));
        reader.findings.truncate(MOST_FINDINGS);
        (compose, reader.findings)
    }
}

struct Reader {
    findings: Vec<Diagnostic>,
    /// By the byte where the tagged node begins.
    overrides: HashMap<u32, Override>,
}

impl Reader {
    fn file(&mut self, source: &Source, tree: &Tree) -> Option<Compose> {
        self.tags(source, tree);
        let root = tree.root.as_ref()?;
        if root.as_mapping().is_none() {
            self.value(
                root.span(),
                format!("a compose file is a mapping with `services`, and this is {}", root.kind()),
            );
            return None;
        }
        let entries = self.mapping(root, "a compose file", keys::FILE);
        let mut compose = Compose {
            source: source.clone(),
            name: None,
            version: None,
            services: Vec::new(),
            networks: Vec::new(),
            volumes: Vec::new(),
            secrets: Vec::new(),
            configs: Vec::new(),
            includes: Vec::new(),
        };
        for entry in entries {
            let node = &entry.value;
            match entry.key.text.as_str() {
                "name" => compose.name = self.text(node, "`name`"),
                "version" => compose.version = Some(entry.clone()),
                "services" => {
                    for service in self.mapping_of_any(node, "`services`") {
                        compose.services.extend(self.service(service));
                    }
                }
                "networks" => compose.networks = self.elements(node, "networks", "a network", keys::NETWORK),
                "volumes" => compose.volumes = self.elements(node, "volumes", "a volume", keys::VOLUME),
                "secrets" => compose.secrets = self.elements(node, "secrets", "a secret", keys::SECRET),
                "configs" => compose.configs = self.elements(node, "configs", "a config", keys::CONFIG),
                "include" => compose.includes = self.includes(node),
                _ => {}
            }
        }
        Some(compose)
    }

    /// `!reset` and `!override`; any other tag is a slip.
    fn tags(&mut self, source: &Source, tree: &Tree) {
        for tag in &tree.tags {
            let written = source.slice(tag.span);
            match written {
                "!reset" => {
                    self.overrides.insert(tag.node.start, Override::Reset);
                }
                "!override" => {
                    self.overrides.insert(tag.node.start, Override::Replace);
                }
                _ => {
                    let near =
                        suggest(written, ["!reset", "!override"]).map(|near| format!("; did you mean `{near}`?"));
                    self.value(tag.span, format!("`{written}` is no tag of compose files{}", near.unwrap_or_default()));
                }
            }
        }
    }

    fn override_of(&self, node: &Node) -> Option<Override> {
        self.overrides.get(&node.span().start).copied()
    }

    fn elements(&mut self, node: &Node, key: &str, what: &str, known: &[&str]) -> Vec<Element> {
        let mut elements = Vec::new();
        for entry in self.mapping_of_any(node, &format!("`{key}`")) {
            let inner = self.mapping(&entry.value, what, known);
            // `external: { name: … }` is an older form.
            let external = inner.iter().find(|entry| entry.key.text == "external");
            let is_external =
                external.is_some_and(|entry| entry.value.as_scalar().is_none_or(|scalar| scalar.text != "false"));
            elements.push(Element { key: entry.key.clone(), is_external, node: entry.value.clone() });
        }
        elements
    }

    fn includes(&mut self, node: &Node) -> Vec<Text> {
        let mut files = Vec::new();
        for item in items(node) {
            let path = if item.as_mapping().is_some() { item.get("path") } else { Some(item) };
            files.extend(path.into_iter().flat_map(items).filter_map(Node::as_scalar).cloned());
        }
        files
    }

    // What everything is read with.

    fn value(&mut self, span: Span, message: impl Into<String>) {
        self.findings.push(Diagnostic::error(VALUE_CODE, message).at(span));
    }

    /// The entries of a mapping whose keys are known; `what` is "a service". Nothing written is an empty one.
    fn mapping<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Vec<&'n Entry> {
        let entries = self.mapping_of_any(node, what);
        for entry in &entries {
            let key = entry.key.text.as_str();
            if known.contains(&key) || key.starts_with("x-") {
                continue;
            }
            let near = suggest(key, known.iter().copied());
            let message = match near {
                Some(near) => format!("`{key}` is not a key of {what}; did you mean `{near}`?"),
                None => format!("`{key}` is not a key of {what}"),
            };
            let mut finding = Diagnostic::error("unknown-key", message).at(entry.key.span);
            if near.is_none() {
                finding = finding.help("a key of your own begins with `x-`");
            }
            self.findings.push(finding);
        }
        entries
    }

    /// The entries of a mapping whose keys are names.
    fn mapping_of_any<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n Entry> {
        match node.as_mapping() {
            Some(entries) => entries.iter().collect(),
            None => {
                if !node.is_null() && self.override_of(node).is_none() {
                    self.value(node.span(), format!("{what} is a mapping, and this is {}", node.kind()));
                }
                Vec::new()
            }
        }
    }

    /// One value; `what` is "`image`".
    fn text(&mut self, node: &Node, what: &str) -> Option<Text> {
        match node.as_scalar() {
            Some(scalar) => {
                (!scalar.is_null() || self.override_of(node).is_none() && !scalar.is_missing()).then(|| scalar.clone())
            }
            None => {
                self.value(node.span(), format!("{what} is one value, and this is {}", node.kind()));
                None
            }
        }
    }

    /// A list of values, or one alone.
    fn texts(&mut self, node: &Node, what: &str) -> Vec<Text> {
        if node.as_mapping().is_some() {
            self.value(node.span(), format!("{what} is a list, and this is a mapping"));
            return Vec::new();
        }
        let mut texts = Vec::new();
        for item in items(node).filter(|item| !item.is_null()) {
            texts.extend(self.text(item, "an item"));
        }
        texts
    }
}

/// The items of a list; anything else counts as the only one, nothing as none.
fn items(node: &Node) -> impl Iterator<Item = &Node> {
    let list = node.as_sequence();
    list.unwrap_or_default().iter().chain((list.is_none() && !node.is_null()).then_some(node))
}

fn is_true(node: &Node) -> bool {
    node.as_scalar().is_some_and(|scalar| scalar.text.eq_ignore_ascii_case("true"))
}
