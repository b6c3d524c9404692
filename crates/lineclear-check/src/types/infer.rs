//! From an expression to its type, with everything worth a question noted on the way.

use std::sync::Arc;

use lineclear_expr::{Comparison, Function, MapScope, Node, NodeKind, Value};
use lineclear_source::Span;
use lineclear_workflow::Place;

use super::{Contexts, ObjectType, Type};
use crate::{ExpressionSite, File, Form};

/// What the expressions of a file are, and what rules ask about. `site` is an index of [`File::expressions`].
#[derive(Debug, Default)]
pub struct Typed<'a> {
    /// The type of each expression, in the order of [`File::expressions`].
    pub roots: Vec<Type>,
    /// Properties that their object does not have.
    pub unknown: Vec<Unknown>,
    /// Something taken from a value that has nothing like it.
    pub misuses: Vec<Misuse>,
    /// All calls of functions.
    pub calls: Vec<Call<'a>>,
    /// All comparisons.
    pub comparisons: Vec<Compared<'a>>,
    /// All chains of `||` that hold one of `&&`.
    pub choices: Vec<Choice<'a>>,
    /// Texts that say `true` or `false`, used as conditions.
    pub flags: Vec<Flag<'a>>,
}

/// A property that its object does not have.
#[derive(Clone, Debug)]
pub struct Unknown {
    /// The expression.
    pub site: usize,
    /// Where the property's name stands in the file.
    pub span: Span,
    /// The name.
    pub name: String,
    /// The object.
    pub object: Arc<ObjectType>,
    /// Whether `||` gives something else instead.
    pub has_fallback: bool,
}

/// Something taken from a value that has nothing like it: `.name` of a text, an index that is none.
#[derive(Clone, Debug)]
pub struct Misuse {
    /// The expression.
    pub site: usize,
    /// Where that what is taken stands in the file.
    pub span: Span,
    /// What it is taken from.
    pub from: Type,
    /// What is taken.
    pub taken: Taken,
}

/// What is taken from a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// `.name` or `['name']`
    Name(String),
    /// `.*`
    All,
    /// `[value]` with a value of this type.
    Index(Type),
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The expression.
    pub site: usize,
    /// The call.
    pub node: Node<'a>,
    /// What is called.
    pub function: Function,
    /// The arguments with their types.
    pub arguments: Vec<(Node<'a>, Type)>,
    /// What it is an operand of.
    pub chains: Chains,
}

/// A comparison.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    /// The expression.
    pub site: usize,
    /// The whole comparison.
    pub node: Node<'a>,
    /// How.
    pub comparison: Comparison,
    /// What stands left of the operator.
    pub left: (Node<'a>, Type),
    /// What stands right of it.
    pub right: (Node<'a>, Type),
    /// What it is an operand of.
    pub chains: Chains,
}

/// `condition && value || otherwise`.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// The expression.
    pub site: usize,
    /// The chain of `||`.
    pub operands: Vec<Node<'a>>,
}

/// A text that says `true` or `false`, used as a condition.
#[derive(Clone, Debug)]
pub struct Flag<'a> {
    /// The expression.
    pub site: usize,
    /// The text.
    pub node: Node<'a>,
    /// Whether `!` stands in front of it.
    pub is_negated: bool,
}

/// The chains that a part is an operand of, directly or by way of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chains {
    /// Of `&&`: it holds only together with others.
    pub and: bool,
    /// Of `||`: there are other ways.
    pub or: bool,
}

/// How the value of a part is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It is the result, or goes into something.
    Value,
    /// It decides.
    Condition,
    /// Its opposite decides.
    Negated,
}

impl<'a> Typed<'a> {
    /// Finds the types of all expressions of a file.
    pub fn of(file: &File<'a>) -> Self {
        let sites = file.expressions();
        let mut typed = Self { roots: Vec::with_capacity(sites.len()), ..Self::default() };
        let mut contexts = Contexts::new(file);
        for (index, site) in sites.iter().enumerate() {
            let kind =
                Inference::new(&mut contexts, site.place, Some((&mut typed, index, site))).type_of(site.expr.root());
            typed.roots.push(kind);
        }
        typed
    }
}

/// The value of a part that names no context and asks nothing of the world.
pub fn constant(node: Node<'_>) -> Option<Value> {
    if let NodeKind::Literal(value) = node.kind() {
        return Some(value.clone());
    }
    let is_fixed = |node: Node<'_>| match node.kind() {
        NodeKind::Context(_) => false,
        NodeKind::Call { function, .. } => !matches!(function, Function::Status(_) | Function::HashFiles),
        _ => true,
    };
    if !node.walk().all(is_fixed) {
        return None;
    }
    node.evaluate(&MapScope::default()).ok()
}

/// One walk over one expression.
pub(super) struct Inference<'c, 'f, 'a> {
    contexts: &'c mut Contexts<'f, 'a>,
    place: Place<'a>,
    notes: Option<(&'c mut Typed<'a>, usize, &'c ExpressionSite<'a>)>,
    has_fallback: bool,
    used: Use,
    chains: Chains,
}

