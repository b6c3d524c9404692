//! Scalars and trees that may hold expressions.

use std::sync::Arc;

use lineclear_expr::{Allowed, Expr, ParseError, Template, Value};
use lineclear_source::{Diagnostic, Span, Spanned};
use lineclear_yaml::{Entry, Node, Scalar};

use super::Reader;
use super::scalar::{as_bool, as_number, has_expression, text_of, value_of};
use crate::{Condition, Env, INSERT, Text, TextTree, code};

impl Reader {
    /// A scalar that may hold expressions. A literal keeps its YAML type.
    pub(super) fn text(&mut self, node: &Node, place: &str, allowed: &Allowed) -> Option<Text> {
        match node {
            Node::Scalar(scalar) => self.scalar_text(scalar, allowed),
            _ => {
                self.wrong_type(node, place, "a string");
                None
            }
        }
    }

    /// As [`Self::text`], of an entry whose name messages call the place by.
    pub(super) fn value_text(&mut self, entry: &Entry, what: &str, allowed: &Allowed) -> Option<Text> {
        match &entry.value {
            // Nearly always; what messages would say need not be put together.
            Node::Scalar(scalar) => self.scalar_text(scalar, allowed),
            node => self.text(node, &format!("{what}`{}`", entry.key.text), allowed),
        }
    }

    pub(super) fn scalar_text(&mut self, scalar: &Arc<Scalar>, allowed: &Allowed) -> Option<Text> {
        let template = if has_expression(&scalar.text) {
            match Template::parse(&scalar.text, Some(allowed)) {
                Ok(template) => template,
                Err(errors) => {
                    self.expression_errors(scalar, errors);
                    return None;
                }
            }
        } else {
            Template::Literal(value_of(scalar))
        };
        Some(Text { template, scalar: Arc::clone(scalar) })
    }

    /// A text that is neither null nor literally empty.
    pub(super) fn filled_text(&mut self, node: &Node, place: &str, allowed: &Allowed) -> Option<Text> {
        let text = self.text(node, place, allowed)?;
        if text.scalar.text.is_empty() || node.is_null() {
            self.error(code::INVALID_VALUE, node.span(), format!("{place} must not be empty"));
            return None;
        }
        Some(text)
    }

    /// `true`, `false` or an expression.
    pub(super) fn bool_text(&mut self, node: &Node, place: &str, allowed: &Allowed) -> Option<Text> {
        self.typed_text(node, place, "true, false or an expression", allowed, |scalar| as_bool(scalar).map(Value::Bool))
    }

    /// A number or an expression.
    pub(super) fn number_text(&mut self, node: &Node, place: &str, allowed: &Allowed) -> Option<Text> {
        let wanted = "a number or an expression";
        let text = self.typed_text(node, place, wanted, allowed, |scalar| as_number(scalar).map(Value::Number))?;
        if let Some(Value::Number(number)) = text.template.as_literal()
            && (*number <= 0.0 || !number.is_finite())
        {
            // No time at all is odd; a negative time, and no job at once, stop the run.
            let message = format!("{place} should be greater than 0");
            match *number < 0.0 || place == "`max-parallel`" {
                true => self.error(code::INVALID_VALUE, text.span(), message),
                false => self.warning(code::INVALID_VALUE, text.span(), message),
            }
        }
        Some(text)
    }

    fn typed_text(
        &mut self,
        node: &Node,
        place: &str,
        wanted: &str,
        allowed: &Allowed,
        literal: impl FnOnce(&Scalar) -> Option<Value>,
    ) -> Option<Text> {
        match node {
            Node::Scalar(scalar) if has_expression(&scalar.text) => self.scalar_text(scalar, allowed),
            Node::Scalar(scalar) if let Some(value) = literal(scalar) => {
                Some(Text { template: Template::Literal(value), scalar: Arc::clone(scalar) })
            }
            _ => {
                self.wrong_type(node, place, wanted);
                None
            }
        }
    }

    /// One text or a sequence of texts. A single expression may turn out to be a sequence.
    pub(super) fn texts(&mut self, node: &Node, place: &str, allowed: &Allowed) -> Option<Vec<Text>> {
        match node {
            Node::Sequence { items, .. } => {
                let item_place = format!("an item of {place}");
                let mut texts = Vec::with_capacity(items.len());
                texts.extend(items.iter().filter_map(|item| self.filled_text(item, &item_place, allowed)));
                Some(texts)
            }
            Node::Scalar(_) => Some(vec![self.filled_text(node, place, allowed)?]),
            Node::Mapping { .. } => {
                self.wrong_type(node, place, "a string or a sequence of strings");
                None
            }
        }
    }

    /// The text of an `if`.
    pub(super) fn condition(&mut self, node: &Node, allowed: &Allowed) -> Option<Condition> {
        self.condition_read_by(node, |text| Expr::parse_condition(text, Some(allowed)))
    }

    /// `pre-if` and `post-if`: evaluated as they are, without an implicit `success()`.
    pub(super) fn stage_condition(&mut self, node: &Node, allowed: &Allowed) -> Option<Condition> {
        self.condition_read_by(node, |text| Expr::parse_plain_condition(text, Some(allowed)))
    }

    fn condition_read_by(
        &mut self,
        node: &Node,
        parse: impl FnOnce(&str) -> Result<Expr, Vec<ParseError>>,
    ) -> Option<Condition> {
        let Some(scalar) = node.as_scalar() else {
            self.wrong_type(node, "`if`", "an expression");
            return None;
        };
        let text = text_of(scalar);
        match parse(&text) {
            Ok(expr) => {
                self.warn_of_mixed_text(scalar, &text);
                Some(Condition { expr, scalar: Arc::clone(scalar) })
            }
            Err(errors) => {
                self.condition_errors(scalar, errors);
                None
            }
        }
    }

