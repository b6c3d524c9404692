//! The event that a local run or plan stands for: made from the repository's state, or read from a payload file.
//!
//! [`LocalEvent::start`] sets git to work and [`Started::finish`] collects its answer, so that the workflow files can be read in
//! between. `HEAD`, branches and settings
//! are read from git's own files; git itself is asked for commits, and for changed paths only where a filter looks at them.

mod changes;
mod checkout;
mod commits;
mod config;
mod git;
mod known;
mod made;
mod payload;
mod subject;
mod synthesis;
mod told;

use std::collections::BTreeMap;
use std::path::PathBuf;

use lineclear_event::{Changed, ForgeEvent};
use lineclear_workflow::Workflow;
use serde_json::Value;

pub(crate) use changes::Compared;
use changes::Comparison;
pub(crate) use checkout::Checkout;
use checkout::is_zero;
use commits::Commit;
pub(crate) use git::run as git_says;
use known::{Known, Place};
use made::{Base, Made};
use synthesis::{Hints, Scene};
use told::Told;

/// Most commits that a push lists, as on GitHub.
const MAX_COMMITS: usize = 20;

/// What was asked for beside the event's name.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventOptions {
    /// A payload file; `-` for standard input.
    pub(crate) payload: Option<PathBuf>,
    /// The reference the event happened on, full or short.
    pub(crate) reference: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) default_branch: Option<String>,
    /// Compare with this revision instead.
    pub(crate) changed_since: Option<String>,
    /// What changed, in place of what git says: paths relative to the repository's root.
    pub(crate) changed: Vec<String>,
    /// Inputs of a dispatch, for the payload.
    pub(crate) inputs: BTreeMap<String, String>,
}

/// An event, and what else came to light with it.
#[derive(Clone, Debug)]
pub(crate) struct LocalEvent {
    pub(crate) event: ForgeEvent,
    /// Message of the commit the event speaks of, for `[skip ci]`.
    pub(crate) head_message: Option<String>,
    /// What changed paths were counted from, if git counted them.
    pub(crate) compared: Option<Compared>,
    /// What a person should know of how the event was made, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// What the workflows want to know of the event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wants {
    /// Whether any of them filters by paths: only then is git asked for them.
    paths: bool,
    hints: Hints,
}

/// Why there is no event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventError {
    #[error("cannot read payload `{}`", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("payload `{}` has more than {most} bytes", path.display())]
    TooLarge { path: PathBuf, most: u64 },
    #[error("payload `{}` is not JSON", path.display())]
    NotJson { path: PathBuf, source: serde_json::Error },
    #[error("payload `{}` is {found}; a webhook's payload is a JSON object", path.display())]
    NotAnObject { path: PathBuf, found: &'static str },
    #[error("there is no event `{name}`{}", nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    UnknownEvent { name: String, nearest: Option<&'static str> },
    #[error(
        "no tag points at what is checked out; make one with `git tag v1.0.0`, or name one with `--ref refs/tags/v1.0.0`"
    )]
    NoTag,
    #[error("`{revision}` is no commit of this repository")]
    NoSuchRevision { revision: String },
}

impl Wants {
    /// What `workflows` want to know of event `name`.
    pub(crate) fn of<'a>(workflows: impl Iterator<Item = &'a Workflow> + Clone, name: &str) -> Self {
        let triggers = || workflows.clone().filter_map(|workflow| workflow.on.get(name));
        let followed = triggers().find_map(|trigger| trigger.workflows.first());
        let kind = triggers().find_map(|trigger| trigger.types.as_ref()?.first());
        Self {
            paths: triggers().any(|trigger| trigger.paths.is_some()),
            hints: Hints {
                followed: followed.map(|name| name.value.clone()),
                dispatch_type: kind.map(|kind| kind.value.clone()),
            },
        }
    }
}

impl LocalEvent {
    /// Event `name` of the repository that `checkout` found; a push of what is checked out when nothing is asked for.
    ///
    /// With a payload the payload decides what happened, and where. The name may then be left out, too.
    ///
    /// # Errors
    /// See [`EventError`]. A repository that git cannot read is no error: the event then says less, and a note says why.
    #[cfg(test)]
    pub(crate) fn from_repository(
        checkout: &Checkout,
        name: Option<&str>,
        options: &EventOptions,
        wants: impl FnOnce(&str) -> Wants,
    ) -> Result<Self, EventError> {
        let started = Self::start(checkout, name, options)?;
        let wants = wants(started.name());
        started.finish(&wants)
    }

