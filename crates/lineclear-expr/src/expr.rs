//! A parsed expression.

use std::sync::Arc;

use lineclear_source::Span;

use crate::explain::{self, Explanation};
use crate::known::Known;
use crate::memory::{EXPRESSION_BYTES, TEMPLATE_BYTES};
use crate::parser::{check_depth, check_length, parse_into};
use crate::template::{Segment, segments};
use crate::tree::{Kind, NodeId, Tree};
use crate::{Allowed, EvaluateError, Function, Node, NodeKind, ParseError, Scope, StatusFunction, Value, evaluate};

/// A parsed expression with the spans of all its parts.
#[derive(Clone, Debug)]
pub struct Expr {
    /// The whole text that the parser was given.
    source: Arc<str>,
    /// Where the expression is in it.
    range: Span,
    tree: Tree,
    root: NodeId,
    /// Whether `success()` comes first, as in an `if` that calls no status function.
    guarded: bool,
    /// What its values may take, in bytes.
    memory: usize,
}

impl Expr {
    /// Reads one expression, the text between `${{` and `}}`. Spans count bytes from the start of `text`.
    ///
    /// `allowed` says what may be named; `None` allows every context and function there is.
    ///
    /// # Errors
    /// Every name that is not known and every wrong number of arguments up to the first fault of syntax, and that. The
    /// first is the one that GitHub would report.
    pub fn parse(text: &str, allowed: Option<&Allowed>) -> Result<Self, Vec<ParseError>> {
        Self::parse_known(text, &Known::new(allowed))
    }

    /// Reads one expression that may name these contexts, in whatever case, and every function.
    ///
    /// # Errors
    /// As [`Expr::parse`].
    pub fn parse_with_contexts(text: &str, contexts: &[String]) -> Result<Self, Vec<ParseError>> {
        Self::parse_known(text, &Known::Contexts(contexts))
    }

    fn parse_known(text: &str, known: &Known<'_>) -> Result<Self, Vec<ParseError>> {
        check_length(text).map_err(|error| vec![error])?;
        Self::parse_part(&Arc::from(text), Span::new(0, text.len()), known)
    }

    /// Reads the expression at `range` of `source`, whose length was checked.
    pub(crate) fn parse_part(source: &Arc<str>, range: Span, known: &Known<'_>) -> Result<Self, Vec<ParseError>> {
        let mut tree = Tree::default();
        let mut errors = Vec::new();
        let root = parse_into(&mut tree, source, range.range(), known, &mut errors);
        let root = finish(&tree, root, range, errors)?;
        let source = Arc::clone(source);
        Ok(Self { source, range, tree, root, guarded: false, memory: EXPRESSION_BYTES })
    }

    /// Reads the text of an `if:` key: with or without `${{ }}`; mixed text is a string, always true unless empty.
    ///
    /// The value is that of `success() && (…)` unless a status function is called anywhere in it, or cannot be called at
    /// this place; an empty text is `success()`.
    ///
    /// # Errors
    /// As [`Expr::parse`].
    pub fn parse_condition(text: &str, allowed: Option<&Allowed>) -> Result<Self, Vec<ParseError>> {
        let known = Known::new(allowed);
        let may_ask = known.has_function(Function::Status(StatusFunction::Success));
        if text.trim().is_empty() {
            check_length(text).map_err(|error| vec![error])?;
            // `success()`, or nothing in the way where that cannot be asked.
            let kind = if may_ask {
                Kind::Call(Function::Status(StatusFunction::Success))
            } else {
                Kind::Literal(true.into())
            };
            let range = Span::new(0, text.len());
            let mut tree = Tree::default();
            let root = tree.leaf(kind, range);
            return Ok(Self { source: text.into(), range, tree, root, guarded: false, memory: TEMPLATE_BYTES });
        }
        let mut expr = Self::parse_bare_condition(text, &known)?;
        expr.guarded = may_ask && !expr.calls_status_function();
        Ok(expr)
    }

    /// Reads the text of a condition that nothing comes in front of, such as the `pre-if` and `post-if` of an action: with
    /// or without `${{ }}`, mixed text being a string, as in [`Expr::parse_condition`].
    ///
    /// # Errors
    /// As [`Expr::parse`]; an empty text is one.
    pub fn parse_plain_condition(text: &str, allowed: Option<&Allowed>) -> Result<Self, Vec<ParseError>> {
        Self::parse_bare_condition(text, &Known::new(allowed))
    }

