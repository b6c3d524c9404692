//! The images that jobs, services and steps name, and how firmly.

use lineclear_source::Span;
use lineclear_workflow::{ActionRef, Job, Runs, StepKind, Text, TextTree};

use lineclear_expr::{Segment, Template, Value};

use crate::File;

/// How firmly an image is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Firmness {
    /// By digest: always the same bytes.
    Digest,
    /// By a tag other than `latest`.
    Tag,
    /// By `latest`.
    Latest,
    /// By its name alone, which means `latest`.
    Bare,
}

/// Calls `found` with every image that is named in the file, without `docker://`: those that a matrix lists, too.
pub(crate) fn images(file: &File<'_>, mut found: impl FnMut(&str, Span)) {
    for (job, steps) in file.step_jobs() {
        let containers = steps.container.iter().chain(steps.services.iter().map(|service| &service.container));
        for container in containers {
            of_text(&container.image, job, &mut found);
        }
    }
    for site in file.steps() {
        if let StepKind::Uses { uses, .. } = &site.step.kind
            && let ActionRef::Docker { image } = &uses.value
        {
            found(image, uses.span);
        }
    }
    if let Some(Runs::Docker { image, .. }) = file.action().map(|action| &action.runs)
        && let Some(name) = image.value.strip_prefix("docker://")
    {
        found(name, image.span);
    }
}

/// How firmly `image` is named; none for an image that only a run can tell, or that is none.
pub(crate) fn firmness(image: &str) -> Option<Firmness> {
    if image.is_empty() || image.contains("${{") || image.contains(char::is_whitespace) {
        return None;
    }
    if image.contains("@sha") {
        return Some(Firmness::Digest);
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    Some(match name.split_once(':') {
        None => Firmness::Bare,
        Some((_, "latest")) => Firmness::Latest,
        Some(_) => Firmness::Tag,
    })
}

fn of_text(text: &Text, job: &Job, found: &mut impl FnMut(&str, Span)) {
    match &text.template {
        Template::Literal(_) => found(without_scheme(text.raw()), text.span()),
        // The tag alone may be an expression: what stands before it says nothing.
        Template::Mixed(_) => {}
        Template::Expression(expr) => {
            let Some(reference) = expr.root().as_reference() else { return };
            if reference.context != "matrix" || !reference.complete {
                return;
            }
            let names: Option<Vec<&str>> = reference
                .path
                .iter()
                .map(|segment| if let Segment::Name(name) = segment { Some(*name) } else { None })
                .collect();
            let matrix = job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref());
            if let (Some(names), Some(matrix)) = (names, matrix) {
                of_matrix(matrix, &names, found);
            }
        }
    }
}

/// The values that a matrix gives to the path `names`: those of the axis, and those of `include`.
fn of_matrix(matrix: &TextTree, names: &[&str], found: &mut impl FnMut(&str, Span)) {
    let Some((axis, inner)) = names.split_first() else { return };
    if let Some(TextTree::Sequence(values)) = get(matrix, axis) {
        values.value.iter().for_each(|value| literal(value, inner, found));
    }
    if let Some(TextTree::Sequence(included)) = get(matrix, "include") {
        included.value.iter().for_each(|value| literal(value, names, found));
    }
}

fn literal(tree: &TextTree, path: &[&str], found: &mut impl FnMut(&str, Span)) {
    match (tree, path.split_first()) {
        (TextTree::Scalar(text), None) => {
            if let Some(Value::String(value)) = text.template.as_literal() {
                found(without_scheme(value), text.span());
            }
        }
        (_, Some((name, rest))) => {
            if let Some(inner) = get(tree, name) {
                literal(inner, rest, found);
            }
        }
        _ => {}
    }
}

fn get<'t>(tree: &'t TextTree, name: &str) -> Option<&'t TextTree> {
    let TextTree::Mapping(entries) = tree else { return None };
    entries.value.iter().find(|(key, _)| key.raw().eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn without_scheme(image: &str) -> &str {
    image.strip_prefix("docker://").unwrap_or(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_as_firm_as_its_name() {
        for (image, expected) in [
            ("redis", Some(Firmness::Bare)),
            ("localhost:5000/redis", Some(Firmness::Bare)),
            ("redis:latest", Some(Firmness::Latest)),
            ("ghcr.io/a/b:1", Some(Firmness::Tag)),
            ("redis@sha256:0", Some(Firmness::Digest)),
            ("redis:7@sha256:0", Some(Firmness::Digest)),
            ("", None),
        ] {
            assert_eq!(firmness(image), expected, "{image}");
        }
    }
}
