//! Inputs, secrets and outputs of `workflow_dispatch`, `workflow_call` and actions.

use lineclear_expr::{Allowed, Value};
use lineclear_source::{Diagnostic, Spanned};
use lineclear_yaml::{Entry, Node};

use super::mapping::{Fields, any_of};
use super::scalar::{as_bool, as_number, has_expression, id_fault, text_of};
use super::trigger::name_of;
use super::{Reader, keys};
use crate::{CallOutput, CallSecret, Input, InputKind, Text, Trigger, code};

/// How many inputs a manual start may have.
const MOST_DISPATCH_INPUTS: usize = 25;

impl Reader {
    pub(super) fn workflow_dispatch(&mut self, node: &Node, trigger: &mut Trigger) {
        let Some(fields) = self.fields_among_others(node, "`workflow_dispatch`", &keys::WORKFLOW_DISPATCH) else {
            return;
        };
        let entries = self.named_entries(&fields, "inputs");
        if let Some(first_too_many) = entries.get(MOST_DISPATCH_INPUTS) {
            let message =
                format!("`workflow_dispatch` takes at most {MOST_DISPATCH_INPUTS} inputs, here are {}", entries.len());
            self.error(code::INPUT_LIMIT, first_too_many.key.span, message);
        }
        trigger.inputs = entries.iter().filter_map(|entry| self.dispatch_input(entry)).collect();
    }

    pub(super) fn workflow_call(&mut self, node: &Node, trigger: &mut Trigger) {
        let Some(fields) = self.fields(node, "`workflow_call`", &keys::WORKFLOW_CALL) else { return };
        trigger.inputs =
            self.named_entries(&fields, "inputs").iter().filter_map(|entry| self.call_input(entry)).collect();
        trigger.secrets =
            self.named_entries(&fields, "secrets").iter().filter_map(|entry| self.call_secret(entry)).collect();
        trigger.outputs =
            self.named_entries(&fields, "outputs").iter().filter_map(|entry| self.call_output(entry)).collect();
    }

