//! The machines that a job may run on, as far as `runs-on` and a literal matrix tell.

use std::borrow::Cow;

use lineclear_catalog::Platform;
use lineclear_expr::{Node, NodeKind, Segment, Template, TemplatePart, Value};
use lineclear_source::Span;
use lineclear_workflow::{Job, JobKind, RunsOn, Text, TextTree};
use lineclear_yaml::Scalar;

/// What `runs-on` asks of a machine.
#[derive(Debug)]
pub(crate) struct Machine<'a> {
    /// The machine must have all of them.
    pub(crate) labels: Vec<Label<'a>>,
    /// Whether a group is named: its runners may have any labels.
    pub(crate) has_group: bool,
}

/// One label, with the texts that it may come out as.
#[derive(Debug, Default)]
pub(crate) struct Label<'a> {
    /// Those that are written somewhere.
    pub(crate) choices: Vec<Choice<'a>>,
    /// Whether it may come out as something else, too.
    pub(crate) is_open: bool,
}

/// A text that a label, or another value with expressions, may come out as.
#[derive(Clone, Debug)]
pub(crate) struct Choice<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Where it, or the part of it that differs, is written.
    pub(crate) span: Span,
    /// Whether the span holds the text as it is, so that another can be put there.
    pub(crate) is_whole: bool,
}

/// A set of platforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Platforms(u8);

impl Platforms {
    const ALL: Self = Self(0b111);
    pub(super) const LINUX: Self = Self(0b001);

    fn of(platform: Platform) -> Self {
        Self(match platform {
            Platform::Linux => 0b001,
            Platform::Windows => 0b010,
            Platform::MacOs => 0b100,
        })
    }

    pub(crate) fn has(self, platform: Platform) -> bool {
        self.0 & Self::of(platform).0 != 0
    }

    /// Whether it holds one platform and no more.
    pub(super) fn is_one(self) -> bool {
        self.0.count_ones() == 1
    }

    /// Whether there is no other platform.
    pub(crate) fn is_only(self, platform: Platform) -> bool {
        self == Self::of(platform)
    }

    /// The names of those that are not `but`, as in "Windows or macOS".
    pub(super) fn names_without(self, but: Platform) -> String {
        let all = [Platform::Linux, Platform::Windows, Platform::MacOs];
        let names: Vec<&str> = all.into_iter().filter(|&one| one != but && self.has(one)).map(Platform::name).collect();
        names.join(" or ")
    }
}

impl<'a> Machine<'a> {
    /// Of a job that runs steps.
    pub(crate) fn of(job: &'a Job) -> Option<Self> {
        let JobKind::Steps(steps) = &job.kind else { return None };
        let (texts, has_group) = match &steps.runs_on {
            RunsOn::Labels(labels) => (&labels.value, false),
            RunsOn::Group { labels, group, .. } => (labels, group.is_some()),
        };
        Some(Self { labels: texts.iter().map(|text| choices(text, job)).collect(), has_group })
    }

    /// Whether it is, or may well be, one of the organisation's own: then it may have any other label.
    pub(super) fn may_be_self_hosted(&self) -> bool {
        let is_own = |choice: &Choice<'_>| lineclear_catalog::is_self_hosted_label(&choice.text);
        self.has_group || self.labels.iter().any(|label| label.choices.iter().any(is_own))
    }

    /// The platforms that it may have; nothing if the labels do not tell.
    pub(crate) fn platforms(&self) -> Option<Platforms> {
        let mut known = None;
        for label in &self.labels {
            if let Some(platforms) = label.platforms() {
                known = Some(Platforms(known.unwrap_or(Platforms::ALL).0 & platforms.0));
            }
        }
        known.filter(|platforms| platforms.0 != 0)
    }
}

impl Label<'_> {
    fn platforms(&self) -> Option<Platforms> {
        if self.is_open || self.choices.is_empty() {
            return None;
        }
        let each = self.choices.iter().map(|choice| lineclear_catalog::platform(&choice.text));
        each.map(|platform| platform.map(|platform| Platforms::of(platform).0))
            .try_fold(0, |all, one| Some(all | one?))
            .map(Platforms)
    }
}

/// What a text of the job may come out as: its literal, the values of the matrix it names, or the texts in its expression that it
/// chooses from.
pub(super) fn choices<'a>(text: &'a Text, job: &'a Job) -> Label<'a> {
    let mut label = Label::default();
    match &text.template {
        Template::Literal(_) => label.choices.push(Choice::of(&text.scalar)),
        Template::Expression(expr) => from_expression(expr.root(), &text.scalar, job, &mut label),
        Template::Mixed(parts) => match parts.as_slice() {
            [TemplatePart::Expression(expr), TemplatePart::Text(after)] => {
                around("", expr.root(), after, &text.scalar, job, &mut label);
            }
            [TemplatePart::Text(before), TemplatePart::Expression(expr)] => {
                around(before, expr.root(), "", &text.scalar, job, &mut label);
            }
            [TemplatePart::Text(before), TemplatePart::Expression(expr), TemplatePart::Text(after)] => {
                around(before, expr.root(), after, &text.scalar, job, &mut label);
            }
            _ => label.is_open = true,
        },
    }
    label
}

