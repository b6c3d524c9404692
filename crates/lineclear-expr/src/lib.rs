//! The expression language of GitHub Actions: everything between `${{` and `}}`, and every `if:`.
//!
//! [`Expr::parse`] reads an expression, [`Expr::evaluate`] gives its [`Value`] in a [`Scope`], [`Template`] is text that
//! holds expressions. Which contexts may stand at a place is the [`Allowed`] of that place.
//! This crate reads no file and no environment: what it needs to know it asks of the scope.
#![warn(missing_docs)]

mod allowed;
mod ast;
mod error;
mod evaluate;
mod explain;
mod expr;
mod fold;
mod function;
mod functions;
mod json;
mod known;
mod lexer;
mod memory;
mod near;
mod number;
mod object;
mod parser;
mod scope;
mod template;
mod tree;
mod value;

pub mod batch;
pub mod glob;

pub use allowed::Allowed;
pub use ast::{Comparison, Node, NodeKind, Reference, Segment};
pub use error::{EvaluateError, ParseError};
pub use explain::Explanation;
pub use expr::Expr;
pub use function::{Function, MAX_ARGUMENTS};
pub use known::CONTEXTS;
pub use memory::{EXPRESSION_BYTES, TEMPLATE_BYTES};
pub use object::Object;
pub use parser::{MAX_DEPTH, MAX_LENGTH};
pub use scope::{MapScope, Scope, StatusFunction};
pub use template::{Template, TemplatePart};
pub use value::{Value, ValueKind};
