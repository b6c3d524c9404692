//! `password-argument`: arguments are seen by every process of the machine.

use lineclear_shell::Word;
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/password-argument.md`.
#[derive(Debug)]
pub(super) struct PasswordArgument;

static META: RuleMeta = RuleMeta {
    id: "password-argument",
    summary: "a password stands on a command line",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("password-argument"),
};

impl Rule for PasswordArgument {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.scripts().iter().filter(|site| site.language.is_some() && site.has_any(&["login"])) {
            for command in &site.script().commands {
                let Some((program, arguments)) = command.program() else { continue };
                let Some(verb) = arguments.iter().position(|word| word.text == "login") else { continue };
                let takes_stdin = matches!(
                    program,
                    "docker" | "podman" | "buildah" | "skopeo" | "helm" | "oras" | "crane" | "regctl" | "nerdctl"
                );
                if !takes_stdin || verb > 2 {
                    continue;
                }
                let Some(word) = arguments.iter().find(|word| is_password(word)) else { continue };
                report
                    .at(
                        shells::span_of_word(site, word),
                        format!("the password of `{program} login` stands on the command line: every process of the machine can read it"),
                    )
                    .help("pass it by the environment and the standard input: `echo \"$PASSWORD\" | … login --password-stdin`");
            }
        }
    }
}

fn is_password(word: &Word) -> bool {
    let text = word.text.as_str();
    text == "-p"
        || text == "--password"
        || text.starts_with("--password=")
        || (text.starts_with("-p") && text.len() > 2 && !text.starts_with("--"))
}
