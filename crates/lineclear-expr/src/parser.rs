//! Tokens to a tree.
//!
//! An operator-precedence parser with stacks of its own: text of any shape is read without recursion. A name that is not
//! known is noted and read past; a token that may not stand where it does ends the reading.

use lineclear_source::Span;

use crate::ast::Comparison;
use crate::known::Known;
use crate::lexer::{BinaryOperator, Lexer, Token, TokenKind, unquote};
use crate::tree::{Kind, NodeId, Tree};
use crate::{Function, MAX_ARGUMENTS, ParseError, Value};

/// The longest text of an expression, and of a scalar that holds one, in UTF-16 units.
pub const MAX_LENGTH: usize = 21_000;

/// How deep the parts of an expression may nest.
pub const MAX_DEPTH: u32 = 50;

/// Refuses a text that is longer than [`MAX_LENGTH`].
pub(crate) fn check_length(text: &str) -> Result<(), ParseError> {
    // A UTF-16 unit takes one to three bytes, so that only texts in between have to be counted.
    let is_short = text.len() <= MAX_LENGTH
        || text.len() <= 3 * MAX_LENGTH && text.chars().map(char::len_utf16).sum::<usize>() <= MAX_LENGTH;
    if is_short {
        return Ok(());
    }
    let error = ParseError::of_all(
        format!("Exceeded max expression length {MAX_LENGTH}"),
        Span::new(0, text.chars().next().map_or(0, char::len_utf8)),
    );
    Err(error.advise("move long text into an environment variable or a file"))
}

/// Refuses a tree that is deeper than [`MAX_DEPTH`].
pub(crate) fn check_depth(tree: &Tree, root: NodeId, span: Span) -> Result<(), ParseError> {
    if tree.height(root) <= MAX_DEPTH {
        return Ok(());
    }
    Err(ParseError::of_all(format!("Exceeded max expression depth {MAX_DEPTH}"), span))
}

/// Reads the expression `text[range]` into `tree`. Spans are in `text`.
pub(crate) fn parse_into(
    tree: &mut Tree,
    text: &str,
    range: std::ops::Range<usize>,
    known: &Known<'_>,
    errors: &mut Vec<ParseError>,
) -> Option<NodeId> {
    let inner = text.get(range.clone()).unwrap_or_default();
    let parser =
        Parser { tree, text: inner, offset: range.start, known, errors, operands: Vec::new(), operators: Vec::new() };
    parser.parse()
}

struct Parser<'p> {
    tree: &'p mut Tree,
    text: &'p str,
    offset: usize,
    known: &'p Known<'p>,
    errors: &'p mut Vec<ParseError>,
    operands: Vec<Operand>,
    operators: Vec<Operator>,
}

/// A part that is read, with the bytes it takes up including the parentheses around it.
#[derive(Clone, Copy)]
struct Operand {
    node: NodeId,
    outer: Span,
}

/// What waits for its last operand, or for what closes it.
#[derive(Clone, Copy)]
enum Operator {
    Group {
        start: usize,
    },
    Index,
    /// The call's name, or `None` for an unknown one; its arguments begin at that place of the operand stack.
    Arguments {
        function: Option<Function>,
        name: Span,
        first: usize,
    },
    Not {
        start: usize,
    },
    Binary(BinaryOperator),
}

impl Operator {
    /// 0 for what only its closing token takes away.
    fn precedence(self) -> u8 {
        match self {
            Self::Group { .. } | Self::Index | Self::Arguments { .. } => 0,
            Self::Not { .. } => 16,
            Self::Binary(operator) => precedence(operator),
        }
    }
}

fn precedence(operator: BinaryOperator) -> u8 {
    use BinaryOperator as Op;
    match operator {
        Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => 11,
        Op::Equal | Op::NotEqual => 10,
        Op::And => 6,
        Op::Or => 5,
    }
}

impl<'p> Parser<'p> {
    fn parse(mut self) -> Option<NodeId> {
        let mut lexer = Lexer::new(self.text);
        let mut last: Option<Token> = None;
        // A function's name, until its parenthesis is read.
        let mut called: Option<(Option<Function>, Span)> = None;
        while let Some(token) = lexer.next_token() {
            self.token(token, last, &mut called)?;
            last = Some(token);
        }
        let Some(last) = last else {
            let span = Span::new(self.offset, self.offset + self.text.len());
            self.errors.push(ParseError::of_all("An expression was expected", span));
            return None;
        };
        if lexer.has_open() || ends_open(last.kind) {
            let error = self.error("Unexpected end of expression", last);
            self.errors.push(error.advise(if lexer.has_open() {
                "a parenthesis or bracket is not closed"
            } else {
                "something is missing behind it"
            }));
            return None;
        }
        self.reduce(1);
        self.operands.pop().map(|operand| operand.node)
    }

