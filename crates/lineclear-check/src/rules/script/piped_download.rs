//! `piped-download`: what a server sends is run as it comes.

use lineclear_shell::{Command, Language, Script, Word};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, Scripted, page};

/// Manual and tests: `docs/rules/piped-download.md`.
#[derive(Debug)]
pub(super) struct PipedDownload;

static META: RuleMeta = RuleMeta {
    id: "piped-download",
    summary: "a script from the network is run unread",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action, FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("piped-download"),
};

impl Rule for PipedDownload {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        const DOWNLOADS: &[&str] = &["curl", "wget"];
        for site in shells::scripts_with(file, Language::Posix, DOWNLOADS) {
            of_posix(site, report);
        }
        for run in file.runs().iter().filter(|run| shells::has_any(run.raw(), DOWNLOADS)) {
            of_posix(run, report);
        }
        const POWER_SHELL: &[&str] = &["iex", "Invoke-Expression", "IEX", "invoke-expression"];
        for site in shells::scripts_with(file, Language::PowerShell, POWER_SHELL) {
            let script = site.script();
            for (index, command) in script.commands.iter().enumerate() {
                let Some((program, _)) = command.program() else { continue };
                if !(program.eq_ignore_ascii_case("iex") || program.eq_ignore_ascii_case("Invoke-Expression")) {
                    continue;
                }
                let mut sources = script.commands.iter().enumerate();
                let download = sources.find(|(at, other)| {
                    let is_fed = command.reads_from.is_some_and(|from| from == *at || is_within(script, other, from));
                    (is_fed || is_within(script, other, index)) && is_power_shell_download(other)
                });
                if let Some((_, download)) = download {
                    tell(site, command, program, download, report);
                }
            }
        }
    }
}

fn of_posix(site: &dyn Scripted, report: &mut Report<'_>) {
    let script = site.script();
    for command in &script.commands {
        let Some((program, arguments)) = command.program() else { continue };
        let found = if is_interpreter(program) && reads_script_from_stdin(program, arguments) {
            piped_from(script, command).or_else(|| substituted(script, command, arguments))
        } else if is_interpreter(program) || matches!(program, "source" | "." | "eval") {
            substituted(script, command, arguments)
        } else {
            None
        };
        if let Some(download) = found {
            tell(site, command, program, download, report);
        }
    }
}

fn tell(site: &dyn Scripted, command: &Command, program: &str, download: &Command, report: &mut Report<'_>) {
    if download.words.iter().any(|word| is_of_commit(&word.text)) {
        return;
    }
    let span = command
        .program_word()
        .map_or_else(|| shells::span_of_command(site, command), |word| shells::span_of_word(site, word));
    let from = download
        .words
        .iter()
        .find_map(|word| host(&word.text))
        .map(|host| format!(" from `{host}`"))
        .unwrap_or_default();
    report
        .at(span, format!("`{program}` runs what is downloaded{from} as it comes: whoever changes it there runs code here"))
        .label(shells::span_of_command(site, download), "downloaded here")
        .help("download a fixed version to a file, compare its checksum, then run it; or use an action pinned to a commit");
}

/// Whether an address leads to a file of a commit, which stays as it is.
fn is_of_commit(text: &str) -> bool {
    let Some(path) = text.strip_prefix("https://raw.githubusercontent.com/") else { return false };
    path.split('/').any(|part| part.len() == 40 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn host(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    rest.split(['/', '?', '$']).next().filter(|host| !host.is_empty())
}

fn is_interpreter(program: &str) -> bool {
    matches!(
        program,
        "bash" | "sh" | "zsh" | "dash" | "ksh" | "ash" | "python" | "python3" | "perl" | "ruby" | "node" | "php"
    )
}

/// Whether the arguments name no script: it is read from the standard input.
fn reads_script_from_stdin(program: &str, arguments: &[Word]) -> bool {
    for word in arguments {
        match word.text.as_str() {
            "-" | "/dev/stdin" | "--" => return true,
            "-c" | "-m" | "-e" | "-ne" | "-pe" | "-p" => return false,
            text if text.starts_with("--") => {}
            // `-s` says so; what follows are its arguments.
            text if text.starts_with('-') && text.contains('s') && program.ends_with("sh") => return true,
            text if text.starts_with('-') && (text.contains('c') || text.contains('e')) && !program.ends_with("sh") => {
                return false;
            }
            text if text.starts_with('-') && text.ends_with('c') => return false,
            text if text.starts_with('-') => {}
            _ => return false,
        }
    }
    true
}

fn is_download(command: &Command) -> bool {
    command.program().is_some_and(|(program, arguments)| {
        matches!(program, "curl" | "wget") && arguments.iter().any(|word| !word.text.starts_with('-'))
    })
}

/// The download at the head of the pipeline, with nothing but programs that pass it on in between.
fn piped_from<'s>(script: &'s Script, command: &Command) -> Option<&'s Command> {
    let mut from = command.reads_from;
    // Each command reads from one before it.
    while let Some(source) = from.and_then(|at| script.commands.get(at)) {
        if is_download(source) {
            return Some(source);
        }
        let (program, _) = source.program()?;
        if !matches!(
            program,
            "cat" | "tee" | "sed" | "gunzip" | "zcat" | "gzip" | "base64" | "tr" | "envsubst" | "head" | "tail"
        ) {
            return None;
        }
        from = source.reads_from;
    }
    None
}

/// The download in `$( )` or `<( )` that is the script: `bash <(curl …)`, `eval "$(curl …)"`.
fn substituted<'s>(script: &'s Script, command: &Command, arguments: &[Word]) -> Option<&'s Command> {
    let word = arguments.iter().find(|word| !word.text.starts_with('-'))?;
    let is_in =
        |other: &&Command| word.span.start <= other.span.start && other.span.end <= word.span.end && is_download(other);
    let found = script.commands.iter().find(is_in)?;
    // A command of `bash -c '…'` downloads for itself.
    let is_text = word.parts.iter().all(|part| matches!(part, lineclear_shell::Part::Literal { .. }));
    (!is_text && found.span != command.span).then_some(found)
}

fn is_power_shell_download(command: &Command) -> bool {
    const NAMES: &[&str] = &["irm", "iwr", "curl", "wget", "Invoke-RestMethod", "Invoke-WebRequest"];
    let is_named =
        command.program().is_some_and(|(program, _)| NAMES.iter().any(|name| name.eq_ignore_ascii_case(program)));
    is_named || command.words.iter().any(|word| shells::has_any(&word.text, &["DownloadString", "downloadstring"]))
}

/// Whether the command stands inside of the command of this index, at any depth.
fn is_within(script: &Script, command: &Command, holder: usize) -> bool {
    let mut inside = command.inside;
    while let Some(at) = inside {
        if at == holder {
            return true;
        }
        inside = script.commands.get(at).and_then(|command| command.inside);
    }
    false
}
