//! The types themselves.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use lineclear_expr::Value;

/// What is known of a value before anything runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Nothing is known.
    Any,
    /// Always null.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// Text.
    String,
    /// Text that is `true` or `false`: a boolean that went through an output or an input, which are text.
    BoolText,
    /// Values in order.
    Array(Arc<Type>),
    /// What `.*` gives: whatever is taken from it is taken from each element.
    Filtered(Arc<Type>),
    /// Keys and values.
    Object(Arc<ObjectType>),
}

/// The properties of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectType {
    /// Those that are known, in the order in which they were declared.
    pub properties: Vec<Property>,
    /// The type of every other; none if there is no other.
    pub rest: Option<Type>,
    /// What the object is.
    pub origin: Origin,
}

/// One property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// As it was declared; expressions ignore case.
    pub name: Cow<'static, str>,
    /// Of its value.
    pub kind: Type,
}

/// What an object is: it decides what a property that it does not have means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A context, or a part of one, whose properties are the same in every workflow: `github`, `job.container`.
    Fixed(&'static str),
    /// `github.event`
    Event,
    /// `github.event.inputs`
    EventInputs,
    /// `inputs`
    Inputs,
    /// `secrets`
    Secrets,
    /// `vars`
    Variables,
    /// `env`
    Env,
    /// `matrix`
    Matrix,
    /// An object among a matrix's values.
    MatrixValue,
    /// `steps`
    Steps,
    /// `outputs` of the step of this id.
    StepOutputs {
        /// The step's id.
        step: String,
        /// How much is known of them.
        known: OutputsKnown,
    },
    /// `needs`
    Needs,
    /// `outputs` of the job of this id.
    JobOutputs(String),
    /// `jobs`
    Jobs,
    /// `job.services`
    Services,
    /// Anything else, such as what `fromJSON` gives.
    Other,
}

/// How much is known of the outputs of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputsKnown {
    /// There is no other: a composite action gives nothing that it does not declare.
    All,
    /// Whoever looked at the action found no other.
    Usual,
    /// These were declared; an action of another kind may give more.
    Declared,
}

impl Type {
    /// An object with these properties and no other.
    pub fn strict(origin: Origin, properties: Vec<Property>) -> Self {
        Self::Object(Arc::new(ObjectType { properties, rest: None, origin }))
    }

    /// An object with these properties and others.
    pub fn open(origin: Origin, properties: Vec<Property>, rest: Type) -> Self {
        Self::Object(Arc::new(ObjectType { properties, rest: Some(rest), origin }))
    }

    /// An array of elements of this type.
    pub fn array(items: Type) -> Self {
        Self::Array(Arc::new(items))
    }

    /// The type of a value that is known.
    pub fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(items) => Self::array(Self::union(items.iter().map(Self::of_value))),
            Value::Object(object) => {
                let properties =
                    object.iter().map(|(name, value)| Property::new(name.to_owned(), Self::of_value(value)));
                Self::strict(Origin::Other, properties.collect())
            }
        }
    }

    /// What a value is that has one of these types; [`Type::Any`] where they have nothing in common.
    pub fn union(types: impl IntoIterator<Item = Self>) -> Self {
        types.into_iter().reduce(Self::or).unwrap_or(Self::Any)
    }

    /// What a value is that has this type or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::String | Self::BoolText, Self::String | Self::BoolText) => Self::String,
            (Self::Array(one), Self::Array(other)) => Self::array((*one).clone().or((*other).clone())),
            (Self::Object(one), Self::Object(other)) => Self::Object(Arc::new(one.merged(&other))),
            _ => Self::Any,
        }
    }

    /// Whether it is null, a boolean, a number or text.
    pub fn is_scalar(&self) -> bool {
        matches!(self, Self::Null | Self::Bool | Self::Number | Self::String | Self::BoolText)
    }

    /// Whether it is an array or an object.
    pub fn is_collection(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Filtered(_) | Self::Object(_))
    }

    /// Whether it is text.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::String | Self::BoolText)
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&ObjectType> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// In a few words, with an article: "an object".
    pub fn in_words(&self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String | Self::BoolText => "text",
            Self::Array(_) | Self::Filtered(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl ObjectType {
    /// The property called `name`, in whatever case.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name.eq_ignore_ascii_case(name))
    }

    /// The names of all known properties.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().map(|property| &*property.name)
    }

    fn merged(&self, other: &Self) -> Self {
        let mut properties = self.properties.clone();
        for property in &other.properties {
            match properties.iter_mut().find(|own| own.name.eq_ignore_ascii_case(&property.name)) {
                Some(own) => own.kind = own.kind.clone().or(property.kind.clone()),
                None => properties.push(property.clone()),
            }
        }
        let rest = match (&self.rest, &other.rest) {
            (Some(one), Some(other)) => Some(one.clone().or(other.clone())),
            (one, other) => one.clone().or_else(|| other.clone()),
        };
        let origin = if self.origin == other.origin { self.origin.clone() } else { Origin::Other };
        Self { properties, rest, origin }
    }
}

impl Property {
    /// A property.
    pub fn new(name: impl Into<Cow<'static, str>>, kind: Type) -> Self {
        Self { name: name.into(), kind }
    }
}

impl fmt::Display for Type {
    /// As a person would write it: `array of string`, `{ os: string, … }`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("boolean"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::BoolText => f.write_str("string (`true` or `false`)"),
            Self::Array(items) | Self::Filtered(items) => write!(f, "array of {items}"),
            Self::Object(object) => write!(f, "{object}"),
        }
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.properties.is_empty() {
            return f.write_str(if self.rest.is_some() { "object" } else { "{}" });
        }
        f.write_str("{ ")?;
        for (at, property) in self.properties.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{}: {}", property.name, property.kind)?;
        }
        f.write_str(if self.rest.is_some() { ", … }" } else { " }" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(properties: &[(&'static str, Type)]) -> Type {
        let properties = properties.iter().map(|(name, kind)| Property::new(*name, kind.clone())).collect();
        Type::strict(Origin::Other, properties)
    }

    #[test]
    fn what_has_nothing_in_common_is_anything() {
        assert_eq!(Type::union([Type::String, Type::Number]), Type::Any);
        assert_eq!(Type::union([]), Type::Any);
        assert_eq!(Type::union([Type::String, Type::BoolText]), Type::String);
        assert_eq!(Type::array(Type::Bool).or(Type::array(Type::Bool)), Type::array(Type::Bool));
    }

    #[test]
    fn objects_together_have_the_properties_of_both() {
        let both = object(&[("A", Type::String)]).or(object(&[("a", Type::Number), ("b", Type::Bool)]));
        assert_eq!(both.to_string(), "{ A: any, b: boolean }");
    }

    #[test]
    fn a_type_reads_as_it_would_be_said() {
        let json = serde_like();
        assert_eq!(Type::of_value(&json).to_string(), "{ a: array of number, b: {} }");
    }

    fn serde_like() -> Value {
        let expr = lineclear_expr::Expr::parse("fromJSON('{\"a\":[1],\"b\":{}}')", None).expect("it is well formed");
        expr.evaluate(&lineclear_expr::MapScope::default()).expect("it is JSON")
    }
}