fn around<'a>(before: &str, node: Node<'a>, after: &str, scalar: &'a Scalar, job: &'a Job, label: &mut Label<'a>) {
    from_expression(node, scalar, job, label);
    for choice in &mut label.choices {
        choice.text = Cow::Owned(format!("{before}{}{after}", choice.text));
        choice.is_whole = false;
    }
}

/// The values that the expression chooses from: `a || b`, `condition && a`.
fn from_expression<'a>(node: Node<'a>, scalar: &'a Scalar, job: &'a Job, label: &mut Label<'a>) {
    match node.kind() {
        NodeKind::Literal(Value::String(text)) => label.choices.push(Choice {
            text: Cow::Borrowed(text),
            span: scalar.span_of(node.span().range()),
            is_whole: false,
        }),
        NodeKind::Or(alternatives) => {
            alternatives.into_iter().for_each(|one| from_expression(one, scalar, job, label));
        }
        NodeKind::And(conditions) => match conditions.last() {
            Some(&last) => from_expression(last, scalar, job, label),
            None => label.is_open = true,
        },
        _ => match node.as_reference() {
            Some(reference) if reference.context == "matrix" && reference.complete => {
                from_matrix(&reference.path, job, label);
            }
            _ => label.is_open = true,
        },
    }
}

fn from_matrix<'a>(path: &[Segment<'_>], job: &'a Job, label: &mut Label<'a>) {
    let matrix = job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref());
    let (Some(TextTree::Mapping(axes)), Some((Segment::Name(axis), rest))) = (matrix, path.split_first()) else {
        label.is_open = true;
        return;
    };
    for (key, value) in &axes.value {
        let key = key.raw();
        if key.eq_ignore_ascii_case(axis) {
            match value {
                TextTree::Sequence(items) => items.value.iter().for_each(|item| descend(item, rest, label)),
                TextTree::Scalar(_) | TextTree::Mapping(_) => label.is_open = true,
            }
        } else if key == "include" {
            match value {
                TextTree::Sequence(items) => items.value.iter().for_each(|item| descend(item, path, label)),
                TextTree::Scalar(_) | TextTree::Mapping(_) => label.is_open = true,
            }
        }
    }
    // The value is then null, or there is a fault that others report.
    label.is_open |= label.choices.is_empty();
}

fn descend<'a>(tree: &'a TextTree, path: &[Segment<'_>], label: &mut Label<'a>) {
    match (tree, path.split_first()) {
        (TextTree::Scalar(text), None) if text.template.as_literal().is_some() => {
            label.choices.push(Choice::of(&text.scalar));
        }
        (TextTree::Mapping(entries), Some((Segment::Name(name), rest))) => {
            let found = entries.value.iter().filter(|(key, _)| key.raw().eq_ignore_ascii_case(name));
            found.for_each(|(_, value)| descend(value, rest, label));
        }
        _ => label.is_open = true,
    }
}

impl<'a> Choice<'a> {
    fn of(scalar: &'a Scalar) -> Self {
        Self { text: Cow::Borrowed(&scalar.text), span: scalar.span_of(0..scalar.text.len()), is_whole: true }
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;
    use lineclear_workflow::Workflow;

    use super::*;

    fn labels(job: &str) -> String {
        let text = format!("on: push\njobs:\n  a:\n    steps: [{{ run: a }}]\n{job}");
        let workflow = Workflow::read(&Source::new("a.yml", text)).model.unwrap();
        let machine = Machine::of(&workflow.jobs[0]).unwrap();
        let shown = |label: &Label<'_>| {
            let texts: Vec<&str> = label.choices.iter().map(|choice| &*choice.text).collect();
            format!("{}{}", texts.join("|"), if label.is_open { "|…" } else { "" })
        };
        machine.labels.iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn labels_come_from_literals_the_matrix_and_choices() {
        assert_eq!(labels("    runs-on: [self-hosted, linux]\n"), "self-hosted linux");
        let matrix = "    strategy: { matrix: { os: [ubuntu, windows], include: [{ os: macos }, { a: 1 }] } }\n";
        assert_eq!(
            labels(&format!("{matrix}    runs-on: '${{{{ matrix.os }}}}-latest'\n")),
            "ubuntu-latest|windows-latest|macos-latest"
        );
        let deep = "    strategy: { matrix: { on: [{ os: a }, { os: b }] } }\n";
        assert_eq!(labels(&format!("{deep}    runs-on: ${{{{ matrix.on.os }}}}\n")), "a|b");
        assert_eq!(labels("    runs-on: ${{ inputs.x == 'y' && 'a' || 'b' }}\n"), "a|b");
        assert_eq!(labels("    runs-on: ${{ fromJSON(inputs.x) }}\n"), "|…");
    }
}
