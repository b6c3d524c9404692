//! `secret-in-log`: a script prints a secret in a form that the log does not hide.

use lineclear_shell::{Command, Part, Redirect, RedirectKind, Script, Word};
use lineclear_source::{Severity, Span};
use lineclear_workflow::{Env, JobKind, Text};

use crate::rules::script::shells::has_any;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/secret-in-log.md`.
#[derive(Debug)]
pub(super) struct SecretInLog;

static META: RuleMeta = RuleMeta {
    id: "secret-in-log",
    summary: "a script prints a secret in a form that the log does not hide",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("secret-in-log"),
};

/// Programs whose output is another text than their input.
const CHANGING: &[&str] =
    &["base64", "rev", "xxd", "od", "hexdump", "sed", "fold", "tr", "cut", "gzip", "openssl", "awk", "head", "tail"];

impl Rule for SecretInLog {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        if !file.source().text().contains("secrets") {
            return;
        }
        for script in file.scripts() {
            check_dump(file, script, report);
        }
        for script in file.scripts().iter().filter(|script| has_any(script.raw(), PRINTING)) {
            for index in 0..script.script().commands.len() {
                check_print(file, script, index, report);
            }
        }
    }
}

/// Reports what prints all variables, a secret among them.
fn check_dump(file: &File<'_>, script: &ScriptSite<'_>, report: &mut Report<'_>) {
    const WORDS: [&str; 6] = ["printenv", "env", "export", "set", "Env:", "toJSON(env)"];
    if !WORDS.iter().any(|word| script.raw().contains(word)) {
        return;
    }
    let Some(secret) = secret_of_environment(file, script) else { return };
    let tell = |span: Span, report: &mut Report<'_>| {
        report
            .at(span, format!("prints all variables, `{secret}` among them: the log hides it only where it stands there letter by letter"))
            .severity(Severity::Info)
            .help("print the variables that you want to see, by name");
    };
    for expr in script.text.template.expressions() {
        if expr.text().replace(' ', "").eq_ignore_ascii_case("tojson(env)") {
            tell(script.span_of(expr.root().span().range()), report);
        }
    }
    let commands = &script.script().commands;
    for (index, command) in commands.iter().enumerate() {
        let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
        let is_dump = matches!(words.as_slice(), ["printenv" | "env" | "set"] | ["export", "-p"])
            || matches!(words.as_slice(), [list, folder] if matches!(*list, "Get-ChildItem" | "gci" | "dir" | "ls") && folder.eq_ignore_ascii_case("env:"));
        let reader = commands.iter().find(|other| other.reads_from == Some(index));
        let is_shown = reader.is_none_or(|reader| {
            matches!(reader.words.first().map(|word| word.text.as_str()), Some("sort" | "cat"))
                && reader.redirects.is_empty()
        });
        if is_dump && is_shown && command.redirects.is_empty() && command.inside.is_none() {
            tell(script.span_of(command.span.clone()), report);
        }
    }
}

/// A secret in the variables of a script, by the name of the secret.
fn secret_of_environment(file: &File<'_>, script: &ScriptSite<'_>) -> Option<String> {
    let of_job =
        script.site.job.and_then(|job| if let JobKind::Steps(steps) = &job.kind { steps.env.as_ref() } else { None });
    let of_workflow = file.workflow().and_then(|workflow| workflow.env.as_ref());
    [script.site.step.env.as_ref(), of_job, of_workflow].into_iter().flatten().find_map(|env| match env {
        Env::Names(names) => {
            names.iter().find_map(|(_, value)| value.template.expressions().into_iter().find_map(secret_of))
        }
        Env::Expression(_) => None,
    })
}

/// Programs that print their arguments.
const PRINTING: &[&str] = &["echo", "printf", "Write-Host", "Write-Output"];

/// Whether what the command of this index prints goes to the log: not into a file, a word or a variable.
fn is_logged(script: &Script, index: usize, command: &Command) -> bool {
    let leads_away = |redirect: &Redirect| {
        matches!(redirect.kind, RedirectKind::Append | RedirectKind::Write | RedirectKind::Duplicate)
    };
    command.inside.is_none() && !script.redirects_of(index).any(leads_away)
}

fn check_print<'a>(file: &File<'a>, site: &ScriptSite<'a>, index: usize, report: &mut Report<'_>) {
    let script = site.script();
    let Some(first) = script.commands.get(index) else { return };
    let Some((program, arguments)) = first.program().filter(|(program, _)| PRINTING.contains(program)) else { return };
    if arguments.iter().any(|word| word.text.contains("::add-mask::")) {
        return;
    }
    let Some(secret) = secret_in(file, site, arguments) else { return };
    // What the last program of the pipe prints goes to the log.
    let mut last = (index, first);
    let reader =
        |of: usize| script.commands.iter().enumerate().skip(of + 1).find(|(_, next)| next.reads_from == Some(of));
    while let Some(next) = reader(last.0) {
        last = next;
    }
    if !is_logged(script, last.0, last.1) {
        return;
    }
    let span = site.span_of(first.span.start..last.1.span.end);
    match last.1.program() {
        Some((changing, _)) if last.0 != index && CHANGING.contains(&changing) => {
            report
                .at(
                    span,
                    format!(
                        "prints `{secret}` through `{changing}`: the log hides the secret as it is only, and shows this"
                    ),
                )
                .help("take the line away, and make a new secret: the old one is in the logs");
        }
        Some((own, _)) if last.0 == index && own == program => {
            report
                .at(span, format!("prints `{secret}`: the log hides it only where it stands there letter by letter"))
                .severity(Severity::Info)
                .help("print whether it is set, not what it is: `test -n \"$NAME\" && echo set`");
        }
        _ => {}
    }
}

/// The secret that words hold, by itself or in a variable.
fn secret_in<'a>(file: &File<'a>, script: &ScriptSite<'a>, words: &[Word]) -> Option<String> {
    words.iter().flat_map(|word| &word.parts).find_map(|part| match part {
        Part::Expression { span, .. } => {
            let expressions = script.text.template.expressions();
            expressions.into_iter().find(|expr| span.contains(&expr.span().range().start)).and_then(secret_of)
        }
        Part::Variable { name, .. } => {
            let value = variable(file, script, name)?;
            value.template.expressions().into_iter().find_map(secret_of)
        }
        _ => None,
    })
}

fn secret_of(expr: &lineclear_expr::Expr) -> Option<String> {
    let node = expr.root();
    let reference = node.as_reference()?;
    (reference.context == "secrets").then(|| node.to_string())
}

fn variable<'a>(file: &File<'a>, script: &ScriptSite<'a>, name: &str) -> Option<&'a Text> {
    let of_job =
        script.site.job.and_then(|job| if let JobKind::Steps(steps) = &job.kind { steps.env.as_ref() } else { None });
    let of_workflow = file.workflow().and_then(|workflow| workflow.env.as_ref());
    [script.site.step.env.as_ref(), of_job, of_workflow]
        .into_iter()
        .flatten()
        .find_map(|env: &Env| super::taint::value_in(Some(env), name))
}
