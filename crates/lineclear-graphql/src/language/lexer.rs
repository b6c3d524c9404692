//! Text to tokens.

use super::Position;

/// More tokens than this are not read: the longest document of a known action has a tenth.
const MAX_TOKENS: usize = 20_000;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Punctuator(char),
    Spread,
    Name(String),
    Int(i64),
    Float(f64),
    String(String),
    End,
}

impl TokenKind {
    /// As GitHub names tokens in its messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Punctuator(mark) => format!("{} (\"{mark}\")", punctuator(*mark)),
            Self::Spread => "ELLIPSIS (\"...\")".to_owned(),
            Self::Name(name) => format!("IDENTIFIER (\"{}\")", name.chars().take(60).collect::<String>()),
            Self::Int(value) => format!("INT (\"{value}\")"),
            Self::Float(value) => format!("FLOAT (\"{value}\")"),
            Self::String(_) => "STRING".to_owned(),
            Self::End => "end of the document".to_owned(),
        }
    }
}

fn punctuator(mark: char) -> &'static str {
    match mark {
        '!' => "BANG",
        '$' => "VAR_SIGN",
        '&' => "AMP",
        '(' => "LPAREN",
        ')' => "RPAREN",
        ':' => "COLON",
        '=' => "EQUALS",
        '@' => "DIR_SIGN",
        '[' => "LBRACKET",
        ']' => "RBRACKET",
        '{' => "LCURLY",
        '|' => "PIPE",
        _ => "RCURLY",
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) at: Position,
}

/// Text that is no document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) at: Position,
}

/// All tokens of `text`; the last is [`TokenKind::End`].
///
/// # Errors
/// Where a character begins no token, a string does not end, a number is none, or there are too many tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer { rest: text, at: Position { line: 1, column: 1 } };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_ignored();
        let at = lexer.at;
        let kind = lexer.token()?;
        let ended = kind == TokenKind::End;
        tokens.push(Token { kind, at });
        if ended {
            return Ok(tokens);
        }
        if tokens.len() > MAX_TOKENS {
            return Err(SyntaxError { message: format!("The document has more than {MAX_TOKENS} tokens."), at });
        }
    }
}

