//! Variables in words: `$name`, `${name}`, `${name:-word}` and their like.

use std::ops::Range;

/// Deeper defaults inside of defaults are refused: nobody writes them, and a hostile file has a million.
const DEEPEST: usize = 32;

/// Longer results are refused: variables that name each other twice would double without end.
const LONGEST: usize = 16 * 1024;

/// Values longer than this are not searched for patterns, which takes the square of their length.
const LONGEST_SEARCHED: usize = 4096;

/// A variable that a word names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable<'t> {
    /// Without `$` and braces.
    pub name: &'t str,
    /// Where it stands in the word, with `$` and braces.
    pub range: Range<usize>,
    /// What stands behind the name inside of braces (`:-`, `+`, `##`), if anything.
    pub operator: Option<&'t str>,
}

/// Why a word cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandFault {
    /// In lower case, without a full stop.
    pub message: String,
    /// Where in the word.
    pub at: Range<usize>,
}

/// The word with its quotes and escapes taken away and its variables put in. Inside of `'…'` nothing is put in.
///
/// # Errors
/// A quote or brace that is not closed, an operator that does not exist, or what `${name:?message}` asks for.
pub fn expand(word: &str, escape: char, mut value: impl FnMut(&str) -> Option<String>) -> Result<String, ExpandFault> {
    let mut expansion = Expansion { text: word, at: 0, escape, depth: 0, found: None, value: &mut value };
    expansion.word(None)
}

/// The variables of a word, those inside of defaults too, in the order in which they begin.
pub fn variables(word: &str, escape: char) -> Result<Vec<Variable<'_>>, ExpandFault> {
    // Both words of `:-` and `:+` are read whatever the value, so any will do.
    let mut nothing = |_: &str| None;
    let mut expansion = Expansion { text: word, at: 0, escape, depth: 0, found: Some(Vec::new()), value: &mut nothing };
    expansion.word(None)?;
    let mut found = expansion.found.unwrap_or_default();
    found.sort_by_key(|variable| variable.range.start);
    Ok(found)
}

struct Expansion<'t, 'v> {
    text: &'t str,
    at: usize,
    escape: char,
    depth: usize,
    /// Filled if only the variables are asked for.
    found: Option<Vec<Variable<'t>>>,
    value: &'v mut dyn FnMut(&str) -> Option<String>,
}

