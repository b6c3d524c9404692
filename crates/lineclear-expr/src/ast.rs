//! The syntax tree, to be looked at: what an expression names and calls, and where.

use std::fmt;

use lineclear_source::Span;

use crate::memory::EXPRESSION_BYTES;
use crate::tree::{Kind, NodeId, Tree};
use crate::{EvaluateError, Function, Scope, Value, evaluate};

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// One part of an expression, with all that is below it.
///
/// `Display` writes it as an expression with no more parentheses than are needed; reading that gives the same tree.
#[derive(Clone, Copy)]
pub struct Node<'e> {
    pub(crate) tree: &'e Tree,
    pub(crate) id: NodeId,
}

/// What a part of an expression is.
#[derive(Clone, Debug)]
pub enum NodeKind<'e> {
    /// `'text'`, `1.5`, `true`, `null`; `NaN` and `Infinity` too.
    Literal(&'e Value),
    /// A context, by its lower-case name.
    Context(&'e str),
    /// `of.name`
    Property {
        /// What is looked into.
        of: Node<'e>,
        /// The name as it is written.
        name: &'e str,
    },
    /// `of[index]`
    Index {
        /// What is looked into.
        of: Node<'e>,
        /// What selects from it.
        index: Node<'e>,
    },
    /// `of.*` or `of[*]`
    Wildcard {
        /// What is looked into.
        of: Node<'e>,
    },
    /// `!operand`
    Not(Node<'e>),
    /// Two values compared.
    Compare {
        /// How they are compared.
        comparison: Comparison,
        /// What stands left of the operator.
        left: Node<'e>,
        /// What stands right of it.
        right: Node<'e>,
    },
    /// Two or more operands of `&&`; no operand is such a chain itself.
    And(Vec<Node<'e>>),
    /// Two or more operands of `||`; no operand is such a chain itself.
    Or(Vec<Node<'e>>),
    /// A call.
    Call {
        /// What is called.
        function: Function,
        /// In the order in which they are written.
        arguments: Vec<Node<'e>>,
    },
    /// Text and expressions joined, as in an `if:` that has text around its `${{ }}`.
    Text(Vec<Node<'e>>),
}

/// A context and what is taken from it, as far as that is fixed: `github.event['pull_request'].*.number`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'e> {
    /// Lower-case name.
    pub context: &'e str,
    /// What is taken from it, outermost first. Ends before an index that only an evaluation can tell.
    pub path: Vec<Segment<'e>>,
    /// Whether the path is all there is: no index was left out.
    pub complete: bool,
    /// From the context's name to the end of the path.
    pub span: Span,
}

/// One step of a [`Reference`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment<'e> {
    /// `.name` or `['name']`
    Name(&'e str),
    /// `[number]`
    Position(u32),
    /// `.*` or `[*]`
    All,
}

impl<'e> Node<'e> {
    /// Where it is in the text that was given to the parser, without parentheses around it.
    pub fn span(self) -> Span {
        self.tree.node(self.id).span
    }

    /// What it is.
    pub fn kind(self) -> NodeKind<'e> {
        let mut children = self.children();
        let mut child = || children.next().expect("the parser gives every node as many children as its kind has");
        match &self.tree.node(self.id).kind {
            Kind::Literal(value) => NodeKind::Literal(value),
            Kind::Context(name) => NodeKind::Context(name),
            Kind::Property(name) => NodeKind::Property { of: child(), name },
            Kind::Index => NodeKind::Index { of: child(), index: child() },
            Kind::Wildcard => NodeKind::Wildcard { of: child() },
            Kind::Not => NodeKind::Not(child()),
            &Kind::Compare(comparison) => NodeKind::Compare { comparison, left: child(), right: child() },
            Kind::And => NodeKind::And(children.collect()),
            Kind::Or => NodeKind::Or(children.collect()),
            &Kind::Call(function) => NodeKind::Call { function, arguments: children.collect() },
            Kind::Text => NodeKind::Text(children.collect()),
        }
    }

    /// The parts right below it, in the order in which they are written.
    pub fn children(self) -> impl Iterator<Item = Node<'e>> + Clone {
        self.tree.children(self.id).map(move |id| Node { tree: self.tree, id })
    }

    /// This part and all below it, each before its own parts.
    pub fn walk(self) -> impl Iterator<Item = Node<'e>> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let node = waiting.pop()?;
            let first = waiting.len();
            waiting.extend(node.children());
            waiting[first..].reverse();
            Some(node)
        })
    }

    /// The context and path that it is, if it is one.
    pub fn as_reference(self) -> Option<Reference<'e>> {
        match &self.tree.node(self.id).kind {
            Kind::Context(context) => Some(Reference { context, path: Vec::new(), complete: true, span: self.span() }),
            Kind::Property(_) | Kind::Index | Kind::Wildcard => {
                let mut reference = self.children().next()?.as_reference()?;
                if !reference.complete {
                    return Some(reference);
                }
                match self.segment() {
                    Some(segment) => {
                        reference.path.push(segment);
                        reference.span = self.span();
                    }
                    None => reference.complete = false,
                }
                Some(reference)
            }
            _ => None,
        }
    }

    /// The value of this part alone.
    ///
    /// # Errors
    /// As [`Expr::evaluate`](crate::Expr::evaluate).
    pub fn evaluate(self, scope: &dyn Scope) -> Result<Value, EvaluateError> {
        evaluate::evaluate(self.tree, self.id, scope, EXPRESSION_BYTES)
    }

    fn segment(self) -> Option<Segment<'e>> {
        match self.kind() {
            NodeKind::Property { name, .. } => Some(Segment::Name(name)),
            NodeKind::Wildcard { .. } => Some(Segment::All),
            NodeKind::Index { index, .. } => match index.kind() {
                NodeKind::Literal(Value::String(name)) => Some(Segment::Name(name)),
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range by the guard")]
                NodeKind::Literal(&Value::Number(number)) if (0.0..f64::from(u32::MAX)).contains(&number) => {
                    Some(Segment::Position(number as u32))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Every context that is named in it with the path taken from it, in the order of the text.
    pub fn references(self) -> Vec<Reference<'e>> {
        let mut found: Vec<Reference<'e>> = Vec::new();
        for node in self.walk() {
            // The longest path comes first; what it begins with is part of it.
            if let Some(reference) = node.as_reference()
                && !found
                    .iter()
                    .any(|longer| longer.context == reference.context && longer.span.start == reference.span.start)
            {
                found.push(reference);
            }
        }
        found
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({self})")
    }
}

impl PartialEq for Node<'_> {
    /// The same tree, wherever its parts stand.
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.tree.node(self.id).kind, &other.tree.node(other.id).kind) {
            (Kind::Literal(a), Kind::Literal(b)) => a == b,
            (Kind::Context(a), Kind::Context(b)) | (Kind::Property(a), Kind::Property(b)) => a == b,
            (Kind::Compare(a), Kind::Compare(b)) => a == b,
            (Kind::Call(a), Kind::Call(b)) => a == b,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        };
        same && self.children().eq(other.children())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expr;

    fn parse(text: &str) -> Expr {
        Expr::parse(text, None).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
    }

    #[test]
    fn references_have_their_whole_path_and_place() {
        let text = "GitHub.event['pull request'].*[0].n == env.A && steps[matrix.step].outputs || github";
        let expr = parse(text);
        let references = expr.root().references();
        let shown: Vec<String> = references
            .iter()
            .map(|reference| {
                let Reference { context, path, complete, span } = reference;
                format!("{context} {path:?} {complete} {}", &text[span.range()])
            })
            .collect();
        assert_eq!(
            shown,
            [
                "github [Name(\"event\"), Name(\"pull request\"), All, Position(0), Name(\"n\")] true GitHub.event['pull request'].*[0].n",
                "env [Name(\"A\")] true env.A",
                "steps [] false steps",
                "matrix [Name(\"step\")] true matrix.step",
                "github [] true github",
            ]
        );
        assert_eq!(expr.contexts(), ["github", "env", "steps", "matrix"]);
    }

    #[test]
    fn every_part_has_its_place() {
        let text = " ! ( contains( a.b , 'x' ) || 1 < 2 ) ".replace('a', "env");
        let text = text.replace("contenvins", "contains");
        let expr = parse(&text);
        let places: Vec<&str> = expr.root().walk().map(|node| expr.text_of(node)).collect();
        assert_eq!(
            places,
            [
                "! ( contains( env.b , 'x' ) || 1 < 2 )",
                "contains( env.b , 'x' ) || 1 < 2",
                "contains( env.b , 'x' )",
                "env.b",
                "env",
                "'x'",
                "1 < 2",
                "1",
                "2"
            ]
        );
    }

    #[test]
    fn a_part_has_a_value_of_its_own() {
        let expr = parse("env.A == format('{0}', 'x')");
        let NodeKind::Compare { right, .. } = expr.root().kind() else { panic!("it compares") };
        assert_eq!(right.evaluate(&crate::MapScope::default()), Ok(Value::string("x")));
        assert!(expr.root().evaluate(&crate::MapScope::default()).is_err());
    }

    #[test]
    fn parts_of_templates_have_their_place_in_the_whole_text() {
        let text = "a ${{ env.A }} b ${{ env.B }}";
        let template = crate::Template::parse(text, None).unwrap();
        let places: Vec<_> = template.expressions().iter().map(|expr| &text[expr.root().span().range()]).collect();
        assert_eq!(places, ["env.A", "env.B"]);
        assert_eq!(template.expressions()[1].text(), " env.B ");
    }
}
