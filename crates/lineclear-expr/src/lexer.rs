//! Text to tokens.
//!
//! A token is legal or not by what stands before it, so that most syntax errors are found here and at the very token that
//! GitHub would name. Strings keep their raw form; [`unquote`] gives their value.

use crate::number::parse_number;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// `(` around an operand.
    StartGroup,
    EndGroup,
    /// `(` after a function's name.
    StartArguments,
    EndArguments,
    StartIndex,
    EndIndex,
    Separator,
    Dereference,
    /// `*` after a dot.
    Wildcard,
    /// `*` in brackets, where nothing else may stand beside it.
    IndexWildcard,
    Not,
    Binary(BinaryOperator),
    Null,
    Bool(bool),
    Number(f64),
    /// Raw text with its quotes.
    String,
    PropertyName,
    Function,
    NamedValue,
    /// Nothing that may stand here.
    Unexpected,
}

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BinaryOperator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// A token and the bytes it takes up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Reads tokens one by one. Nothing may be asked of it after an unexpected token.
#[derive(Debug)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    last: Option<TokenKind>,
    /// The opening tokens that still wait for their closing ones.
    open: Vec<TokenKind>,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0, last: None, open: Vec::new() }
    }

    /// Whether a parenthesis or bracket is still open.
    pub(crate) fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    pub(crate) fn next_token(&mut self) -> Option<Token> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.len() - rest.trim_start().len();
        let first = *self.text.as_bytes().get(self.at)?;
        let start = self.at;
        let kind = match first {
            b'(' if self.last == Some(TokenKind::Function) => self.single(TokenKind::StartArguments),
            b'(' => self.single(TokenKind::StartGroup),
            b')' if self.open.last() == Some(&TokenKind::StartArguments) => self.single(TokenKind::EndArguments),
            b')' => self.single(TokenKind::EndGroup),
            b'[' => self.single(TokenKind::StartIndex),
            b']' => self.single(TokenKind::EndIndex),
            b',' => self.single(TokenKind::Separator),
            b'*' if self.last == Some(TokenKind::StartIndex) => self.single(TokenKind::IndexWildcard),
            b'*' => self.single(TokenKind::Wildcard),
            b'\'' => self.string(),
            b'!' | b'<' | b'>' | b'=' | b'&' | b'|' => self.operator(),
            b'.' if self.expects_operand() => self.number(start),
            b'.' => self.single(TokenKind::Dereference),
            b'-' | b'+' | b'0'..=b'9' => self.number(start),
            _ => self.word(),
        };
        let kind = if self.is_legal(kind) && self.track(kind) { kind } else { TokenKind::Unexpected };
        self.last = Some(kind);
        Some(Token { kind, start, end: self.at })
    }

    fn single(&mut self, kind: TokenKind) -> TokenKind {
        self.at += 1;
        kind
    }

    fn string(&mut self) -> TokenKind {
        self.at += 1;
        loop {
            let Some(length) = self.text.as_bytes()[self.at..].iter().position(|&byte| byte == b'\'') else {
                self.at = self.text.len();
                return TokenKind::Unexpected;
            };
            self.at += length + 1;
            if self.text.as_bytes().get(self.at) != Some(&b'\'') {
                return TokenKind::String;
            }
            self.at += 1;
        }
    }

    fn operator(&mut self) -> TokenKind {
        use BinaryOperator as Op;
        let rest = &self.text[self.at..];
        let two = match rest.as_bytes() {
            [b'!', b'=', ..] => Some(Op::NotEqual),
            [b'=', b'=', ..] => Some(Op::Equal),
            [b'<', b'=', ..] => Some(Op::LessOrEqual),
            [b'>', b'=', ..] => Some(Op::GreaterOrEqual),
            [b'&', b'&', ..] => Some(Op::And),
            [b'|', b'|', ..] => Some(Op::Or),
            _ => None,
        };
        if let Some(operator) = two {
            self.at += 2;
            return TokenKind::Binary(operator);
        }
        self.at += 1;
        match rest.as_bytes()[0] {
            b'!' => TokenKind::Not,
            b'<' => TokenKind::Binary(Op::Less),
            b'>' => TokenKind::Binary(Op::Greater),
            _ => {
                self.skip_to_boundary();
                TokenKind::Unexpected
            }
        }
    }

    fn number(&mut self, start: usize) -> TokenKind {
        self.at += 1;
        loop {
            self.skip_to_boundary();
            if self.text.as_bytes().get(self.at) != Some(&b'.') {
                break;
            }
            self.at += 1;
        }
        let number = parse_number(&self.text[start..self.at]);
        if number.is_nan() { TokenKind::Unexpected } else { TokenKind::Number(number) }
    }

    fn word(&mut self) -> TokenKind {
        let start = self.at;
        self.at += self.text[start..].chars().next().map_or(0, char::len_utf8);
        self.skip_to_boundary();
        let word = &self.text[start..self.at];
        if !is_name(word) {
            return TokenKind::Unexpected;
        }
        if self.last == Some(TokenKind::Dereference) {
            return TokenKind::PropertyName;
        }
        match word {
            "null" => TokenKind::Null,
            "true" => TokenKind::Bool(true),
            "false" => TokenKind::Bool(false),
            "NaN" => TokenKind::Number(f64::NAN),
            "Infinity" => TokenKind::Number(f64::INFINITY),
            _ if self.text[self.at..].trim_start().starts_with('(') => TokenKind::Function,
            _ => TokenKind::NamedValue,
        }
    }
}

