//! `property-of-scalar`: nothing can be taken from a text, a number or a boolean.

use lineclear_source::Severity;

use crate::types::{Misuse, Taken, Type};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/property-of-scalar.md`.
#[derive(Debug)]
pub(super) struct PropertyOfScalar;

static META: RuleMeta = RuleMeta {
    id: "property-of-scalar",
    summary: "a property of a value that has none",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("property-of-scalar"),
};

impl Rule for PropertyOfScalar {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for misuse in &file.typed().misuses {
            look_at(misuse, report);
        }
    }
}

fn look_at(misuse: &Misuse, report: &mut Report<'_>) {
    let from = misuse.from.in_words();
    let span = misuse.span;
    match (&misuse.from, &misuse.taken) {
        (Type::Array(_), Taken::Name(name)) => {
            report
                .at(span, format!("an array has no property `{name}`: this is always empty"))
                .help(format!("`.*.{name}` takes it from every element, `[0].{name}` from the first"));
        }
        (_, Taken::Name(name)) => {
            let finding = report.at(span, format!("{from} has no property `{name}`: this is always empty"));
            if misuse.from.is_text() {
                finding.help("if the text is JSON, `fromJSON(…)` makes an object of it");
            }
        }
        (_, Taken::All) => {
            report.at(span, format!("`*` takes the elements of an array or an object, and this is {from}"));
        }
        (Type::Array(_), Taken::Index(index)) => {
            report.at(span, format!("an array takes a number for its index, and this is {}", index.in_words()));
        }
        (Type::Object(_), Taken::Index(index)) => {
            report
                .at(
                    span,
                    format!("an object takes the name of a property for its index, and this is {}", index.in_words()),
                )
                .severity(Severity::Warning);
        }
        (_, Taken::Index(_)) => {
            report.at(span, format!("{from} has no elements: this is always empty"));
        }
    }
}
