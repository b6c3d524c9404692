//! Answers an operation: field by field, errors beside the data.

use std::collections::BTreeSet;
use std::rc::Rc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::language::{Directive, Document, Field, Operation, OperationKind, Selection, TypeRef};
use crate::object::{Object, Resolved};
use crate::request::{coerce, constant, resolve as resolve_input};
use crate::resolve::{Ask, resolve};
use crate::rest::Rest;
use crate::schema::Schema;
use crate::{failure, mutate};

/// Objects in one answer; GitHub's own limit is 500,000.
const MAX_OBJECTS: usize = 100_000;

/// A null where none may stand: the nearest field around it that may be null becomes null.
struct Bubble;

pub(crate) struct Execution<'d> {
    schema: &'static Schema,
    document: &'d Document,
    variables: Map<String, Value>,
    rest: &'d Rest<'d>,
    failures: Vec<failure::Failure>,
    objects: usize,
}

impl<'d> Execution<'d> {
    pub(crate) fn new(
        schema: &'static Schema,
        document: &'d Document,
        variables: Map<String, Value>,
        rest: &'d Rest<'d>,
    ) -> Self {
        Self { schema, document, variables, rest, failures: Vec::new(), objects: 0 }
    }

    /// The data, and what went wrong.
    pub(crate) fn run(mut self, operation: &'d Operation) -> (Value, Vec<Failure>) {
        let of = if operation.kind == OperationKind::Mutation { "Mutation" } else { "Query" };
        let root = Object::new(of, &Rc::from(""), Value::Null);
        let data = self.object(&root, &[&operation.selection], &mut Vec::new());
        (data.unwrap_or(Value::Null), self.failures)
    }