impl<'t> Expansion<'t, '_> {
    /// Up to the end, or to `until`, which is not taken.
    fn word(&mut self, until: Option<char>) -> Result<String, ExpandFault> {
        let mut result = String::new();
        while let Some(char) = self.peek() {
            if result.len() > LONGEST {
                return Err(fault("what this comes to is too long", 0..self.text.len()));
            }
            match char {
                char if Some(char) == until => return Ok(result),
                '\'' => self.single(&mut result)?,
                '"' => self.double(&mut result)?,
                '$' => result.push_str(&self.dollar()?),
                char if char == self.escape => {
                    self.bump();
                    // At the end of a word it stands for itself.
                    result.push(self.bump().unwrap_or(char));
                }
                char => {
                    self.bump();
                    result.push(char);
                }
            }
        }
        Ok(result)
    }

    fn single(&mut self, result: &mut String) -> Result<(), ExpandFault> {
        let start = self.at;
        self.bump();
        loop {
            match self.bump() {
                Some('\'') => return Ok(()),
                Some(char) => result.push(char),
                None => return Err(fault("a `'` is never closed", start..start + 1)),
            }
        }
    }

    fn double(&mut self, result: &mut String) -> Result<(), ExpandFault> {
        let start = self.at;
        self.bump();
        loop {
            match self.peek() {
                Some('"') => {
                    self.bump();
                    return Ok(());
                }
                Some('$') => result.push_str(&self.dollar()?),
                Some(char) if char == self.escape => {
                    self.bump();
                    match self.bump() {
                        Some(next) if next == '"' || next == '$' || next == self.escape => result.push(next),
                        Some(next) => result.extend([char, next]),
                        None => result.push(char),
                    }
                }
                Some(char) => {
                    self.bump();
                    result.push(char);
                }
                None => return Err(fault("a `\"` is never closed", start..start + 1)),
            }
        }
    }

    fn dollar(&mut self) -> Result<String, ExpandFault> {
        let start = self.at;
        self.bump();
        if self.peek() == Some('{') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(fault("too many `${` inside of each other", start..self.at));
            }
            let result = self.braced(start);
            self.depth -= 1;
            return result;
        }
        let name = self.name();
        if name.is_empty() {
            return Ok("$".to_owned());
        }
        self.note(name, start, None);
        Ok((self.value)(name).unwrap_or_default())
    }

    fn braced(&mut self, start: usize) -> Result<String, ExpandFault> {
        self.bump();
        let name = self.name();
        if name.is_empty() {
            return Err(fault("a variable's name is missing behind `${`", start..self.at));
        }
        let unclosed = || fault("a `${` is never closed", start..start + 2);
        let operator_at = self.at;
        match self.bump().ok_or_else(unclosed)? {
            '}' => {
                self.note(name, start, None);
                return Ok((self.value)(name).unwrap_or_default());
            }
            ':' => {
                if !matches!(self.bump().ok_or_else(unclosed)?, '-' | '+' | '?') {
                    return Err(fault("`:` is followed by `-`, `+` or `?`", operator_at..self.at));
                }
            }
            '-' | '+' | '?' => {}
            sign @ ('#' | '%' | '/') => {
                if self.peek() == Some(sign) {
                    self.bump();
                }
            }
            _ => {
                return Err(fault(
                    "behind the name comes `}`, `:-`, `:+`, `:?`, `#`, `%` or `/`",
                    operator_at..self.at,
                ));
            }
        }
        let operator = self.text.get(operator_at..self.at).unwrap_or_default();
        let is_replacement = operator.starts_with('/');
        let first = self.word(Some(if is_replacement { '/' } else { '}' }))?;
        let second = if is_replacement {
            self.bump().ok_or_else(unclosed)?;
            self.word(Some('}'))?
        } else {
            String::new()
        };
        self.bump().ok_or_else(unclosed)?;
        self.note(name, start, Some(operator));
        let value = (self.value)(name);
        let is_set = value.as_ref().is_some_and(|value| !operator.starts_with(':') || !value.is_empty());
        let value = value.unwrap_or_default();
        Ok(match operator.trim_start_matches(':') {
            "-" if is_set => value,
            "-" => first,
            "+" if is_set => first,
            "+" => String::new(),
            // Who only asks for the variables asks for no value.
            "?" if is_set || self.found.is_some() => value,
            "?" if first.is_empty() => return Err(fault(&format!("`{name}` has no value"), start..self.at)),
            "?" => return Err(fault(&format!("`{name}` has no value: {first}"), start..self.at)),
            _ if value.len() > LONGEST_SEARCHED => value,
            "#" => without_prefix(&value, &first, Reach::Short),
            "##" => without_prefix(&value, &first, Reach::Long),
            "%" => without_suffix(&value, &first, Reach::Short),
            "%%" => without_suffix(&value, &first, Reach::Long),
            "/" => replaced(&value, &first, &second, 1),
            _ => replaced(&value, &first, &second, usize::MAX),
        })
    }

    fn name(&mut self) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_special = rest.starts_with(|char: char| char.is_ascii_digit() || "@*#?-$!".contains(char));
        let length = if is_special {
            // `$1` and its like: one character that never has a value here. `#` and its like need the brace's own place.
            rest.bytes().take_while(u8::is_ascii_digit).count()
        } else {
            rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
        };
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn note(&mut self, name: &'t str, start: usize, operator: Option<&'t str>) {
        let range = start..self.at;
        if let Some(found) = &mut self.found {
            found.push(Variable { name, range, operator });
        }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }
}

