//! Tokens to a document.

use super::{
    Directive, Document, Field, Fragment, Input, Operation, OperationKind, Position, Selection, SyntaxError, Token,
    TokenKind, TypeRef, VariableDefinition, tokens,
};

/// Selections, lists and objects inside each other: what is deeper is refused, so that no document can exhaust the stack.
pub(crate) const MAX_DEPTH: usize = 50;

/// Reads an executable document.
///
/// # Errors
/// [`SyntaxError`] at the first token that does not fit, worded as GitHub does.
pub(crate) fn parse(text: &str) -> Result<Document, SyntaxError> {
    let mut parser = Parser::new(text)?;
    let mut document = Document { operations: Vec::new(), fragments: Vec::new() };
    while !parser.is_at_end() {
        parser.definition(&mut document)?;
    }
    if document.operations.is_empty() {
        return Err(parser.error("The document has no operation."));
    }
    Ok(document)
}

/// Reads one token after the other; the schema is read with it, too.
pub(crate) struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

type Parsed<T> = Result<T, SyntaxError>;

impl Parser {
    pub(crate) fn new(text: &str) -> Parsed<Self> {
        Ok(Self { tokens: tokens(text)?, next: 0, depth: 0 })
    }

    pub(crate) fn is_at_end(&self) -> bool {
        *self.peek() == TokenKind::End
    }

