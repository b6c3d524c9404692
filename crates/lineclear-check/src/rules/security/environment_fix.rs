//! Takes expressions out of a script: their values come through `env`, and the script names variables.

use lineclear_expr::{Expr, Segment, Template, TemplatePart};
use lineclear_shell::{Language, Script};
use lineclear_source::Span;
use lineclear_workflow::{Env, JobKind, RunsOn, Step, Text};
use lineclear_yaml::{Scalar, ScalarStyle};

use super::embedding::{Around, in_posix, in_powershell};
use super::relay::Code;
use super::standing::{Standing, standing};
use super::taint::{Viewpoint, value_in};
use crate::{Edit, File, Fix};

/// The language that names the variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Posix,
    PowerShell,
    JavaScript,
}

/// The language in which a `run` script's variables are written; `None` where the machine decides, or for others.
pub(super) fn reader_of(shell: Option<&str>, language: Option<Language>, from: Viewpoint<'_>) -> Option<Reader> {
    let is_any_machine = shell.is_none()
        && from.job.is_some_and(|job| match &job.kind {
            JobKind::Steps(steps) => match &steps.runs_on {
                RunsOn::Labels(labels) => labels.value.iter().any(|label| label.template.as_literal().is_none()),
                RunsOn::Group { .. } => true,
            },
            JobKind::Call(_) => true,
        });
    match language? {
        _ if is_any_machine => None,
        Language::Posix => Some(Reader::Posix),
        Language::PowerShell => Some(Reader::PowerShell),
        Language::Cmd => None,
    }
}

/// The language of an action's input.
pub(super) fn reader_of_input(code: Code) -> Option<Reader> {
    match code {
        Code::JavaScript => Some(Reader::JavaScript),
        // What runs there is on another machine, or in a container that does not have the step's variables.
        Code::Shell | Code::Arguments => None,
    }
}

/// Takes the expressions `wanted` out of the script `text` of the step at `from`. All of a step's are taken out at once: every
/// finding of the step has the same fix. `key` is what stands before the script in its mapping: `run`.
pub(super) fn through_environment(
    file: &File<'_>,
    text: &Text,
    from: Viewpoint<'_>,
    reader: Reader,
    wanted: &[&Expr],
) -> Option<Fix> {
    let step = from.step?;
    // A script that is written elsewhere, or that others use, too, does not belong to this step alone.
    if !is_within(text.span(), step.span) || is_anchored(file, text.span()) {
        return None;
    }
    let script = match reader {
        Reader::Posix => Script::read(text.raw(), Language::Posix),
        Reader::PowerShell => Script::read(text.raw(), Language::PowerShell),
        Reader::JavaScript => Script::default(),
    };
    let mut changes: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    let mut edits = Vec::new();
    let mut added: Vec<(String, String)> = Vec::new();
    let mut is_safe = true;
    for &expr in wanted {
        let (name, is_new) = name_of(expr, step, from, file, &added)?;
        let range = braced(text, expr)?;
        let replaced = replaced(&script, text.raw(), range.clone(), reader, &name)?;
        is_safe &= replaced.is_safe;
        let new = in_scalar(&text.scalar, &replaced)?;
        changes.push((replaced.range.clone(), replaced.text.clone()));
        edits.push(Edit::replace(text.scalar.span_of(replaced.range), new));
        if is_new {
            added.push((name, value(expr)?));
        }
    }
    if edits.is_empty() || (reader == Reader::Posix && !keeps_commands(&script, text.raw(), changes)) {
        return None;
    }
    if !added.is_empty() {
        edits.extend(additions(file, step, text, &added)?);
    }
    let title = "pass the value through `env`";
    Some(if is_safe { Fix::safe(title, edits) } else { Fix::review(title, edits) })
}

/// The range of an expression in its text, with its braces.
fn braced(text: &Text, expr: &Expr) -> Option<std::ops::Range<usize>> {
    let range = expr.span().range();
    let start = range.start.checked_sub(3)?;
    (text.raw().get(start..range.start)? == "${{" && text.raw().get(range.end..range.end + 2)? == "}}")
        .then_some(start..range.end + 2)
}

/// The replacement as it has to be written in the scalar's own quotes.
fn in_scalar(scalar: &Scalar, replaced: &Replaced) -> Option<String> {
    let Replaced { range, text, .. } = replaced;
    match scalar.style {
        ScalarStyle::DoubleQuoted => Some(text.replace('"', "\\\"")),
        // A plain scalar that began with a quote would be a quoted one.
        ScalarStyle::Plain if range.start == 0 && text.starts_with('"') => {
            (range.end == scalar.text.len()).then(|| format!("'{text}'"))
        }
        ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::Literal | ScalarStyle::Folded => {
            Some(text.clone())
        }
    }
}

