//! The query language: documents as values, with the places where everything stood.
//!
//! Start at [`parse`]. Written after the GraphQL specification of October 2021, sections 2.1 to 2.12.

mod document;
mod lexer;
mod parser;

pub(crate) use document::{
    Directive, Document, Field, Fragment, Input, Operation, OperationKind, Position, Selection, TypeRef,
    VariableDefinition,
};
pub(crate) use lexer::{SyntaxError, Token, TokenKind, tokens};
pub(crate) use parser::{Parser, parse};