    /// Takes one token in. `None` ends the reading.
    fn token(
        &mut self,
        token: Token,
        last: Option<Token>,
        called: &mut Option<(Option<Function>, Span)>,
    ) -> Option<()> {
        use TokenKind as K;
        let span = self.span(token);
        match token.kind {
            K::Unexpected => {
                let error = self.unexpected(token, last);
                self.errors.push(error);
                return None;
            }
            K::Null => self.literal(Value::Null, span),
            K::Bool(value) => self.literal(value.into(), span),
            K::Number(number) => self.literal(number.into(), span),
            K::String => {
                let value = unquote(self.raw(token));
                self.literal(value.into(), span);
            }
            K::NamedValue => self.named_value(token, span),
            K::Function => *called = Some((self.function(token), span)),
            K::StartArguments => {
                let (function, name) = called.take().unwrap_or((None, span));
                self.operators.push(Operator::Arguments { function, name, first: self.operands.len() });
            }
            K::StartGroup => self.operators.push(Operator::Group { start: token.start }),
            K::StartIndex => self.operators.push(Operator::Index),
            K::Not => self.operators.push(Operator::Not { start: token.start }),
            K::Separator => self.reduce(1),
            K::Binary(operator) => {
                self.reduce(precedence(operator));
                self.operators.push(Operator::Binary(operator));
            }
            // The name or `*` behind it says what it does.
            K::Dereference => {}
            K::PropertyName => {
                let kind = Kind::Property(self.raw(token).into());
                self.postfix(kind, span);
            }
            K::Wildcard => self.postfix(Kind::Wildcard, span),
            // The bracket behind it says what it does.
            K::IndexWildcard => {}
            K::EndIndex if last.is_some_and(|last| last.kind == K::IndexWildcard) => {
                self.operators.pop();
                self.postfix(Kind::Wildcard, span);
            }
            K::EndIndex => self.end_index(span),
            K::EndGroup => self.end_group(span),
            K::EndArguments => self.end_arguments(span),
        }
        Some(())
    }

    fn literal(&mut self, value: Value, span: Span) {
        let node = self.tree.leaf(Kind::Literal(value), span);
        self.operands.push(Operand { node, outer: span });
    }

    fn named_value(&mut self, token: Token, span: Span) {
        let name = self.raw(token);
        if !self.known.has_context(name) {
            let error = self.error("Unrecognized named-value", token);
            let advice = self.known.advice_on_context(name);
            self.errors.push(error.advise(&advice));
        }
        let node = self.tree.leaf(Kind::Context(name.to_ascii_lowercase().into()), span);
        self.operands.push(Operand { node, outer: span });
    }

    fn function(&mut self, token: Token) -> Option<Function> {
        let name = self.raw(token);
        let function = Function::from_name(name).filter(|&function| self.known.has_function(function));
        if function.is_none() {
            let error = self.error("Unrecognized function", token);
            let advice = self.known.advice_on_function(name);
            self.errors.push(error.advise(&advice));
        }
        function
    }

    /// Something behind the last operand, which binds tighter than all else.
    fn postfix(&mut self, kind: Kind, span: Span) {
        let Some(base) = self.operands.pop() else { return };
        let outer = base.outer.to(span);
        let node = self.tree.branch(kind, outer, &[base.node]);
        self.operands.push(Operand { node, outer });
    }

    fn end_index(&mut self, span: Span) {
        self.reduce(1);
        self.operators.pop();
        let (Some(index), Some(base)) = (self.operands.pop(), self.operands.pop()) else { return };
        let outer = base.outer.to(span);
        let node = self.tree.branch(Kind::Index, outer, &[base.node, index.node]);
        self.operands.push(Operand { node, outer });
    }

    fn end_group(&mut self, span: Span) {
        self.reduce(1);
        if let (Some(Operator::Group { start }), Some(operand)) = (self.operators.pop(), self.operands.last_mut()) {
            operand.outer = Span::new(self.offset + start, span.end as usize);
        }
    }

    fn end_arguments(&mut self, span: Span) {
        self.reduce(1);
        let Some(Operator::Arguments { function, name, first }) = self.operators.pop() else { return };
        let arguments: Vec<NodeId> = self.operands.drain(first..).map(|operand| operand.node).collect();
        let outer = name.to(span);
        let node = match function {
            Some(function) => {
                self.check_arity(function, name, arguments.len());
                self.tree.branch(Kind::Call(function), outer, &arguments)
            }
            None => self.tree.leaf(Kind::Literal(Value::Null), outer),
        };
        self.operands.push(Operand { node, outer });
    }

