//! `strategy` and the shape of its matrix. What it expands to is the planner's part.

use lineclear_expr::{Allowed, Value};
use lineclear_source::{Diagnostic, Span};
use lineclear_yaml::{Entry, Node};

use super::scalar::has_expression;
use super::{Reader, keys};
use crate::{Strategy, TextTree, code};

impl Reader {
    pub(super) fn strategy(&mut self, node: &Node) -> Option<Strategy> {
        if let Node::Scalar(scalar) = node
            && has_expression(&scalar.text)
        {
            let expression = Some(self.scalar_text(scalar, &Allowed::JOB_STRATEGY)?);
            return Some(Strategy { matrix: None, fail_fast: None, max_parallel: None, expression, span: scalar.span });
        }
        let fields = self.fields(node, "`strategy`", &keys::STRATEGY)?;
        let matrix = fields.get("matrix").and_then(|node| self.matrix(node));
        let fail_fast =
            fields.get("fail-fast").and_then(|node| self.bool_text(node, "`fail-fast`", &Allowed::JOB_STRATEGY));
        let max_parallel = fields
            .get("max-parallel")
            .and_then(|node| self.number_text(node, "`max-parallel`", &Allowed::JOB_STRATEGY));
        if let Some(text) = &max_parallel
            && let Some(Value::Number(number)) = text.template.as_literal()
            && number.fract() != 0.0
        {
            let message = format!("`max-parallel` is a number of jobs, and `{}` is not whole", text.raw());
            self.warning(code::INVALID_VALUE, text.span(), message);
        }
        Some(Strategy { matrix, fail_fast, max_parallel, expression: None, span: fields.span })
    }

    fn matrix(&mut self, node: &Node) -> Option<TextTree> {
        match node {
            Node::Scalar(scalar) if has_expression(&scalar.text) => {}
            _ => {
                let fields = self.mapping(node, "`matrix`")?;
                if fields.entries().is_empty() {
                    self.no_matrix(fields.span);
                }
                let names = vector_names(fields.entries());
                for entry in fields.entries() {
                    self.check_matrix_entry(entry, names.as_deref());
                }
            }
        }
        self.tree(node, &Allowed::JOB_STRATEGY)
    }

    fn check_matrix_entry(&mut self, entry: &Entry, vectors: Option<&[&str]>) {
        let name = entry.key.text.as_str();
        match &entry.value {
            Node::Scalar(scalar) if has_expression(&scalar.text) => {}
            Node::Sequence { items, .. } => match name {
                "include" => items.iter().for_each(|item| self.check_combination(item, name, None)),
                "exclude" => items.iter().for_each(|item| self.check_combination(item, name, vectors)),
                _ if items.is_empty() => {
                    let message = format!("`{name}` of the matrix is empty, so there would be no job");
                    self.error(code::MATRIX_SHAPE, entry.value.span(), message);
                }
                _ => {}
            },
            Node::Scalar(_) | Node::Mapping { .. } => {
                let found = if entry.value.is_null() { "nothing" } else { entry.value.kind() };
                let message = format!("expected a sequence or an expression for `{name}` of the matrix, found {found}");
                let diagnostic = Diagnostic::error(code::MATRIX_SHAPE, message).at(entry.value.span());
                self.report(match entry.value.as_scalar() {
                    Some(scalar) if !scalar.is_null() => diagnostic.help(format!("write `{name}: [{}]`", scalar.text)),
                    _ => diagnostic,
                });
            }
        }
    }

    /// An item of `include` or `exclude`.
    fn check_combination(&mut self, item: &Node, list: &str, vectors: Option<&[&str]>) {
        match item {
            Node::Scalar(scalar) if has_expression(&scalar.text) => {}
            Node::Mapping { entries, span } => {
                if list == "exclude" && entries.is_empty() {
                    self.error(code::MATRIX_SHAPE, *span, "an item of `exclude` must name at least one key");
                }
                let Some(vectors) = vectors else { return };
                for entry in entries.iter() {
                    let name = &entry.key.text;
                    if !has_expression(name) && !vectors.iter().any(|vector| vector.eq_ignore_ascii_case(name)) {
                        let message = format!("`{name}` cannot be excluded: the matrix has no such key");
                        self.error(code::MATRIX_SHAPE, entry.key.span, message);
                    }
                }
            }
            Node::Scalar(_) | Node::Sequence { .. } => {
                let message = format!("expected a mapping for an item of `{list}`, found {}", item.kind());
                self.error(code::MATRIX_SHAPE, item.span(), message);
            }
        }
    }

    fn no_matrix(&mut self, span: Span) {
        self.error(code::MATRIX_SHAPE, span, "the matrix needs at least one key with values, or `include`");
    }
}

/// The names of all vectors, unless an `${{ insert }}` brings in others.
fn vector_names(entries: &[Entry]) -> Option<Vec<&str>> {
    if entries.iter().any(|entry| has_expression(&entry.key.text)) {
        return None;
    }
    let names = entries.iter().map(|entry| entry.key.text.as_str());
    Some(names.filter(|name| !matches!(*name, "include" | "exclude")).collect())
}
