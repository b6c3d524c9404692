//! One table of the file while it is read: keys are asked for by name, and those that nobody asked for are unknown.

use std::time::Duration;

use jiff::civil::Date;
use lineclear_source::{Diagnostic, Source, Span, Spanned, suggest};
use toml::de::{DeTable, DeValue};

/// Everything that is wrong with the file.
#[derive(Debug)]
pub(crate) struct Findings<'s> {
    source: &'s Source,
    all: Vec<Diagnostic>,
    /// Lines on which the TOML itself is wrong: what was made of the rest of such a line is not spoken of.
    broken: Vec<u32>,
}

impl<'s> Findings<'s> {
    pub(crate) fn new(source: &'s Source) -> Self {
        Self { source, all: Vec::new(), broken: Vec::new() }
    }

    /// Text that is no TOML: one finding for each line.
    pub(crate) fn syntax(&mut self, span: Span, message: &str) {
        let line = self.source.position(span.start).line;
        if !self.broken.contains(&line) {
            self.broken.push(line);
            let message = message.trim().lines().collect::<Vec<_>>().join("; ");
            self.all.push(Diagnostic::error("policy-syntax", format!("this is not TOML: {message}")).at(span));
        }
    }

    pub(crate) fn value(&mut self, span: Span, message: impl Into<String>) -> Option<&mut Diagnostic> {
        self.push(Diagnostic::error("policy-value", message).at(span))
    }

    /// Something that should be there. Where the TOML is wrong somewhere, it may stand there.
    fn missing(&mut self, span: Span, message: String) {
        if self.broken.is_empty() {
            self.value(span, message);
        }
    }

    fn push(&mut self, diagnostic: Diagnostic) -> Option<&mut Diagnostic> {
        let line = self.source.position(diagnostic.span.unwrap_or_default().start).line;
        if self.broken.contains(&line) {
            return None;
        }
        self.all.push(diagnostic);
        self.all.last_mut()
    }

    /// In the order of the text.
    pub(crate) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.all.sort_by_key(|diagnostic| diagnostic.span);
        self.all
    }
}

/// A table that is being read.
#[derive(Debug)]
pub(crate) struct Table<'t> {
    /// As messages call it: `gate.main`.
    path: String,
    entries: Vec<Entry<'t>>,
    span: Span,
    asked: Vec<&'static str>,
}

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'t> {
    pub(crate) name: &'t str,
    pub(crate) key: Span,
    pub(crate) value: &'t DeValue<'t>,
    /// Of the value.
    pub(crate) span: Span,
}

impl<'t> Table<'t> {
    pub(crate) fn new(path: impl Into<String>, table: &'t DeTable<'t>, span: Span) -> Self {
        let mut entries: Vec<Entry<'t>> = table
            .iter()
            .map(|(key, value)| Entry {
                name: key.get_ref(),
                key: span_of(key.span()),
                value: value.get_ref(),
                span: span_of(value.span()),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key);
        Self { path: path.into(), entries, span, asked: Vec::new() }
    }

    /// Where it stands: of a table with a header, the header.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// All keys in the order of the text, for tables whose keys are names that people choose.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'t>> + use<'t> {
        self.entries.clone().into_iter()
    }

