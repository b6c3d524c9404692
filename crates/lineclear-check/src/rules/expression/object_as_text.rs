//! `object-as-text`: an object in a text is the word `Object`.

use lineclear_source::Severity;
use lineclear_workflow::Key;

use crate::types::Type;
use crate::{Activity, Dialect, ExpressionSite, File, FileKind, Form, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/object-as-text.md`.
#[derive(Debug)]
pub(super) struct ObjectAsText;

static META: RuleMeta = RuleMeta {
    id: "object-as-text",
    summary: "an object or an array where text is expected",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("object-as-text"),
};

impl Rule for ObjectAsText {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for (site, kind) in file.expressions().iter().zip(&file.typed().roots) {
            if !(kind.is_collection() || *kind == Type::Null) || !becomes_text(site) {
                continue;
            }
            let (printed, help) = match kind {
                Type::Null => ("nothing", "null is the empty text; leave the expression out"),
                Type::Object(_) => ("the word `Object`", "take one property of it, or write it out with `toJSON(…)`"),
                _ => ("the word `Array`", "put its elements together with `join(…)`, or write it out with `toJSON(…)`"),
            };
            let what = kind.in_words();
            report.at(site.span(), format!("this is {what}: in a text it becomes {printed}")).help(help);
        }
    }
}

/// Whether the value is made text. Keys that take objects or arrays, too, are left to the rule about the types of keys.
fn becomes_text(site: &ExpressionSite<'_>) -> bool {
    match site.form {
        Form::Condition => false,
        Form::Mixed => true,
        Form::Whole => matches!(
            site.place.key,
            Key::RunName
                | Key::Name
                | Key::Run
                | Key::Shell
                | Key::WorkingDirectory
                | Key::Env(_)
                | Key::EnvName
                | Key::ContainerEnv(_)
                | Key::Output(_)
                | Key::CallOutput(_)
                | Key::EnvironmentUrl
                | Key::Credentials
                | Key::Options
                | Key::Entrypoint
                | Key::Command
                | Key::Secret(_)
                | Key::Args
        ),
    }
}