impl<'c, 'f, 'a> Inference<'c, 'f, 'a> {
    pub(super) fn new(
        contexts: &'c mut Contexts<'f, 'a>,
        place: Place<'a>,
        notes: Option<(&'c mut Typed<'a>, usize, &'c ExpressionSite<'a>)>,
    ) -> Self {
        let is_condition = notes.as_ref().is_some_and(|(_, _, site)| site.form == Form::Condition);
        let used = if is_condition { Use::Condition } else { Use::Value };
        Self { contexts, place, notes, has_fallback: false, used, chains: Chains::default() }
    }

    /// The depth is bounded by that of expressions.
    pub(super) fn type_of(&mut self, node: Node<'a>) -> Type {
        let kind = self.infer(node);
        if kind == Type::BoolText && self.used != Use::Value {
            let is_negated = self.used == Use::Negated;
            let is_text = !matches!(node.kind(), NodeKind::And(_) | NodeKind::Or(_));
            if is_text {
                self.note(|notes, site| notes.flags.push(Flag { site, node, is_negated }));
            }
        }
        kind
    }

    fn infer(&mut self, node: Node<'a>) -> Type {
        match node.kind() {
            NodeKind::Literal(value) => Type::of_value(value),
            NodeKind::Context(name) => self.contexts.get(name, &self.place),
            NodeKind::Property { of, name } => {
                let of = self.used_as(Use::Value, of);
                let end = node.span().end as usize;
                self.property(&of, name, end - name.len()..end)
            }
            NodeKind::Index { of, index } => self.index(of, index),
            NodeKind::Wildcard { of } => {
                let of = self.used_as(Use::Value, of);
                self.all(&of, node)
            }
            NodeKind::Not(operand) => {
                self.without_fallback(|own| own.used_as(Use::Negated, operand));
                Type::Bool
            }
            NodeKind::Compare { comparison, left, right } => {
                let chains = self.chains;
                let (left_type, right_type) =
                    self.without_fallback(|own| (own.used_as(Use::Value, left), own.used_as(Use::Value, right)));
                self.note(|notes, site| {
                    notes.comparisons.push(Compared {
                        site,
                        node,
                        comparison,
                        left: (left, left_type),
                        right: (right, right_type),
                        chains,
                    });
                });
                Type::Bool
            }
            NodeKind::And(operands) => {
                let outer = self.chains;
                self.chains.and = true;
                let last = operands.len().saturating_sub(1);
                let types = operands.iter().enumerate().map(|(at, &operand)| self.and_part(operand, at == last));
                let kind = Type::union(types.collect::<Vec<_>>());
                self.chains = outer;
                kind
            }
            NodeKind::Or(operands) => self.or(operands),
            NodeKind::Call { function, arguments } => self.call(node, function, arguments),
            NodeKind::Text(parts) => {
                parts.into_iter().for_each(|part| drop(self.used_as(Use::Value, part)));
                Type::String
            }
        }
    }

    /// An operand of `&&`: all but the last decide only.
    fn and_part(&mut self, part: Node<'a>, is_last: bool) -> Type {
        if is_last {
            return self.type_of(part);
        }
        let outer = std::mem::replace(&mut self.used, Use::Condition);
        let kind = self.type_of(part);
        self.used = outer;
        kind
    }

    fn used_as(&mut self, used: Use, node: Node<'a>) -> Type {
        let outer = (std::mem::replace(&mut self.used, used), std::mem::take(&mut self.chains));
        let kind = self.type_of(node);
        (self.used, self.chains) = outer;
        kind
    }

    fn or(&mut self, operands: Vec<Node<'a>>) -> Type {
        let (outer, outer_chains) = (self.has_fallback, self.chains);
        let mut kind: Option<Type> = None;
        let mut has_and = false;
        for (at, &operand) in operands.iter().enumerate() {
            self.has_fallback = outer || at + 1 < operands.len();
            self.chains = Chains { or: true, ..outer_chains };
            let own = match operand.kind() {
                // What goes on to the next operand is not the result: of `a && b` only `b` can be.
                NodeKind::And(parts) if at + 1 < operands.len() => {
                    has_and = true;
                    self.chains.and = true;
                    let end = parts.len().saturating_sub(1);
                    let types = parts.into_iter().enumerate().map(|(at, part)| self.and_part(part, at == end));
                    types.last().unwrap_or(Type::Any)
                }
                _ => self.type_of(operand),
            };
            // Nor is null.
            let own = if own == Type::Null && at + 1 < operands.len() { None } else { Some(own) };
            kind = match (kind, own) {
                (Some(kind), Some(own)) => Some(kind.or(own)),
                (kind, own) => kind.or(own),
            };
        }
        (self.has_fallback, self.chains) = (outer, outer_chains);
        if has_and {
            self.note(|notes, site| notes.choices.push(Choice { site, operands }));
        }
        kind.unwrap_or(Type::Null)
    }

