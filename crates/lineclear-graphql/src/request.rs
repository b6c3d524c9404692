//! The body of a call, and its variables held against what the operation declares.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::language::{Document, Input, Operation, TypeRef, VariableDefinition};
use crate::schema::{Schema, Type};

/// A body longer than this is refused: files go over git, and one comment has at most 64 KiB.
pub(crate) const MAX_BODY: usize = 32 << 20;

/// A document longer than this is refused.
const MAX_DOCUMENT: usize = 256 << 10;

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) query: String,
    pub(crate) operation: Option<String>,
    pub(crate) variables: Map<String, Value>,
}

/// Why a body is no request: status of the answer and message.
pub(crate) type Malformed = (u16, String);

impl Request {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Malformed> {
        if body.len() > MAX_BODY {
            return Err((413, format!("The request is larger than {MAX_BODY} bytes.")));
        }
        let body: Value = serde_json::from_slice(body).map_err(|_| (400, "Problems parsing JSON".to_owned()))?;
        let missing = || (400, "A query attribute must be specified and must be a string.".to_owned());
        let query = body.get("query").and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let query = query.ok_or_else(missing)?.to_owned();
        if query.len() > MAX_DOCUMENT {
            return Err((413, format!("The query is longer than {MAX_DOCUMENT} bytes.")));
        }
        let variables = match body.get("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => variables.clone(),
            // Some clients send them as text.
            Some(Value::String(text)) if text.is_empty() => Map::new(),
            Some(Value::String(text)) => {
                serde_json::from_str(text).map_err(|_| (400, "Variables must be a JSON object.".to_owned()))?
            }
            Some(_) => return Err((400, "Variables must be a JSON object.".to_owned())),
        };
        let operation = body.get("operationName").and_then(Value::as_str).filter(|name| !name.is_empty());
        Ok(Self { query, operation: operation.map(str::to_owned), variables })
    }

    /// The operation that is meant.
    pub(crate) fn operation<'d>(&self, document: &'d Document) -> Result<&'d Operation, Failure> {
        let places = document.operations.first().map(|operation| operation.at).unwrap_or_default();
        match (&self.operation, document.operations.as_slice()) {
            (None, [one]) => Ok(one),
            (None, _) => Err(Failure::of_document(places, "An operation name is required")),
            (Some(name), all) => {
                let found = all.iter().find(|operation| operation.name.as_ref() == Some(name));
                found.ok_or_else(|| Failure::of_document(places, format!("No operation named \"{name}\"")))
            }
        }
    }
}

/// The variables' values: what was given, else the default; a variable that is left out is not in the result.
pub(crate) fn variables(
    schema: &Schema,
    operation: &Operation,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<Failure>> {
    let mut values = Map::new();
    let mut failures = Vec::new();
    for variable in &operation.variables {
        let value = match (given.get(&variable.name), &variable.default) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => constant(default),
            (None, None) if variable.of.is_required() => {
                failures.push(invalid(variable, &Value::Null, &Problem::null()));
                continue;
            }
            (None, None) => continue,
        };
        match coerce(schema, &variable.of, &value) {
            Ok(value) => {
                values.insert(variable.name.clone(), value);
            }
            Err(problem) => failures.push(invalid(variable, &value, &problem)),
        }
    }
    if failures.is_empty() { Ok(values) } else { Err(failures) }
}

fn invalid(variable: &VariableDefinition, value: &Value, problem: &Problem) -> Failure {
    let (name, of) = (&variable.name, &variable.of);
    let place = problem.path.is_empty().then(String::new).unwrap_or_else(|| {
        let path: Vec<String> = problem.path.iter().map(|part| part.to_string().trim_matches('"').to_owned()).collect();
        format!(" for {} ({})", path.join("."), problem.explanation)
    });
    let shown = if value.to_string().len() > 200 { Value::Null } else { value.clone() };
    let problems = json!([{ "path": problem.path, "explanation": problem.explanation }]);
    Failure::of_document(variable.at, format!("Variable ${name} of type {of} was provided invalid value{place}"))
        .with_extensions(json!({ "value": shown, "problems": problems }))
}

/// A value written in the document, without variables.
pub(crate) fn constant(input: &Input) -> Value {
    resolve(input, &Map::new())
}

