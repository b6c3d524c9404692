//! `payload-as-code`: JavaScript of a step runs an outsider's text.

use lineclear_expr::Expr;
use lineclear_source::Severity;
use lineclear_workflow::{StepKind, Text};

use super::taint::{Flows, Taint, Viewpoint};
use super::trust::Reach;
use crate::uses::is_of_repository;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/payload-as-code.md`.
#[derive(Debug)]
pub(super) struct PayloadAsCode;

static META: RuleMeta = RuleMeta {
    id: "payload-as-code",
    summary: "JavaScript of a step runs an outsider's text",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("payload-as-code"),
};

/// What runs a text as JavaScript, wherever in its argument the text stands.
const EVALUATORS: &[&str] = &["eval(", "new Function(", "vm.runInNewContext(", "vm.runInThisContext("];
/// What runs a text as a command: dangerous where the text is put together.
const SHELLS: &[&str] = &["execSync(", "exec(", "getExecOutput("];

impl Rule for PayloadAsCode {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        if !file.source().text().contains("context.payload") {
            return;
        }
        let flows = Flows::new(file);
        for site in file.steps() {
            let StepKind::Uses { uses, with } = &site.step.kind else { continue };
            let script = with.iter().find(|(name, _)| name.value.eq_ignore_ascii_case("script"));
            if let Some((_, script)) = script.filter(|_| is_of_repository(&uses.value, "actions/github-script")) {
                let from = Viewpoint { job: site.job, step: Some(site.step) };
                check_script(flows, script, from, report);
            }
        }
    }
}

fn check_script<'a>(flows: Flows<'_, 'a>, script: &'a Text, from: Viewpoint<'a>, report: &mut Report<'_>) {
    // Names that hold such a text, with what they hold.
    let mut held: Vec<(&str, Taint)> = Vec::new();
    let mut offset = 0;
    for line in script.raw().split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let code = line.trim();
        if code.starts_with("//") {
            continue;
        }
        if let Some((sink, argument)) = sink_of(code)
            && let Some(taint) = text_in(flows, from, argument, &held, EVALUATORS.contains(&sink))
            && let Some(reach) = flows.reach(&taint, from).filter(|reach| *reach >= Reach::ReadOnly)
        {
            let begin = start + (line.len() - line.trim_start().len());
            let message = format!(
                "`{}` is run as code by `{}…)`: anyone whose text gets that far decides what runs",
                taint.origin, sink
            );
            let severity = if reach == Reach::Privileged { Severity::Error } else { Severity::Warning };
            report.at(script.scalar.span_of(begin..begin + code.len()), message).severity(severity).help(
                "give a program its arguments as a list, `exec.exec('git', ['checkout', name])`, and evaluate no text",
            );
        }
        if let Some((name, value)) = declared(code)
            && let Some(taint) = text_in(flows, from, value, &held, true)
        {
            held.push((name, taint));
        }
    }
}

/// The call on a line that runs a text, and what stands in its parentheses.
fn sink_of(code: &str) -> Option<(&'static str, &str)> {
    EVALUATORS.iter().chain(SHELLS).find_map(|sink| {
        let at = code.find(sink)?;
        // `regex.exec(text)` runs nothing; `exec.exec(` and `child_process.exec(` do.
        let before = code.get(..at)?;
        let owner =
            before.rsplit(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '.').next()?;
        let is_own = owner.is_empty()
            || sink.starts_with("new ")
            || matches!(owner, "exec." | "child_process." | "cp." | "globalThis." | "window." | "childProcess.");
        is_own.then(|| (*sink, code.get(at + sink.len()..).unwrap_or_default()))
    })
}

/// `const name = value`.
fn declared(code: &str) -> Option<(&str, &str)> {
    let rest = ["const ", "let ", "var "].iter().find_map(|word| code.strip_prefix(word))?;
    let (name, value) = rest.split_once('=')?;
    let name = name.trim();
    // A check or a number made of it is no longer the text.
    let is_made = ["parseInt", "Number(", ".match(", ".test(", ".length", ".includes(", "==", ".startsWith("];
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$');
    (is_name && !is_made.iter().any(|word| value.contains(word))).then_some((name, value))
}

/// The outsider's text in a piece of JavaScript: with `anywhere` as any operand, else only where it is put into another text.
fn text_in<'a>(
    flows: Flows<'_, 'a>,
    from: Viewpoint<'a>,
    code: &str,
    held: &[(&str, Taint)],
    anywhere: bool,
) -> Option<Taint> {
    // In `exec('git', [text])` the text is an argument of its own.
    let code = if anywhere { code } else { code.split('[').next().unwrap_or(code) };
    let is_put_in = |at: usize| {
        let before = code.get(..at).unwrap_or_default().trim_end();
        anywhere || before.ends_with("${") || before.ends_with('+') || before.is_empty()
    };
    for (at, _) in code.match_indices("context.payload.").filter(|(at, _)| is_put_in(*at)) {
        let path = code.get(at + "context.payload.".len()..).unwrap_or_default();
        let end = path.find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '.' | '?'));
        let path = path.get(..end.unwrap_or(path.len())).unwrap_or_default().replace('?', "");
        let expr = Expr::parse(&format!("github.event.{}", path.trim_end_matches('.')), None).ok();
        if let Some(taint) = expr.and_then(|expr| flows.of(expr.root(), from)) {
            return Some(taint);
        }
    }
    held.iter().find_map(|(name, taint)| {
        let is_word = |at: usize| {
            let is_letter = |byte: Option<&u8>| {
                byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'.')
            };
            let bytes = code.as_bytes();
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            let behind = bytes.get(at + name.len());
            !is_letter(before) && !behind.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        };
        code.match_indices(name).any(|(at, _)| is_word(at) && is_put_in(at)).then(|| taint.clone())
    })
}
