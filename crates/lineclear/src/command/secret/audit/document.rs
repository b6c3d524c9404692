//! An audit as people read it, and as programs do.

use lineclear_event::Timestamp;
use lineclear_secrets::{Entry, Kind, RepositoryName};
use serde_json::{Value, json};

use super::super::keep::{ago, days_since, table};
use super::Audit;
use crate::preflight::{Named, Standing, Use};

/// The report: jobs with what they use, then what is missing, unused and old.
pub(super) fn text(audit: &Audit<'_>) -> String {
    let mut text = String::new();
    let mut jobs: Vec<(&str, &str, &Named)> = Vec::new();
    for (used, _) in &audit.uses {
        let job = (used.workflow.name(), used.job.as_str(), &used.environment);
        if !jobs.contains(&job) {
            jobs.push(job);
        }
    }
    let mut last_file = "";
    for job in jobs {
        let (file, id, environment) = job;
        if file != last_file {
            text.push_str(&format!("{}{file}\n", if last_file.is_empty() { "" } else { "\n" }));
            last_file = file;
        }
        let environment = match environment {
            Named::None => String::new(),
            Named::Known(name) => format!(" (environment {name})"),
            Named::AtRunTime(text) => format!(" (environment {text}, known at run time)"),
        };
        let title = if id.is_empty() { "the run itself".to_owned() } else { format!("job {id}") };
        text.push_str(&format!("  {title}{environment}\n"));
        let of_job =
            audit.uses.iter().filter(|(used, _)| (used.workflow.name(), used.job.as_str(), &used.environment) == job);
        let mut rows: Vec<[String; 3]> = of_job
            .map(|(used, standing)| {
                let file = if used.file.name() == file { String::new() } else { format!("{}:", used.file.name()) };
                let place = format!("{file}{}", used.position());
                [format!("    {}", name(used)), in_words(used, standing, audit), place]
            })
            .collect();
        rows.dedup();
        text.push_str(&table(&rows));
    }
    let needed: Vec<_> = audit.lacks.iter().filter(|lack| !lack.is_optional).collect();
    if !needed.is_empty() {
        text.push_str("\nMissing:\n");
        for lack in &needed {
            text.push_str(&format!("  {}\n", lack.command()));
        }
    }
    section(&mut text, "Unused by any workflow here", &audit.unused);
    section(&mut text, &format!("Older than {} days: change them where they come from", audit.max_age), &audit.old);
    let optional = audit.lacks.len() - needed.len();
    text.push_str(&format!(
        "\n{}: {}, {} missing, {optional} optional and not set, {} unused, {} old\n",
        audit.repository,
        if audit.uses.len() == 1 { "1 use".to_owned() } else { format!("{} uses", audit.uses.len()) },
        needed.len(),
        audit.unused.len(),
        audit.old.len()
    ));
    text
}

fn section(text: &mut String, title: &str, entries: &[&Entry]) {
    if entries.is_empty() {
        return;
    }
    text.push_str(&format!("\n{title}:\n"));
    let row = |entry: &&Entry| {
        let name = format!("  {} {}", entry.kind().as_str(), entry.name());
        [name, entry.scope().to_string(), format!("set {}", ago(Timestamp(entry.updated())))]
    };
    text.push_str(&table(&entries.iter().map(row).collect::<Vec<_>>()));
}

fn name(used: &Use) -> String {
    match (&used.name, used.kind) {
        (Some(name), kind) => format!("{} {name}", kind.as_str()),
        (None, Kind::Secret) => format!("all secrets ({})", used.text),
        (None, Kind::Variable) => format!("all variables ({})", used.text),
    }
}

fn in_words(used: &Use, standing: &Standing<'_>, audit: &Audit<'_>) -> String {
    match standing {
        Standing::Given => "given".to_owned(),
        Standing::Stored(entry) => {
            let used = audit.last_uses.get(entry.id()).map(|&at| format!(", used {}", ago(Timestamp(at))));
            format!("{}, set {}{}", entry.scope(), ago(Timestamp(entry.updated())), used.unwrap_or_default())
        }
        Standing::Passed => "passed by the caller".to_owned(),
        Standing::NotPassed => "not passed by the caller: empty".to_owned(),
        Standing::Missing if used.is_optional => "not set, optional".to_owned(),
        Standing::Missing => "missing".to_owned(),
        Standing::InEnvironments(names) => format!("set for environments {}", names.join(", ")),
        Standing::All => "whichever are set".to_owned(),
    }
}

/// The document: `version` changes when a field changes its meaning or goes.
pub(super) fn json(audit: &Audit<'_>) -> Value {
    let uses: Vec<Value> = audit.uses.iter().map(|(used, standing)| use_json(used, standing, audit)).collect();
    let missing: Vec<Value> = audit
        .lacks
        .iter()
        .map(|lack| {
            json!({
                "kind": lack.kind.as_str(),
                "name": lack.name,
                "environment": environment(&lack.environment),
                "optional": lack.is_optional,
                "places": lack.places,
                "command": lack.command(),
            })
        })
        .collect();
    json!({
        "version": 1,
        "repository": audit.repository.as_str(),
        "uses": uses,
        "missing": missing,
        "unused": audit.unused.iter().map(|entry| entry_json(entry, audit)).collect::<Vec<_>>(),
        "old": audit.old.iter().map(|entry| entry_json(entry, audit)).collect::<Vec<_>>(),
    })
}

fn use_json(used: &Use, standing: &Standing<'_>, audit: &Audit<'_>) -> Value {
    let status = match standing {
        Standing::Given => "given",
        Standing::Stored(_) => "set",
        Standing::Passed => "passed",
        Standing::NotPassed => "not_passed",
        Standing::Missing => "missing",
        Standing::InEnvironments(_) => "in_environments",
        Standing::All => "all",
    };
    let record = match standing {
        Standing::Stored(entry) => entry_json(entry, audit),
        _ => Value::Null,
    };
    let position = used.position();
    json!({
        "kind": used.kind.as_str(),
        "name": used.name,
        "expression": used.text,
        "workflow": used.workflow.name(),
        "file": used.file.name(),
        "line": position.line,
        "column": position.column,
        "job": if used.job.is_empty() { None } else { Some(&used.job) },
        "environment": environment(&used.environment),
        "optional": used.is_optional,
        "status": status,
        "record": record,
    })
}

fn environment(named: &Named) -> Value {
    match named {
        Named::None => Value::Null,
        Named::Known(name) => json!({ "name": name }),
        Named::AtRunTime(text) => json!({ "expression": text }),
    }
}

fn entry_json(entry: &Entry, audit: &Audit<'_>) -> Value {
    json!({
        "kind": entry.kind().as_str(),
        "name": entry.name().as_str(),
        "repository": entry.scope().repository().map(RepositoryName::as_str),
        "environment": entry.scope().environment_name(),
        "age_days": days_since(Timestamp(entry.updated())),
        "last_used": audit.last_uses.get(entry.id()).map(|&at| Timestamp(at).to_string()),
    })
}
