//! Whether a script hands text of an outsider on: to an output, or to the environment of later steps.
//!
//! Line by line: a variable that takes such text has it, and a line that writes such text under a name hands it on.

use lineclear_expr::TemplatePart;
use lineclear_workflow::Text;

use super::payload::{ChosenBy, Payload};
use super::taint::{Flows, Taint, Viewpoint};

/// Where a script writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// `GITHUB_OUTPUT`, or the old command.
    Output,
    /// `GITHUB_ENV`.
    Environment,
}

impl Target {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Output => ("GITHUB_OUTPUT", "::set-output name="),
            Self::Environment => ("GITHUB_ENV", "::set-env name="),
        }
    }
}

/// Whether what a line gives is no longer free text: a number, a hash, what a list of letters let through, or only a comparison.
pub(super) fn is_cleaned(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "tr -cd",
        "tr -dc",
        "sha256sum",
        "sha1sum",
        "md5sum",
        "cksum",
        "wc ",
        "base64",
        "grep -q",
        "grep -c",
        "jq length",
        "| length",
        "==",
        "=~",
        "!=",
        "test ",
    ];
    let names_letters =
        line.contains("[^a") || line.contains("[^A") || line.contains("[^0") || line.contains("[^[:alnum:]");
    let picks_letters = line.contains("grep -")
        && (line.contains("[0-9") || line.contains("[a-z") || line.contains("\\d"))
        && !line.contains(".*")
        && !line.contains("[^");
    WORDS.iter().any(|word| line.contains(word))
        || names_letters && (line.contains("sed") || line.contains("//[^"))
        || picks_letters
}

/// What an outsider chose of the variable `name` of a script, where the line at byte `at` uses it: from the environment, or assigned
/// on a line before.
pub(crate) fn of_local<'a>(
    flows: Flows<'_, 'a>,
    script: &'a Text,
    from: Viewpoint<'a>,
    name: &str,
    at: usize,
) -> Option<Taint> {
    let mut name = name;
    let mut at = at;
    // Each turn goes some lines up.
    loop {
        if let Some(taint) = flows.of_environment(name, from) {
            return Some(taint);
        }
        let before = script.raw().get(..at)?;
        // A pattern for all of the text decides whether the script goes on.
        let is_matched = |line: &str| line.contains("=~ ^") && variables_of(line).any(|own| own == name);
        if before.lines().any(is_matched) {
            return None;
        }
        let (start, line) = before.rmatch_indices(name).find_map(|(found, _)| {
            let start = before.get(..found)?.rfind('\n').map_or(0, |end| end + 1);
            let line = before.get(start..)?.lines().next()?.trim();
            assigned(line).filter(|(own, _)| *own == name).map(|(_, value)| (start, value))
        })?;
        if is_cleaned(line) {
            return None;
        }
        if let Some(taint) = expression_in(flows, script, start..start + line.len() + name.len() + 8, from, 16) {
            return Some(taint);
        }
        let next = variables_of(line).find(|next| !next.starts_with("GITHUB_OUTPUT"))?;
        at = start;
        name = next;
    }
}

/// What the script writes to `target` under `name`, if an outsider chose any of it.
pub(crate) fn of_script<'a>(
    flows: Flows<'_, 'a>,
    script: &'a Text,
    from: Viewpoint<'a>,
    target: Target,
    name: &str,
    far: usize,
) -> Option<Taint> {
    let far = far.checked_sub(1)?;
    let raw = script.raw();
    let (file, command) = target.words();
    if !raw.contains(file) && !raw.contains(command) {
        return None;
    }
    let mut tainted: Vec<(&str, Taint)> = Vec::new();
    let mut group: Vec<(Option<&str>, Taint)> = Vec::new();
    let mut open_name: Option<&str> = None;
    let mut offset = 0;
    for line in raw.split('\n') {
        let start = offset;
        offset += line.len() + 1;
        let trimmed = line.trim();
        if trimmed.starts_with('#') {
            continue;
        }
        let taint = if is_cleaned(trimmed) && !trimmed.contains("<<") {
            None
        } else {
            expression_in(flows, script, start..start + line.len(), from, far).or_else(|| {
                variables_of(trimmed).find_map(|name| {
                    let known = tainted.iter().find(|(own, _)| *own == name).map(|(_, taint)| taint.clone());
                    known.or_else(|| flows.of_variable_within(name, from, far))
                })
            })
        };
        let writes = trimmed.contains(file) || trimmed.contains(command);
        if trimmed == "{" || trimmed == "(" {
            group.clear();
        }
        if let Some((_, delimiter)) = written_name(trimmed).filter(|(_, is_open)| *is_open).map(|(name, _)| (0, name)) {
            open_name = Some(delimiter);
        }
        if let Some(taint) = taint {
            let own = written_name(trimmed).map(|(name, _)| name).or(open_name);
            if writes {
                if own.is_none_or(|own| own.eq_ignore_ascii_case(name)) {
                    return Some(taint);
                }
            } else if let Some((variable, _)) = assigned(trimmed) {
                tainted.push((variable, taint));
            } else {
                group.push((own, taint));
            }
        } else if writes && (trimmed.starts_with(['}', ')']) || trimmed.starts_with("EOF")) {
            let own = group.iter().find(|(own, _)| own.is_none_or(|own| own.eq_ignore_ascii_case(name)));
            if let Some((_, taint)) = own {
                return Some(taint.clone());
            }
        } else if let Some((variable, _)) = assigned(trimmed) {
            tainted.retain(|(own, _)| *own != variable);
        }
    }
    None
}

