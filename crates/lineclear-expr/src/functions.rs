//! What the functions do.

use lineclear_source::clipped;

use crate::evaluate::{Evaluated, Evaluator};
use crate::memory::Memory;
use crate::tree::NodeId;
use crate::{EvaluateError, Function, StatusFunction, Value, fold, json};

/// How much of a text an error repeats.
const SHOWN: usize = 500;

impl Evaluator<'_> {
    /// The value of the call `id`, whose arguments are at `level`.
    pub(crate) fn call(&mut self, function: Function, id: NodeId, level: usize) -> Result<Evaluated, EvaluateError> {
        let value = match function {
            Function::Contains => self.contains(id, level)?.into(),
            Function::StartsWith => self.compare_ends(id, level, fold::starts_with)?.into(),
            Function::EndsWith => self.compare_ends(id, level, fold::ends_with)?.into(),
            Function::Format => self.format(id, level)?.into(),
            Function::Join => self.join(id, level)?,
            Function::ToJson => {
                let value = self.argument(id, 0, level)?;
                let text = json::pretty_within(&value, self.memory.limit()).ok_or_else(|| self.too_large(id))?;
                text.into()
            }
            Function::FromJson => {
                let value = self.argument(id, 0, level)?;
                json::parse(&value.as_text())
                    .map_err(|fault| EvaluateError::new(format!("Error parsing fromJson: {fault}"), self.span(id)))?
            }
            Function::HashFiles => self.hash_files(id, level)?.into(),
            Function::Case => return self.case(id, level),
            Function::Status(status) => self.status(status, id, level)?.into(),
        };
        Ok(value.into())
    }

    /// Argument number `at`; null if there is none.
    fn argument(&mut self, id: NodeId, at: usize, level: usize) -> Result<Value, EvaluateError> {
        match self.tree.children(id).nth(at) {
            Some(argument) => self.value(argument, level).map(|result| result.value),
            None => Ok(Value::Null),
        }
    }

    fn contains(&mut self, id: NodeId, level: usize) -> Result<bool, EvaluateError> {
        match self.argument(id, 0, level)? {
            Value::Array(items) if !items.is_empty() => {
                let item = self.argument(id, 1, level)?;
                Ok(items.iter().any(|own| item.loosely_equals(own)))
            }
            Value::Array(_) | Value::Object(_) => Ok(false),
            text => {
                let item = self.argument(id, 1, level)?;
                Ok(item.is_primitive() && fold::contains(&text.as_text(), &item.as_text()))
            }
        }
    }

    fn compare_ends(
        &mut self,
        id: NodeId,
        level: usize,
        has_end: fn(&str, &str) -> bool,
    ) -> Result<bool, EvaluateError> {
        let text = self.argument(id, 0, level)?;
        if !text.is_primitive() {
            return Ok(false);
        }
        let end = self.argument(id, 1, level)?;
        Ok(end.is_primitive() && has_end(&text.as_text(), &end.as_text()))
    }

    fn format(&mut self, id: NodeId, level: usize) -> Result<String, EvaluateError> {
        let format = self.argument(id, 0, level)?;
        let format = format.as_text();
        let arguments: Vec<NodeId> = self.tree.children(id).skip(1).collect();
        let fault = |what: &str| {
            EvaluateError::new(
                format!("The following format string {what}: {}", clipped(&format, SHOWN)),
                self.span(id),
            )
        };
        // The format is checked to its end before the first argument is evaluated.
        let parts = split_format(&format).ok_or_else(|| fault("is invalid"))?;
        let too_few = |part: &Part<'_>| matches!(part, Part::Argument { index, .. } if *index >= arguments.len());
        if parts.iter().any(too_few) {
            return Err(fault("references more arguments than were supplied"));
        }
        let mut values: Vec<Option<Value>> = vec![None; arguments.len()];
        let mut text = String::new();
        let mut bytes = 0;
        for part in parts {
            let piece = match part {
                Part::Text(piece) => std::borrow::Cow::Borrowed(piece),
                Part::Argument { index, specifiers } => {
                    if values[index].is_none() {
                        values[index] = Some(self.value(arguments[index], level)?.value);
                    }
                    let value = values[index].as_ref().unwrap_or(&Value::Null);
                    if !specifiers.is_empty() {
                        let kind = value.kind().name();
                        let message =
                            format!("The format specifiers '{specifiers}' are not valid for objects of type '{kind}'");
                        return Err(EvaluateError::new(message, self.span(id)));
                    }
                    value.as_text()
                }
            };
            bytes += if piece.is_empty() { 0 } else { Memory::of_text(&piece) };
            if bytes > self.memory.limit() {
                return Err(self.too_large(id));
            }
            text.push_str(&piece);
        }
        Ok(text)
    }

    fn join(&mut self, id: NodeId, level: usize) -> Result<Value, EvaluateError> {
        let items = match self.argument(id, 0, level)? {
            Value::Array(items) => items,
            Value::Object(_) => return Ok("".into()),
            primitive => return Ok(primitive.to_text().into()),
        };
        let mut separator = Value::from(",");
        if items.len() > 1 && self.tree.children(id).nth(1).is_some() {
            let given = self.argument(id, 1, level)?;
            if given.is_primitive() {
                separator = given;
            }
        }
        let separator = separator.as_text();
        let mut text = String::new();
        let mut bytes = 0;
        for (at, item) in items.iter().enumerate() {
            let item = item.as_text();
            if at > 0 {
                text.push_str(&separator);
                bytes += Memory::of_text(&separator);
            }
            text.push_str(&item);
            bytes += Memory::of_text(&item);
            if bytes > self.memory.limit() {
                return Err(self.too_large(id));
            }
        }
        Ok(text.into())
    }

    fn case(&mut self, id: NodeId, level: usize) -> Result<Evaluated, EvaluateError> {
        let mut arguments = self.tree.children(id);
        while let Some(argument) = arguments.next() {
            let Some(then) = arguments.next() else { return self.value(argument, level) };
            match self.value(argument, level)?.value {
                Value::Bool(true) => return self.value(then, level),
                Value::Bool(false) => {}
                _ => {
                    let message = "case predicate must evaluate to a boolean value";
                    return Err(EvaluateError::new(message, self.span(argument)));
                }
            }
        }
        Ok(Value::Null.into())
    }

    fn texts(&mut self, id: NodeId, level: usize) -> Result<Vec<String>, EvaluateError> {
        let arguments: Vec<NodeId> = self.tree.children(id).collect();
        arguments.into_iter().map(|argument| Ok(self.value(argument, level)?.value.to_text())).collect()
    }

    fn hash_files(&mut self, id: NodeId, level: usize) -> Result<String, EvaluateError> {
        const OPTION: &str = "--follow-symbolic-links";
        let mut patterns = self.texts(id, level)?;
        if let Some(first) = patterns.first_mut()
            && first.starts_with("--")
        {
            if !first.eq_ignore_ascii_case(OPTION) {
                let message = format!("Invalid glob option {}, available option: '{OPTION}'", clipped(first, SHOWN));
                return Err(EvaluateError::new(message, self.span(id)));
            }
            first.make_ascii_lowercase();
        }
        match self.scope.hash_files(&patterns) {
            Some(result) => result.map_err(|fault| EvaluateError::new(fault, self.span(id))),
            None => Err(EvaluateError::new("`hashFiles` is not available here", self.span(id))),
        }
    }

    fn status(&mut self, status: StatusFunction, id: NodeId, level: usize) -> Result<bool, EvaluateError> {
        let jobs = self.texts(id, level)?;
        self.scope.status(status, &jobs).ok_or_else(|| {
            let name = Function::Status(status).name();
            EvaluateError::new(format!("`{name}` is not available here"), self.span(id))
        })
    }
}

