//! Whether an event starts a workflow, and why.
//!
//! Start at [`decide`]. Filters on names and paths are in `filter`, the ways to ask for no run in `skip`.

mod filter;
mod skip;

use lineclear_event::{Changed, ForgeEvent};
use lineclear_workflow::{Names, Trigger, Workflow};
use serde_json::Value;

use crate::Reference;
use crate::input::dispatch_inputs;
use crate::model::Facts;
use crate::run_inputs::given_inputs;

pub(crate) use filter::count_of;

/// Activity types that start a workflow which names none; every other event starts it whatever its type.
const DEFAULT_PULL_REQUEST_TYPES: [&str; 3] = ["opened", "synchronize", "reopened"];

/// Most changed files that path filters look at.
const MAX_FILES: usize = 300;

/// Why it starts the workflow, or why it does not.
pub(crate) type Why = Result<String, String>;

/// An event, prepared once for all workflows.
#[derive(Debug)]
pub(crate) struct Happened<'a> {
    event: &'a ForgeEvent,
    facts: &'a Facts,
    /// The activity type, where the payload has one.
    action: Option<&'a str>,
    /// The changed files that are looked at.
    names: Names<'a>,
}

impl<'a> Happened<'a> {
    pub(crate) fn new(event: &'a ForgeEvent, facts: &'a Facts) -> Self {
        let names = match &event.changed {
            Changed::Files { paths, .. } => paths.iter().take(MAX_FILES).map(String::as_str).collect(),
            Changed::Unknown { .. } => Names::default(),
        };
        Self { event, facts, action: event.payload.get("action").and_then(Value::as_str), names }
    }

    fn text(&self, pointer: &str) -> Option<&'a str> {
        self.event.payload.pointer(pointer).and_then(Value::as_str)
    }

    /// The commit message that may ask for no run.
    fn head_message(&self) -> Option<&'a str> {
        let own = match self.event.name.as_str() {
            "push" => self.text("/head_commit/message"),
            _ => None,
        };
        own.or(self.facts.head_message.as_deref())
    }
}

/// Whether the event starts `workflow`.
///
/// # Source
/// "Events that trigger workflows" and "Workflow syntax: on" of GitHub's documentation.
pub(crate) fn decide(workflow: &Workflow, happened: &Happened<'_>) -> Why {
    let name = happened.event.name.as_str();
    if name == "workflow_call" {
        return Err("no event calls a workflow: it runs when a job of another workflow calls it".into());
    }
    let Some(trigger) = workflow.on.get(name) else {
        let others: Vec<_> = workflow.on.events.iter().map(|trigger| format!("`{}`", trigger.event.value)).collect();
        return Err(match others.as_slice() {
            [] => "no event starts it".to_owned(),
            [only] if only == "`workflow_call`" => "it runs only when a job of another workflow calls it".to_owned(),
            others => format!("not started by `{name}`, only by {}", others.join(", ")),
        });
    };
    match name {
        "push" => push(trigger, happened),
        "pull_request" | "pull_request_target" => pull_request(trigger, happened),
        "workflow_run" => workflow_run(trigger, happened),
        "workflow_dispatch" => dispatch(workflow, happened),
        "schedule" => schedule(trigger, happened),
        "merge_group" => merge_group(trigger, happened),
        "image_version" => image_version(trigger, happened),
        _ => activity(trigger, happened),
    }
}

fn push(trigger: &Trigger, happened: &Happened<'_>) -> Why {
    let reference = Reference::of(&happened.event.reference);
    let is_deleted = happened.event.payload.get("deleted").and_then(Value::as_bool).unwrap_or(false);
    if is_deleted {
        return Err(format!("push: {} `{}` was deleted, and no commit is left to run", reference.kind, reference.name));
    }
    skip::check(happened.head_message(), "push")?;
    let (own, other, own_key, other_key) = match reference.kind {
        "tag" => (&trigger.tags, &trigger.branches, "tags", "branches"),
        _ => (&trigger.branches, &trigger.tags, "branches", "tags"),
    };
    let mut why = match (own, other) {
        (Some(patterns), _) => filter::name(patterns, reference.kind, reference.name)?,
        (None, Some(_)) => {
            let (kind, name) = (reference.kind, reference.name);
            return Err(format!(
                "{kind} `{name}`: only `{other_key}` are named and no `{own_key}`, so a {kind} does not start it"
            ));
        }
        (None, None) => format!("{} `{}`", reference.kind, reference.name),
    };
    // GitHub does not evaluate path filters for tags.
    if let (Some(paths), true) = (&trigger.paths, reference.kind != "tag") {
        why = format!("{why}; {}", filter::paths(paths, happened)?);
    }
    Ok(format!("push: {why}"))
}

