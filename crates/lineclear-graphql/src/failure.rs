//! Errors as GitHub's GraphQL API shows them.

use std::ops::{Deref, DerefMut};

use serde_json::{Value, json};

use crate::language::{Position, SyntaxError};

/// One entry of `errors`; boxed, because it stands in the results of all that looks something up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure(Box<Entry>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) message: String,
    /// GitHub's `type`: `NOT_FOUND`, `FORBIDDEN`, …
    pub(crate) kind: Option<&'static str>,
    pub(crate) path: Vec<Value>,
    pub(crate) locations: Vec<Position>,
    pub(crate) extensions: Option<Value>,
}

impl Failure {
    /// An error while a field was looked up; the executor adds where.
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let entry = Entry { message, kind: Some(kind), path: Vec::new(), locations: Vec::new(), extensions: None };
        Self(Box::new(entry))
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("NOT_FOUND", message)
    }

    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new("UNPROCESSABLE", message)
    }

    /// An error of the document itself.
    pub(crate) fn of_document(at: Position, message: impl Into<String>) -> Self {
        let message = message.into();
        let entry = Entry { message, kind: None, path: Vec::new(), locations: vec![at], extensions: None };
        Self(Box::new(entry))
    }

    #[must_use]
    pub(crate) fn with_extensions(mut self, extensions: Value) -> Self {
        self.extensions = Some(extensions);
        self
    }

    #[must_use]
    pub(crate) fn with_path(mut self, path: &[Value]) -> Self {
        self.path = path.to_vec();
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut error = serde_json::Map::new();
        if let Some(kind) = self.kind {
            error.insert("type".into(), kind.into());
        }
        if !self.path.is_empty() {
            error.insert("path".into(), self.path.clone().into());
        }
        if let Some(extensions) = &self.extensions {
            error.insert("extensions".into(), extensions.clone());
        }
        let place = |at: &Position| json!({ "line": at.line, "column": at.column });
        error.insert("locations".into(), self.locations.iter().map(place).collect());
        error.insert("message".into(), self.message.clone().into());
        error.into()
    }
}

impl Deref for Failure {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Entry {
        &mut self.0
    }
}

impl From<SyntaxError> for Failure {
    fn from(error: SyntaxError) -> Self {
        Self::of_document(error.at, error.message)
    }
}