/// The taint of the expressions in a range of the script.
fn expression_in<'a>(
    flows: Flows<'_, 'a>,
    script: &'a Text,
    range: std::ops::Range<usize>,
    from: Viewpoint<'a>,
    far: usize,
) -> Option<Taint> {
    use lineclear_expr::Template;
    let one = |expr: &'a lineclear_expr::Expr| {
        let at = expr.span().range().start;
        if range.contains(&at) { flows.within(expr.root(), from, far) } else { None }
    };
    match &script.template {
        Template::Literal(_) => None,
        Template::Expression(expr) => one(expr),
        Template::Mixed(parts) => parts.iter().find_map(|part| match part {
            TemplatePart::Expression(expr) => one(expr),
            TemplatePart::Text(_) => None,
        }),
    }
}

/// The names of the variables that a line expands.
pub(crate) fn variables_of(line: &str) -> impl Iterator<Item = &str> {
    line.split('$').skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix("{").unwrap_or(rest);
        let rest = rest.strip_prefix("env:").unwrap_or(rest);
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
        rest.get(..end).filter(|name| !name.is_empty())
    })
}

/// The variable that a line assigns, and the value.
fn assigned(line: &str) -> Option<(&str, &str)> {
    let words = ["export ", "local ", "readonly ", "declare "];
    let line = words.iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim_start_matches('$').trim_end();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some((name, value))
}

/// In `echo "name=…"` the name; in `echo "name<<EOF"` the name and that the value follows.
fn written_name(line: &str) -> Option<(&str, bool)> {
    if let Some((_, rest)) = line.split_once("name=").filter(|(before, _)| before.ends_with(' ')) {
        return rest.split("::").next().map(|name| (name, false));
    }
    let rest = line.split_once("echo ").or_else(|| line.split_once("printf ")).map(|(_, rest)| rest)?;
    let rest = rest.trim_start_matches("-e ").trim_start_matches("-n ").trim_start_matches(['"', '\'']);
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '-')?;
    let name = rest.get(..end).filter(|name| !name.is_empty())?;
    let after = rest.get(end..)?;
    if after.starts_with("<<") { Some((name, true)) } else { after.starts_with('=').then_some((name, false)) }
}

/// What a script of `actions/github-script` gives under the name `output`, if it is text of an outsider.
pub(crate) fn of_github_script(script: &str, output: &str) -> Option<Payload> {
    let mut tainted: Vec<&str> = Vec::new();
    for line in script.lines() {
        let trimmed = line.trim();
        let names_payload = names_free_text(trimmed);
        let is_cleaned = trimmed.contains(".replace(/[^")
            || trimmed.contains("===")
            || trimmed.contains("==")
            || trimmed.contains(".includes(")
            || trimmed.contains(".test(")
            || trimmed.contains("parseInt(");
        let is_tainted = !is_cleaned && (names_payload || tainted.iter().any(|name| has_word(trimmed, name)));
        if !is_tainted {
            continue;
        }
        let gives = if output == "result" {
            trimmed.starts_with("return ") || trimmed.contains(" return ")
        } else {
            trimmed.contains("setOutput(") && trimmed.contains(output)
        };
        if gives {
            return Some(Payload { events: &["*"], chosen_by: ChosenBy::Anyone });
        }
        let declared = ["const ", "let ", "var "].iter().find_map(|word| trimmed.strip_prefix(word));
        if let Some((name, _)) = declared.unwrap_or(trimmed).split_once('=') {
            let name = name.trim();
            if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                tainted.push(name);
            }
        }
    }
    None
}

/// Whether a line of JavaScript takes free text out of the event's payload.
pub(crate) fn names_free_text(line: &str) -> bool {
    let Some((_, rest)) = line.split_once("context.payload.").or_else(|| line.split_once("github.event.")) else {
        return false;
    };
    let path =
        rest.split(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '.' | '_' | '?' | '!')).next();
    let path = path.unwrap_or_default();
    let is_outsiders = ["pull_request", "issue", "comment", "review", "discussion", "workflow_run", "pages"];
    let mut names = path.split('.').map(|name| name.trim_matches(['?', '!']));
    names.next().is_some_and(|top| is_outsiders.contains(&top))
        && names.any(|name| {
            matches!(
                name,
                "title" | "body" | "ref" | "label" | "head_branch" | "display_title" | "message" | "page_name"
            )
        })
}

/// Whether `word` stands in `line` as a word of its own.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
