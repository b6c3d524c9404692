//! The rules and their pages.

use lineclear_check::{Activity, Group, Repair, RuleMeta, rules};
use lineclear_source::Severity;
use serde::Serialize;

use super::choose::known_rule;
use crate::exit::Exit;
use crate::output;

/// Prints the page of a rule.
pub(super) fn explain(rule: &str) -> Exit {
    match known_rule(rule) {
        Ok(meta) => {
            output::print(meta.page);
            Exit::Success
        }
        Err(message) => {
            output::complain(&format!("error: {message}"));
            Exit::BadInput
        }
    }
}

#[derive(Serialize)]
struct Listed {
    id: &'static str,
    group: &'static str,
    severity: Severity,
    pedantic: bool,
    repair: &'static str,
    dialects: Vec<String>,
    files: Vec<String>,
    since: &'static str,
    summary: &'static str,
}

/// Prints all rules, group by group.
pub(super) fn list(as_json: bool) -> Exit {
    let mut metas: Vec<&RuleMeta> = rules::all().collect();
    metas.sort_by_key(|meta| (meta.group, meta.id));
    if as_json {
        let listed: Vec<Listed> = metas.into_iter().map(listed).collect();
        // Texts can always be written.
        output::print(&format!("{}\n", serde_json::to_string(&listed).unwrap_or_default()));
        return Exit::Success;
    }
    let width = metas.iter().map(|meta| meta.id.len()).max().unwrap_or_default();
    let mut text = String::new();
    let mut group = None;
    for meta in &metas {
        if group != Some(meta.group) {
            let gap = if group.is_some() { "\n" } else { "" };
            text.push_str(&format!("{gap}{}\n", heading(meta.group)));
            group = Some(meta.group);
        }
        let severity = match meta.severity {
            Severity::Error => "error  ",
            Severity::Warning => "warning",
            Severity::Info => "info   ",
        };
        let mark = match (meta.activity, meta.repair) {
            (Activity::Pedantic, Repair::None) => "p ",
            (Activity::Pedantic, _) => "pf",
            (Activity::Default, Repair::None) => "  ",
            (Activity::Default, _) => " f",
        };
        text.push_str(&format!("  {severity} {mark} {:width$}  {}\n", meta.id, meta.summary));
    }
    let count = metas.len();
    text.push_str(&format!("\n{count} rules; p: with --pedantic only, f: can repair. `lineclear check --explain RULE` prints a rule's page.\n"));
    output::print(&text);
    Exit::Success
}

fn listed(meta: &RuleMeta) -> Listed {
    Listed {
        id: meta.id,
        group: heading(meta.group),
        severity: meta.severity,
        pedantic: meta.activity == Activity::Pedantic,
        repair: match meta.repair {
            Repair::None => "none",
            Repair::Safe => "safe",
            Repair::Review => "review",
        },
        dialects: meta.dialects.iter().map(|dialect| format!("{dialect:?}").to_ascii_lowercase()).collect(),
        files: meta.files.iter().map(|kind| format!("{kind:?}").to_ascii_lowercase()).collect(),
        since: meta.since,
        summary: meta.summary,
    }
}

fn heading(group: Group) -> &'static str {
    match group {
        Group::Correctness => "correctness",
        Group::Security => "security",
        Group::Delivery => "delivery",
    }
}
