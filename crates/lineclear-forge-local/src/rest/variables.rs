//! Variables of the repository that were set through the API.

use lineclear_forge::ApiResponse;
use serde_json::{Value, json};

use super::not_offered;
use crate::call::{Answer, Call, Fields, Refusal, time};
use crate::journal::Transaction;
use crate::record::Variable;

/// The longest value, in bytes, as on GitHub.
const MAX_VALUE: usize = 48 * 1024;

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => {
            let mut all = memory.all::<Variable>();
            all.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(call.counted_page("variables", &all, shown))
        }
        ("POST", []) => {
            let fields = call.fields()?;
            let name = checked_name(fields.required("Variable", "name")?)?;
            if find(memory, &name).is_ok() {
                return Err(Refusal::said(409, "Already exists - Variable already exists"));
            }
            let value = value(&fields)?.ok_or_else(|| Refusal::invalid("Variable", "value", "missing_field"))?;
            let id = memory.new_id();
            memory.put(&Variable { id, name, value, created: call.now, updated: call.now });
            Ok(ApiResponse::json(201, &json!({})))
        }
        ("GET", [name]) => Ok(ApiResponse::json(200, &shown(&find(memory, name)?))),
        ("PATCH", [name]) => {
            let mut known = find(memory, name)?;
            let fields = call.fields()?;
            if let Some(name) = fields.text("name")? {
                known.name = checked_name(name)?;
            }
            known.value = value(&fields)?.unwrap_or(known.value);
            known.updated = call.now;
            memory.put(&known);
            Ok(ApiResponse::empty(204))
        }
        ("DELETE", [name]) => {
            let gone = find(memory, name)?;
            memory.remove::<Variable>(gone.id);
            Ok(ApiResponse::empty(204))
        }
        _ => not_offered(call),
    }
}

fn find(memory: &Transaction, name: &str) -> Result<Variable, Refusal> {
    let found = memory.all::<Variable>().into_iter().find(|known| known.name.eq_ignore_ascii_case(name));
    found.ok_or_else(Refusal::not_found)
}

fn checked_name(name: &str) -> Result<String, Refusal> {
    let name = name.to_ascii_uppercase();
    let sound = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.starts_with("GITHUB_");
    if sound { Ok(name) } else { Err(Refusal::invalid("Variable", "name", "invalid")) }
}

fn value(fields: &Fields) -> Result<Option<String>, Refusal> {
    let value = fields.owned("value")?;
    match &value {
        Some(text) if text.len() > MAX_VALUE => Err(Refusal::invalid("Variable", "value", "invalid")),
        _ => Ok(value),
    }
}

fn shown(variable: &Variable) -> Value {
    json!({
        "name": variable.name,
        "value": variable.value,
        "created_at": time(variable.created),
        "updated_at": time(variable.updated),
    })
}
