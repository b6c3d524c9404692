//! Markdown as a terminal shows it: enough for job summaries to be read with pleasure.

use std::borrow::Cow;

use lineclear_source::Style;

/// Headings are bold, tables aligned, and `&lt;` and its like are the character outside of code; everything else stays as it
/// was written.
pub(crate) fn render(markdown: &str, style: Style) -> String {
    let mut out = String::new();
    let mut lines = markdown.lines().peekable();
    let mut in_code = false;
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            continue;
        }
        if in_code {
            out.push_str(&format!("    {line}\n"));
        } else if is_row(line) {
            let mut rows = vec![cells(line)];
            while let Some(row) = lines.next_if(|line| is_row(line)) {
                rows.push(cells(row));
            }
            out.push_str(&table(rows));
        } else if let Some(heading) = heading(line) {
            out.push_str(&style.bold(&characters(heading)));
            out.push('\n');
        } else {
            out.push_str(&characters(line));
            out.push('\n');
        }
    }
    out
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| text.trim())
}

fn is_row(line: &str) -> bool {
    let line = line.trim();
    line.len() > 1 && line.starts_with('|') && line.ends_with('|')
}

fn cells(line: &str) -> Vec<String> {
    line.trim().trim_matches('|').split('|').map(|cell| characters(cell.trim())).collect()
}

/// The line with the characters that reports write as references, since they would be markup otherwise; in `code` they stand
/// for themselves.
fn characters(line: &str) -> String {
    let mut parts: Vec<Cow<'_, str>> = line.split('`').map(Cow::Borrowed).collect();
    for part in parts.iter_mut().step_by(2).filter(|part| part.contains('&')) {
        // The ampersand last: `&amp;lt;` is the text `&lt;`.
        let of_known =
            REFERENCES.iter().fold(part.to_string(), |text, (reference, character)| text.replace(reference, character));
        *part = Cow::Owned(of_known);
    }
    parts.join("`")
}

/// What reporters write for a character that would be markup, or would call somebody.
const REFERENCES: [(&str, &str); 9] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#39;", "'"),
    ("&#64;", "@"),
    ("&#124;", "|"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

/// The rows in columns of equal width; the row of dashes under the head becomes a rule.
fn table(rows: Vec<Vec<String>>) -> String {
    let is_rule = |row: &[String]| row.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| "-: ".contains(c)));
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let texts = rows.iter().filter(|row| !is_rule(row)).filter_map(|row| row.get(column));
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in &rows {
        let mut line = String::from(" ");
        for (column, width) in widths.iter().enumerate() {
            let text = row.get(column).map_or("", String::as_str);
            if is_rule(row) {
                line.push_str(&format!(" {} ", "─".repeat(*width)));
            } else {
                line.push_str(&format!(" {text}{} ", " ".repeat(width - text.chars().count())));
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn tables_are_aligned_and_headings_lose_their_marks() {
        let markdown =
            "## Coverage\n| file | % |\n|---|--:|\n| a.py | 100 |\n| längst.py | 7 |\n\ntext #1\n```\n# code\n```\n";
        expect![[r#"
            Coverage
              file       %
              ─────────  ───
              a.py       100
              längst.py  7

            text #1
                # code
        "#]]
        .assert_eq(&render(markdown, Style::Plain));
    }

    #[test]
    fn references_are_characters_but_in_code() {
        let markdown = "a &lt;b&gt; `&lt;` &amp;lt; &#64;you & co\n| &lt;i&gt; |\n```\n&lt;\n```\n";
        assert_eq!(render(markdown, Style::Plain), "a <b> `&lt;` &lt; @you & co\n  <i>\n    &lt;\n");
    }
}
