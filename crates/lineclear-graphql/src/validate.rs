//! Whether a document can be answered at all, before anything is called.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::language::{Directive, Document, Field, Input, Operation, OperationKind, Position, Selection};
use crate::schema::{Schema, Type};

/// Fields inside each other, through fragments.
const MAX_DEPTH: usize = 40;
/// Fields of one operation, each use of a fragment counted.
const MAX_FIELDS: usize = 5_000;
/// Errors told of one document.
const MAX_FAILURES: usize = 20;

/// All that is wrong with `operation`.
pub(crate) fn validate(schema: &Schema, document: &Document, operation: &Operation) -> Vec<Failure> {
    let owner = match operation.kind {
        OperationKind::Query => "Query",
        OperationKind::Mutation => "Mutation",
        OperationKind::Subscription => {
            return vec![Failure::of_document(operation.at, "Schema is not configured for subscriptions")];
        }
    };
    let label = operation.name.as_ref().map_or_else(String::new, |name| format!(" {name}"));
    let declared = operation.variables.iter().map(|variable| variable.name.as_str()).collect();
    let mut validator = Validator {
        schema,
        document,
        declared,
        operation: operation.name.as_deref().unwrap_or("anonymous query"),
        failures: Vec::new(),
        fields: 0,
        inside: Vec::new(),
        stopped: false,
    };
    for variable in &operation.variables {
        if !matches!(schema.get(variable.of.name()), Some(Type::Scalar | Type::Enum(_) | Type::Input(_))) {
            let (of, name) = (variable.of.name(), &variable.name);
            validator.fail(variable.at, &[], format!("{of} isn't a defined input type (on ${name})"));
        }
    }
    let mut path = vec![Value::from(format!("{}{label}", operation.kind.word()))];
    validator.selections(&operation.selection, owner, &mut path, 0);
    validator.failures
}

struct Validator<'d> {
    schema: &'d Schema,
    document: &'d Document,
    declared: BTreeSet<&'d str>,
    operation: &'d str,
    failures: Vec<Failure>,
    fields: usize,
    /// The fragments that are being read.
    inside: Vec<&'d str>,
    /// A limit was passed; nothing more is looked at.
    stopped: bool,
}

impl<'d> Validator<'d> {
    fn fail(&mut self, at: Position, path: &[Value], message: impl Into<String>) {
        self.push(Failure::of_document(at, message).with_path(path));
    }

    fn push(&mut self, failure: Failure) {
        self.failures.push(failure);
        self.stopped |= self.failures.len() >= MAX_FAILURES;
    }

    fn stop(&mut self, at: Position, message: String) {
        self.failures = vec![Failure::of_document(at, message)];
        self.stopped = true;
    }

    fn selections(&mut self, selections: &'d [Selection], owner: &'d str, path: &mut Vec<Value>, depth: usize) {
        for selection in selections {
            if self.stopped {
                return;
            }
            match selection {
                Selection::Field(field) => {
                    path.push(field.key().into());
                    self.field(field, owner, path, depth + 1);
                    path.pop();
                }
                Selection::Spread { fragment, directives, at } => {
                    self.directives(directives, path);
                    self.spread(fragment, *at, owner, path, depth);
                }
                Selection::Inline { on, directives, selection, at } => {
                    self.directives(directives, path);
                    let on = on.as_deref().unwrap_or(owner);
                    if self.condition(on, owner, *at, path) {
                        self.selections(selection, on, path, depth);
                    }
                }
            }
        }
    }

    fn spread(&mut self, name: &str, at: Position, owner: &str, path: &mut Vec<Value>, depth: usize) {
        let Some(fragment) = self.document.fragment(name) else {
            return self.fail(at, path, format!("Fragment {name} was used, but not defined"));
        };
        if self.inside.contains(&fragment.name.as_str()) {
            return self.stop(fragment.at, format!("Fragment {name} contains an infinite loop"));
        }
        if self.inside.len() == MAX_DEPTH {
            return self.stop(at, format!("Fragments use each other more than {MAX_DEPTH} deep."));
        }
        if self.condition(&fragment.on, owner, at, path) {
            self.inside.push(&fragment.name);
            self.selections(&fragment.selection, &fragment.on, path, depth);
            self.inside.pop();
        }
    }

