//! Values of expressions.

use std::sync::Arc;

/// A value. Numbers are IEEE doubles; arrays and objects compare equal only to themselves, hence the shared pointers.
#[derive(Clone, Debug, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(f64),
    String(Arc<str>),
    Array(Arc<Vec<Value>>),
    Object(Arc<Object>),
}

/// Keys and values in order. Keys are found ignoring case unless the object was made case-sensitive (the `env` context).
#[derive(Clone, Debug, Default)]
pub struct Object {
    entries: Vec<(Arc<str>, Value)>,
    case_sensitive: bool,
}

impl PartialEq for Value {
    /// Structural equality, for tests and bookkeeping; the language's own `==` is in the evaluator.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b || a.is_nan() && b.is_nan(),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a.entries == b.entries,
            _ => false,
        }
    }
}

impl Object {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn case_sensitive() -> Self {
        Self { case_sensitive: true, ..Self::default() }
    }

    /// Sets `key`; an existing entry keeps its place.
    pub fn insert(&mut self, _key: impl Into<Arc<str>>, _value: impl Into<Value>) {
        unimplemented!()
    }

    pub fn get(&self, _key: &str) -> Option<&Value> {
        unimplemented!()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Value {
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// The language's conversion to text: null is empty, numbers have 15 digits, collections are `Array` and `Object`.
    pub fn to_text(&self) -> String {
        unimplemented!()
    }

    /// Everything but null, false, 0, NaN and the empty string.
    pub fn is_truthy(&self) -> bool {
        unimplemented!()
    }

    /// The language's conversion to a number.
    pub fn to_number(&self) -> f64 {
        unimplemented!()
    }

    /// Member `key` of an object; null for everything else.
    pub fn get(&self, _key: &str) -> Value {
        unimplemented!()
    }

    /// As `toJSON` prints it: two spaces, order kept.
    pub fn to_json_pretty(&self) -> String {
        unimplemented!()
    }

    /// NaN and infinities become the strings "NaN", "Infinity", "-Infinity"; whole numbers come out without a fraction.
    pub fn to_json(&self) -> serde_json::Value {
        unimplemented!()
    }

    pub fn from_json(_json: &serde_json::Value) -> Self {
        unimplemented!()
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}
impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Self::Object(Arc::new(value))
    }
}
impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::Array(Arc::new(value))
    }
}