    /// The entries of a mapping of names. Nothing below the key is the same as an empty mapping.
    fn named_entries<'n>(&mut self, fields: &Fields<'n>, key: &str) -> &'n [Entry] {
        match fields.get(key) {
            Some(node) if !node.is_null() => {
                self.mapping(node, &format!("`{key}`")).map_or(&[], |fields| fields.entries())
            }
            _ => &[],
        }
    }

    fn dispatch_input(&mut self, entry: &Entry) -> Option<Input> {
        let name = self.input_name(entry)?;
        // An input of which only the name is written is an optional string.
        if entry.value.is_null() {
            return Some(Input::of(name));
        }
        let place = format!("input `{}`", name.value);
        let fields = self.fields_among_others(&entry.value, &place, &keys::DISPATCH_INPUT)?;
        const TYPES: &[&str] = &["string", "boolean", "number", "choice", "environment"];
        let type_name = fields.get("type").and_then(|node| self.input_type(node, &name, TYPES));
        let options = fields.get("options").map(|node| self.options(node));
        let kind = match type_name {
            Some("boolean") => InputKind::Boolean,
            Some("number") => InputKind::Number,
            Some("environment") => InputKind::Environment,
            Some("choice") => {
                if options.as_ref().is_none_or(Vec::is_empty) {
                    let message = format!("input `{}` is a choice and needs `options` to choose from", name.value);
                    self.error(code::INPUT_OPTIONS, name.span, message);
                }
                InputKind::Choice(options.unwrap_or_default())
            }
            _ => InputKind::String,
        };
        if !matches!(kind, InputKind::Choice(_))
            && let Some(entry) = fields.entry("options")
        {
            let message = format!("`options` is for inputs of type `choice`, and `{}` is none", name.value);
            self.error(code::INPUT_OPTIONS, entry.key.span, message);
        }
        let default = fields.get("default").and_then(|node| {
            self.string(node, "`default`")?;
            self.input_default(node, &name, &kind, &Allowed::WORKFLOW_CALL_INPUT_DEFAULT)
        });
        Some(self.input(&fields, name, kind, default))
    }

    fn call_input(&mut self, entry: &Entry) -> Option<Input> {
        let name = self.input_name(entry)?;
        let fields = match entry.value.is_null() {
            true => None,
            false => Some(self.fields(&entry.value, &format!("input `{}`", name.value), &keys::CALL_INPUT)?),
        };
        let type_name = match fields.as_ref().and_then(|fields| fields.get("type")) {
            Some(node) => self.input_type(node, &name, &["string", "boolean", "number"]),
            None => {
                self.missing("type", &format!("input `{}` of `workflow_call`", name.value), name.span);
                None
            }
        };
        let kind = match type_name {
            Some("boolean") => InputKind::Boolean,
            Some("number") => InputKind::Number,
            _ => InputKind::String,
        };
        let Some(fields) = fields else { return Some(Input::of(name)) };
        let default = fields
            .get("default")
            .and_then(|node| self.input_default(node, &name, &kind, &Allowed::WORKFLOW_CALL_INPUT_DEFAULT));
        Some(self.input(&fields, name, kind, default))
    }

    fn call_secret(&mut self, entry: &Entry) -> Option<CallSecret> {
        let name = name_of(entry);
        if has_expression(&name.value) {
            self.dynamic_name(name.span, "a secret");
            return None;
        }
        if name.eq_ignore_ascii_case("github_token") {
            let message = "`GITHUB_TOKEN` is there by itself and cannot be declared as a secret";
            self.error(code::INVALID_VALUE, name.span, message);
        }
        if entry.value.is_null() {
            return Some(CallSecret { name, description: None, required: false });
        }
        let fields = self.fields(&entry.value, &format!("secret `{}`", name.value), &keys::CALL_SECRET)?;
        let description = self.description(&fields, "description");
        let required = fields.get("required").and_then(|node| self.flag(node, "`required`")).unwrap_or(false);
        Some(CallSecret { name, description, required })
    }

    fn call_output(&mut self, entry: &Entry) -> Option<CallOutput> {
        let name = name_of(entry);
        if has_expression(&name.value) {
            self.dynamic_name(name.span, "an output");
            return None;
        }
        let fields = self.fields(&entry.value, &format!("output `{}`", name.value), &keys::CALL_OUTPUT)?;
        let description = self.description(&fields, "description");
        let value = match fields.get("value") {
            Some(node) => self.text(node, "`value`", &Allowed::WORKFLOW_CALL_OUTPUT),
            None => {
                self.missing("value", &format!("output `{}`", name.value), name.span);
                None
            }
        };
        Some(CallOutput { name, description, value })
    }

    fn input_name(&mut self, entry: &Entry) -> Option<Spanned<String>> {
        let name = name_of(entry);
        if has_expression(&name.value) {
            self.dynamic_name(name.span, "an input");
            return None;
        }
        if let Some(fault) = id_fault(&name) {
            self.warning(
                code::ID_SYNTAX,
                name.span,
                format!("`{}` is not a good name of an input: {fault}", name.value),
            );
        }
        Some(name)
    }

    fn input_type(&mut self, node: &Node, name: &str, types: &[&'static str]) -> Option<&'static str> {
        let text = self.string(node, "`type`")?;
        let found = types.iter().copied().find(|known| *known == text.value);
        if found.is_none() {
            let message = format!("`{}` is not a type of an input, here of `{name}`", text.value);
            let help = format!("possible are {}", any_of(types));
            self.report(Diagnostic::error(code::INPUT_TYPE, message).at(text.span).help(help));
        }
        found
    }

    fn options(&mut self, node: &Node) -> Vec<String> {
        let Some(items) = self.sequence(node, "`options`") else { return Vec::new() };
        items.iter().filter_map(|item| Some(self.string(item, "an item of `options`")?.value)).collect()
    }

    /// A default, which must fit the type unless it is an expression.
    fn input_default(&mut self, node: &Node, name: &str, kind: &InputKind, allowed: &Allowed) -> Option<Text> {
        let mut text = self.text(node, "`default`", allowed)?;
        let scalar = text.scalar.clone();
        if has_expression(text.raw()) || scalar.is_null() {
            return Some(text);
        }
        let (fits, wanted) = match kind {
            InputKind::String | InputKind::Environment => (true, String::new()),
            InputKind::Boolean => {
                let value = as_bool(&scalar);
                if let Some(value) = value {
                    text.template = lineclear_expr::Template::Literal(Value::Bool(value));
                }
                (value.is_some(), "true or false".to_owned())
            }
            InputKind::Number => {
                let value = as_number(&scalar);
                if let Some(value) = value {
                    text.template = lineclear_expr::Template::Literal(Value::Number(value));
                }
                (value.is_some(), "a number".to_owned())
            }
            InputKind::Choice(options) => {
                let wanted = any_of(&options.iter().map(String::as_str).collect::<Vec<_>>());
                (options.is_empty() || options.contains(&text_of(&scalar)), wanted)
            }
        };
        if !fits {
            let message =
                format!("the default `{}` of input `{name}` does not fit its type: expected {wanted}", text.raw());
            self.error(code::INPUT_DEFAULT, text.span(), message);
            return None;
        }
        Some(text)
    }

    fn input(&mut self, fields: &Fields<'_>, name: Spanned<String>, kind: InputKind, default: Option<Text>) -> Input {
        let required = fields.get("required").and_then(|node| self.flag(node, "`required`")).unwrap_or(false);
        let description = self.description(fields, "description");
        let deprecation = self.description(fields, "deprecationMessage");
        Input { name, description, required, default, kind, deprecation }
    }

    pub(super) fn description(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        Some(self.string(fields.get(key)?, &format!("`{key}`"))?.value)
    }
}

impl Input {
    /// An optional string without a default.
    pub(super) fn of(name: Spanned<String>) -> Self {
        Self { name, description: None, required: false, default: None, kind: InputKind::String, deprecation: None }
    }
}