fn pull_request(trigger: &Trigger, happened: &Happened<'_>) -> Why {
    let kind = activity(trigger, happened)?;
    // Pull requests for the default branch's workflows run whatever the commit says.
    if happened.event.name == "pull_request" {
        skip::check(happened.head_message(), "pull_request")?;
        if happened.event.payload.pointer("/pull_request/mergeable").and_then(Value::as_bool) == Some(false) {
            return Err(
                "pull_request: the pull request has a merge conflict, so there is no merge commit to run".into()
            );
        }
    }
    let base = match happened.event.base_ref.as_str() {
        "" => happened.text("/pull_request/base/ref").unwrap_or_default(),
        base => base,
    };
    let mut why = match &trigger.branches {
        Some(patterns) => format!("{kind}; {}", filter::name(patterns, "base branch", base)?),
        None => kind,
    };
    if let Some(paths) = &trigger.paths {
        why = format!("{why}; {}", filter::paths(paths, happened)?);
    }
    Ok(why)
}

fn workflow_run(trigger: &Trigger, happened: &Happened<'_>) -> Why {
    let name = happened.text("/workflow_run/name").or_else(|| happened.text("/workflow/name"));
    let named: Vec<_> = trigger.workflows.iter().map(|workflow| format!("`{}`", workflow.value)).collect();
    match name {
        Some(name) if trigger.workflows.iter().any(|workflow| workflow.value == name) => {}
        Some(name) => return Err(format!("workflow_run: workflow `{name}` is not among {}", named.join(", "))),
        None => return Err("workflow_run: the payload does not name the workflow (`workflow_run.name`)".into()),
    }
    let mut why = format!("{} of `{}`", activity(trigger, happened)?, name.unwrap_or_default());
    if let Some(patterns) = &trigger.branches {
        let branch = happened.text("/workflow_run/head_branch").unwrap_or_default();
        why = format!("{why}; {}", filter::name(patterns, "head branch", branch)?);
    }
    Ok(why)
}

fn dispatch(workflow: &Workflow, happened: &Happened<'_>) -> Why {
    let file = workflow.source.name();
    if let Some(asked) = happened.text("/workflow") {
        let is_same = asked == file || file.rsplit('/').next() == asked.rsplit('/').next();
        if !is_same {
            return Err(format!("workflow_dispatch: it was `{asked}` that was dispatched"));
        }
    }
    match dispatch_inputs(workflow, &given_inputs(happened.event, happened.facts)) {
        Ok(_) => Ok("workflow_dispatch: started by hand".into()),
        Err(errors) => {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            Err(format!("workflow_dispatch: {}", errors.join("; ")))
        }
    }
}

fn schedule(trigger: &Trigger, happened: &Happened<'_>) -> Why {
    let Some(cron) = happened.text("/schedule") else {
        let crons: Vec<_> = trigger.schedule.iter().map(|schedule| format!("`{}`", schedule.cron.value)).collect();
        return Ok(format!("schedule: {}", crons.join(", ")));
    };
    let same = |text: &str| text.split_whitespace().eq(cron.split_whitespace());
    match trigger.schedule.iter().any(|schedule| same(&schedule.cron)) {
        true => Ok(format!("schedule: `{cron}`")),
        false => {
            let crons: Vec<_> = trigger.schedule.iter().map(|schedule| format!("`{}`", schedule.cron.value)).collect();
            Err(format!("schedule: `{cron}` is not among {}", crons.join(", ")))
        }
    }
}

fn merge_group(trigger: &Trigger, happened: &Happened<'_>) -> Why {
    let why = activity(trigger, happened)?;
    let Some(patterns) = &trigger.branches else { return Ok(why) };
    let base = happened.text("/merge_group/base_ref").unwrap_or(&happened.event.base_ref);
    Ok(format!("{why}; {}", filter::name(patterns, "base branch", Reference::of(base).name)?))
}

fn image_version(trigger: &Trigger, happened: &Happened<'_>) -> Why {
    let mut why = activity(trigger, happened)?;
    let found = |keys: [&str; 2]| keys.iter().find_map(|key| happened.text(key)).unwrap_or_default();
    if let Some(patterns) = &trigger.names {
        let name = found(["/image_version/image_name", "/image_version/name"]);
        why = format!("{why}; {}", filter::name(patterns, "image", name)?);
    }
    if let Some(patterns) = &trigger.versions {
        let version = found(["/image_version/version", "/image_version/image_version"]);
        why = format!("{why}; {}", filter::name(patterns, "version", version)?);
    }
    Ok(why)
}

/// The rule of every event that has activity types and no other filter.
fn activity(trigger: &Trigger, happened: &Happened<'_>) -> Why {
    let name = &happened.event.name;
    let types: Vec<&str> = match &trigger.types {
        Some(types) => types.iter().map(|kind| kind.value.as_str()).collect(),
        None if name.starts_with("pull_request") && !name.starts_with("pull_request_review") => {
            DEFAULT_PULL_REQUEST_TYPES.to_vec()
        }
        None => Vec::new(),
    };
    match happened.action {
        None if types.is_empty() => Ok(name.clone()),
        None => Ok(format!("{name}: the payload has no `action`, so it is taken for one of {}", types.join(", "))),
        Some(action) if types.is_empty() || types.contains(&action) => Ok(format!("{name}: type `{action}`")),
        Some(action) => Err(format!("{name}: type `{action}` is not among {}", types.join(", "))),
    }
}