struct Replaced {
    range: std::ops::Range<usize>,
    text: String,
    is_safe: bool,
}

fn replaced(
    commands: &Script,
    script: &str,
    range: std::ops::Range<usize>,
    reader: Reader,
    name: &str,
) -> Option<Replaced> {
    let quoted = || {
        // Quotes with nothing else in them can be exchanged; `$'…'` are no such quotes.
        let outer = range.start.checked_sub(1)?..range.end + 1;
        let text = script.get(outer.clone())?;
        let is_dollar = script.get(..outer.start)?.ends_with('$');
        (text.starts_with('\'') && text.ends_with('\'') && !is_dollar).then_some(outer)
    };
    match reader {
        Reader::Posix => {
            let is_safe = match standing(commands, script, &range) {
                Standing::Unsure => return None,
                Standing::Read => false,
                Standing::Plain => true,
            };
            match in_posix(script, range.start) {
                Around::Expanding => Some(Replaced { range, text: format!("${{{name}}}"), is_safe }),
                Around::Bare => Some(Replaced { range, text: format!("\"${{{name}}}\""), is_safe }),
                Around::Fixed => Some(Replaced { range: quoted()?, text: format!("\"${{{name}}}\""), is_safe }),
                Around::Comment => None,
            }
        }
        Reader::PowerShell => {
            let line = script.get(..range.start)?.rsplit('\n').next()?;
            if line.contains('`') || runs_text(script) {
                return None;
            }
            let holder = commands.commands.iter().rfind(|command| command.span.contains(&range.start));
            let is_printed = holder.and_then(|command| command.program()).is_some_and(|(program, _)| {
                ["write-host", "write-output", "echo"].iter().any(|printer| program.eq_ignore_ascii_case(printer))
            });
            match in_powershell(script, range.start) {
                Around::Expanding => Some(Replaced { range, text: format!("${{env:{name}}}"), is_safe: is_printed }),
                Around::Bare => Some(Replaced { range, text: format!("$env:{name}"), is_safe: false }),
                Around::Fixed => Some(Replaced { range: quoted()?, text: format!("$env:{name}"), is_safe: is_printed }),
                Around::Comment => None,
            }
        }
        Reader::JavaScript => in_javascript(script, range, name),
    }
}

/// Whether a PowerShell script hands texts to an interpreter.
fn runs_text(script: &str) -> bool {
    let lower = script.to_ascii_lowercase();
    let starters = [
        "iex",
        "invoke-",
        "scriptblock",
        "bash",
        "sh -c",
        "-command",
        "cmd /c",
        "cmd.exe",
        "python",
        "node ",
        "ssh ",
        "docker ",
        "kubectl ",
        "set-content",
        "out-file",
    ];
    starters.iter().any(|starter| lower.contains(starter))
}

/// Whether the script with the changes has the commands that it had, each with as many words.
fn keeps_commands(before: &Script, raw: &str, mut changes: Vec<(std::ops::Range<usize>, String)>) -> bool {
    changes.sort_by_key(|(range, _)| range.start);
    let mut text = raw.to_owned();
    for (range, new) in changes.iter().rev() {
        if !text.is_char_boundary(range.start) || range.end > text.len() || !text.is_char_boundary(range.end) {
            return false;
        }
        text.replace_range(range.clone(), new);
    }
    let after = Script::read(&text, Language::Posix);
    let words = |script: &Script| script.commands.iter().map(|command| command.words.len()).collect::<Vec<_>>();
    before.groups.len() == after.groups.len() && words(before) == words(&after)
}

