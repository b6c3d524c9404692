//! Workflow commands: `::name key=value::data` and the older `##[name key=value;…]data`.
//!
//! # Source
//! `ActionCommand.cs` of `actions/runner`; the escapes are those of `@actions/core`.

/// One command found in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Lower-case.
    pub name: String,
    /// Lower-case key and unescaped value, in order. Pieces without a value are left out.
    pub properties: Vec<(String, String)>,
    /// Unescaped.
    pub data: String,
}

impl Command {
    /// The command in `line`, if there is one: the newer form at its start (after white space), the older anywhere.
    ///
    /// Whether a command of this name exists is the caller's question: an unknown one is an ordinary line.
    pub fn parse(line: &str) -> Option<Self> {
        Self::parse_new(line).or_else(|| Self::parse_old(line))
    }

    fn parse_new(line: &str) -> Option<Self> {
        let rest = line.trim_start().strip_prefix("::")?;
        let (head, data) = rest.split_once("::")?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        Self::from_parts(name, properties, ',', data, &[("%0D", "\r"), ("%0A", "\n")], &[("%3A", ":"), ("%2C", ",")])
    }

    fn parse_old(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once("##[")?;
        let (head, data) = rest.split_once(']')?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let escapes = [("%0D", "\r"), ("%0A", "\n"), ("%3B", ";"), ("%5D", "]")];
        Self::from_parts(name, properties, ';', data, &escapes, &[])
    }

    fn from_parts(
        name: &str,
        properties: &str,
        separator: char,
        data: &str,
        escapes: &[(&str, &str)],
        more_escapes: &[(&str, &str)],
    ) -> Option<Self> {
        let name = name.trim();
        if name.is_empty() {
            return None;
        }
        let properties = properties
            .split(separator)
            .filter_map(|piece| piece.split_once('='))
            .map(|(key, value)| (key.trim().to_ascii_lowercase(), unescape(value, &[escapes, more_escapes])))
            .filter(|(key, value)| !key.is_empty() && !value.is_empty())
            .collect();
        Some(Self { name: name.to_ascii_lowercase(), properties, data: unescape(data, &[escapes]) })
    }

    /// The value of a property by its lower-case name; the first, if it was given twice.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Replaces each escape, `%25` last, so that an escaped percent sign is never read twice.
fn unescape(text: &str, escapes: &[&[(&str, &str)]]) -> String {
    let mut text = text.to_owned();
    if !text.contains('%') {
        return text;
    }
    for (escape, character) in escapes.iter().copied().flatten() {
        text = text.replace(escape, character);
    }
    text.replace("%25", "%")
}

/// Text as a command's data.
pub fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as a property's value.
pub fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, properties and data.
    type Parts<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

    fn check(line: &str, expected: Option<Parts<'_>>) {
        let found = Command::parse(line);
        let found = found.as_ref().map(|command| {
            let properties: Vec<_> = command.properties.iter().map(|(key, value)| (&**key, &**value)).collect();
            (command.name.clone(), properties, command.data.clone())
        });
        let expected = expected.map(|(name, properties, data)| (name.into(), properties.to_vec(), data.into()));
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn the_newer_form_stands_at_the_start_of_a_line() {
        check("::warning::careful", Some(("warning", &[], "careful")));
        check("  ::Warning file=a.rs,line=3::x::y", Some(("warning", &[("file", "a.rs"), ("line", "3")], "x::y")));
        check("::error title=a=b,col=::", Some(("error", &[("title", "a=b")], "")));
        check("text ::warning::no", None);
        check("::warning", None);
        check("::::", None);
    }

    #[test]
    fn trap_27_the_older_form_stands_anywhere() {
        check("text ##[warning]careful", Some(("warning", &[], "careful")));
        check("##[error file=a;line=2]x", Some(("error", &[("file", "a"), ("line", "2")], "x")));
        check("##[error", None);
    }

    #[test]
    fn escapes_are_undone_once() {
        check("::error title=a%2Cb%3Ac%253A::x%0Ay%250A", Some(("error", &[("title", "a,b:c%3A")], "x\ny%0A")));
        check("::error::%2C stays", Some(("error", &[], "%2C stays")));
        check("##[error x=%3B%5D]%5D", Some(("error", &[("x", ";]")], "]")));
    }

    #[test]
    fn what_is_escaped_is_read_back() {
        let (title, message) = ("a,b: 100%\nc", "1%0A\r\n2");
        let line = format!("::notice title={}::{}", escape_property(title), escape_data(message));
        check(&line, Some(("notice", &[("title", title)], message)));
    }
}