    /// Reads what files tell, and sets git to work on the rest.
    pub(crate) fn start<'a>(
        checkout: &'a Checkout,
        name: Option<&str>,
        options: &'a EventOptions,
    ) -> Result<Started<'a>, EventError> {
        let payload = options.payload.as_deref().map(payload::read).transpose()?;
        let (name, wants_tag) = match name {
            Some("tag") => ("push", true),
            Some(name) => (name, false),
            None => (payload.as_ref().and_then(known::of_payload).unwrap_or("push"), false),
        };
        let Some(known) = known::find(name) else {
            return Err(EventError::UnknownEvent { name: name.to_owned(), nearest: known::nearest(name) });
        };
        let mut notes = Vec::new();
        let default_branch =
            subject::repository(checkout, payload.as_ref(), options.default_branch.as_deref()).default_branch;
        let head = checkout.head_commit();
        let place = match &payload {
            Some(payload) => {
                let zeros = "0".repeat(40);
                let here = head.as_deref().unwrap_or(&zeros);
                Here::Told(told::read(known.1, payload, checkout, &default_branch, here))
            }
            None => Here::Made(Made::new(checkout, known, options, wants_tag, &default_branch, head, &mut notes)?),
        };
        let log = log(checkout, known, payload.as_ref(), &place);
        Ok(Started { checkout, options, known, payload, default_branch, place, log, notes })
    }
}

/// An event in the making, while git works.
#[derive(Debug)]
pub(crate) struct Started<'a> {
    checkout: &'a Checkout,
    options: &'a EventOptions,
    known: Known,
    payload: Option<Value>,
    default_branch: String,
    place: Here,
    log: Option<Result<git::Running, String>>,
    notes: Vec<String>,
}

/// Where the event happened, and how that is known.
#[derive(Debug)]
enum Here {
    /// A payload said so.
    Told(Told),
    /// From what is checked out.
    Made(Made),
}