    fn parse_bare_condition(text: &str, known: &Known<'_>) -> Result<Self, Vec<ParseError>> {
        check_length(text).map_err(|error| vec![error])?;
        let mut range = Span::new(0, text.len());
        let mut tree = Tree::default();
        let mut errors = Vec::new();
        let root = if text.contains("${{") {
            let segments = segments(text).map_err(|error| vec![error])?;
            if let [only] = &segments[..] {
                range = only.span;
            }
            parse_segments(&mut tree, text, &segments, known, &mut errors)
        } else {
            parse_into(&mut tree, text, range.range(), known, &mut errors)
        };
        let root = finish(&tree, root, range, errors)?;
        Ok(Self { source: text.into(), range, tree, root, guarded: false, memory: TEMPLATE_BYTES })
    }

    /// The text as it was written: what the parser was given, or what is between `${{` and `}}` of a template.
    pub fn text(&self) -> &str {
        self.slice(self.range)
    }

    /// Where the expression is in the text that the parser was given; that of a template, if it is part of one.
    pub fn span(&self) -> Span {
        self.range
    }

    fn slice(&self, span: Span) -> &str {
        self.source.get(span.range()).unwrap_or_default()
    }

    /// The syntax tree, without the `success()` that a condition may have in front.
    pub fn root(&self) -> Node<'_> {
        Node { tree: &self.tree, id: self.root }
    }

    /// The text of a part of this expression as it was written.
    pub fn text_of(&self, node: Node<'_>) -> &str {
        self.slice(node.span())
    }

    /// Whether `success() &&` stands in front of it although nobody wrote that.
    pub fn is_guarded(&self) -> bool {
        self.guarded
    }

    /// Whether `success`, `failure`, `always` or `cancelled` is called anywhere in it.
    pub fn calls_status_function(&self) -> bool {
        self.root().walk().any(|node| matches!(node.kind(), NodeKind::Call { function: Function::Status(_), .. }))
    }

    /// The value in a scope.
    ///
    /// # Errors
    /// A function that cannot do what it is asked to, a context or function that the scope does not have, or a value that
    /// takes more memory than is allowed: 1 MiB for an expression by itself, 10 MiB in a template or condition.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, EvaluateError> {
        if self.guarded && !self.guard_holds(scope)? {
            return Ok(Value::Bool(false));
        }
        evaluate::evaluate(&self.tree, self.root, scope, self.memory)
    }

    fn guard_holds(&self, scope: &dyn Scope) -> Result<bool, EvaluateError> {
        scope
            .status(StatusFunction::Success, &[])
            .ok_or_else(|| EvaluateError::new("`success` is not available here", self.range))
    }

    /// Evaluates, and says which parts decided.
    ///
    /// # Errors
    /// As [`Expr::evaluate`].
    pub fn explain(&self, scope: &dyn Scope) -> Result<Explanation, EvaluateError> {
        if self.guarded && !self.guard_holds(scope)? {
            let parts = vec![("success()".to_owned(), Value::Bool(false))];
            return Ok(Explanation { value: Value::Bool(false), parts, secret: false });
        }
        let (value, record) = evaluate::evaluate_recorded(&self.tree, self.root, scope, self.memory)?;
        let parts = explain::deciding_parts(self.root(), &record, |span| self.slice(span));
        // Neither a boolean nor nothing is a secret, wherever it comes from.
        let secret = !matches!(value, Value::Bool(_) | Value::Null) && explain::shows_secret(self.root());
        Ok(Explanation { value, parts, secret })
    }

    /// Lower-case names of the contexts that the expression mentions, each once, in the order of the text.
    pub fn contexts(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for node in self.root().walk() {
            if let NodeKind::Context(name) = node.kind()
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// The same expression with more or less memory for its values.
    pub(crate) fn with_memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }
}

/// Reads text with `${{ }}` in it to what the runner makes of it: the one expression, or all parts joined.
fn parse_segments(
    tree: &mut Tree,
    text: &str,
    segments: &[Segment],
    known: &Known<'_>,
    errors: &mut Vec<ParseError>,
) -> Option<NodeId> {
    let mut parts = Vec::new();
    for segment in segments {
        if segment.is_expression {
            parts.extend(parse_into(tree, text, segment.span.range(), known, errors));
        } else {
            let literal = text.get(segment.span.range()).unwrap_or_default();
            parts.push(tree.leaf(Kind::Literal(literal.into()), segment.span));
        }
    }
    match (&parts[..], segments) {
        (&[only], [_]) => Some(only),
        (_, [_]) => None,
        _ => Some(tree.branch(Kind::Text, Span::new(0, text.len()), &parts)),
    }
}

fn finish(
    tree: &Tree,
    root: Option<NodeId>,
    range: Span,
    mut errors: Vec<ParseError>,
) -> Result<NodeId, Vec<ParseError>> {
    let Some(root) = root.filter(|_| errors.is_empty()) else { return Err(errors) };
    match check_depth(tree, root, range) {
        Ok(()) => Ok(root),
        Err(error) => {
            errors.push(error);
            Err(errors)
        }
    }
}
