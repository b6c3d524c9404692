//! Texts with expressions between double braces: `sha-{{branch}}`, `{{date 'YYYYMMDD' tz='Asia/Tokyo'}}`.
//!
//! The part of Handlebars that tags are written in: names, helpers with texts as arguments, comments. Blocks and partials are
//! refused, not ignored. What two braces put in is escaped for HTML, and what three put in is not: that is how Handlebars is, and
//! tags rely on it nowhere, since every sign that is escaped is none that a tag may have.
//!
//! # Source
//! The language guide of Handlebars.

/// What an expression asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) name: String,
    /// Texts behind the name.
    pub(crate) arguments: Vec<String>,
    /// `key=text`.
    pub(crate) named: Vec<(String, String)>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("the expression that begins with `{0}` has no end")]
    Unclosed(String),
    #[error("`{{{{{0}}}}}` is a block or a partial; only names and the helpers of dates are understood here")]
    Unsupported(String),
    #[error("`{{{{{0}}}}}` cannot be read: a name comes first, then texts in quotes")]
    Unreadable(String),
    #[error("{0}")]
    Value(String),
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Ask { asked: Asked, is_escaped: bool },
}

/// Puts in what `value` says of each expression; a name it does not know is nothing.
pub(crate) fn render(
    template: &str,
    value: &dyn Fn(&Asked) -> Result<Option<String>, String>,
) -> Result<String, TemplateError> {
    let mut text = String::new();
    for piece in pieces(template)? {
        match piece {
            Piece::Text(literal) => text.push_str(&literal),
            Piece::Ask { asked, is_escaped } => {
                let value = value(&asked).map_err(TemplateError::Value)?.unwrap_or_default();
                if is_escaped {
                    escape(&value, &mut text);
                } else {
                    text.push_str(&value);
                }
            }
        }
    }
    Ok(text)
}

/// Whether the template is nothing but one expression of this name.
pub(crate) fn is_only(template: &str, name: &str) -> bool {
    matches!(pieces(template).as_deref(), Ok([Piece::Ask { asked, .. }]) if asked.name == name)
}

fn pieces(template: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(open) = rest.find("{{") {
        text.push_str(&rest[..open]);
        // A backslash makes the braces plain, and a doubled one is a backslash.
        if text.ends_with("\\\\") {
            text.pop();
        } else if text.ends_with('\\') {
            text.pop();
            let end = rest[open + 2..].find("{{").map_or(rest.len(), |next| open + 2 + next);
            text.push_str(&rest[open..end]);
            rest = &rest[end..];
            continue;
        }
        let inner = &rest[open..];
        let (body, after, is_escaped) = if let Some(body) = inner.strip_prefix("{{!--") {
            let end = body.find("--}}").ok_or_else(|| unclosed(inner))?;
            rest = &body[end + 4..];
            continue;
        } else if let Some(body) = inner.strip_prefix("{{{") {
            let end = body.find("}}}").ok_or_else(|| unclosed(inner))?;
            (&body[..end], &body[end + 3..], false)
        } else {
            let body = &inner[2..];
            let end = end_of(body).ok_or_else(|| unclosed(inner))?;
            (&body[..end], &body[end + 2..], true)
        };
        rest = after;
        let (body, trims_before) = body.strip_prefix('~').map_or((body, false), |body| (body, true));
        let (body, trims_after) = body.strip_suffix('~').map_or((body, false), |body| (body, true));
        if trims_before {
            text.truncate(text.trim_end().len());
        }
        if trims_after {
            rest = rest.trim_start();
        }
        let (body, is_escaped) = body.strip_prefix('&').map_or((body, is_escaped), |body| (body, false));
        let body = body.trim();
        if body.starts_with('!') {
            continue;
        }
        if body.starts_with(['#', '/', '>', '^', '*']) || body == "else" {
            return Err(TemplateError::Unsupported(body.to_owned()));
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Ask { asked: asked(body)?, is_escaped });
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

fn unclosed(inner: &str) -> TemplateError {
    TemplateError::Unclosed(inner.chars().take(20).collect())
}

/// Where the braces close that are outside of quotes.
fn end_of(body: &str) -> Option<usize> {
    let mut quote = None;
    for (at, character) in body.char_indices() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None if body[at..].starts_with("}}") => return Some(at),
            None => {}
        }
    }
    None
}