    fn object(
        &mut self,
        object: &Object,
        selections: &[&'d [Selection]],
        path: &mut Vec<Value>,
    ) -> Result<Value, Bubble> {
        let mut fields = IndexMap::new();
        for selection in selections {
            self.collect(object.of, selection, &mut fields);
        }
        let mut answer = Map::new();
        for (key, uses) in fields {
            path.push(key.into());
            let value = self.field(object, &uses, path);
            path.pop();
            answer.insert(key.to_owned(), value?);
        }
        Ok(answer.into())
    }

    /// The fields of `selection` that apply to an object of type `of`, by response key.
    fn collect(&self, of: &str, selection: &'d [Selection], fields: &mut IndexMap<&'d str, Vec<&'d Field>>) {
        for selection in selection {
            match selection {
                Selection::Field(field) if self.is_wanted(&field.directives) => {
                    fields.entry(field.key()).or_default().push(field);
                }
                Selection::Spread { fragment, directives, .. } if self.is_wanted(directives) => {
                    if let Some(fragment) = self.document.fragment(fragment)
                        && self.schema.is_a(of, &fragment.on)
                    {
                        self.collect(of, &fragment.selection, fields);
                    }
                }
                Selection::Inline { on, directives, selection, .. }
                    if self.is_wanted(directives) && on.as_ref().is_none_or(|on| self.schema.is_a(of, on)) =>
                {
                    self.collect(of, selection, fields);
                }
                _ => {}
            }
        }
    }

    fn is_wanted(&self, directives: &[Directive]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.arguments.iter().find(|(name, _)| name == "if");
            let condition =
                condition.is_some_and(|(_, value)| resolve_input(value, &self.variables) == Value::Bool(true));
            condition == (directive.name == "include")
        })
    }

    fn field(&mut self, object: &Object, uses: &[&'d Field], path: &mut Vec<Value>) -> Result<Value, Bubble> {
        let Some(field) = uses.first() else { return Ok(Value::Null) };
        if field.name == "__typename" {
            return Ok(object.of.into());
        }
        let Some(definition) = self.schema.field(object.of, &field.name) else { return Ok(Value::Null) };
        if let Some(other) = uses.iter().find(|other| other.name != field.name || other.arguments != field.arguments) {
            let message = format!("Field '{}' has a field conflict: {} or {}?", field.key(), field.name, other.name);
            return self.fail(Failure::new("CONFLICT", message), field, path, &definition.of);
        }
        let resolved = self.ask(object, field, uses).and_then(|ask| {
            if object.of == "Mutation" { mutate::mutate(self.rest, &ask) } else { resolve(self.rest, object, &ask) }
        });
        match resolved {
            Ok(resolved) => self.complete(resolved, &definition.of, field, uses, path),
            Err(failure) => self.fail(failure, field, path, &definition.of),
        }
    }

    fn fail(&mut self, mut failure: Failure, field: &Field, path: &[Value], of: &TypeRef) -> Result<Value, Bubble> {
        failure.path = path.to_vec();
        failure.locations = vec![field.at];
        self.failures.push(failure);
        if of.is_required() { Err(Bubble) } else { Ok(Value::Null) }
    }

    /// What is asked of a field: its arguments, and which fields of the answer are wanted.
    fn ask(&self, object: &Object, field: &'d Field, uses: &[&'d Field]) -> Result<Ask<'d>, Failure> {
        let definition = self.schema.field(object.of, &field.name);
        let mut arguments = Map::new();
        for (name, argument) in definition.iter().flat_map(|definition| &definition.arguments) {
            let given = field.arguments.iter().find(|(given, _)| given == name).map(|(_, value)| value);
            let value = match given {
                Some(crate::language::Input::Variable(variable)) if !self.variables.contains_key(variable) => None,
                Some(value) => Some(resolve_input(value, &self.variables)),
                None => None,
            };
            let Some(value) = value.or_else(|| argument.default.as_ref().map(constant)) else {
                if argument.is_required() {
                    let message = format!("Field '{}' is missing required arguments: {name}", field.name);
                    return Err(Failure::new("ARGUMENT", message));
                }
                continue;
            };
            let value = coerce(self.schema, &argument.of, &value).map_err(|problem| {
                let inside: String =
                    problem.path.iter().map(|part| format!(".{}", part.to_string().trim_matches('"'))).collect();
                let message = format!(
                    "Argument '{name}{inside}' on Field '{}' has an invalid value. Expected type '{}'. {}",
                    field.name, argument.of, problem.explanation
                );
                Failure::new("ARGUMENT", message)
            })?;
            arguments.insert(name.clone(), value);
        }
        let mut wants = IndexMap::new();
        if let Some(definition) = definition {
            for one in uses {
                self.collect(definition.of.name(), &one.selection, &mut wants);
            }
        }
        let wants: BTreeSet<String> = wants.values().flatten().map(|field| field.name.clone()).collect();
        Ok(Ask { field: &field.name, arguments, wants })
    }

    fn complete(
        &mut self,
        resolved: Resolved,
        of: &TypeRef,
        field: &'d Field,
        uses: &[&'d Field],
        path: &mut Vec<Value>,
    ) -> Result<Value, Bubble> {
        let selections: Vec<&'d [Selection]> = uses.iter().map(|field| field.selection.as_slice()).collect();
        match resolved {
            Resolved::Value(Value::Null) if of.is_required() => {
                let message = format!("The forge does not tell `{}`.", field.name);
                self.fail(Failure::new("INTERNAL", message), field, path, of)
            }
            Resolved::Value(value) => Ok(value),
            Resolved::Object(object) => {
                let value = self.counted(&object, &selections, path);
                self.settle(value, of)
            }
            Resolved::Objects(objects) => {
                let inner = match of.nullable() {
                    TypeRef::List(inner) => inner,
                    other => other,
                };
                let mut list = Vec::with_capacity(objects.len());
                for (index, object) in objects.into_iter().enumerate() {
                    path.push(index.into());
                    let value = match object {
                        Some(object) => self.counted(&object, &selections, path),
                        None => Ok(Value::Null),
                    };
                    path.pop();
                    match self.settle(value, inner) {
                        Ok(value) => list.push(value),
                        Err(bubble) => return self.settle(Err(bubble), of),
                    }
                }
                Ok(list.into())
            }
        }
    }

    fn counted(
        &mut self,
        object: &Object,
        selections: &[&'d [Selection]],
        path: &mut Vec<Value>,
    ) -> Result<Value, Bubble> {
        self.objects += 1;
        if self.objects > MAX_OBJECTS {
            if self.objects == MAX_OBJECTS + 1 {
                let message = format!("This query gives more than {MAX_OBJECTS} objects: ask for less at once.");
                self.failures.push(Failure::new("MAX_NODE_LIMIT_EXCEEDED", message).with_path(path));
            }
            return Err(Bubble);
        }
        self.object(object, selections, path)
    }

    fn settle(&self, value: Result<Value, Bubble>, of: &TypeRef) -> Result<Value, Bubble> {
        match value {
            Err(bubble) if of.is_required() => Err(bubble),
            Err(_) => Ok(Value::Null),
            Ok(value) => Ok(value),
        }
    }
}
