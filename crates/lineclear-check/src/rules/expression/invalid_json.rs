//! `invalid-json`: a text that is no JSON makes the job fail where it is read.

use lineclear_expr::{Function, MapScope};
use lineclear_source::Severity;

use crate::types::constant;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/invalid-json.md`.
#[derive(Debug)]
pub(super) struct InvalidJson;

static META: RuleMeta = RuleMeta {
    id: "invalid-json",
    summary: "`fromJSON` of a text that is no JSON",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("invalid-json"),
};

impl Rule for InvalidJson {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for call in file.typed().calls.iter().filter(|call| call.function == Function::FromJson) {
            let Some((argument, _)) = call.arguments.first() else { continue };
            if constant(*argument).is_none() {
                continue;
            }
            let (Err(error), Some(site)) =
                (call.node.evaluate(&MapScope::default()), file.expressions().get(call.site))
            else {
                continue;
            };
            let fault = error.message.split_once(": ").map_or(&*error.message, |(_, fault)| fault);
            report
                .at(site.span_of(*argument), format!("this is no JSON, so the job fails here: {fault}"))
                .help("JSON has names and texts in double quotes, and no comma behind the last element");
        }
    }
}