fn is_within(inner: Span, outer: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Whether a name for aliases stands before the value.
fn is_anchored(file: &File<'_>, value: Span) -> bool {
    let before = file.source().text().get(..value.start as usize).unwrap_or_default();
    before.trim_end().rsplit([' ', '\n', '\t']).next().is_some_and(|word| word.starts_with(['&', '!']))
}

/// Quotes with nothing else in them become the variable; a template takes it. Where the script runs texts, nothing does.
fn in_javascript(script: &str, range: std::ops::Range<usize>, name: &str) -> Option<Replaced> {
    if ["eval(", "exec", "spawn", "Function("].iter().any(|starter| script.contains(starter)) {
        return None;
    }
    let before = script.get(..range.start)?;
    let line = before.rsplit('\n').next()?;
    if line.contains('\\') || line.trim_start().starts_with("//") {
        return None;
    }
    let outer = range.start.checked_sub(1)?..range.end + 1;
    let quoted = script.get(outer.clone())?;
    let quote = ['\'', '"', '`'].into_iter().find(|quote| quoted.starts_with(*quote) && quoted.ends_with(*quote));
    if quote.is_some() {
        let outside = line.get(..line.len() - 1)?;
        // Quotes inside of other quotes are text; before a colon there may be a key.
        let is_open = ['\'', '"'].iter().any(|quote| outside.matches(*quote).count() % 2 == 1)
            || script.get(..outer.start)?.matches('`').count() % 2 == 1;
        let is_key = script.get(outer.end..)?.trim_start().starts_with(':');
        return (!is_open && !is_key).then(|| Replaced {
            range: outer,
            text: format!("process.env.{name}"),
            is_safe: true,
        });
    }
    let in_template =
        before.matches('`').count() % 2 == 1 && line.matches('`').count() % 2 == 1 && !line.contains(['\'', '"']);
    in_template.then(|| Replaced { range, text: format!("${{process.env.{name}}}"), is_safe: true })
}

/// The value of a variable, as YAML.
fn value(expr: &Expr) -> Option<String> {
    let text = expr.text().trim();
    if text.contains('\n') {
        return None;
    }
    let plain = format!("${{{{ {text} }}}}");
    if !text.contains(": ") && !text.contains(" #") {
        return Some(plain);
    }
    (!text.contains(['"', '\\'])).then(|| format!("\"{plain}\""))
}

/// The variable for an expression, and whether the step does not have it yet.
fn name_of(
    expr: &Expr,
    step: &Step,
    from: Viewpoint<'_>,
    file: &File<'_>,
    added: &[(String, String)],
) -> Option<(String, bool)> {
    let reference = expr.root().as_reference();
    if let Some(reference) = &reference
        && reference.context == "env"
        && let [Segment::Name(name)] = reference.path.as_slice()
        && is_variable(name)
    {
        return Some(((*name).to_owned(), false));
    }
    let own = value(expr)?;
    if let Some((name, _)) = added.iter().find(|(_, value)| *value == own) {
        return Some((name.clone(), false));
    }
    if let Some(Env::Names(names)) = &step.env {
        let same = names.iter().find(|(_, value)| is_same(&value.template, expr));
        if let Some((name, _)) = same.filter(|(name, _)| is_variable(name.raw())) {
            return Some((name.raw().to_owned(), false));
        }
    }
    let context = reference.as_ref().map(|reference| reference.context);
    let mut words: Vec<&str> = Vec::new();
    if let Some(reference) = &reference {
        if matches!(reference.context, "inputs" | "matrix") {
            words.push(if reference.context == "inputs" { "input" } else { "matrix" });
        }
        words.extend(reference.path.iter().filter_map(|segment| match segment {
            Segment::Name(name) if !matches!(*name, "event" | "outputs" | "inputs") => Some(*name),
            _ => None,
        }));
    }
    let base = words.join("_").to_ascii_uppercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    let base = if is_variable(&base) && words.len() > 1 {
        base
    } else if is_variable(&base) {
        format!("{base}_VALUE")
    } else {
        "VALUE".to_owned()
    };
    let base = match base.as_str() {
        "HEAD_REF_VALUE" => "HEAD_REF".to_owned(),
        "REF_NAME_VALUE" => "REF_NAME".to_owned(),
        "REF_VALUE" => "REF".to_owned(),
        "TOKEN_VALUE" if context == Some("github") => "GITHUB_TOKEN".to_owned(),
        // A secret's name is unique, and says what it is.
        _ if context == Some("secrets") => base.trim_end_matches("_VALUE").to_owned(),
        _ => base,
    };
    let is_taken = |name: &str| {
        let steps = from.job.and_then(|job| if let JobKind::Steps(steps) = &job.kind { Some(steps) } else { None });
        let of_workflow = file.workflow().and_then(|workflow| workflow.env.as_ref());
        added.iter().any(|(own, _)| own == name)
            || value_in(step.env.as_ref(), name).is_some()
            || steps.is_some_and(|steps| value_in(steps.env.as_ref(), name).is_some())
            || value_in(of_workflow, name).is_some()
    };
    let mut name = base.clone();
    let mut number = 2;
    while is_taken(&name) {
        name = format!("{base}_{number}");
        number += 1;
    }
    Some((name, true))
}

fn is_same(template: &Template, expr: &Expr) -> bool {
    match template {
        Template::Expression(own) => own.root() == expr.root(),
        Template::Mixed(parts) => {
            matches!(parts.as_slice(), [TemplatePart::Expression(own)] if own.root() == expr.root())
        }
        Template::Literal(_) => false,
    }
}

fn is_variable(name: &str) -> bool {
    name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The edit that adds variables to the step's `env`, or gives it one.
fn additions(file: &File<'_>, step: &Step, text: &Text, added: &[(String, String)]) -> Option<Vec<Edit>> {
    let source = file.source();
    let entries: Vec<String> = added.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    match &step.env {
        Some(Env::Names(names)) => {
            if !is_own(file, step, names) {
                return None;
            }
            if let Some((first, _)) = names.first()
                && let Some((_, last)) = names.last()
                && let Some(edit) = Edit::add_entry_after(source, first.span(), last.span(), &entries.join("\n"))
                && is_block(file, step)
            {
                return Some(vec![edit]);
            }
            // In a flow mapping.
            let first = names.first()?.0.span();
            let is_flow = source.text().get(..first.start as usize)?.trim_end().ends_with('{');
            is_flow.then(|| vec![Edit::insert(first.start, format!("{}, ", in_flow(added)))])
        }
        Some(Env::Expression(_)) => None,
        // An `env` that could not be read, or has nothing in it: a second one would be a fault.
        None if has_env_key(file, step) => None,
        None if !is_block(file, step) => {
            let flow = format!("env: {{ {} }}", in_flow(added));
            Some(vec![Edit::add_first_entry(source, step.span, &flow)])
        }
        None => {
            let key = key_before(file, text.span())?;
            let lines: String = entries.iter().map(|entry| format!("\n  {entry}")).collect();
            let span =
                Span { start: if key.end > key.start { key.start } else { step.span.start }, end: step.span.end };
            Some(vec![Edit::add_first_entry(source, span, &format!("env:{lines}"))])
        }
    }
}

/// Whether the variables stand in the step, and have no name by which others use them.
fn is_own(file: &File<'_>, step: &Step, names: &[(Text, Text)]) -> bool {
    let is_here =
        |(name, value): &(Text, Text)| is_within(name.span(), step.span) && is_within(value.span(), step.span);
    let Some((first, _)) = names.first() else { return false };
    if !names.iter().all(is_here) {
        return false;
    }
    let before = file.source().text().get(step.span.start as usize..first.span().start as usize).unwrap_or_default();
    before.rfind("env").and_then(|at| before.get(at..)).is_some_and(|between| !between.contains(['&', '*', '!']))
}

/// Whether the step's text has a key `env`, whatever its value is.
fn has_env_key(file: &File<'_>, step: &Step) -> bool {
    let text = file.source().slice(step.span);
    text.match_indices("env").any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().trim_end_matches(['"', '\'']);
        let behind = text.get(at + 3..).unwrap_or_default().trim_start_matches(['"', '\'']);
        let is_first = before.trim_end_matches([' ', '-']).ends_with(['\n', '{', ',']) || before.is_empty();
        is_first && behind.trim_start_matches(' ').starts_with(':')
    })
}

/// The entries of a flow mapping, in which braces stand in quotes only.
fn in_flow(added: &[(String, String)]) -> String {
    let quoted = |value: &String| format!("'{}'", value.trim_matches('"').replace('\'', "''"));
    let entries: Vec<String> = added.iter().map(|(name, value)| format!("{name}: {}", quoted(value))).collect();
    entries.join(", ")
}

/// Whether the step is written as a block.
fn is_block(file: &File<'_>, step: &Step) -> bool {
    file.source().text().as_bytes().get(step.span.start as usize) != Some(&b'{')
}

/// The key `run` on the line where its script begins; an empty span where something else stands there.
fn key_before(file: &File<'_>, script: Span) -> Option<Span> {
    let text = file.source().text();
    let line = text.get(..script.start as usize)?;
    let begin = line.rfind('\n').map_or(0, |at| at + 1);
    let before = line.get(begin..)?;
    match before.find("run:") {
        Some(at) if before.get(..at)?.trim_matches([' ', '-']).is_empty() => {
            Some(Span::new(begin + at, begin + at + 3))
        }
        _ => Some(Span::new(begin, begin)),
    }
}