    fn peek(&self) -> &TokenKind {
        self.tokens.get(self.next).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn at(&self) -> Position {
        self.tokens.get(self.next).or(self.tokens.last()).map_or_else(Position::default, |token| token.at)
    }

    fn advance(&mut self) {
        self.next += 1;
    }

    pub(crate) fn error(&self, message: &str) -> SyntaxError {
        SyntaxError { message: message.to_owned(), at: self.at() }
    }

    fn expected(&self, what: &str) -> SyntaxError {
        let (found, at) = (self.peek().shown(), self.at());
        let message = format!("Expected {what}, actual: {found} at [{}, {}]", at.line, at.column);
        SyntaxError { message, at }
    }

    pub(crate) fn eat(&mut self, mark: char) -> bool {
        let found = *self.peek() == TokenKind::Punctuator(mark);
        if found {
            self.advance();
        }
        found
    }

    pub(crate) fn expect(&mut self, mark: char) -> Parsed<()> {
        if self.eat(mark) { Ok(()) } else { Err(self.expected(&format!("\"{mark}\""))) }
    }

    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Name(name) if name == word);
        if found {
            self.advance();
        }
        found
    }

    pub(crate) fn name(&mut self) -> Parsed<String> {
        let TokenKind::Name(name) = self.peek() else { return Err(self.expected("NAME")) };
        let name = name.clone();
        self.advance();
        Ok(name)
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(&format!("The document is nested deeper than {MAX_DEPTH}.")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn definition(&mut self, document: &mut Document) -> Parsed<()> {
        let at = self.at();
        if *self.peek() == TokenKind::Punctuator('{') {
            let selection = self.selection_set()?;
            let (kind, variables) = (OperationKind::Query, Vec::new());
            document.operations.push(Operation { kind, name: None, variables, selection, at });
            return Ok(());
        }
        if self.eat_word("fragment") {
            let name = self.name()?;
            if name == "on" || !self.eat_word("on") {
                return Err(self.expected("\"on\""));
            }
            let on = self.name()?;
            self.directives()?;
            let selection = self.selection_set()?;
            document.fragments.push(Fragment { name, on, selection, at });
            return Ok(());
        }
        let kind = match self.peek() {
            TokenKind::Name(word) if word == "query" => OperationKind::Query,
            TokenKind::Name(word) if word == "mutation" => OperationKind::Mutation,
            TokenKind::Name(word) if word == "subscription" => OperationKind::Subscription,
            _ => return Err(self.expected("one of QUERY, MUTATION, SUBSCRIPTION, FRAGMENT, LCURLY")),
        };
        self.advance();
        let name = matches!(self.peek(), TokenKind::Name(_)).then(|| self.name()).transpose()?;
        let variables = self.variables()?;
        self.directives()?;
        let selection = self.selection_set()?;
        document.operations.push(Operation { kind, name, variables, selection, at });
        Ok(())
    }

    fn variables(&mut self) -> Parsed<Vec<VariableDefinition>> {
        let mut variables = Vec::new();
        if !self.eat('(') {
            return Ok(variables);
        }
        while !self.eat(')') {
            let at = self.at();
            self.expect('$')?;
            let name = self.name()?;
            self.expect(':')?;
            let of = self.type_ref()?;
            let default = self.eat('=').then(|| self.value()).transpose()?;
            self.directives()?;
            variables.push(VariableDefinition { name, of, default, at });
        }
        Ok(variables)
    }

    pub(crate) fn type_ref(&mut self) -> Parsed<TypeRef> {
        let inner = if self.eat('[') {
            let inner = self.deeper(Self::type_ref)?;
            self.expect(']')?;
            TypeRef::List(Box::new(inner))
        } else {
            TypeRef::Named(self.name()?)
        };
        Ok(if self.eat('!') { TypeRef::NonNull(Box::new(inner)) } else { inner })
    }

    fn selection_set(&mut self) -> Parsed<Vec<Selection>> {
        self.expect('{')?;
        self.deeper(|parser| {
            let mut selection = vec![parser.selection()?];
            while !parser.eat('}') {
                selection.push(parser.selection()?);
            }
            Ok(selection)
        })
    }

    fn selection(&mut self) -> Parsed<Selection> {
        let at = self.at();
        if *self.peek() != TokenKind::Spread {
            return self.field().map(Selection::Field);
        }
        self.advance();
        match self.peek() {
            TokenKind::Name(word) if word != "on" => {
                let fragment = self.name()?;
                let directives = self.directives()?;
                Ok(Selection::Spread { fragment, directives, at })
            }
            _ => {
                let on = self.eat_word("on").then(|| self.name()).transpose()?;
                let directives = self.directives()?;
                let selection = self.selection_set()?;
                Ok(Selection::Inline { on, directives, selection, at })
            }
        }
    }

    fn field(&mut self) -> Parsed<Field> {
        let at = self.at();
        let first = self.name()?;
        let (alias, name) = if self.eat(':') { (Some(first), self.name()?) } else { (None, first) };
        let arguments = self.arguments()?;
        let directives = self.directives()?;
        let open = *self.peek() == TokenKind::Punctuator('{');
        let selection = if open { self.selection_set()? } else { Vec::new() };
        Ok(Field { alias, name, arguments, directives, selection, at })
    }

    fn arguments(&mut self) -> Parsed<Vec<(String, Input)>> {
        let mut arguments = Vec::new();
        if self.eat('(') {
            while !self.eat(')') {
                arguments.push(self.named_value()?);
            }
        }
        Ok(arguments)
    }

    fn named_value(&mut self) -> Parsed<(String, Input)> {
        let name = self.name()?;
        self.expect(':')?;
        Ok((name, self.value()?))
    }

    fn directives(&mut self) -> Parsed<Vec<Directive>> {
        let mut directives = Vec::new();
        loop {
            let at = self.at();
            if !self.eat('@') {
                return Ok(directives);
            }
            let name = self.name()?;
            directives.push(Directive { name, arguments: self.arguments()?, at });
        }
    }

    pub(crate) fn value(&mut self) -> Parsed<Input> {
        let value = match self.peek().clone() {
            TokenKind::Int(value) => Input::Int(value),
            TokenKind::Float(value) => Input::Float(value),
            TokenKind::String(value) => Input::String(value),
            TokenKind::Name(word) => match word.as_str() {
                "true" => Input::Boolean(true),
                "false" => Input::Boolean(false),
                "null" => Input::Null,
                _ => Input::Enum(word),
            },
            TokenKind::Punctuator('$') => {
                self.advance();
                return self.name().map(Input::Variable);
            }
            TokenKind::Punctuator('[') => {
                self.advance();
                return self.deeper(Self::list);
            }
            TokenKind::Punctuator('{') => {
                self.advance();
                return self.deeper(Self::object);
            }
            _ => return Err(self.expected("a value")),
        };
        self.advance();
        Ok(value)
    }

    fn list(&mut self) -> Parsed<Input> {
        let mut items = Vec::new();
        while !self.eat(']') {
            items.push(self.value()?);
        }
        Ok(Input::List(items))
    }

    fn object(&mut self) -> Parsed<Input> {
        let mut fields = Vec::new();
        while !self.eat('}') {
            fields.push(self.named_value()?);
        }
        Ok(Input::Object(fields))
    }
}
