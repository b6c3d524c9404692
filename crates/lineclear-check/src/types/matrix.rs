//! `matrix`: the keys and values of a job's matrix, as far as they are written out.

use lineclear_expr::Template;
use lineclear_source::Source;
use lineclear_workflow::{Job, Text, TextTree};

use super::{Origin, Property, Type};

/// Gives the type of an expression that stands in the matrix itself.
pub(super) type TypeOf<'t, 'a> = &'t mut dyn FnMut(&'a Text) -> Type;

/// `matrix` of a job.
pub(super) fn matrix<'a>(source: &Source, job: &'a Job, type_of: TypeOf<'_, 'a>) -> Type {
    let Some(strategy) = &job.strategy else { return Type::strict(Origin::Matrix, Vec::new()) };
    if strategy.expression.is_some() {
        return open();
    }
    match &strategy.matrix {
        // It is there, but could not be read.
        None if source.slice(strategy.span).contains("matrix") => open(),
        None => Type::strict(Origin::Matrix, Vec::new()),
        Some(TextTree::Mapping(entries)) => of_mapping(&entries.value, type_of),
        Some(TextTree::Scalar(text)) => match type_of(text) {
            Type::Object(object) if object.rest.is_none() => of_value(&object.properties),
            _ => open(),
        },
        Some(TextTree::Sequence(_)) => open(),
    }
}

fn open() -> Type {
    Type::open(Origin::Matrix, Vec::new(), Type::Any)
}

fn of_mapping<'a>(entries: &'a [(Text, TextTree)], type_of: TypeOf<'_, 'a>) -> Type {
    let mut properties: Vec<Property> = Vec::new();
    let mut is_open = false;
    for (key, value) in entries {
        match key.raw() {
            "exclude" => {}
            "include" => is_open |= !include(value, &mut properties, type_of),
            _ if key.template.as_literal().is_none() || key.is_insert() => is_open = true,
            name => {
                let kind = match value {
                    TextTree::Sequence(items) => Type::union(items.value.iter().map(|item| of_tree(item, type_of))),
                    TextTree::Scalar(text) => element(type_of(text)),
                    TextTree::Mapping(_) => Type::Any,
                };
                add(&mut properties, name, kind);
            }
        }
    }
    let rest = is_open.then_some(Type::Any);
    Type::Object(super::ObjectType { properties, rest, origin: Origin::Matrix }.into())
}

/// Adds what the rows of `include` have; says whether that is all they can have.
fn include<'a>(value: &'a TextTree, properties: &mut Vec<Property>, type_of: TypeOf<'_, 'a>) -> bool {
    let rows = match value {
        TextTree::Sequence(rows) => &rows.value,
        TextTree::Scalar(text) => {
            return match type_of(text) {
                Type::Array(row) => add_row_type(&row, properties),
                _ => false,
            };
        }
        TextTree::Mapping(_) => return false,
    };
    let mut is_all = true;
    for row in rows {
        match row {
            TextTree::Mapping(entries) => {
                for (key, value) in &entries.value {
                    if key.template.as_literal().is_none() || key.is_insert() {
                        is_all = false;
                    } else {
                        add(properties, key.raw(), of_tree(value, type_of));
                    }
                }
            }
            TextTree::Scalar(text) => is_all &= add_row_type(&type_of(text), properties),
            TextTree::Sequence(_) => is_all = false,
        }
    }
    is_all
}

fn add_row_type(row: &Type, properties: &mut Vec<Property>) -> bool {
    match row {
        Type::Object(object) if object.rest.is_none() => {
            for property in &object.properties {
                add(properties, &property.name, property.kind.clone());
            }
            true
        }
        _ => false,
    }
}

/// A matrix that is one value: `fromJSON('{"os": […]}')`.
fn of_value(entries: &[Property]) -> Type {
    let mut properties = Vec::new();
    let mut is_all = true;
    for entry in entries {
        match &*entry.name {
            "exclude" => {}
            "include" => match &entry.kind {
                Type::Array(row) => is_all &= add_row_type(row, &mut properties),
                _ => is_all = false,
            },
            name => add(&mut properties, name, element(entry.kind.clone())),
        }
    }
    let rest = (!is_all).then_some(Type::Any);
    Type::Object(super::ObjectType { properties, rest, origin: Origin::Matrix }.into())
}

fn element(kind: Type) -> Type {
    if let Type::Array(items) = kind { (*items).clone() } else { Type::Any }
}

fn add(properties: &mut Vec<Property>, name: &str, kind: Type) {
    match properties.iter_mut().find(|own| own.name.eq_ignore_ascii_case(name)) {
        Some(own) => own.kind = own.kind.clone().or(kind),
        None => properties.push(Property::new(name.to_owned(), kind)),
    }
}

fn of_tree<'a>(tree: &'a TextTree, type_of: TypeOf<'_, 'a>) -> Type {
    match tree {
        TextTree::Scalar(text) => match &text.template {
            Template::Literal(value) => Type::of_value(value),
            Template::Expression(_) => type_of(text),
            Template::Mixed(_) => Type::String,
        },
        TextTree::Sequence(items) => Type::array(Type::union(items.value.iter().map(|item| of_tree(item, type_of)))),
        TextTree::Mapping(entries) => {
            let is_open = entries.value.iter().any(|(key, _)| key.template.as_literal().is_none() || key.is_insert());
            let mut properties = Vec::new();
            for (key, value) in &entries.value {
                add(&mut properties, key.raw(), of_tree(value, type_of));
            }
            let rest = is_open.then_some(Type::Any);
            Type::Object(super::ObjectType { properties, rest, origin: Origin::MatrixValue }.into())
        }
    }
}