fn asked(body: &str) -> Result<Asked, TemplateError> {
    let unreadable = || TemplateError::Unreadable(body.to_owned());
    let mut words = words(body).ok_or_else(unreadable)?.into_iter();
    let first = words.next().ok_or_else(unreadable)?;
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|character| character.is_alphanumeric() || "_-.@/$".contains(character))
    };
    let name = match (first.key, first.is_text) {
        (None, false) if is_name(&first.value) => first.value,
        _ => return Err(unreadable()),
    };
    let name = name.strip_prefix("this.").map_or(name.clone(), str::to_owned);
    let (mut arguments, mut named) = (Vec::new(), Vec::new());
    for word in words {
        match word.key {
            Some(key) => named.push((key, word.value)),
            None => arguments.push(word.value),
        }
    }
    Ok(Asked { name, arguments, named })
}

struct Word {
    key: Option<String>,
    value: String,
    is_text: bool,
}

/// Words between spaces: `name`, `'text'`, `key='text'`. Nothing where a quote is left open or a text touches a word.
fn words(body: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = body.trim_start();
    while !rest.is_empty() {
        let start = rest.find(|character: char| character.is_whitespace() || "='\"".contains(character));
        let (head, tail) = rest.split_at(start.unwrap_or(rest.len()));
        let (key, value_at) = match tail.strip_prefix('=') {
            Some(value) if !head.is_empty() => (Some(head.to_owned()), value),
            Some(_) => return None,
            None => (None, rest),
        };
        let quote = value_at.chars().next().filter(|first| matches!(first, '\'' | '"'));
        let (value, after, is_text) = if let Some(quote) = quote {
            let inside = &value_at[1..];
            let end = inside.find(quote)?;
            (&inside[..end], &inside[end + 1..], true)
        } else {
            let end = value_at.find(char::is_whitespace).unwrap_or(value_at.len());
            (&value_at[..end], &value_at[end..], false)
        };
        if !after.is_empty() && !after.starts_with(char::is_whitespace) {
            return None;
        }
        words.push(Word { key, value: value.to_owned(), is_text });
        rest = after.trim_start();
    }
    Some(words)
}

fn escape(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#x27;"),
            '`' => text.push_str("&#x60;"),
            '=' => text.push_str("&#x3D;"),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str) -> Result<String, String> {
        let value = |asked: &Asked| match asked.name.as_str() {
            "branch" => Ok(Some("a&b".to_owned())),
            "date" => Ok(Some(format!("{:?}{:?}", asked.arguments, asked.named))),
            "bad" => Err("no such zone".to_owned()),
            _ => Ok(None),
        };
        super::render(template, &value).map_err(|error| error.to_string())
    }

    #[test]
    fn expressions_stand_between_braces() {
        let cases = [
            ("", ""),
            ("plain", "plain"),
            ("x-{{ branch }}-y", "x-a&amp;b-y"),
            ("{{{branch}}}{{&branch}}", "a&ba&b"),
            ("{{unknown}}|{{this.branch}}", "|a&amp;b"),
            ("{{{date 'A B' tz='x'}}}", "[\"A B\"][(\"tz\", \"x\")]"),
            ("a {{~branch~}} b", "aa&amp;bb"),
            ("a{{! said }}b{{!-- {{x}} --}}c", "abc"),
            ("\\{{branch}}", "{{branch}}"),
            ("{not}", "{not}"),
        ];
        for (template, expected) in cases {
            assert_eq!(render(template), Ok(expected.to_owned()), "{template}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for template in ["{{branch", "{{#if x}}y{{/if}}", "{{}}", "{{'x'}}", "{{date 'x}}", "{{bad}}", "{{> partial}}"]
        {
            assert!(render(template).is_err(), "{template}");
        }
    }

    #[test]
    fn only_one_expression_is_a_raw_statement() {
        for (template, is) in [
            ("{{ raw }}.{{ version }}", false),
            ("{{ version }},{{raw }.", false),
            ("{{ raw }}", true),
            ("{{raw}}", true),
            ("v{{raw}}", false),
        ] {
            assert_eq!(is_only(template, "raw"), is, "{template}");
        }
    }
}
