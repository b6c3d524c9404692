//! Who did something.

use std::rc::Rc;

use serde_json::Value;

use super::Ask;
use crate::object::{Object, Resolved};

/// The object of a REST `user`; `None` for null, as of deleted accounts.
pub(crate) fn actor(repository: &Rc<str>, user: &Value) -> Option<Object> {
    let login = user["login"].as_str()?;
    let of = match user["type"].as_str() {
        Some("Bot") => "Bot",
        Some("Organization") => "Organization",
        _ if login.ends_with("[bot]") => "Bot",
        _ => "User",
    };
    Some(Object::new(of, repository, user.clone()))
}

pub(super) fn field(object: &Object, ask: &Ask) -> Option<Resolved> {
    match ask.field {
        // GraphQL names apps without the suffix that REST has.
        "login" => {
            let login = object.text("/login");
            let login = if object.of == "Bot" { login.trim_end_matches("[bot]") } else { login };
            Some(Resolved::value(login))
        }
        "email" => Some(Resolved::value(object.text("/email"))),
        // Gitea's word.
        "name" => {
            let name = [object.text("/name"), object.text("/full_name")].into_iter().find(|name| !name.is_empty());
            Some(Resolved::value(name.map_or(Value::Null, Value::from)))
        }
        _ => None,
    }
}
