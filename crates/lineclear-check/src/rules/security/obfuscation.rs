//! `obfuscation`: something is written so that it does not look like what it is.

use lineclear_expr::{Function, Node, NodeKind, Value};
use lineclear_shell::Language;
use lineclear_source::Severity;
use lineclear_workflow::{ActionRef, StepKind};

use crate::{
    Activity, Dialect, Edit, ExpressionSite, File, FileKind, Fix, Form, Group, Repair, Report, Rule, RuleMeta,
    ScriptSite, page,
};

/// Manual and tests: `docs/rules/obfuscation.md`.
#[derive(Debug)]
pub(super) struct Obfuscation;

static META: RuleMeta = RuleMeta {
    id: "obfuscation",
    summary: "something is written so that it does not look like what it is",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("obfuscation"),
};

impl Rule for Obfuscation {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.steps() {
            if let StepKind::Uses { uses, .. } = &site.step.kind
                && matches!(uses.value, ActionRef::Remote { .. })
            {
                check_uses(file, uses.span, report);
            }
        }
        for site in file.expressions() {
            check_expression(site, report);
        }
        for script in file.scripts() {
            check_script(script, report);
        }
    }
}

/// An action's path with parts that lead nowhere.
fn check_uses(file: &File<'_>, span: lineclear_source::Span, report: &mut Report<'_>) {
    let written = file.source().slice(span);
    let Some((path, reference)) = written.rsplit_once('@') else { return };
    let is_odd = |part: &str| part.is_empty() || part == "." || part == "..";
    if !path.trim_start_matches(['\'', '"']).split('/').any(is_odd) {
        return;
    }
    let has_parent = path.split('/').any(|part| part == "..");
    let plain: Vec<&str> = path.split('/').filter(|part| !is_odd(part)).collect();
    let plain = format!("{}@{reference}", plain.join("/"));
    let fix = (!has_parent && report.wants_fixes())
        .then(|| Fix::safe(format!("write `{plain}`"), vec![Edit::replace(span, plain.clone())]));
    report
        .at(
            span,
            "the path of the action has parts that lead nowhere: rules about actions by their names may not see it",
        )
        .help(if has_parent { "write the path without `..`".to_owned() } else { format!("write `{plain}`") })
        .fix(fix);
}

fn check_expression(site: &ExpressionSite<'_>, report: &mut Report<'_>) {
    let root = site.expr.root();
    // Most expressions are a name and nothing else.
    if matches!(root.kind(), NodeKind::Context(_) | NodeKind::Literal(_)) {
        return;
    }
    let mut covered = None;
    for node in root.walk() {
        if covered.is_some_and(|covered: lineclear_source::Span| node.span().start < covered.end) {
            continue;
        }
        match node.kind() {
            NodeKind::Not(_) | NodeKind::Compare { .. } | NodeKind::And(_) | NodeKind::Or(_)
                if site.form != Form::Condition && is_of_constants(node) =>
            {
                covered = Some(node.span());
                report
                    .at(site.span_of(node), "what is worked out here is a constant")
                    .severity(Severity::Info)
                    .help("write the value itself");
            }
            NodeKind::Call { function, arguments } => {
                if let Some(message) = pointless(function, &arguments) {
                    covered = Some(node.span());
                    report.at(site.span_of(node), message).help("write the value itself");
                }
            }
            NodeKind::Index { of, index } if !matches!(index.kind(), NodeKind::Literal(_)) => {
                let is_hidden =
                    index.walk().all(|part| matches!(part.kind(), NodeKind::Literal(_) | NodeKind::Call { .. }));
                let is_of_context = of
                    .as_reference()
                    .is_some_and(|reference| matches!(reference.context, "github" | "secrets" | "env"));
                if is_hidden && is_of_context {
                    covered = Some(node.span());
                    report
                        .at(site.span_of(node), "which value this is, is put together from constants")
                        .help("write its name");
                }
            }
            _ => {}
        }
    }
}

/// Whether operators work on constants alone.
fn is_of_constants(node: Node<'_>) -> bool {
    node.walk().all(|part| {
        matches!(
            part.kind(),
            NodeKind::Literal(_) | NodeKind::Not(_) | NodeKind::Compare { .. } | NodeKind::And(_) | NodeKind::Or(_)
        )
    })
}

/// Why a call says nothing that a constant would not.
fn pointless(function: Function, arguments: &[Node<'_>]) -> Option<&'static str> {
    let is_constant = |node: &Node<'_>| matches!(node.kind(), NodeKind::Literal(_));
    match (function, arguments) {
        (Function::FromJson, [argument]) => match argument.kind() {
            NodeKind::Call { function: Function::ToJson, .. } => Some("`fromJSON(toJSON(…))` gives what it was given"),
            NodeKind::Literal(Value::String(text)) if text.starts_with('"') => {
                Some("`fromJSON` of a constant text is that text")
            }
            _ => None,
        },
        (Function::ToJson, [argument]) if is_constant(argument) => Some("`toJSON` of a constant is a constant"),
        (Function::StartsWith | Function::EndsWith | Function::Contains, arguments)
            if arguments.iter().all(is_constant) =>
        {
            Some("what is asked here is a constant")
        }
        (Function::Format | Function::Join, arguments) if arguments.len() > 1 && arguments.iter().all(is_constant) => {
            Some("what is put together here is a constant")
        }
        _ => None,
    }
}

/// Code that comes out of a text nobody can read.
fn check_script(script: &ScriptSite<'_>, report: &mut Report<'_>) {
    let raw = script.raw();
    let mut offset = 0;
    for line in raw.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let text = line.trim();
        if text.starts_with('#') || !hides_code(text, script.language) {
            continue;
        }
        let begin = start + (line.len() - line.trim_start().len());
        report
            .at(
                script.span_of(begin..begin + text.len()),
                "runs code that is encoded: nobody who reads the script sees what it does",
            )
            .help("write the commands themselves, or keep them in a script of the repository");
    }
}

fn hides_code(line: &str, language: Option<Language>) -> bool {
    match language {
        Some(Language::PowerShell) => {
            let lower = line.to_ascii_lowercase();
            lower.contains("-encodedcommand")
                || lower.contains("frombase64string") && (lower.contains("iex") || lower.contains("invoke-expression"))
        }
        Some(Language::Posix) => {
            if !line.contains("base64") && !line.contains("xxd") && !line.contains("openssl") {
                return false;
            }
            let decodes =
                ["base64 -d", "base64 --decode", "base64 -D", "xxd -r", "openssl base64 -d", "openssl enc -d"]
                    .iter()
                    .find_map(|word| line.find(word));
            let Some(at) = decodes else { return false };
            let behind = line.get(at..).unwrap_or_default();
            let into_shell = behind.split('|').skip(1).any(|command| {
                let program = command.split_ascii_whitespace().find(|word| *word != "sudo").unwrap_or_default();
                matches!(program, "sh" | "bash" | "zsh" | "python" | "python3" | "node" | "perl" | "ruby")
            });
            let before = line.get(..at).unwrap_or_default();
            into_shell
                || before.starts_with("eval ")
                || before.contains("bash -c \"$(")
                || before.contains("sh -c \"$(")
        }
        _ => false,
    }
}
