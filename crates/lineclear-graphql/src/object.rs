//! Objects of the graph: what REST said of a thing, and what type it has.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use crate::connection::Page;

/// One object of the graph.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// Its type's name in the schema.
    pub(crate) of: &'static str,
    /// `owner/name` of the repository it stands in; empty where it is in none.
    pub(crate) repository: Rc<str>,
    pub(crate) facts: Facts,
}

#[derive(Clone, Debug)]
pub(crate) enum Facts {
    /// What REST said.
    Rest(Rc<Value>),
    Page(Rc<Page>),
    /// An edge of a page, by its index there.
    Edge(Rc<Page>, usize),
    /// What a mutation gives back, by field.
    Payload(Rc<BTreeMap<&'static str, Resolved>>),
}

impl Object {
    pub(crate) fn new(of: &'static str, repository: &Rc<str>, facts: impl Into<Rc<Value>>) -> Self {
        Self { of, repository: Rc::clone(repository), facts: Facts::Rest(facts.into()) }
    }

    /// What REST said; null of pages and edges.
    pub(crate) fn rest(&self) -> &Value {
        match &self.facts {
            Facts::Rest(value) => value,
            Facts::Page(_) | Facts::Edge(..) | Facts::Payload(_) => &Value::Null,
        }
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.rest().pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self) -> u64 {
        self.rest()["number"].as_u64().unwrap_or_default()
    }

    /// `/repos/owner/name` and `below`, as a path of REST.
    pub(crate) fn route(&self, below: &str) -> String {
        format!("/repos/{}{below}", self.repository)
    }
}

/// What a field is.
#[derive(Clone, Debug)]
pub(crate) enum Resolved {
    Value(Value),
    Object(Object),
    Objects(Vec<Option<Object>>),
}

impl Resolved {
    pub(crate) const NULL: Self = Self::Value(Value::Null);

    pub(crate) fn value(value: impl Into<Value>) -> Self {
        Self::Value(value.into())
    }

    pub(crate) fn maybe(object: Option<Object>) -> Self {
        object.map_or(Self::NULL, Self::Object)
    }
}
