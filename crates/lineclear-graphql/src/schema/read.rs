//! Reads the schema's text.

use std::collections::BTreeMap;

use super::{FieldDefinition, InputDefinition, Schema, Type};
use crate::language::{Parser, SyntaxError};

type Read<T> = Result<T, SyntaxError>;

pub(super) fn read(text: &str) -> Read<Schema> {
    let mut parser = Parser::new(text)?;
    let mut types = BTreeMap::new();
    while !parser.is_at_end() {
        let kind = parser.name()?;
        let name = parser.name()?;
        let of = match kind.as_str() {
            "scalar" => Type::Scalar,
            "enum" => Type::Enum(enum_values(&mut parser)?),
            "union" => Type::Union(members(&mut parser)?),
            "input" => Type::Input(inputs(&mut parser, '{', '}')?),
            "interface" => Type::Interface { fields: fields(&mut parser)? },
            "type" => {
                let interfaces = if parser.eat_word("implements") { separated(&mut parser, '&')? } else { Vec::new() };
                Type::Object { interfaces, fields: fields(&mut parser)? }
            }
            _ => return Err(parser.error("expected a kind of type")),
        };
        if types.insert(name, of).is_some() {
            return Err(parser.error("a type stands twice, before this"));
        }
    }
    Ok(Schema { types })
}

fn separated(parser: &mut Parser, mark: char) -> Read<Vec<String>> {
    let mut names = vec![parser.name()?];
    while parser.eat(mark) {
        names.push(parser.name()?);
    }
    Ok(names)
}

fn members(parser: &mut Parser) -> Read<Vec<String>> {
    parser.expect('=')?;
    separated(parser, '|')
}

fn enum_values(parser: &mut Parser) -> Read<Vec<String>> {
    parser.expect('{')?;
    let mut values = Vec::new();
    while !parser.eat('}') {
        values.push(parser.name()?);
    }
    Ok(values)
}

fn fields(parser: &mut Parser) -> Read<BTreeMap<String, FieldDefinition>> {
    parser.expect('{')?;
    let mut fields = BTreeMap::new();
    while !parser.eat('}') {
        let name = parser.name()?;
        let arguments = inputs(parser, '(', ')')?;
        parser.expect(':')?;
        let field = FieldDefinition { arguments, of: parser.type_ref()? };
        fields.insert(name, field);
    }
    Ok(fields)
}

fn inputs(parser: &mut Parser, open: char, close: char) -> Read<BTreeMap<String, InputDefinition>> {
    let mut inputs = BTreeMap::new();
    if !parser.eat(open) {
        return Ok(inputs);
    }
    while !parser.eat(close) {
        let name = parser.name()?;
        parser.expect(':')?;
        let of = parser.type_ref()?;
        let default = parser.eat('=').then(|| parser.value()).transpose()?;
        inputs.insert(name, InputDefinition { of, default });
    }
    Ok(inputs)
}
