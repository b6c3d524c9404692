//! `action.yml`.
//!
//! Keys that the runner does not know are left alone here, as the runner does: `author`, `branding`, and what tools add.

use lineclear_expr::Allowed;
use lineclear_source::{Diagnostic, Source, Span, Spanned};
use lineclear_yaml::{Entry, Node};

use super::mapping::{Fields, Keys};
use super::scalar::{as_bool, has_expression};
use super::step::StepScope;
use super::trigger::name_of;
use super::{Reader, keys};
use crate::{Action, ActionOutput, Input, Runs, Text, code};

/// The versions of Node that actions name, and whether each is only run on a newer one.
const NODES: [(&str, bool); 4] = [("node12", true), ("node16", true), ("node20", false), ("node24", false)];

pub(super) fn read(reader: &mut Reader, source: &Source, root: Option<&Node>) -> Option<Action> {
    let Some(root) = root else {
        reader.error(code::MISSING_KEY, Span::default(), "the file is empty; an action needs at least the key `runs`");
        return None;
    };
    let fields = reader.mapping(root, "an action")?;
    let name = fields.get("name").and_then(|node| reader.string(node, "`name`"));
    let description = reader.description(&fields, "description");
    let inputs = entries(reader, &fields, "inputs").iter().filter_map(|entry| reader.action_input(entry)).collect();
    let uses_composite = fields.get("runs").and_then(|runs| runs.get("using")).and_then(Node::as_scalar);
    let is_composite = uses_composite.is_some_and(|using| using.text.eq_ignore_ascii_case("composite"));
    let outputs = entries(reader, &fields, "outputs");
    let outputs = outputs.iter().filter_map(|entry| reader.action_output(entry, is_composite)).collect();
    let runs = match fields.get("runs") {
        Some(node) => reader.runs(node),
        None => {
            let start = fields.span.start as usize;
            reader.missing("runs", "an action", Span::new(start, start));
            None
        }
    };
    let name = name.map(|name| name.value);
    Some(Action { source: source.clone(), name, description, inputs, outputs, runs: runs? })
}

fn entries<'n>(reader: &mut Reader, fields: &Fields<'n>, key: &str) -> &'n [Entry] {
    match fields.get(key) {
        Some(node) if !node.is_null() => {
            reader.mapping(node, &format!("`{key}`")).map_or(&[], |fields| fields.entries())
        }
        _ => &[],
    }
}

impl Reader {
    /// An input. Keys beside those that the runner reads are tolerated, as is any value of `required`.
    fn action_input(&mut self, entry: &Entry) -> Option<Input> {
        let name = name_of(entry);
        if has_expression(&name.value) {
            self.dynamic_name(name.span, "an input");
            return None;
        }
        if entry.value.is_null() {
            return Some(Input::of(name));
        }
        let fields = self.mapping(&entry.value, &format!("input `{}`", name.value))?;
        let default =
            fields.get("default").and_then(|node| self.text(node, "`default`", &Allowed::ACTION_INPUT_DEFAULT));
        let required = fields.get("required").and_then(Node::as_scalar).and_then(|scalar| as_bool(scalar));
        Some(Input {
            default,
            required: required.unwrap_or(false),
            description: self.description(&fields, "description"),
            deprecation: self.description(&fields, "deprecationMessage"),
            ..Input::of(name)
        })
    }

    fn action_output(&mut self, entry: &Entry, is_composite: bool) -> Option<ActionOutput> {
        let name = name_of(entry);
        if has_expression(&name.value) {
            self.dynamic_name(name.span, "an output");
            return None;
        }
        if entry.value.is_null() {
            return Some(ActionOutput { name, description: None, value: None });
        }
        let fields = self.fields(&entry.value, &format!("output `{}`", name.value), &keys::ACTION_OUTPUT)?;
        let description = self.description(&fields, "description");
        let value = fields.get("value").and_then(|node| self.text(node, "`value`", &Allowed::COMPOSITE_OUTPUT));
        if is_composite && !fields.has("value") {
            let message =
                format!("output `{}` of a composite action has no `value`, so it is always empty", name.value);
            self.warning(code::MISSING_KEY, name.span, message);
        }
        Some(ActionOutput { name, description, value })
    }

