//! The expression language of GitHub Actions: everything between `${{` and `}}`, and every `if:`.
//!
//! [`Expr::parse`] reads an expression, [`Expr::evaluate`] gives its [`Value`] in a [`Scope`], [`Template`] is text that
//! holds expressions. Which contexts may stand at a place is the [`Allowed`] of that place.
//! This crate reads no file and no environment: what it needs to know it asks of the scope.
//!
//! ```
//! use lineclear_expr::{Allowed, Expr, MapScope, Template, Value};
//!
//! let github = serde_json::json!({ "ref": "refs/heads/feature/x", "run_number": 7 });
//! let mut scope = MapScope::default();
//! scope.contexts.insert("github".to_owned(), Value::from_json(&github));
//!
//! // An expression, and why it came out as it did.
//! let expr = Expr::parse("github.ref == 'refs/heads/main'", Some(&Allowed::STEP_RUN)).expect("it is well formed");
//! assert_eq!(expr.evaluate(&scope), Ok(Value::Bool(false)));
//! let explanation = expr.explain(&scope).expect("nothing in it can fail");
//! assert_eq!(
//!     explanation.sentence(expr.text()),
//!     "`github.ref == 'refs/heads/main'` is false: github.ref = refs/heads/feature/x"
//! );
//!
//! // One expression keeps its type; text around it makes a text of it.
//! let number = Template::parse("${{ github.run_number }}", None).expect("it is well formed");
//! assert_eq!(number.evaluate(&scope), Ok(Value::Number(7.0)));
//! let title = Template::parse("run ${{ github.run_number }}", None).expect("it is well formed");
//! assert_eq!(title.evaluate(&scope), Ok(Value::string("run 7")));
//!
//! // All faults at once, each with its place.
//! let errors = Expr::parse("gihub.ref == secrets.KEY", Some(&Allowed::STEP_IF)).expect_err("two names are not known");
//! assert_eq!(errors[0].message, "Unrecognized named-value: 'gihub'; did you mean `github`?");
//! assert_eq!(errors[1].span.range(), 13..20);
//! ```
//!
//! The way of a text: `lexer` (tokens) → `parser` (a tree, without recursion) → `evaluate` with `functions`, `fold`
//! (comparing text) and `number` (text and numbers). `ast` shows the tree to others, `explain` says what decided and `sentence` puts it into words, `glob`
//! has the patterns of `hashFiles`, and `batch` answers JSON lines.
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
mod number;
mod object;
mod parser;
mod print;
mod scope;
mod sentence;
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
pub use sentence::Wording;
pub use template::{Template, TemplatePart};
pub use value::{Value, ValueKind};
