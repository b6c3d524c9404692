//! Values of expressions and their conversions.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::number::{parse_number, write_number};
use crate::{Object, fold, json};

/// A value. Numbers are IEEE doubles; arrays and objects compare equal only to themselves, hence the shared pointers.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// What is missing.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number, NaN and the infinities included.
    Number(f64),
    /// Text.
    String(Arc<str>),
    /// Values in order.
    Array(Arc<Vec<Value>>),
    /// Keys and values in order.
    Object(Arc<Object>),
}

/// What kind of value it is, for messages and checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// [`Value::Null`].
    Null,
    /// [`Value::Bool`].
    Boolean,
    /// [`Value::Number`].
    Number,
    /// [`Value::String`].
    String,
    /// [`Value::Array`].
    Array,
    /// [`Value::Object`].
    Object,
}

impl ValueKind {
    /// GitHub's name for the kind, as its messages have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Boolean => "Boolean",
            Self::Number => "Number",
            Self::String => "String",
            Self::Array => "Array",
            Self::Object => "Object",
        }
    }
}

impl PartialEq for Value {
    /// Structural equality, for tests and bookkeeping; the language's own `==` is [`Value::loosely_equals`].
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b || a.is_nan() && b.is_nan(),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl Value {
    /// A text value.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// What kind of value this is.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Null => ValueKind::Null,
            Self::Bool(_) => ValueKind::Boolean,
            Self::Number(_) => ValueKind::Number,
            Self::String(_) => ValueKind::String,
            Self::Array(_) => ValueKind::Array,
            Self::Object(_) => ValueKind::Object,
        }
    }

    /// Everything but arrays and objects.
    pub fn is_primitive(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// The language's conversion to text: null is empty, numbers have 15 digits, collections are `Array` and `Object`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => {
                let mut text = String::new();
                write_number(*number, &mut text);
                text
            }
            Self::String(text) => text.to_string(),
            Self::Array(_) | Self::Object(_) => self.kind().name().to_owned(),
        }
    }

    /// The same conversion without a copy where the value is a text already.
    pub(crate) fn as_text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Null => "".into(),
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::String(text) => (&**text).into(),
            Self::Array(_) | Self::Object(_) => self.kind().name().into(),
            Self::Number(_) => self.to_text().into(),
        }
    }

    /// Everything but null, false, 0, NaN and the empty string.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::String(text) => !text.is_empty(),
            Self::Array(_) | Self::Object(_) => true,
        }
    }

    /// The language's conversion to a number: null is 0, true is 1, a text what it says or NaN, a collection NaN.
    pub fn to_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(value) => f64::from(*value),
            Self::Number(number) => *number,
            Self::String(text) => parse_number(text),
            Self::Array(_) | Self::Object(_) => f64::NAN,
        }
    }

    /// Member `key` of an object; null for everything else.
    pub fn get(&self, key: &str) -> Value {
        match self {
            Self::Object(object) => object.get(key).cloned().unwrap_or_default(),
            _ => Value::Null,
        }
    }

    /// The language's `==`.
    ///
    /// Texts are equal ignoring case; NaN equals nothing; arrays and objects equal only themselves; where the kinds
    /// differ, null, booleans and texts become numbers.
    pub fn loosely_equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::String(a), Self::String(b)) => fold::eq(a, b),
            (Self::Array(a), Self::Array(b)) => Arc::ptr_eq(a, b),
            (Self::Object(a), Self::Object(b)) => Arc::ptr_eq(a, b),
            (Self::Array(_) | Self::Object(_), _) | (_, Self::Array(_) | Self::Object(_)) => false,
            _ => self.to_number() == other.to_number(),
        }
    }

    /// The order that the language's `<` and `>` see; `None` where both are false (NaN, null with null, collections).
    pub fn loosely_compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Null, Self::Null) => None,
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::String(a), Self::String(b)) => Some(fold::cmp(a, b)),
            (Self::Array(_) | Self::Object(_), _) | (_, Self::Array(_) | Self::Object(_)) => None,
            _ => self.to_number().partial_cmp(&other.to_number()),
        }
    }

    /// As `toJSON` prints it: two spaces, order kept, other letters than ASCII as they are.
    pub fn to_json_pretty(&self) -> String {
        json::pretty(self)
    }

    /// The value as JSON. NaN and infinities become the strings "NaN", "Infinity", "-Infinity"; whole numbers come out
    /// without a fraction.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Number(number) => json::number(*number),
            Self::String(text) => text.to_string().into(),
            Self::Array(items) => items.iter().map(Self::to_json).collect(),
            Self::Object(object) => object
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// The value that some JSON stands for. Of keys that differ only by case, the first wins.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::string(text.as_str()),
            serde_json::Value::Array(items) => items.iter().map(Self::from_json).collect::<Vec<_>>().into(),
            serde_json::Value::Object(entries) => {
                let mut object = Object::new();
                for (key, value) in entries {
                    object.insert_first(key.as_str(), Self::from_json(value));
                }
                object.into()
            }
        }
    }

    /// The value that some JSON stands for, where an object keeps keys apart that differ only by case: the `env` context.
    ///
    /// This is about the outermost object; objects inside of it ignore case as all others do.
    pub fn from_json_case_sensitive(json: &serde_json::Value) -> Self {
        let serde_json::Value::Object(entries) = json else { return Self::from_json(json) };
        let mut object = Object::case_sensitive();
        for (key, value) in entries {
            object.insert(key.as_str(), Self::from_json(value));
        }
        object.into()
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
impl From<Arc<str>> for Value {
    fn from(value: Arc<str>) -> Self {
        Self::String(value)
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