    fn runs(&mut self, node: &Node) -> Option<Runs> {
        let fields = self.mapping(node, "`runs`")?;
        if let Some(plugin) = fields.entry("plugin") {
            let message = "`plugin` actions are part of GitHub's own runner and cannot be run";
            self.error(code::ACTION_RUNS, plugin.key.span, message);
            return None;
        }
        let Some(using) = fields.get("using") else {
            self.missing("using", "`runs`", fields.span);
            return None;
        };
        let using = self.filled_string(using, "`using`")?;
        match using.to_ascii_lowercase().as_str() {
            "composite" => self.composite_runs(&fields),
            "docker" => self.docker_runs(&fields),
            lower => match NODES.iter().find(|(name, _)| *name == lower) {
                Some(&(_, retired)) => self.node_runs(&fields, using, retired),
                None => {
                    let message = format!("`{}` is not a way to run an action", using.value);
                    let help = "possible are composite, docker, node20 and node24";
                    self.report(Diagnostic::error(code::ACTION_RUNS, message).at(using.span).help(help));
                    None
                }
            },
        }
    }

    fn node_runs(&mut self, fields: &Fields<'_>, using: Spanned<String>, retired: bool) -> Option<Runs> {
        self.check_keys(fields, &keys::NODE_RUNS);
        if retired {
            let message = format!("`{}` is retired; the action runs on a newer Node", using.value);
            self.warning(code::ACTION_RUNS, using.span, message);
        }
        let mut stage = |key: &str| fields.get(key).and_then(|node| self.filled_string(node, &format!("`{key}`")));
        let (main, pre, post) = (stage("main"), stage("pre"), stage("post"));
        let (pre_if, post_if) = self.stage_conditions(fields);
        let main = self.needed(fields, "main", &keys::NODE_RUNS, main)?;
        Some(Runs::JavaScript {
            using,
            main: main.value,
            pre: pre.map(|path| path.value),
            pre_if,
            post: post.map(|path| path.value),
            post_if,
        })
    }

    fn composite_runs(&mut self, fields: &Fields<'_>) -> Option<Runs> {
        self.check_keys(fields, &keys::COMPOSITE_RUNS);
        let steps = fields.get("steps").map(|node| self.steps(node, StepScope::Composite));
        Some(Runs::Composite { steps: self.needed(fields, "steps", &keys::COMPOSITE_RUNS, steps)? })
    }

    fn docker_runs(&mut self, fields: &Fields<'_>) -> Option<Runs> {
        self.check_keys(fields, &keys::DOCKER_RUNS);
        let mut plain = |key: &str| fields.get(key).and_then(|node| self.filled_string(node, &format!("`{key}`")));
        let (image, entrypoint) = (plain("image"), plain("entrypoint"));
        let (pre_entrypoint, post_entrypoint) = (plain("pre-entrypoint"), plain("post-entrypoint"));
        let (pre_if, post_if) = self.stage_conditions(fields);
        let args = fields.get("args").map(|node| self.docker_args(node)).unwrap_or_default();
        let env = fields.get("env").and_then(|node| self.env(node, &Allowed::DOCKER_ACTION));
        let image = self.needed(fields, "image", &keys::DOCKER_RUNS, image)?;
        Some(Runs::Docker {
            image,
            entrypoint: entrypoint.map(|text| text.value),
            pre_entrypoint: pre_entrypoint.map(|text| text.value),
            post_entrypoint: post_entrypoint.map(|text| text.value),
            pre_if,
            post_if,
            args,
            env,
        })
    }

    fn docker_args(&mut self, node: &Node) -> Vec<Text> {
        let Some(items) = self.sequence(node, "`args`") else { return Vec::new() };
        items.iter().filter_map(|item| self.text(item, "an item of `args`", &Allowed::DOCKER_ACTION)).collect()
    }

    fn stage_conditions(&mut self, fields: &Fields<'_>) -> (Option<crate::Condition>, Option<crate::Condition>) {
        let mut condition =
            |key: &str| fields.get(key).and_then(|node| self.stage_condition(node, &Allowed::ACTION_STAGE_IF));
        (condition("pre-if"), condition("post-if"))
    }

    /// What was read of a key that must be there.
    fn needed<T>(&mut self, fields: &Fields<'_>, key: &str, keys: &Keys, read: Option<T>) -> Option<T> {
        if !fields.has(key) {
            self.missing(key, keys.of, fields.span);
        }
        read
    }
}
