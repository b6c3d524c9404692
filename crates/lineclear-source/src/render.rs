//! A diagnostic as people read it: the file, line and column, the source line, and the span underlined.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::excerpt::{Excerpt, Mark, excerpts};
use crate::{Diagnostic, Severity, Source, Span, Style};

/// The text of `diagnostic` against the source it speaks of, ending in a newline.
///
/// ```text
/// error[duplicate-key]: the key `env` is already defined
///   --> .github/workflows/ci.yml:9:5
///    |
///  5 |     env: { A: 1 }
///    |     --- first defined here
/// ...
///  9 |     env: { B: 2 }
///    |     ^^^
///    |
///    = help: remove one of the two, or join their values
/// ```
///
/// Spans may be anything: empty, at the end, over many lines, outside the text or inside a character. Of a long line the
/// part around the span is shown, of a span over many lines the first. Control characters are made visible.
pub fn render(diagnostic: &Diagnostic, source: &Source, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = level.primary_title(visible(&diagnostic.message)).id(visible(&diagnostic.code));
    let name = visible(source.name());
    let excerpts = excerpts(source, &marks(diagnostic, source));
    let mut group = Group::with_title(title);
    if excerpts.is_empty() {
        group = group.element(Origin::path(name.as_str()));
    }
    for (index, excerpt) in excerpts.iter().enumerate() {
        group = group.element(snippet(excerpt, &name, index));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let report: [Group<'_>; 1] = [group];
    let mut text = renderer.render(&report);
    if let Some(span) = diagnostic.span {
        text = with_column(&text, source.position(span.start).column);
    }
    text.push('\n');
    text
}

/// The text with `column` in its second line, which ends with file, line and column: that one was counted in an excerpt.
fn with_column(text: &str, column: u32) -> String {
    let mut lines = text.split_inclusive('\n');
    let (title, place) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let Some((before, after)) = place.rsplit_once(':') else { return text.to_owned() };
    let after = after.trim_start_matches(|char: char| char.is_ascii_digit());
    let rest = text.get(title.len() + place.len()..).unwrap_or_default();
    format!("{title}{before}:{column}{after}{rest}")
}

fn marks(diagnostic: &Diagnostic, source: &Source) -> Vec<Mark> {
    let mut marks = Vec::new();
    if let Some(span) = diagnostic.span {
        // A label at the very place of the finding is written beside its underline.
        let own = diagnostic.labels.iter().find(|label| label.span == span);
        marks.push(Mark { span, primary: true, label: own.map(|label| visible(&label.message)) });
    }
    for label in &diagnostic.labels {
        if Some(label.span) != diagnostic.span {
            marks.push(Mark { span: label.span, primary: false, label: Some(visible(&label.message)) });
        }
    }
    for mark in &mut marks {
        mark.span = fitting(mark.span, source.text());
    }
    marks
}

/// The span within `text`, from and to whole characters.
fn fitting(span: Span, text: &str) -> Span {
    let start = text.floor_char_boundary((span.start as usize).min(text.len()));
    let end = text.ceil_char_boundary((span.end as usize).min(text.len())).max(start);
    Span::new(start, end)
}

fn snippet<'a>(excerpt: &'a Excerpt, name: &'a str, index: usize) -> Snippet<'a, Annotation<'a>> {
    // The place of the first is mended afterwards; a further one rather has none than a wrong one.
    let path = (index == 0 || !excerpt.cut).then_some(name);
    let mut snippet = Snippet::source(excerpt.text.as_str()).line_start(excerpt.first_line).path(path);
    for mark in &excerpt.marks {
        let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        snippet = snippet.annotation(kind.span(mark.span.range()).label(mark.label.as_deref()));
    }
    snippet
}

/// On one line, with control characters shown as what they are: a message may quote anything that a file holds.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() { shown.extend(char.escape_default()) } else { shown.push(char) }
    }
    shown
}

#[cfg(test)]
mod tests;