struct Lexer<'t> {
    rest: &'t str,
    at: Position,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        if found {
            for _ in text.chars() {
                self.bump();
            }
        }
        found
    }

    fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError { message: message.into(), at: self.at }
    }

    fn skip_ignored(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | '\r' | ',' | '\u{feff}' => {
                    self.bump();
                }
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n' && c != '\r') {
                        self.bump();
                    }
                }
                _ => return,
            }
        }
    }

    fn token(&mut self) -> Result<TokenKind, SyntaxError> {
        let Some(c) = self.peek() else { return Ok(TokenKind::End) };
        match c {
            '!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '|' | '}' => {
                self.bump();
                Ok(TokenKind::Punctuator(c))
            }
            '.' if self.eat("...") => Ok(TokenKind::Spread),
            '_' | 'a'..='z' | 'A'..='Z' => Ok(TokenKind::Name(self.take(|c| c == '_' || c.is_ascii_alphanumeric()))),
            '-' | '0'..='9' => self.number(),
            '"' if self.eat("\"\"\"") => self.block_string(),
            '"' => self.string(),
            other => Err(self.error(format!("Unexpected character: {other:?}"))),
        }
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| belongs(*c)) {
            self.bump();
            text.push(c);
        }
        text
    }

    fn number(&mut self) -> Result<TokenKind, SyntaxError> {
        let start = self.at;
        let text = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_'));
        let wrong = || SyntaxError { message: format!("Not a number: {text:?}"), at: start };
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let whole = digits.split(['.', 'e', 'E']).next().unwrap_or_default();
        let fits = !whole.is_empty() && (whole == "0" || !whole.starts_with('0'));
        if !fits || !digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-')) {
            return Err(wrong());
        }
        if digits.chars().all(|c| c.is_ascii_digit()) {
            return text.parse().map(TokenKind::Int).map_err(|_| wrong());
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() && !text.ends_with('.') && !text.contains(".e") => {
                Ok(TokenKind::Float(value))
            }
            _ => Err(wrong()),
        }
    }

    fn string(&mut self) -> Result<TokenKind, SyntaxError> {
        let unended = self.error("This string does not end.");
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                None | Some('\n' | '\r') => return Err(unended),
                Some('"') => return Ok(TokenKind::String(text)),
                Some('\\') => text.push(self.escaped()?),
                Some(c) => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, SyntaxError> {
        let wrong = self.error("Bad escape in a string.");
        match self.bump() {
            Some(c @ ('"' | '\\' | '/')) => Ok(c),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => self.unicode().ok_or(wrong),
            _ => Err(wrong),
        }
    }

    /// After `\u`: four digits, a pair of surrogates, or `{…}`.
    fn unicode(&mut self) -> Option<char> {
        if self.eat("{") {
            let digits = self.take(|c| c.is_ascii_hexdigit());
            return self.eat("}").then(|| u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)).flatten();
        }
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        let second = self.eat("\\u").then(|| self.four_digits()).flatten()?;
        (0xdc00..0xe000)
            .contains(&second)
            .then(|| char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)))?
    }

    fn four_digits(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |sum, _| Some(sum * 16 + self.bump()?.to_digit(16)?))
    }

    fn block_string(&mut self) -> Result<TokenKind, SyntaxError> {
        let unended = self.error("This string does not end.");
        let mut raw = String::new();
        loop {
            if self.eat("\\\"\"\"") {
                raw.push_str("\"\"\"");
            } else if self.eat("\"\"\"") {
                return Ok(TokenKind::String(without_indent(&raw)));
            } else if let Some(c) = self.bump() {
                raw.push(c);
            } else {
                return Err(unended);
            }
        }
    }
}

/// A block string's value: the common indent and the empty lines around it are left out.
fn without_indent(raw: &str) -> String {
    let raw = raw.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = raw.split('\n').collect();
    let blank = |line: &str| line.chars().all(|c| matches!(c, ' ' | '\t'));
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = lines.iter().skip(1).filter(|line| !blank(line)).map(|line| indent(line)).min().unwrap_or(0);
    let first = lines.iter().position(|line| !blank(line)).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !blank(line)).map_or(first, |last| last + 1);
    let cut = |(at, line): (usize, &&str)| match at {
        0 => (*line).to_owned(),
        _ => line.get(common..).unwrap_or_default().to_owned(),
    };
    let kept: Vec<String> = lines.iter().enumerate().take(last).skip(first).map(cut).collect();
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<TokenKind, String> {
        let found = tokens(text).map_err(|error| error.message)?;
        Ok(found.into_iter().next().map_or(TokenKind::End, |token| token.kind))
    }

    #[test]
    fn numbers_and_strings_are_read_as_the_specification_says() {
        assert_eq!(one("-12"), Ok(TokenKind::Int(-12)));
        assert_eq!(one("1e9"), Ok(TokenKind::Float(1e9)));
        assert_eq!(one("6.02E+2"), Ok(TokenKind::Float(602.0)));
        assert_eq!(one(r#""a\n\u00e4\uD83D\uDE00\u{1F600}""#), Ok(TokenKind::String("a\nä😀😀".into())));
        assert_eq!(one("\"\"\"\n    a\n      b \\\"\"\"\n\n  \"\"\""), Ok(TokenKind::String("a\n  b \"\"\"".into())));
        for text in
            ["01", "1.", "1.e3", "-", "1a", "1e999", "99999999999999999999", "\"a", "\"\"\"a", r#""\uD83D""#, "..", "ä"]
        {
            assert!(one(text).is_err(), "{text}");
        }
    }

    #[test]
    fn wide_spaces_in_a_block_string_are_text() {
        assert_eq!(one("\"\"\"\n  a\n\u{3000}b\n\"\"\""), Ok(TokenKind::String("  a\n\u{3000}b".into())));
    }
}