/// A value written in the document; a variable that was left out is null, or missing where it is a field of an object.
pub(crate) fn resolve(input: &Input, variables: &Map<String, Value>) -> Value {
    match input {
        Input::Variable(name) => variables.get(name).cloned().unwrap_or(Value::Null),
        Input::Int(value) => (*value).into(),
        Input::Float(value) => (*value).into(),
        Input::String(value) | Input::Enum(value) => value.clone().into(),
        Input::Boolean(value) => (*value).into(),
        Input::Null => Value::Null,
        Input::List(items) => items.iter().map(|item| resolve(item, variables)).collect(),
        Input::Object(fields) => {
            let left_out = |value: &Input| matches!(value, Input::Variable(name) if !variables.contains_key(name));
            let fields = fields.iter().filter(|(_, value)| !left_out(value));
            fields.map(|(name, value)| (name.clone(), resolve(value, variables))).collect::<Map<_, _>>().into()
        }
    }
}

/// Why a value is not of its type, and where inside it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) path: Vec<Value>,
    pub(crate) explanation: String,
}

impl Problem {
    fn new(explanation: impl Into<String>) -> Self {
        Self { path: Vec::new(), explanation: explanation.into() }
    }

    fn null() -> Self {
        Self::new("Expected value to not be null")
    }

    fn inside(mut self, part: impl Into<Value>) -> Self {
        self.path.insert(0, part.into());
        self
    }
}

/// `value` as one of type `of`: a single value becomes a list of one, a number an id; input objects get their defaults.
pub(crate) fn coerce(schema: &Schema, of: &TypeRef, value: &Value) -> Result<Value, Problem> {
    let name = match of {
        TypeRef::NonNull(_) if value.is_null() => return Err(Problem::null()),
        TypeRef::NonNull(inner) => return coerce(schema, inner, value),
        _ if value.is_null() => return Ok(Value::Null),
        TypeRef::List(inner) => {
            let Value::Array(items) = value else { return Ok(Value::Array(vec![coerce(schema, inner, value)?])) };
            let coerced = items
                .iter()
                .enumerate()
                .map(|(at, item)| coerce(schema, inner, item).map_err(|problem| problem.inside(at)));
            return coerced.collect();
        }
        TypeRef::Named(name) => name,
    };
    let shown = || value.to_string().chars().take(100).collect::<String>();
    let wrong = || Problem::new(format!("Could not coerce value {} to {name}", shown()));
    match (schema.get(name), value) {
        (Some(Type::Enum(values)), Value::String(text)) if values.contains(text) => Ok(value.clone()),
        (Some(Type::Enum(values)), _) => {
            Err(Problem::new(format!("Expected {} to be one of: {}", shown(), values.join(", "))))
        }
        (Some(Type::Input(fields)), Value::Object(given)) => {
            if let Some(unknown) = given.keys().find(|key| !fields.contains_key(*key)) {
                return Err(Problem::new(format!("Field is not defined on {name}")).inside(unknown.as_str()));
            }
            let mut object = Map::new();
            for (key, field) in fields {
                let value = match (given.get(key), &field.default) {
                    (Some(value), _) => value.clone(),
                    (None, Some(default)) => constant(default),
                    (None, None) if field.of.is_required() => return Err(Problem::null().inside(key.as_str())),
                    (None, None) => continue,
                };
                let value = coerce(schema, &field.of, &value).map_err(|problem| problem.inside(key.as_str()))?;
                object.insert(key.clone(), value);
            }
            Ok(object.into())
        }
        (Some(Type::Scalar), _) => scalar(name, value).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn scalar(name: &str, value: &Value) -> Option<Value> {
    match (name, value) {
        ("Boolean", Value::Bool(_)) | ("Float", Value::Number(_)) => Some(value.clone()),
        ("Int", Value::Number(number)) => {
            let whole = number.as_i64().or_else(|| number.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64))?;
            i32::try_from(whole).ok().map(Value::from)
        }
        ("ID", Value::Number(number)) => Some(number.to_string().into()),
        ("Boolean" | "Float" | "Int", _) => None,
        (_, Value::String(_)) => Some(value.clone()),
        _ => None,
    }
}