    /// Text around `${{ }}` makes a condition a string, and a string is true unless it is empty.
    fn warn_of_mixed_text(&mut self, scalar: &Scalar, text: &str) {
        if !has_expression(text) || !matches!(Template::parse(text, None), Ok(Template::Mixed(_))) {
            return;
        }
        let message = "this condition is always true: text around `${{ }}` makes it a string";
        let help = if text.trim_end().len() < text.len() && text.trim().ends_with("}}") {
            "remove `${{` and `}}`; the line break at the end of a block counts as text, too"
        } else {
            "put the whole condition inside of one `${{ }}`, or leave `${{` and `}}` out"
        };
        self.report(Diagnostic::warning(code::IF_ALWAYS_TRUE, message).at(scalar.span).help(help));
    }

    fn condition_errors(&mut self, scalar: &Scalar, errors: Vec<ParseError>) {
        let names_secrets = |error: &ParseError| {
            let part = scalar.text.get(error.span.range()).unwrap_or_default();
            is_about_a_name(error) && part.eq_ignore_ascii_case("secrets")
        };
        let (secrets, others): (Vec<_>, Vec<_>) = errors.into_iter().partition(names_secrets);
        for error in secrets {
            let message = "a condition cannot read secrets";
            self.report(
                Diagnostic::error(code::SECRETS_IN_IF, message)
                    .at(place_in(scalar, error.span))
                    .help("put the secret into `env` of the job, and test `env.NAME != ''` in the `if` of a step"),
            );
        }
        self.expression_errors(scalar, others);
    }

    fn expression_errors(&mut self, scalar: &Scalar, errors: Vec<ParseError>) {
        for error in errors {
            let code = if is_about_a_name(&error) { code::EXPRESSION_CONTEXT } else { code::EXPRESSION_SYNTAX };
            self.error(code, place_in(scalar, error.span), error.message);
        }
    }

    /// An `env` block: names and values, or an expression that gives an object.
    pub(super) fn env(&mut self, node: &Node, allowed: &Allowed) -> Option<Env> {
        match node {
            Node::Scalar(scalar) if has_expression(&scalar.text) => {
                self.scalar_text(scalar, allowed).map(Env::Expression)
            }
            _ => {
                let fields = self.mapping(node, "`env`")?;
                let names = fields.entries().iter().filter_map(|entry| {
                    let name = self.key_text(&entry.key, allowed);
                    let value = self.value_text(entry, "", allowed);
                    Some((name?, value?))
                });
                Some(Env::Names(names.collect()))
            }
        }
    }

    /// A key that may hold expressions, or be `${{ insert }}`.
    fn key_text(&mut self, key: &Arc<Scalar>, allowed: &Allowed) -> Option<Text> {
        if is_insert(&key.text) {
            return Some(Text { template: Template::Literal(Value::string(INSERT)), scalar: Arc::clone(key) });
        }
        self.scalar_text(key, allowed)
    }

    /// The keys and values of `with` of a step: like `env`, but the keys are kept as they are written.
    ///
    /// A block that is one expression is the same as `${{ insert }}` with that expression as its value.
    pub(super) fn with(&mut self, node: &Node, allowed: &Allowed) -> Vec<(Spanned<String>, Text)> {
        if let Node::Scalar(scalar) = node
            && has_expression(&scalar.text)
        {
            let insert = Spanned::new(INSERT.to_owned(), scalar.span);
            return self.scalar_text(scalar, allowed).map(|text| (insert, text)).into_iter().collect();
        }
        let Some(fields) = self.mapping(node, "`with`") else { return Vec::new() };
        let read = |entry: &Entry| {
            let key = self.key_text(&entry.key, allowed);
            let value = self.value_text(entry, "", allowed);
            let name = if is_insert(&entry.key.text) { INSERT.to_owned() } else { text_of(&entry.key) };
            key.zip(value).map(|(key, value)| (Spanned::new(name, key.span()), value))
        };
        fields.entries().iter().filter_map(read).collect()
    }

    /// A value of any shape. The depth is bounded by that of the YAML.
    pub(super) fn tree(&mut self, node: &Node, allowed: &Allowed) -> Option<TextTree> {
        Some(match node {
            Node::Scalar(scalar) => TextTree::Scalar(self.scalar_text(scalar, allowed)?),
            Node::Sequence { items, span } => {
                let items = items.iter().filter_map(|item| self.tree(item, allowed)).collect();
                TextTree::Sequence(Spanned::new(items, *span))
            }
            Node::Mapping { entries, span } => {
                let entries = entries.iter().filter_map(|entry| {
                    let key = self.key_text(&entry.key, allowed);
                    let value = self.tree(&entry.value, allowed);
                    Some((key?, value?))
                });
                TextTree::Mapping(Spanned::new(entries.collect(), *span))
            }
        })
    }
}

/// Whether a key is the directive that merges an object's pairs into the mapping around it.
fn is_insert(key: &str) -> bool {
    let inner = key.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    inner.is_some_and(|inner| inner.trim() == "insert")
}

/// Whether the expression is sound but for a name that is not known, or not known here.
fn is_about_a_name(error: &ParseError) -> bool {
    error.words.starts_with("Unrecognized ")
}

/// Where in the file a part of a scalar's text stands.
fn place_in(scalar: &Scalar, part: Span) -> Span {
    scalar.span_of(part.range())
}