    /// Whether the key is there, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == key)
    }

    pub(crate) fn get(&mut self, key: &'static str) -> Option<Entry<'t>> {
        self.asked.push(key);
        self.entries.iter().find(|entry| entry.name == key).copied()
    }

    pub(crate) fn string(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Spanned<String>> {
        let entry = self.get(key)?;
        self.of_string(entry, findings)
    }

    /// As [`Self::string`], with a finding if the key is not there.
    pub(crate) fn required(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Spanned<String>> {
        let entry = self.require(key, findings)?;
        self.of_string(entry, findings)
    }

    /// As [`Self::get`], with a finding if the key is not there.
    pub(crate) fn require(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Entry<'t>> {
        if !self.has(key) {
            findings.missing(self.span, format!("`{}` has no `{key}`", self.path));
        }
        self.get(key)
    }

    pub(crate) fn of_string(&self, entry: Entry<'t>, findings: &mut Findings<'_>) -> Option<Spanned<String>> {
        match entry.value {
            DeValue::String(text) => Some(Spanned::new(text.to_string(), entry.span)),
            _ => self.wrong_type(entry, "a string", findings),
        }
    }

    /// A list of strings.
    pub(crate) fn strings(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Vec<Spanned<String>> {
        self.get(key).map(|entry| self.of_strings(entry, findings)).unwrap_or_default()
    }

    pub(crate) fn of_strings(&self, entry: Entry<'t>, findings: &mut Findings<'_>) -> Vec<Spanned<String>> {
        self.items(entry, "a list of strings", findings)
            .into_iter()
            .filter_map(|item| self.of_string(item, findings))
            .collect()
    }

    /// The elements of a list; `what` is what messages expect.
    pub(crate) fn items(&self, entry: Entry<'t>, what: &str, findings: &mut Findings<'_>) -> Vec<Entry<'t>> {
        let DeValue::Array(items) = entry.value else {
            self.wrong_type::<()>(entry, what, findings);
            return Vec::new();
        };
        items.iter().map(|item| Entry { value: item.get_ref(), span: span_of(item.span()), ..entry }).collect()
    }

    pub(crate) fn boolean(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Spanned<bool>> {
        let entry = self.get(key)?;
        match entry.value {
            DeValue::Boolean(value) => Some(Spanned::new(*value, entry.span)),
            _ => self.wrong_type(entry, "`true` or `false`", findings),
        }
    }

    /// A whole number from `least` on.
    pub(crate) fn count(&mut self, key: &'static str, least: u32, findings: &mut Findings<'_>) -> Option<Spanned<u32>> {
        let entry = self.get(key)?;
        let DeValue::Integer(number) = entry.value else { return self.wrong_type(entry, "a whole number", findings) };
        match i64::from_str_radix(number.as_str(), number.radix()).ok().and_then(|number| u32::try_from(number).ok()) {
            Some(number) if number >= least => Some(Spanned::new(number, entry.span)),
            _ => {
                findings.value(entry.span, format!("`{key}` has to be a whole number from {least} on"));
                None
            }
        }
    }

    /// A number from zero up to `most`.
    pub(crate) fn number(&mut self, key: &'static str, most: f64, findings: &mut Findings<'_>) -> Option<Spanned<f64>> {
        let entry = self.get(key)?;
        let number = match entry.value {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .and_then(|number| i32::try_from(number).ok())
                .map(f64::from),
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            _ => return self.wrong_type(entry, "a number", findings),
        };
        match number {
            Some(number) if (0.0..=most).contains(&number) => Some(Spanned::new(number, entry.span)),
            _ => {
                let range = if most.is_finite() { format!("from 0 to {most}") } else { "from 0 on".to_owned() };
                findings.value(entry.span, format!("`{key}` has to be a number {range}"));
                None
            }
        }
    }

    /// A time such as `5s`, `90m`, `12h` or `7d`.
    pub(crate) fn duration(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Spanned<Duration>> {
        let text = self.string(key, findings)?;
        let duration = parse_duration(&text.value);
        if duration.is_none() {
            let message = format!("`{}` is not a time: write a number and `s`, `m`, `h` or `d`, as `90s`", text.value);
            findings.value(text.span, message);
        }
        Some(Spanned::new(duration?, text.span))
    }

    /// A number of bytes such as `512M`, `2G` or `1048576`, in steps of 1024.
    pub(crate) fn size(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Spanned<u64>> {
        let text = self.string(key, findings)?;
        let size = parse_size(&text.value);
        if size.is_none() {
            let message = format!("`{}` is not a size: write a number and `K`, `M`, `G` or `T`, as `512M`", text.value);
            findings.value(text.span, message);
        }
        Some(Spanned::new(size?, text.span))
    }

    /// A day such as `2026-12-31`, with or without quotes, with a finding if the key is not there.
    pub(crate) fn required_date(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Spanned<Date>> {
        let entry = self.require(key, findings)?;
        let text = match entry.value {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            _ => return self.wrong_type(entry, "a day", findings),
        };
        // The parser takes more forms of a day than people are asked to read.
        let date = (text.len() == "2026-12-31".len()).then(|| text.parse::<Date>().ok()).flatten();
        if date.is_none() {
            findings.value(entry.span, format!("`{text}` is no day: write it as `2026-12-31`"));
        }
        Some(Spanned::new(date?, entry.span))
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        findings: &mut Findings<'_>,
    ) -> Option<Spanned<T>> {
        let entry = self.get(key)?;
        self.of_choice(entry, choices, findings)
    }

    /// A list of some of a few words.
    pub(crate) fn choices<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        findings: &mut Findings<'_>,
    ) -> Option<Spanned<Vec<Spanned<T>>>> {
        let entry = self.get(key)?;
        let items = self.items(entry, "a list of strings", findings);
        let chosen = items.into_iter().filter_map(|item| self.of_choice(item, choices, findings)).collect();
        Some(Spanned::new(chosen, entry.span))
    }

    pub(crate) fn of_choice<T: Copy>(
        &self,
        entry: Entry<'t>,
        choices: &[(&str, T)],
        findings: &mut Findings<'_>,
    ) -> Option<Spanned<T>> {
        let text = self.of_string(entry, findings)?;
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text.value) {
            return Some(Spanned::new(*choice, text.span));
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let message = match suggest(&text.value, words.iter().copied()) {
            Some(near) => format!("`{}` is not a value of `{}`; did you mean `{near}`?", text.value, entry.name),
            None => format!("`{}` is not a value of `{}`", text.value, entry.name),
        };
        if let Some(finding) = findings.value(text.span, message) {
            finding.help.push(format!("use one of: {}", words.join(", ")));
        }
        None
    }

    /// A table below this one.
    pub(crate) fn table(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Table<'t>> {
        let entry = self.get(key)?;
        self.of_table(entry, findings)
    }

    pub(crate) fn of_table(&self, entry: Entry<'t>, findings: &mut Findings<'_>) -> Option<Table<'t>> {
        let path = if self.path.is_empty() { entry.name.to_owned() } else { format!("{}.{}", self.path, entry.name) };
        match entry.value {
            DeValue::Table(table) => Some(Table::new(path, table, entry.key)),
            _ => self.wrong_type(entry, "a table", findings),
        }
    }

    /// The tables of `[key.NAME]`, each with its name.
    pub(crate) fn named(
        &mut self,
        key: &'static str,
        findings: &mut Findings<'_>,
    ) -> Vec<(Spanned<String>, Table<'t>)> {
        let Some(all) = self.table(key, findings) else { return Vec::new() };
        let named = |entry: Entry<'t>| {
            let table = all.of_table(entry, findings)?;
            Some((Spanned::new(entry.name.to_owned(), entry.key), table))
        };
        all.entries().filter_map(named).collect()
    }

    pub(crate) fn wrong_type<T>(&self, entry: Entry<'t>, expected: &str, findings: &mut Findings<'_>) -> Option<T> {
        let message = format!("`{}` has to be {expected}, not {}", entry.name, kind_of(entry.value));
        findings.value(entry.span, message);
        None
    }

    /// Reports the keys that nobody asked for.
    pub(crate) fn finish(self, findings: &mut Findings<'_>) {
        let place = if self.path.is_empty() { "`lineclear.toml`".to_owned() } else { format!("`{}`", self.path) };
        for entry in self.entries.iter().filter(|entry| !self.asked.contains(&entry.name)) {
            let message = match suggest(entry.name, self.asked.iter().copied()) {
                Some(near) => format!("`{}` is not a key of {place}; did you mean `{near}`?", entry.name),
                None => format!("`{}` is not a key of {place}", entry.name),
            };
            let diagnostic = Diagnostic::error("policy-unknown-key", message).at(entry.key);
            if let Some(finding) = findings.push(diagnostic) {
                finding.help.push(format!("its keys are: {}", self.asked.join(", ")));
            }
        }
    }
}

pub(crate) fn span_of(range: std::ops::Range<usize>) -> Span {
    Span::new(range.start, range.end)
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Bytes; `None` for what is no size, or nothing, or more than fits.
fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let power = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 1,
        "M" | "MB" | "MIB" => 2,
        "G" | "GB" | "GIB" => 3,
        "T" | "TB" | "TIB" => 4,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1024_u64.pow(power)).filter(|bytes| *bytes > 0)
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let number: u32 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    (number > 0).then(|| Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_in_steps_of_1024() {
        assert_eq!(parse_size("512M"), Some(512 << 20));
        assert_eq!(parse_size("2GiB"), Some(2 << 30));
        assert_eq!(parse_size("1048576"), Some(1 << 20));
        for wrong in ["", "G", "0G", "-1G", "1.5G", "2 G", "2X", "99999999999T"] {
            assert_eq!(parse_size(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_have_one_unit() {
        assert_eq!(parse_duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("7d"), Some(Duration::from_secs(604_800)));
        for wrong in ["", "s", "0s", "5", "-5s", "+5s", "5 s", "1h30m", "5é", "99999999999d"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
