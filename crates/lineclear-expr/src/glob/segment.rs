//! One name of a pattern.

/// What one name of a path must look like.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Segment {
    /// The `/` that an absolute path begins with.
    Root,
    /// `**`: any number of names.
    AnyFolders,
    Literal(String),
    Glob(Vec<Token>),
}

/// A piece of a name.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Char(char),
    /// `?`
    AnyChar,
    /// `*`
    AnyText,
    /// `[…]`: ranges with both ends in them.
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Segment {
    pub(super) fn literal(name: &str) -> Self {
        Self::Literal(name.to_owned())
    }

    pub(super) fn parse(name: &str) -> Self {
        if name == "**" {
            return Self::AnyFolders;
        }
        let mut tokens = Vec::new();
        let mut rest = name.chars();
        while let Some(c) = rest.next() {
            let token = match c {
                '\\' => Token::Char(rest.next().unwrap_or('\\')),
                '?' => Token::AnyChar,
                '*' if tokens.last() == Some(&Token::AnyText) => continue,
                '*' => Token::AnyText,
                '[' => match parse_set(rest.as_str()) {
                    Some((set, after)) => {
                        rest = after.chars();
                        set
                    }
                    None => Token::Char('['),
                },
                _ => Token::Char(c),
            };
            tokens.push(token);
        }
        let literal: Option<String> = tokens
            .iter()
            .map(|token| match token {
                Token::Char(c) => Some(*c),
                _ => None,
            })
            .collect();
        literal.map_or(Self::Glob(tokens), Self::Literal)
    }

    /// The name itself, if there is only one that matches.
    pub(super) fn as_literal(&self) -> Option<&str> {
        match self {
            Self::Root => Some(""),
            Self::Literal(name) => Some(name),
            Self::AnyFolders | Self::Glob(_) => None,
        }
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Root => false,
            Self::AnyFolders => true,
            Self::Literal(own) => own == name,
            Self::Glob(tokens) => matches_tokens(tokens, name),
        }
    }
}

/// Reads what is behind a `[` up to its `]`, and gives what is behind that. `None` if it is no set: then the bracket
/// stands for itself.
fn parse_set(text: &str) -> Option<(Token, &str)> {
    let mut rest = text.chars();
    let negated = text.starts_with(['!', '^']);
    if negated {
        rest.next();
    }
    let mut ranges: Vec<(char, char)> = Vec::new();
    // A `]` right behind the bracket is one of the set.
    let mut is_first = !negated;
    loop {
        let mut c = rest.next()?;
        if c == ']' && !is_first {
            break;
        }
        is_first = false;
        if c == '\\' {
            c = rest.next()?;
        }
        let mut ahead = rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.clone().next().is_some_and(|end| end != ']');
        if is_range {
            let mut end = ahead.next()?;
            if end == '\\' {
                end = ahead.next()?;
            }
            if end < c {
                return None;
            }
            rest = ahead;
            ranges.push((c, end));
        } else {
            ranges.push((c, c));
        }
    }
    // A set of one character is a way to write that character.
    match ranges[..] {
        [(c, end)] if c == end && !negated => Some((Token::Char(c), rest.as_str())),
        _ => Some((Token::Set { negated, ranges }, rest.as_str())),
    }
}

/// Whether `name` is made up as the tokens say. Takes time of at most both lengths multiplied.
fn matches_tokens(tokens: &[Token], name: &str) -> bool {
    let mut at = 0;
    let mut rest = name.chars();
    // Where to go on if the last `*` has to take one character more.
    let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let mut ahead = rest.clone();
        let next = ahead.next();
        let fits = match (tokens.get(at), next) {
            (Some(Token::AnyText), _) => {
                retry = Some((at + 1, rest.clone()));
                at += 1;
                continue;
            }
            (None, None) => return true,
            (Some(token), Some(c)) => token.matches(c),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if fits {
            at += 1;
            rest = ahead;
            continue;
        }
        let Some((token, from)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        at = *token;
        rest = from.clone();
    }
}

impl Token {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::AnyChar | Self::AnyText => true,
            Self::Set { negated, ranges } => {
                ranges.iter().any(|&(first, last)| (first..=last).contains(&c)) != *negated
            }
        }
    }
}