impl Started<'_> {
    /// The event's name, as far as it was left open.
    pub(crate) fn name(&self) -> &'static str {
        self.known.0
    }

    /// Waits for git and puts the event together.
    ///
    /// # Errors
    /// [`EventError::NoSuchRevision`] for a revision to compare with that is none.
    pub(crate) fn finish(mut self, wants: &Wants) -> Result<LocalEvent, EventError> {
        let mut commits = match self.log.take() {
            None => Vec::new(),
            Some(log) => match log.and_then(git::Running::finish) {
                Ok(output) => commits::read(&output),
                Err(complaint) => {
                    self.notes.push(format!("the commits are not known: git says: {complaint}"));
                    Vec::new()
                }
            },
        };
        let mut notes = std::mem::take(&mut self.notes);
        let payload = self.payload.take();
        let repository = subject::repository(self.checkout, payload.as_ref(), Some(&self.default_branch));
        let actor = subject::actor(self.checkout, payload.as_ref(), self.options.actor.as_deref());
        let (name, place, action) = self.known;
        let mut event = ForgeEvent {
            name: name.to_owned(),
            payload: Value::Null,
            repository,
            reference: String::new(),
            sha: String::new(),
            base_ref: String::new(),
            head_ref: String::new(),
            actor,
            changed: Changed::Unknown { reason: "no workflow filters this event by paths".into() },
        };
        let comparison;
        match (&self.place, payload) {
            (Here::Told(told), payload) => {
                let payload = payload.unwrap_or_default();
                comparison = told::comparison(place, &payload, told, self.checkout, &self.default_branch);
                event.payload = payload;
                event.reference.clone_from(&told.reference);
                event.sha.clone_from(&told.sha);
                event.base_ref.clone_from(&told.base_ref);
                event.head_ref.clone_from(&told.head_ref);
                if let Some(given) = &self.options.reference {
                    event.reference = told::full(given, self.checkout);
                }
            }
            (Here::Made(made), _) => {
                if commits.is_empty() && made.head.is_some() {
                    // What is checked out lies behind the forge's tip, so the range was empty.
                    commits = self.head_alone(made);
                }
                comparison = made.comparison(self.checkout, commits.first());
                event.payload = self.make_payload(made, &event, &commits, action, &wants.hints);
                event.reference.clone_from(&made.reference);
                event.sha = made.head.clone().unwrap_or_else(|| "0".repeat(40));
                if matches!(place, Place::PullRequest | Place::PullRequestTarget) {
                    event.base_ref.clone_from(&made.base_ref);
                    event.head_ref.clone_from(&made.branch);
                }
            }
        }
        let mut compared = None;
        if !self.options.changed.is_empty() {
            let paths = self.options.changed.clone();
            event.changed = Changed::Files { paths, compared_with: "by --changed".into() };
        } else if let Some(revision) = &self.options.changed_since {
            event.changed = self.changed_since(revision, &event)?;
        } else if wants.paths && !event.reference.starts_with("refs/tags/") {
            event.changed = changes::changed(&self.checkout.root, &comparison);
            compared = matches!(event.changed, Changed::Files { .. }).then(|| Compared::new(comparison));
            if let (Changed::Unknown { .. }, Here::Told(_)) = (&event.changed, &self.place)
                && let Some(paths) = told::listed(&event.payload)
            {
                event.changed = Changed::Files { paths, compared_with: "by the payload's list of commits".into() };
            }
        }
        notes.dedup();
        let head_message = commits.first().map(|commit| commit.message.clone());
        Ok(LocalEvent { event, head_message, compared, notes })
    }

    fn head_alone(&self, made: &Made) -> Vec<Commit> {
        let Some(head) = &made.head else { return Vec::new() };
        let output = git::run(&self.checkout.root, &["log", "-z", "-s", commits::FORMAT, "--max-count=1"], &[head]);
        output.map(|output| commits::read(&output)).unwrap_or_default()
    }

    fn make_payload(
        &self,
        made: &Made,
        event: &ForgeEvent,
        commits: &[Commit],
        action: Option<&str>,
        hints: &Hints,
    ) -> Value {
        let zeros = "0".repeat(made.head.as_ref().map_or(40, String::len));
        let parent = commits.first().and_then(|commit| commit.parents.first());
        let (base_sha, created) = match &made.base {
            Base::Tip(tip) => (tip, false),
            Base::New(_) => (&zeros, true),
            Base::Parent => (parent.unwrap_or(&zeros), parent.is_none()),
        };
        let scene = Scene {
            repository: &event.repository,
            actor: &event.actor,
            reference: &made.reference,
            branch: &made.branch,
            sha: made.head.as_deref().unwrap_or(&zeros),
            commits,
            base_sha,
            base_ref: &made.base_ref,
            created,
            action,
        };
        let inputs = self.options.inputs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        synthesis::payload(self.known.0, &scene, hints, &inputs.collect())
    }

    fn changed_since(&self, revision: &str, event: &ForgeEvent) -> Result<Changed, EventError> {
        let Some(base) = told::resolve(self.checkout, revision) else {
            return Err(EventError::NoSuchRevision { revision: revision.to_owned() });
        };
        let (since_fork, direct) = match &self.place {
            Here::Told(_) => {
                let head = event.sha.clone();
                (Comparison::SinceFork { base: base.clone(), head: head.clone() }, Comparison::Commits { base, head })
            }
            Here::Made(_) => (Comparison::FolderSinceFork { base: base.clone() }, Comparison::Folder { base }),
        };
        Ok(match changes::changed(&self.checkout.root, &since_fork) {
            // The two have no common ancestor.
            Changed::Unknown { .. } => changes::changed(&self.checkout.root, &direct),
            known => known,
        })
    }
}

/// Asks git for the commits that the payload or the look for `[skip ci]` needs.
fn log(
    checkout: &Checkout,
    (_, place, _): Known,
    payload: Option<&Value>,
    here: &Here,
) -> Option<Result<git::Running, String>> {
    checkout.repository.as_ref()?;
    let one = "--max-count=1".to_owned();
    let many = format!("--max-count={MAX_COMMITS}");
    let (count, operands) = match here {
        Here::Told(_) => {
            // The payload of a pull request does not hold its head's message.
            let head = payload?.pointer("/pull_request/head/sha").and_then(Value::as_str);
            let head =
                head.filter(|head| place == Place::PullRequest && checkout::is_object_id(head) && !is_zero(head))?;
            (one, vec![told::resolve(checkout, head)?])
        }
        Here::Made(made) => {
            let head = made.head.clone()?;
            match &made.base {
                Base::Tip(base) | Base::New(Some(base)) => (many, vec![head, format!("^{base}")]),
                Base::New(None) | Base::Parent => (one, vec![head]),
            }
        }
    };
    let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
    Some(git::start(&checkout.root, &["log", "-z", "-s", commits::FORMAT, &count], &operands))
}

#[cfg(test)]
mod tests;
