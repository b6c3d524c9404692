//! `$NAME` and `${NAME:-default}` in values.

/// Whether a value has a variable in it (`$$` is a dollar sign).
pub fn has_variable(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let after = rest.get(at + 1..).unwrap_or_default();
        if let Some(behind) = after.strip_prefix('$') {
            rest = behind;
        } else if after.starts_with(|char: char| char == '{' || char == '_' || char.is_ascii_alphabetic()) {
            return true;
        } else {
            rest = after;
        }
    }
    false
}

/// The value if no variable is set: defaults put in, `$$` as `$`. `None` where a variable has no default.
pub fn with_defaults(text: &str) -> Option<String> {
    expand(text, 0)
}

fn expand(text: &str, depth: usize) -> Option<String> {
    if depth > 16 {
        return None;
    }
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(rest.get(..at)?);
        let after = rest.get(at + 1..)?;
        if let Some(behind) = after.strip_prefix('$') {
            result.push('$');
            rest = behind;
        } else if after.starts_with('{') {
            let end = closing(after)?;
            let inner = after.get(1..end)?;
            let name = inner.find(|char: char| char != '_' && !char.is_ascii_alphanumeric()).unwrap_or(inner.len());
            let operator = inner.get(name..)?;
            let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
            let alternative = operator.starts_with(":+") || operator.starts_with('+');
            match default {
                Some(default) => result.push_str(&expand(default, depth + 1)?),
                None if alternative => {}
                None => return None,
            }
            rest = after.get(end + 1..)?;
        } else if after.starts_with(|char: char| char == '_' || char.is_ascii_alphabetic()) {
            return None;
        } else {
            result.push('$');
            rest = after;
        }
    }
    result.push_str(rest);
    Some(result)
}

/// The index of the brace that closes the one at the start.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Splits at `separator`, not inside of `${…}` and `[…]`.
pub(crate) fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, char) in text.char_indices() {
        match char {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            char if char == separator && depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + char.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_put_in() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(with_defaults(text).as_deref(), expected, "{text}");
        check("a", Some("a"));
        check("a$$b", Some("a$b"));
        check("${A:-x}/${B-y}", Some("x/y"));
        check("${A:-${B:-z}}", Some("z"));
        check("${A:+x}.", Some("."));
        check("$A", None);
        check("${A}", None);
        check("${A:?no}", None);
        check("${A", None);
        check("5$", Some("5$"));
        assert!(has_variable("a$B") && has_variable("${B}") && !has_variable("a$$B") && !has_variable("5$"));
        assert_eq!(split("${A:-1}:[::1]:2", ':'), ["${A:-1}", "[::1]", "2"]);
    }
}
