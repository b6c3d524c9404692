//! `open-here-document`: the rest of the script becomes text.

use lineclear_shell::Language;
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/open-here-document.md`.
#[derive(Debug)]
pub(super) struct OpenHereDocument;

static META: RuleMeta = RuleMeta {
    id: "open-here-document",
    summary: "a here-document whose end never comes",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("open-here-document"),
};

impl Rule for OpenHereDocument {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in shells::scripts_with(file, Language::Posix, &["<<"]) {
            let script = site.script();
            let of_commands = script.commands.iter().flat_map(|command| &command.redirects);
            for redirect in of_commands.chain(script.groups.iter().flat_map(|group| &group.redirects)) {
                if redirect.is_open {
                    report
                        .at(
                            site.span_of(redirect.span.clone()),
                            "this here-document never ends: the rest of the script is its text",
                        )
                        .help("write its delimiter alone on a line, without blanks before or behind it");
                }
            }
            open_outputs(site, report);
        }
    }
}

/// `echo "NAME<<END" >> "$GITHUB_OUTPUT"` needs an `END` that is written later.
fn open_outputs(site: &ScriptSite<'_>, report: &mut Report<'_>) {
    let script = site.script();
    for (index, command) in script.commands.iter().enumerate() {
        let Some((program, arguments)) = command.program() else { continue };
        if !matches!(program, "echo" | "printf")
            || !script.redirects_of(index).any(|redirect| shells::command_file(&redirect.target).is_some())
        {
            continue;
        }
        let Some(word) = arguments.iter().find(|word| word.text.contains("<<")) else { continue };
        let Some((name, delimiter)) = word.text.split_once("<<") else { continue };
        let delimiter = delimiter.lines().next().unwrap_or_default().trim_end_matches("\\n").trim();
        let is_plain =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let rest = site.raw().get(word.span.end..).unwrap_or_default();
        let own = word.text.get(name.len() + 2 + delimiter.len()..).unwrap_or_default();
        let bare = delimiter.trim_start_matches(['$', '{']).trim_end_matches('}');
        if is_plain && !bare.is_empty() && !rest.contains(bare) && !own.contains(bare) {
            report
                .at(
                    shells::span_of_word(site, word),
                    format!(
                        "the value of `{name}` never ends: nothing writes `{delimiter}` behind it, and the step fails"
                    ),
                )
                .help(format!("`echo \"{delimiter}\"` to the same file behind the value"));
        }
    }
}