    /// Whether `on` is a type that an `owner` can be.
    fn condition(&mut self, on: &str, owner: &str, at: Position, path: &[Value]) -> bool {
        if !self.schema.is_composite(on) {
            self.fail(at, path, format!("No such type {on}, so it can't be a fragment condition"));
            return false;
        }
        if !self.schema.overlap(on, owner) {
            self.fail(at, path, format!("Fragment on {on} can't be spread inside {owner}"));
            return false;
        }
        true
    }

    fn field(&mut self, field: &'d Field, owner: &'d str, path: &mut Vec<Value>, depth: usize) {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return self.stop(field.at, format!("The query has more than {MAX_FIELDS} fields."));
        }
        if depth > MAX_DEPTH {
            return self.stop(
                field.at,
                format!("Query has depth of more than {MAX_DEPTH}, which exceeds max depth of {MAX_DEPTH}"),
            );
        }
        self.directives(&field.directives, path);
        if field.name == "__typename" {
            return;
        }
        if owner == "Query" && matches!(field.name.as_str(), "__schema" | "__type") {
            return self.fail(
                field.at,
                path,
                "The schema cannot be asked for: only calls of actions are answered here.",
            );
        }
        let schema = self.schema;
        let Some(definition) = schema.field(owner, &field.name) else {
            let name = &field.name;
            let failure = Failure::of_document(field.at, format!("Field '{name}' doesn't exist on type '{owner}'"))
                .with_path(path)
                .with_extensions(json!({ "code": "undefinedField", "typeName": owner, "fieldName": name }));
            return self.push(failure);
        };
        for (name, value) in &field.arguments {
            if !definition.arguments.contains_key(name) {
                self.fail(field.at, path, format!("Field '{}' doesn't accept argument '{name}'", field.name));
            }
            self.input(value, field.at, path);
        }
        let given = |name: &String| field.arguments.iter().any(|(given, _)| given == name);
        let missing = definition.arguments.iter().filter(|(name, argument)| argument.is_required() && !given(name));
        let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
        if !missing.is_empty() {
            let names = missing.join(", ");
            self.fail(field.at, path, format!("Field '{}' is missing required arguments: {names}", field.name));
        }
        let of = definition.of.name();
        match (schema.is_composite(of), field.selection.is_empty()) {
            (true, true) => {
                let name = &field.name;
                self.fail(field.at, path, format!("Field must have selections (field '{name}' returns {of} but has no selections. Did you mean '{name} {{ ... }}'?)"));
            }
            (false, false) => {
                let name = &field.name;
                self.fail(
                    field.at,
                    path,
                    format!("Selections can't be made on scalars (field '{name}' returns {of} but has selections)"),
                );
            }
            (true, false) => self.selections(&field.selection, of, path, depth),
            (false, true) => {}
        }
    }

    fn directives(&mut self, directives: &[Directive], path: &[Value]) {
        for directive in directives {
            if !matches!(directive.name.as_str(), "include" | "skip") {
                self.fail(directive.at, path, format!("Directive @{} is not defined", directive.name));
            } else if !matches!(directive.arguments.as_slice(), [(name, _)] if name == "if") {
                self.fail(
                    directive.at,
                    path,
                    format!("Directive '{}' is missing required arguments: if", directive.name),
                );
            }
            for (_, value) in &directive.arguments {
                self.input(value, directive.at, path);
            }
        }
    }

    /// Variables that are used were declared.
    fn input(&mut self, input: &Input, at: Position, path: &[Value]) {
        match input {
            Input::Variable(name) if !self.declared.contains(name.as_str()) => {
                let operation = self.operation;
                self.fail(at, path, format!("Variable ${name} is used by {operation} but not declared"));
            }
            Input::List(items) => items.iter().for_each(|item| self.input(item, at, path)),
            Input::Object(fields) => fields.iter().for_each(|(_, value)| self.input(value, at, path)),
            _ => {}
        }
    }
}