    fn call(&mut self, node: Node<'a>, function: Function, arguments: Vec<Node<'a>>) -> Type {
        let chains = self.chains;
        let arguments: Vec<(Node<'a>, Type)> = self.without_fallback(|own| {
            arguments.into_iter().map(|argument| (argument, own.used_as(Use::Value, argument))).collect()
        });
        let kind = match function {
            Function::Contains | Function::StartsWith | Function::EndsWith | Function::Status(_) => Type::Bool,
            Function::Format | Function::Join | Function::ToJson | Function::HashFiles => Type::String,
            Function::FromJson => constant(node).map_or(Type::Any, |value| Type::of_value(&value)),
            Function::Case => {
                let last = arguments.len().saturating_sub(1);
                let values = arguments.iter().enumerate().filter(|(at, _)| at % 2 == 1 || *at == last);
                Type::union(values.map(|(_, (_, kind))| kind.clone()))
            }
        };
        self.note(|notes, site| notes.calls.push(Call { site, node, function, arguments, chains }));
        kind
    }

    fn property(&mut self, of: &Type, name: &'a str, range: std::ops::Range<usize>) -> Type {
        match of {
            Type::Any | Type::Null => Type::Any,
            Type::Object(object) => self.of_object(object, name, range),
            Type::Filtered(items) => match &**items {
                Type::Filtered(_) | Type::Array(_) => Type::Filtered(Type::Any.into()),
                items => Type::Filtered(self.property(items, name, range).into()),
            },
            Type::Array(_) | Type::Bool | Type::Number | Type::String | Type::BoolText => {
                self.misuse(range, of, Taken::Name(name.to_owned()));
                Type::Any
            }
        }
    }

    fn of_object(&mut self, object: &Arc<ObjectType>, name: &str, range: std::ops::Range<usize>) -> Type {
        if let Some(property) = object.property(name) {
            return property.kind.clone();
        }
        if let Some(rest) = &object.rest {
            return rest.clone();
        }
        let has_fallback = self.has_fallback;
        if let Some((notes, site, expression)) = &mut self.notes {
            notes.unknown.push(Unknown {
                site: *site,
                span: expression.scalar.span_of(range),
                name: name.to_owned(),
                object: Arc::clone(object),
                has_fallback,
            });
        }
        Type::Any
    }

    fn index(&mut self, of: Node<'a>, index: Node<'a>) -> Type {
        let of = self.used_as(Use::Value, of);
        if let NodeKind::Literal(Value::String(name)) = index.kind()
            && !matches!(of, Type::Array(_))
        {
            return self.property(&of, name, index.span().range());
        }
        let kind = self.without_fallback(|own| own.used_as(Use::Value, index));
        match &of {
            Type::Array(items) => {
                // A number may come as text.
                if kind.is_collection() || matches!(kind, Type::BoolText) || is_text_but_no_number(index) {
                    self.misuse(index.span().range(), &of, Taken::Index(kind));
                }
                (**items).clone()
            }
            Type::Object(object) => {
                if kind.is_collection() || matches!(kind, Type::Bool | Type::Number) && object.rest.is_none() {
                    self.misuse(index.span().range(), &of, Taken::Index(kind));
                }
                let known = object.properties.iter().map(|property| property.kind.clone());
                Type::union(known.chain(object.rest.clone()))
            }
            Type::Any | Type::Null | Type::Filtered(_) => Type::Any,
            Type::Bool | Type::Number | Type::String | Type::BoolText => {
                self.misuse(index.span().range(), &of, Taken::Index(kind));
                Type::Any
            }
        }
    }

    fn all(&mut self, of: &Type, node: Node<'a>) -> Type {
        let items = match of {
            Type::Any | Type::Null => Type::Any,
            Type::Array(items) => (**items).clone(),
            Type::Object(object) => {
                let known = object.properties.iter().map(|property| property.kind.clone());
                Type::union(known.chain(object.rest.clone()))
            }
            Type::Filtered(_) => Type::Any,
            Type::Bool | Type::Number | Type::String | Type::BoolText => {
                let end = node.span().end as usize;
                self.misuse(end.saturating_sub(1)..end, of, Taken::All);
                Type::Any
            }
        };
        Type::Filtered(items.into())
    }

    fn misuse(&mut self, range: std::ops::Range<usize>, from: &Type, taken: Taken) {
        if let Some((notes, site, expression)) = &mut self.notes {
            notes.misuses.push(Misuse {
                site: *site,
                span: expression.scalar.span_of(range),
                from: from.clone(),
                taken,
            });
        }
    }

    fn note(&mut self, add: impl FnOnce(&mut Typed<'a>, usize)) {
        if let Some((notes, site, _)) = &mut self.notes {
            add(notes, *site);
        }
    }

    /// Does something for which a `||` around it gives nothing else instead.
    fn without_fallback<T>(&mut self, ask: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::take(&mut self.has_fallback);
        let result = ask(self);
        self.has_fallback = outer;
        result
    }
}

fn is_text_but_no_number(index: Node<'_>) -> bool {
    matches!(index.kind(), NodeKind::Literal(value @ Value::String(_)) if value.to_number().is_nan())
}