fn fault(message: &str, at: Range<usize>) -> ExpandFault {
    ExpandFault { message: message.to_owned(), at }
}

#[derive(Clone, Copy, PartialEq)]
enum Reach {
    Short,
    Long,
}

/// The character boundaries of `text`, its end included.
fn boundaries(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
}

fn without_prefix(value: &str, pattern: &str, reach: Reach) -> String {
    let mut ends = boundaries(value);
    if reach == Reach::Long {
        ends.reverse();
    }
    let end = ends.into_iter().find(|end| value.get(..*end).is_some_and(|head| matches(pattern, head)));
    value.get(end.unwrap_or(0)..).unwrap_or_default().to_owned()
}

fn without_suffix(value: &str, pattern: &str, reach: Reach) -> String {
    let mut starts = boundaries(value);
    if reach == Reach::Short {
        starts.reverse();
    }
    let start = starts.into_iter().find(|start| value.get(*start..).is_some_and(|tail| matches(pattern, tail)));
    value.get(..start.unwrap_or(value.len())).unwrap_or_default().to_owned()
}

fn replaced(value: &str, pattern: &str, by: &str, most: usize) -> String {
    let mut result = String::new();
    let mut at = 0;
    let mut count = 0;
    while let Some(rest) = value.get(at..).filter(|rest| !rest.is_empty()) {
        let ends = boundaries(rest).into_iter().rev().filter(|end| *end > 0);
        let longest = ends.into_iter().find(|end| rest.get(..*end).is_some_and(|head| matches(pattern, head)));
        match longest.filter(|_| count < most) {
            Some(end) => {
                result.push_str(by);
                at += end;
                count += 1;
            }
            None => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                result.push_str(rest.get(..length).unwrap_or_default());
                at += length;
            }
        }
    }
    result
}

/// Whether a pattern of `*`, `?` and text matches all of `text`.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(char) if *char == '?' || Some(char) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: &str) {
        let value = |name: &str| match name {
            "a" => Some("one".to_owned()),
            "empty" => Some(String::new()),
            "path" => Some("/usr/local/lib.so.1".to_owned()),
            _ => None,
        };
        assert_eq!(expand(word, '\\', value).as_deref(), Ok(expected), "{word}");
    }

    #[test]
    fn words_are_expanded() {
        check("$a-${a}_$none.", "one-one_.");
        check("'$a'\"$a b\"\\$a", "$aone b$a");
        check("${a:-x}${none:-x}${empty:-y}${empty-z}", "onexy");
        check("${a:+x}${none:+x}${empty:+y}${empty+z}", "xz");
        check("${none:-${a:-x}/$a}", "one/one");
        check(
            "${path#*/}|${path##*/}|${path%.*}|${path%%.*}",
            "usr/local/lib.so.1|lib.so.1|/usr/local/lib.so|/usr/local/lib",
        );
        check("${path/l/L}|${path//l/L}", "/usr/Local/lib.so.1|/usr/LocaL/Lib.so.1");
        check("cost$", "cost$");
    }

    #[test]
    fn faults_have_a_place() {
        let check = |word: &str, at: Range<usize>| {
            assert_eq!(expand(word, '\\', |_| None).expect_err("it is a fault").at, at, "{word}");
        };
        check("a${b", 1..3);
        check("a${}", 1..3);
        check("a'b", 1..2);
        check("${a:=b}", 3..5);
        check("${a:?no}", 0..8);
        assert!(expand(&"${a:-".repeat(100_000), '\\', |_| None).is_err());
    }

    #[test]
    fn variables_are_found_inside_of_defaults() {
        let found = variables("x$a${b:-$c}'$d'", '\\').expect("it is sound");
        let found: Vec<_> = found.iter().map(|variable| (variable.name, variable.range.clone())).collect();
        assert_eq!(found, [("a", 1..3), ("b", 3..11), ("c", 8..10)]);
    }
}
