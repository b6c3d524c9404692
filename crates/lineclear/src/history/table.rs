//! Columns.

use unicode_width::UnicodeWidthStr;

use super::terminal::harmless;
use lineclear_source::Style;

/// Rows of cells as lines, every column as wide as its widest cell; the last one ends where its text ends. Colours take no
/// room. Control characters in cells are left out but colours.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| harmless(cell, Style::Coloured).replace('\t', " ")).collect())
        .collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        for (at, cell) in row.iter().enumerate() {
            if widths.len() == at {
                widths.push(0);
            }
            widths[at] = widths[at].max(width(cell));
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if at + 1 < row.len() {
                line.push_str(&" ".repeat(widths[at] - width(cell) + 2));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn width(cell: &str) -> usize {
    harmless(cell, Style::Plain).width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_wide_characters_do_not_bend_columns() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["✓", "\u{1b}[32mok\u{1b}[0m", "x"]), row(["日本", "failure", "y"]), row(["a", "", ""])];
        let shown = columns(&rows);
        assert_eq!(harmless(&shown.replace('\n', "|"), Style::Plain), "✓     ok       x|日本  failure  y|a|");
    }
}
