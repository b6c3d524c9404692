//! The `filters` of lists, prunes and events.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Job, Refusal};
use crate::http::Target;

/// Filters by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filters(BTreeMap<String, BTreeSet<String>>);

impl Filters {
    /// Of a target: `{"label":{"a=b":true}}`, or with lists as older clients write them.
    pub(crate) fn of(target: &Target) -> Result<Self, Refusal> {
        let Some(text) = target.get("filters").filter(|text| !text.is_empty()) else { return Ok(Self::default()) };
        let bad = || Refusal::bad("the filters of the request are not an object of lists");
        let value: BTreeMap<String, Value> = serde_json::from_str(text).map_err(|_| bad())?;
        let mut filters = Self::default();
        for (key, values) in value {
            let values: Option<BTreeSet<String>> = match values {
                Value::Object(map) => Some(map.into_iter().map(|(value, _)| value).collect()),
                Value::Array(list) => list.into_iter().map(|value| value.as_str().map(str::to_owned)).collect(),
                _ => None,
            };
            filters.0.insert(key, values.ok_or_else(bad)?);
        }
        Ok(filters)
    }

    pub(crate) fn add(&mut self, key: &str, value: impl Into<String>) {
        self.0.entry(key.to_owned()).or_default().insert(value.into());
    }

    pub(crate) fn first(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.first().map(String::as_str)
    }

    /// Puts other values in the place of those of `key`; each may become several.
    fn replace(&mut self, key: &str, by: impl Fn(&str) -> Vec<String>) {
        if let Some(values) = self.0.get_mut(key) {
            *values = values.iter().flat_map(|value| by(value)).collect();
        }
    }

    pub(crate) fn write(&self, target: &mut Target) {
        let one =
            |values: &BTreeSet<String>| -> Value { values.iter().map(|value| (value.clone(), json!(true))).collect() };
        let all: Value = self.0.iter().map(|(key, values)| (key.clone(), one(values))).collect();
        target.set("filters", all.to_string());
    }
}

/// Rewrites the filters of a target: names as the engine has them, and nothing but what belongs to the job where `is_own`.
pub(crate) fn rewrite(target: &mut Target, job: &Job, is_own: bool) -> Result<(), Refusal> {
    let mut filters = Filters::of(target)?;
    filters.replace("name", |pattern| vec![job.names.pattern(pattern)]);
    // A name here is a whole one: either steps chose it, or it is an id or a name that Lineclear gave.
    for key in ["network", "volume", "container"] {
        filters.replace(key, |name| vec![name.to_owned(), job.names.engine(name)]);
    }
    if is_own {
        filters.add("label", job.label_filter());
    }
    if filters != Filters::default() {
        filters.write(target);
    }
    Ok(())
}
