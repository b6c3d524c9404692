//! The lines of a text that a diagnostic is shown with.

use crate::{Source, Span};

/// A line longer than this is cut around its marks.
const LONGEST_LINE: usize = 240;

/// How much of a cut line is shown before and after its marks.
const AROUND: usize = 60;

/// A mark over more lines than this is shown on its first only.
const MOST_LINES: usize = 10;

/// Marks with more lines between them are shown apart.
const FARTHEST: usize = 60;

/// What to underline, and the words beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) span: Span,
    pub(crate) primary: bool,
    pub(crate) label: Option<String>,
}

/// Lines that follow each other, and the marks in their own coordinates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) text: String,
    /// Counts from one.
    pub(crate) first_line: usize,
    pub(crate) marks: Vec<Mark>,
    /// Whether a line with a mark is not shown whole: columns in the excerpt are then not those of the file.
    pub(crate) cut: bool,
}

/// A mark as lines and bytes in them.
struct Placed<'a> {
    mark: &'a Mark,
    first: usize,
    last: usize,
    /// Bytes from the start of the first line.
    start: usize,
    /// Bytes from the start of the last line.
    end: usize,
}

/// The excerpts for `marks`, the one with the primary mark first. The spans of the marks must fit the text.
pub(crate) fn excerpts(source: &Source, marks: &[Mark]) -> Vec<Excerpt> {
    let mut placed: Vec<Placed<'_>> = marks.iter().map(|mark| place(source, mark)).collect();
    placed.sort_by_key(|placed| (placed.first, placed.start));
    let mut clusters: Vec<Vec<Placed<'_>>> = Vec::new();
    for next in placed {
        match clusters.last_mut() {
            Some(cluster) if cluster.iter().any(|other| next.first <= other.last + FARTHEST) => cluster.push(next),
            _ => clusters.push(vec![next]),
        }
    }
    clusters.sort_by_key(|cluster| !cluster.iter().any(|placed| placed.mark.primary));
    clusters.iter().map(|cluster| excerpt(source, cluster)).collect()
}

fn place<'a>(source: &Source, mark: &'a Mark) -> Placed<'a> {
    let (start, end) = (mark.span.start as usize, mark.span.end as usize);
    let first = source.line_index(start);
    let (first_start, first_text) = source.line(first);
    let mut last = source.line_index(end);
    let mut end = end - source.line(last).0;
    if last > first && end == 0 {
        // It ends with a line break: that belongs to the line before.
        last -= 1;
        end = source.line(last).1.len();
    }
    let mut start = start - first_start;
    if last - first >= MOST_LINES {
        last = first;
        end = first_text.len();
    }
    // The line break itself has no place in the excerpt.
    start = start.min(first_text.len());
    end = end.min(source.line(last).1.len());
    if last == first {
        end = end.max(start);
    }
    Placed { mark, first, last, start, end }
}

fn excerpt(source: &Source, cluster: &[Placed<'_>]) -> Excerpt {
    let first_line = cluster.iter().map(|placed| placed.first).min().unwrap_or_default();
    let last_line = cluster.iter().map(|placed| placed.last).max().unwrap_or_default();
    let mut text = String::new();
    let mut any_cut = false;
    let mut spans: Vec<(usize, usize)> = vec![(0, 0); cluster.len()];
    for index in first_line..=last_line {
        let line = source.line(index).1;
        let cut = Cut::of(line, cluster, index);
        any_cut |= cut.before || cut.after;
        let offset = text.len();
        cut.write(line, &mut text);
        // Also after the last: an empty line counts as one only with its line break.
        text.push('\n');
        for (placed, span) in cluster.iter().zip(&mut spans) {
            if placed.first == index {
                span.0 = offset + cut.map(placed.start);
            }
            if placed.last == index {
                span.1 = offset + cut.map(placed.end);
            }
        }
    }
    let marks = cluster.iter().zip(spans).map(|(placed, (start, end))| Mark {
        span: Span::new(start, end.max(start)),
        primary: placed.mark.primary,
        label: placed.mark.label.clone(),
    });
    Excerpt { text, first_line: first_line + 1, marks: marks.collect(), cut: any_cut }
}

/// The part of a line that is shown.
struct Cut {
    start: usize,
    end: usize,
    before: bool,
    after: bool,
}

/// Stands for what is not shown.
const ELLIPSIS: &str = "…";

impl Cut {
    /// Around the primary mark if it is in the line, otherwise around the first.
    fn of(line: &str, cluster: &[Placed<'_>], index: usize) -> Self {
        if line.len() <= LONGEST_LINE {
            return Self { start: 0, end: line.len(), before: false, after: false };
        }
        let here = |placed: &&Placed<'_>| placed.first == index || placed.last == index;
        let shown = cluster.iter().filter(here).min_by_key(|placed| !placed.mark.primary);
        let (first, last) = match shown {
            Some(placed) if placed.first == index && placed.last == index => (placed.start, placed.end),
            Some(placed) if placed.first == index => (placed.start, line.len()),
            Some(placed) => (0, placed.end),
            None => (0, 0),
        };
        let last = last.min(first + LONGEST_LINE / 2);
        let start = line.floor_char_boundary(first.saturating_sub(AROUND));
        let end = line.ceil_char_boundary((last + AROUND).min(line.len()));
        Self { start, end, before: start > 0, after: end < line.len() }
    }

    fn write(&self, line: &str, text: &mut String) {
        if self.before {
            text.push_str(ELLIPSIS);
        }
        text.push_str(line.get(self.start..self.end).unwrap_or_default());
        if self.after {
            text.push_str(ELLIPSIS);
        }
    }

    /// Where byte `at` of the line is in what was written of it.
    fn map(&self, at: usize) -> usize {
        let shift = if self.before { ELLIPSIS.len() } else { 0 };
        shift + at.clamp(self.start, self.end) - self.start
    }
}
