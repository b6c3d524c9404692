//! The part of GitHub's schema that is answered: `schema.graphql`, read once.

mod read;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::language::{Input, TypeRef};

const TEXT: &str = include_str!("schema.graphql");

/// All types.
#[derive(Debug)]
pub(crate) struct Schema {
    types: BTreeMap<String, Type>,
}

#[derive(Debug)]
pub(crate) enum Type {
    Scalar,
    Enum(Vec<String>),
    Object { fields: BTreeMap<String, FieldDefinition>, interfaces: Vec<String> },
    Interface { fields: BTreeMap<String, FieldDefinition> },
    Union(Vec<String>),
    Input(BTreeMap<String, InputDefinition>),
}

#[derive(Debug)]
pub(crate) struct FieldDefinition {
    pub(crate) arguments: BTreeMap<String, InputDefinition>,
    pub(crate) of: TypeRef,
}

#[derive(Debug)]
pub(crate) struct InputDefinition {
    pub(crate) of: TypeRef,
    pub(crate) default: Option<Input>,
}

impl InputDefinition {
    pub(crate) fn is_required(&self) -> bool {
        self.of.is_required() && self.default.is_none()
    }
}

/// The schema that this crate answers.
///
/// # Panics
/// Not for any input: the text is part of the program, and a test reads it.
pub(crate) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> =
        LazyLock::new(|| read::read(TEXT).expect("the schema's text is part of the program and a test reads it"));
    &SCHEMA
}

impl Schema {
    pub(crate) fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    /// Of an object or interface.
    pub(crate) fn field(&self, owner: &str, field: &str) -> Option<&FieldDefinition> {
        match self.get(owner)? {
            Type::Object { fields, .. } | Type::Interface { fields } => fields.get(field),
            _ => None,
        }
    }

    /// The name of a connection's edges.
    pub(crate) fn edge_of(&'static self, connection: &str) -> &'static str {
        self.field(connection, "edges").map_or("", |edges| edges.of.name())
    }

    /// Whether it is made of fields.
    pub(crate) fn is_composite(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Type::Object { .. } | Type::Interface { .. } | Type::Union(_)))
    }

    /// Whether an object of type `object` is a `condition`: itself, one of its interfaces, or a union that has it.
    pub(crate) fn is_a(&self, object: &str, condition: &str) -> bool {
        if object == condition {
            return true;
        }
        match (self.get(object), self.get(condition)) {
            (_, Some(Type::Union(members))) => members.iter().any(|member| member == object),
            (Some(Type::Object { interfaces, .. }), Some(Type::Interface { .. })) => {
                interfaces.iter().any(|known| known == condition)
            }
            _ => false,
        }
    }

    /// Whether some object can be both.
    pub(crate) fn overlap(&self, one: &str, other: &str) -> bool {
        let objects = self.types.iter().filter(|(_, of)| matches!(of, Type::Object { .. }));
        objects.into_iter().any(|(name, _)| self.is_a(name, one) && self.is_a(name, other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_the_schema_names_is_there() {
        let schema = schema();
        let known = |of: &TypeRef| assert!(schema.get(of.name()).is_some(), "{of}");
        for of in schema.types.values() {
            match of {
                Type::Object { fields, .. } | Type::Interface { fields } => {
                    for field in fields.values() {
                        known(&field.of);
                        field.arguments.values().for_each(|argument| known(&argument.of));
                    }
                }
                Type::Union(members) => members.iter().for_each(|name| assert!(schema.get(name).is_some(), "{name}")),
                Type::Input(fields) => fields.values().for_each(|field| known(&field.of)),
                Type::Scalar | Type::Enum(_) => {}
            }
        }
    }

    #[test]
    fn every_object_has_the_fields_of_its_interfaces() {
        let schema = schema();
        for (name, of) in &schema.types {
            let Type::Object { fields, interfaces } = of else { continue };
            for interface in interfaces {
                let Some(Type::Interface { fields: promised }) = schema.get(interface) else {
                    panic!("{name}: no interface {interface}")
                };
                promised
                    .keys()
                    .for_each(|field| assert!(fields.contains_key(field), "{name} lacks {field} of {interface}"));
            }
        }
    }
}
