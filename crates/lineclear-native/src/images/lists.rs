//! Inputs that are lists: one entry a line, and fields between commas, in the manner of CSV.
//!
//! A field between double quotes may hold commas, line ends and, doubled, quotes. A quote in the middle of a field is itself.
//!
//! # Source
//! The documentation of Docker's actions: `List` and `CSV` inputs, and the package `csv-parse` with `relax_quotes`.

/// How a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commas {
    /// They separate entries, as line ends do.
    Separate,
    /// They are part of an entry.
    Belong,
}

/// Whether lines may be comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comments {
    /// A line that begins with `#` is one.
    Hash,
    /// None is.
    None,
}

/// Whether quotes hold an entry together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotes {
    Hold,
    /// They are characters like any other.
    Plain,
}

/// The entries of a list, trimmed; empty ones are left out.
pub(crate) fn entries(text: &str, commas: Commas, comments: Comments) -> Vec<String> {
    entries_with(text, commas, comments, Quotes::Hold).iter().map(|entry| entry.trim().to_owned()).collect()
}

/// The entries of a list as they are, spaces and all; empty ones are left out.
pub(crate) fn entries_with(text: &str, commas: Commas, comments: Comments, quotes: Quotes) -> Vec<String> {
    let mut entries = Vec::new();
    for record in records(text, comments, quotes) {
        match commas {
            // A field that holds commas because it was quoted is several entries all the same, if it is alone on its line.
            Commas::Separate if record.len() == 1 => entries.extend(record[0].split(',').map(str::to_owned)),
            Commas::Separate => entries.extend(record),
            Commas::Belong => entries.push(record.join(",")),
        }
    }
    entries.retain(|entry| !entry.is_empty());
    entries
}

/// The fields of one entry.
pub(crate) fn fields(entry: &str) -> Vec<String> {
    records(entry, Comments::None, Quotes::Hold).into_iter().next().unwrap_or_default()
}

/// One attribute of an entry, `key=value`, both trimmed; a field without `=`, or with nothing before it, has no key.
pub(crate) fn attribute(field: &str) -> (Option<&str>, &str) {
    match field.split_once('=') {
        Some((key, value)) if !key.is_empty() => (Some(key.trim()), value.trim()),
        _ => (None, field.trim()),
    }
}

/// Lines, each with its fields. Empty lines are left out.
fn records(text: &str, comments: Comments, quotes: Quotes) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let (mut record, mut field): (Vec<String>, String) = (Vec::new(), String::new());
    // What a quote at the beginning of a field turned on.
    let (mut is_quoted, mut was_quoted) = (false, false);
    let mut rest = text.chars().peekable();
    let mut at_start = true;
    while let Some(character) = rest.next() {
        if is_quoted {
            match character {
                '"' if rest.peek() == Some(&'"') => {
                    rest.next();
                    field.push('"');
                }
                '"' if matches!(rest.peek(), None | Some(',' | '\n' | '\r')) => is_quoted = false,
                // A quote that closes nothing: as it was written.
                other => field.push(other),
            }
            continue;
        }
        match character {
            '#' if at_start && comments == Comments::Hash => {
                while rest.peek().is_some_and(|next| *next != '\n') {
                    rest.next();
                }
                continue;
            }
            '"' if field.is_empty() && !was_quoted && quotes == Quotes::Hold => (is_quoted, was_quoted) = (true, true),
            ',' => {
                record.push(std::mem::take(&mut field));
                was_quoted = false;
            }
            '\r' if rest.peek() == Some(&'\n') => continue,
            '\n' => {
                end(&mut records, &mut record, &mut field, was_quoted);
                was_quoted = false;
                at_start = true;
                continue;
            }
            other => field.push(other),
        }
        at_start = false;
    }
    end(&mut records, &mut record, &mut field, was_quoted);
    records
}

fn end(records: &mut Vec<Vec<String>>, record: &mut Vec<String>, field: &mut String, was_quoted: bool) {
    if record.is_empty() && field.is_empty() && !was_quoted {
        return;
    }
    record.push(std::mem::take(field));
    records.push(std::mem::take(record));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_lines_or_lie_between_commas() {
        let cases: [(&str, &[&str], &[&str]); 8] = [
            ("", &[], &[]),
            ("a\n\n b \r\nc", &["a", "b", "c"], &["a", "b", "c"]),
            ("a,b\nc", &["a", "b", "c"], &["a,b", "c"]),
            ("\"a,b\"\nc", &["a", "b", "c"], &["a,b", "c"]),
            ("\"a\nb\"", &["a\nb"], &["a\nb"]),
            ("K=say \"hi\"", &["K=say \"hi\""], &["K=say \"hi\""]),
            ("\"K=say \"\"hi\"\"\"", &["K=say \"hi\""], &["K=say \"hi\""]),
            ("a#b", &["a#b"], &["a#b"]),
        ];
        for (text, separate, belong) in cases {
            assert_eq!(entries(text, Commas::Separate, Comments::None), separate, "{text:?}");
            assert_eq!(entries(text, Commas::Belong, Comments::None), belong, "{text:?}");
        }
    }

    #[test]
    fn comments_are_lines_of_their_own() {
        let text = "# minimal\ntype=sha\n#type=edge\ntype=raw,value=a#b";
        assert_eq!(entries(text, Commas::Belong, Comments::Hash), ["type=sha", "type=raw,value=a#b"]);
    }

    #[test]
    fn spaces_and_quotes_may_be_kept() {
        let keep = |text| entries_with(text, Commas::Belong, Comments::None, Quotes::Plain);
        assert_eq!(keep("type=local,dest=\"a b\" "), ["type=local,dest=\"a b\" "]);
    }

    #[test]
    fn attributes_have_a_key_and_a_value_with_further_signs() {
        assert_eq!(attribute(" pattern = a=b "), (Some("pattern"), "a=b"));
        assert_eq!(attribute("name/app"), (None, "name/app"));
        assert_eq!(attribute("=x"), (None, "=x"));
        assert_eq!(fields("type=raw,\"value=a,b\""), ["type=raw", "value=a,b"]);
    }
}