/// A piece of a format string.
#[derive(Debug, PartialEq)]
enum Part<'f> {
    Text(&'f str),
    Argument { index: usize, specifiers: String },
}

/// Takes a format string apart; `None` if a brace stands alone or around something else than a number up to 255.
fn split_format(format: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        let (first, second) = (brace.as_bytes()[0], brace.as_bytes().get(1));
        if second == Some(&first) {
            // One of the two doubled braces belongs to the text.
            parts.push(Part::Text(&rest[..=at]));
            rest = &brace[2..];
            continue;
        }
        if first == b'}' {
            return None;
        }
        let digits = brace[1..].bytes().take_while(u8::is_ascii_digit).count();
        let index: u8 = brace[1..=digits].parse().ok()?;
        let (specifiers, end) = read_specifiers(&brace[1 + digits..])?;
        parts.push(Part::Text(before));
        parts.push(Part::Argument { index: index.into(), specifiers });
        rest = &brace[1 + digits + end..];
    }
    parts.push(Part::Text(rest));
    Some(parts)
}

/// What is between a number and its closing brace, and how many bytes it takes including that brace.
fn read_specifiers(text: &str) -> Option<(String, usize)> {
    if text.starts_with('}') {
        return Some((String::new(), 1));
    }
    let mut specifiers = String::new();
    let mut at = 1;
    let inner = text.strip_prefix(':')?;
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        at += c.len_utf8();
        if c == '}' {
            if chars.next_if_eq(&'}').is_none() {
                return Some((specifiers, at));
            }
            at += 1;
        }
        specifiers.push(c);
    }
    None
}