    fn check_arity(&mut self, function: Function, name: Span, count: usize) {
        let (fewest, most) = function.arity(self.known.takes_job_ids());
        let words = if count < fewest {
            "Too few parameters supplied"
        } else if count > most {
            "Too many parameters supplied"
        } else if function == Function::Case && count.is_multiple_of(2) {
            "Even number of parameters supplied, requires an odd number of parameters"
        } else {
            return;
        };
        let advice = match most {
            0 if self.known.takes_job_ids() => format!("`{}` takes no arguments", function.name()),
            0 => format!("`{}` takes no arguments here", function.name()),
            MAX_ARGUMENTS if count > most => format!("at most {MAX_ARGUMENTS} arguments are possible"),
            _ => format!("it is used as `{}`", function.usage()),
        };
        let raw = self.text.get(name.start as usize - self.offset..name.end as usize - self.offset).unwrap_or_default();
        self.errors.push(ParseError::new(format!("{words}: '{raw}'"), name).advise(&advice));
    }

    /// Builds the nodes of all waiting operators that bind at least as tightly as `precedence`.
    fn reduce(&mut self, precedence: u8) {
        while let Some(&operator) = self.operators.last()
            && operator.precedence() >= precedence
        {
            self.operators.pop();
            let Some(right) = self.operands.pop() else { return };
            let operand = match operator {
                Operator::Not { start } => {
                    let outer = Span::new(self.offset + start, right.outer.end as usize);
                    Operand { node: self.tree.branch(Kind::Not, outer, &[right.node]), outer }
                }
                Operator::Binary(operator) => {
                    let Some(left) = self.operands.pop() else { return };
                    let outer = left.outer.to(right.outer);
                    Operand { node: self.binary(operator, outer, [left.node, right.node]), outer }
                }
                Operator::Group { .. } | Operator::Index | Operator::Arguments { .. } => right,
            };
            self.operands.push(operand);
        }
    }

    fn binary(&mut self, operator: BinaryOperator, span: Span, operands: [NodeId; 2]) -> NodeId {
        use BinaryOperator as Op;
        let comparison = match operator {
            Op::And => return self.tree.chain(Kind::And, span, operands),
            Op::Or => return self.tree.chain(Kind::Or, span, operands),
            Op::Equal => Comparison::Equal,
            Op::NotEqual => Comparison::NotEqual,
            Op::Less => Comparison::Less,
            Op::LessOrEqual => Comparison::LessOrEqual,
            Op::Greater => Comparison::Greater,
            Op::GreaterOrEqual => Comparison::GreaterOrEqual,
        };
        self.tree.branch(Kind::Compare(comparison), span, &operands)
    }

    fn raw(&self, token: Token) -> &'p str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    fn span(&self, token: Token) -> Span {
        Span::new(self.offset + token.start, self.offset + token.end)
    }

    fn error(&self, words: &str, token: Token) -> ParseError {
        ParseError::new(format!("{words}: '{}'", self.raw(token)), self.span(token))
    }

    fn unexpected(&self, token: Token, last: Option<Token>) -> ParseError {
        let error = self.error("Unexpected symbol", token);
        match advice_on_symbol(self.raw(token), last.map(|last| last.kind)) {
            Some(advice) => error.advise(advice),
            None => error,
        }
    }
}

/// Whether something must follow that token.
fn ends_open(kind: TokenKind) -> bool {
    use TokenKind as K;
    matches!(
        kind,
        K::StartGroup
            | K::StartArguments
            | K::StartIndex
            | K::Separator
            | K::Dereference
            | K::Not
            | K::Binary(_)
            | K::Function
            | K::IndexWildcard
    )
}

/// What the writer may have had in mind.
fn advice_on_symbol(raw: &str, last: Option<TokenKind>) -> Option<&'static str> {
    let follows_operand = last.is_some_and(|last| !ends_open(last));
    Some(match raw.as_bytes().first()? {
        b'"' => "text is written in single quotes: 'like this'",
        b'\'' if raw.len() == 1 || !raw.ends_with('\'') || raw.ends_with("''") && raw.len() > 2 => {
            "the closing quote is missing; a quote inside of text is doubled: 'it''s'"
        }
        b'=' if raw != "==" => "compare with `==`",
        b'&' if raw != "&&" => "and is written `&&`",
        b'|' if raw != "||" => "or is written `||`",
        b'?' | b':' => "there is no `? :`; write case(condition, value, otherwise)",
        b'+' | b'-' | b'*' | b'/' | b'%' if follows_operand => "expressions have no arithmetic",
        b'$' | b'{' | b'}' => "`${{` and `}}` do not belong inside of an expression",
        b')' | b']' if follows_operand => "nothing is open that it could close",
        b',' => "only the arguments of a function are separated by commas",
        b'(' | b'[' | b'.' if follows_operand => "only contexts, their properties and calls can be looked into",
        _ if follows_operand => "an operator such as `==` or `&&` is missing before it",
        _ if matches!(last, Some(TokenKind::Dereference)) => {
            "a property's name follows a dot; other keys are written ['like this']"
        }
        _ => return None,
    })
}