impl Lexer<'_> {
    fn skip_to_boundary(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.find(is_boundary).unwrap_or(rest.len());
    }

    /// Whether the next token must begin an operand.
    fn expects_operand(&self) -> bool {
        use TokenKind as K;
        matches!(
            self.last,
            None | Some(K::Separator | K::StartGroup | K::StartArguments | K::StartIndex | K::Not | K::Binary(_))
        )
    }

    /// Whether the last token ended an operand.
    fn follows_operand(&self) -> bool {
        use TokenKind as K;
        self.follows_reference() || matches!(self.last, Some(K::Null | K::Bool(_) | K::Number(_) | K::String))
    }

    /// Whether the last token ended something that can be indexed; a literal cannot.
    fn follows_reference(&self) -> bool {
        use TokenKind as K;
        matches!(
            self.last,
            Some(K::EndGroup | K::EndArguments | K::EndIndex | K::Wildcard | K::PropertyName | K::NamedValue)
        )
    }

    fn is_legal(&self, kind: TokenKind) -> bool {
        use TokenKind as K;
        match kind {
            K::Unexpected => false,
            K::StartGroup | K::Not | K::Null | K::Bool(_) | K::Number(_) | K::String | K::Function | K::NamedValue => {
                self.expects_operand()
            }
            K::StartArguments => self.last == Some(K::Function),
            K::EndArguments => self.follows_operand() || self.last == Some(K::StartArguments),
            K::EndIndex => self.follows_operand() || self.last == Some(K::IndexWildcard),
            K::EndGroup | K::Separator | K::Binary(_) => self.follows_operand(),
            K::StartIndex | K::Dereference => self.follows_reference(),
            K::Wildcard | K::PropertyName => self.last == Some(K::Dereference),
            K::IndexWildcard => self.last == Some(K::StartIndex),
        }
    }

    /// Keeps count of what is open; false for a closing token that closes nothing.
    fn track(&mut self, kind: TokenKind) -> bool {
        use TokenKind as K;
        let opened_by = match kind {
            K::StartGroup | K::StartIndex | K::StartArguments => {
                self.open.push(kind);
                return true;
            }
            K::EndGroup => K::StartGroup,
            K::EndIndex => K::StartIndex,
            K::EndArguments | K::Separator => K::StartArguments,
            _ => return true,
        };
        let matches = self.open.last() == Some(&opened_by);
        if matches && kind != K::Separator {
            self.open.pop();
        }
        matches
    }
}

fn is_boundary(c: char) -> bool {
    matches!(c, '(' | ')' | '[' | ']' | ',' | '.' | '!' | '<' | '>' | '=' | '&' | '|') || c.is_whitespace()
}

/// Whether `word` is a letter or `_`, then letters, digits, `_` and `-`, all of ASCII.
pub(crate) fn is_name(word: &str) -> bool {
    let mut bytes = word.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The value of a string token: without its quotes, and each doubled quote once.
pub(crate) fn unquote(raw: &str) -> String {
    let inner = raw.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(raw);
    inner.replace("''", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The raw text of each token; an unexpected one, which is the last, in `<>`.
    fn tokens(text: &str) -> String {
        let mut lexer = Lexer::new(text);
        let mut out = Vec::new();
        while let Some(token) = lexer.next_token() {
            let raw = &text[token.start..token.end];
            if token.kind == TokenKind::Unexpected {
                out.push(format!("<{raw}>"));
                break;
            }
            out.push(raw.to_owned());
        }
        out.join(" ")
    }

    #[test]
    fn tokens_end_where_the_next_can_begin() {
        for (text, expected) in [
            ("a.b-c_1['x''y'].*[ 1 ]", "a . b-c_1 [ 'x''y' ] . * [ 1 ]"),
            ("!a&&b||c==-1.5e3", "! a && b || c == -1.5e3"),
            ("f( 0x1F,.5 , '' )", "f ( 0x1F , .5 , '' )"),
            ("steps.true.null", "steps . true . null"),
            ("a <= b>= c<d >e != f", "a <= b >= c < d > e != f"),
            ("\u{a0}a\u{3000}", "a"),
            ("x[*]", "x [ * ]"),
        ] {
            assert_eq!(tokens(text), expected);
        }
    }

    #[test]
    fn what_may_not_stand_there_is_unexpected() {
        for (text, expected) in [
            ("\"a\"", "<\"a\">"),
            ("'a", "<'a>"),
            ("'a''", "<'a''>"),
            ("1 =2", "1 <=2>"),
            ("1 = = 2", "1 <=>"),
            ("a & b", "a <&>"),
            ("1 2", "1 <2>"),
            ("a b", "a <b>"),
            ("foo.1", "foo . <1>"),
            ("'a'.b", "'a' <.>"),
            ("'a'[0]", "'a' <[>"),
            ("1 + 2", "1 <+>"),
            ("1+2", "<1+2>"),
            ("(1,", "( 1 <,>"),
            ("f((1,2))", "f ( ( 1 <,>"),
            ("a)", "a <)>"),
            ("a]", "a <]>"),
            ("(a]", "( a <]>"),
            ("x[*.y]", "x [ * <.>"),
            ("*", "<*>"),
            ("x.y*", "x . <y*>"),
            ("😊 a", "<😊>"),
            ("a/b.c", "<a/b>"),
            ("..a/b.c", "<..a/b.c>"),
            ("f(,)", "f ( <,>"),
            ("f(1,)", "f ( 1 , <)>"),
            ("()", "( <)>"),
            ("a.b()", "a . b <(>"),
            ("-Inf", "<-Inf>"),
            ("0o8", "<0o8>"),
            ("== 1", "<==>"),
        ] {
            assert_eq!(tokens(text), expected, "{text}");
        }
    }
}
