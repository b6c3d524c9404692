//! `fixed-sleep`: a sleep instead of a look whether it is ready.

use lineclear_shell::{Command, Connector, Language};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/fixed-sleep.md`.
#[derive(Debug)]
pub(super) struct FixedSleep;

static META: RuleMeta = RuleMeta {
    id: "fixed-sleep",
    summary: "a fixed time is waited for what was started",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("fixed-sleep"),
};

impl Rule for FixedSleep {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in shells::scripts_with(file, Language::Posix, &["sleep"]) {
            let script = site.script();
            for (index, command) in script.commands.iter().enumerate() {
                let Some(seconds) = sleeps(command) else { continue };
                if script.is_in_loop(index)
                    || command.inside.is_some()
                    || command.is_condition
                    || command.connector == Connector::Background
                {
                    continue;
                }
                let before = script.commands.get(..index).unwrap_or_default();
                let own =
                    before.iter().rev().take(4).find_map(|command| starts(command).map(|what| (what, site, command)));
                let earlier = || {
                    let site = shells::previous_script(file, site).filter(|_| index == 0)?;
                    let last = site.script().commands.iter().rev().take(2);
                    last.into_iter().find_map(|command| starts(command).map(|what| (what, site, command)))
                };
                let Some((what, there, started)) = own.or_else(earlier) else { continue };
                report
                    .at(
                        shells::span_of_command(site, command),
                        format!("{seconds} seconds are waited for {what}: too long on a good day, too short on a bad one"),
                    )
                    .label(shells::span_of_command(there, started), "started here")
                    .help("ask until it is ready, with a limit: `docker compose up --wait`, `kubectl rollout status`, or a loop with `curl --retry`");
            }
        }
    }
}

/// For how long, if it is 3 seconds or more: less is a pause, not a wait.
fn sleeps(command: &Command) -> Option<u32> {
    let (program, arguments) = command.program()?;
    let [time] = arguments else { return None };
    if program != "sleep" {
        return None;
    }
    let text = time.literal()?;
    let (number, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let seconds = number.parse::<u32>().ok()?.checked_mul(unit)?;
    (seconds >= 3).then_some(seconds)
}

/// What the command starts without waiting for it.
fn starts(command: &Command) -> Option<&'static str> {
    let (program, arguments) = command.program()?;
    let words: Vec<&str> = arguments.iter().map(|word| word.text.as_str()).collect();
    let has = |wanted: &str| words.contains(&wanted);
    let is_detached = has("-d")
        || has("--detach")
        || words.iter().any(|word| word.len() == 3 && word.starts_with('-') && word.contains('d'));
    match program {
        "docker-compose" if has("up") && is_detached && !has("--wait") => Some("containers"),
        "docker" | "podman" if has("compose") && has("up") && is_detached && !has("--wait") => Some("containers"),
        "docker" | "podman" if has("run") && is_detached => Some("a container"),
        "docker" | "podman" if has("start") || has("restart") => Some("a container"),
        "kubectl"
            if has("apply") || has("create") || has("set") && has("image") || has("rollout") && has("restart") =>
        {
            Some("what was deployed")
        }
        "helm" if (has("upgrade") || has("install")) && !has("--wait") && !has("--atomic") => Some("what was deployed"),
        "systemctl" | "service" if has("start") || has("restart") => Some("a service"),
        "pm2" if has("start") || has("restart") => Some("a service"),
        _ if command.connector == Connector::Background => Some("a process in the background"),
        _ => None,
    }
}
