//! The expression language of GitHub Actions: everything between `${{` and `}}`, and every `if:`.
//!
//! [`Expr::parse`] reads an expression, [`Expr::evaluate`] gives its [`Value`] in a [`Scope`], [`Template`] is text that
//! holds expressions. Which contexts may stand at a place is the [`Allowed`] of that place.
//! This crate reads no file and no environment: what it needs to know it asks of the scope.

mod allowed;
mod error;
mod expr;
mod scope;
mod template;
mod value;

pub use allowed::Allowed;
pub use error::{EvaluateError, ParseError};
pub use expr::{Explanation, Expr};
pub use scope::{MapScope, Scope, StatusFunction};
pub use template::{Template, TemplatePart};
pub use value::{Object, Value};
