//! Follows text that an outsider chose: from the payload of an event through `env`, outputs, matrices and inputs to where it is used.
//!
//! Nothing is followed before somebody asks about an expression: [`Flows::of`] goes backwards from there, and few expressions
//! have far to go. What cannot be told counts as fixed.

use lineclear_expr::{Function, Node, NodeKind, Reference, Segment};
use lineclear_source::Span;
use lineclear_workflow::{Env, Input, InputKind, Job, JobKind, Step, StepKind, Text, TextTree, Workflow};

use super::payload::{ChosenBy, Payload, payload};
use super::trust::{Events, Guard, Reach, guard_of, is_in, is_privileged, is_read_only};
use super::{passing, relay};
use crate::uses::{action_name, input};
use crate::{File, StepSite};

/// How many looks may lie between where a text comes from and where it is used: a circle ends there.
const FAR: usize = 20;

/// A text that somebody else than the workflow's author chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taint {
    /// Where it comes from, as it is written: `github.event.issue.title`.
    pub(crate) origin: String,
    /// Whether it went through something in between.
    pub(crate) is_direct: bool,
    /// The events that bring it.
    pub(crate) events: Events,
    pub(crate) chosen_by: ChosenBy,
    /// Whether it is an input, which a caller chose.
    pub(crate) is_input: bool,
}

/// The place in a file from which an expression looks at its contexts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewpoint<'a> {
    pub(crate) job: Option<&'a Job>,
    pub(crate) step: Option<&'a Step>,
}

/// The flows of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flows<'f, 'a> {
    file: &'f File<'a>,
}

impl<'f, 'a> Flows<'f, 'a> {
    pub(crate) fn new(file: &'f File<'a>) -> Self {
        Self { file }
    }

    /// What an outsider chose of the value of `node`, if anything.
    pub(crate) fn of(self, node: Node<'_>, from: Viewpoint<'a>) -> Option<Taint> {
        self.node(node, from, false, FAR)
    }

    /// As [`Flows::of`], for one who has come some way already.
    pub(super) fn within(self, node: Node<'_>, from: Viewpoint<'a>, far: usize) -> Option<Taint> {
        self.node(node, from, false, far)
    }

    /// What an outsider chose of a variable of the step's scripts.
    pub(super) fn of_environment(self, name: &str, from: Viewpoint<'a>) -> Option<Taint> {
        self.of_variable_within(name, from, FAR)
    }

    /// A variable of a script: one of `env`, or one that the runner sets.
    pub(super) fn of_variable_within(self, name: &str, from: Viewpoint<'a>, far: usize) -> Option<Taint> {
        match name {
            "GITHUB_HEAD_REF" => self.runners("head_ref", name),
            "GITHUB_REF_NAME" | "GITHUB_REF" => self.runners("ref_name", name),
            _ => self.variable(name, from, far.checked_sub(1)?),
        }
    }

    fn runners(self, name: &str, variable: &str) -> Option<Taint> {
        let reference =
            Reference { context: "github", path: vec![Segment::Name(name)], complete: true, span: Span::default() };
        self.brought(payload(&reference, false)?, variable.to_owned())
    }

    /// How far it reaches at `from`; `None` where the conditions of job and step keep all its events out.
    pub(crate) fn reach(self, taint: &Taint, from: Viewpoint<'a>) -> Option<Reach> {
        if taint.events == Events::USER {
            return Some(if taint.is_input { Reach::Callers } else { Reach::ReadOnly });
        }
        let of_event = |event: &str| {
            let reach = match taint.chosen_by {
                _ if event == "workflow_call" && taint.is_input => Reach::Callers,
                ChosenBy::Writers => Reach::Writers,
                ChosenBy::Merged => Reach::ReadOnly,
                ChosenBy::Anyone if is_privileged(event) => Reach::Privileged,
                ChosenBy::Anyone if is_read_only(event) || event == "workflow_call" => Reach::ReadOnly,
                ChosenBy::Anyone => Reach::Writers,
            };
            match guard_of(event, from.job, from.step) {
                Guard::Never => None,
                Guard::Trusted => Some(reach.min(Reach::Writers)),
                Guard::Asked => Some(reach.min(Reach::ReadOnly)),
                Guard::Open => Some(reach),
            }
        };
        taint.events.iter(self.file.workflow()).filter_map(|trigger| of_event(&trigger.event.value)).max()
    }

    fn node(self, node: Node<'_>, from: Viewpoint<'a>, whole: bool, far: usize) -> Option<Taint> {
        match node.kind() {
            NodeKind::Context(_) | NodeKind::Property { .. } | NodeKind::Wildcard { .. } => {
                self.reference(node, from, whole, far)
            }
            NodeKind::Index { of, .. } => match node.as_reference() {
                Some(reference) if reference.complete => self.reference(node, from, whole, far),
                _ => self.node(of, from, true, far),
            },
            // The earlier operands only decide whether the last one counts.
            NodeKind::And(operands) => operands.last().and_then(|last| self.node(*last, from, whole, far)),
            NodeKind::Or(operands) | NodeKind::Text(operands) => self.worst(operands, from, whole, far),
            NodeKind::Call { function, arguments } => match function {
                Function::Format => self.worst(arguments, from, whole, far),
                Function::Join => self.worst(arguments, from, true, far),
                Function::ToJson => self.worst(arguments, from, true, far),
                Function::FromJson => self.worst(arguments, from, whole, far),
                Function::Case => {
                    let values = arguments.iter().skip(1).step_by(2).chain(arguments.last());
                    self.worst(values.copied().collect(), from, whole, far)
                }
                Function::Contains
                | Function::StartsWith
                | Function::EndsWith
                | Function::HashFiles
                | Function::Status(_) => None,
            },
            NodeKind::Literal(_) | NodeKind::Not(_) | NodeKind::Compare { .. } => None,
        }
    }

    fn worst(self, nodes: Vec<Node<'_>>, from: Viewpoint<'a>, whole: bool, far: usize) -> Option<Taint> {
        self.worst_of(nodes.into_iter().filter_map(|node| self.node(node, from, whole, far)))
    }

    fn worst_of(self, taints: impl Iterator<Item = Taint>) -> Option<Taint> {
        let nowhere = Viewpoint { job: None, step: None };
        taints.max_by_key(|taint| self.reach(taint, nowhere))
    }

    fn reference(self, node: Node<'_>, from: Viewpoint<'a>, whole: bool, far: usize) -> Option<Taint> {
        let reference = node.as_reference()?;
        let far = far.checked_sub(1)?;
        let name = |at: usize| match reference.path.get(at) {
            Some(Segment::Name(name)) => Some(*name),
            _ => None,
        };
        let found = match reference.context {
            "github" => return self.github(&reference, node, whole),
            "inputs" => return self.input(name(0)?, node),
            "env" => self.variable(name(0)?, from, far),
            "steps" if is_in(&reference, "outputs") => self.output_of_step(name(0)?, name(2)?, from, far),
            "needs" if is_in(&reference, "outputs") => {
                let job = self.file.workflow()?.job(name(0)?)?;
                self.output_of_job(job, name(2)?, far)
            }
            "jobs" => self.output_of_job(self.file.workflow()?.job(name(0)?)?, name(2)?, far),
            "matrix" => self.matrix(name(0), from, far),
            _ => None,
        };
        found.map(|taint| Taint { is_direct: false, ..taint })
    }

    fn github(self, reference: &Reference<'_>, node: Node<'_>, whole: bool) -> Option<Taint> {
        if let [Segment::Name(event), Segment::Name(inputs), Segment::Name(name)] = reference.path.as_slice()
            && event.eq_ignore_ascii_case("event")
            && inputs.eq_ignore_ascii_case("inputs")
        {
            return self.input(name, node);
        }
        self.brought(payload(reference, whole)?, node.to_string())
    }

    /// A text that the events of `payload` bring, if the file has any of them.
    fn brought(self, payload: Payload, origin: String) -> Option<Taint> {
        let Payload { events, chosen_by } = payload;
        let events = match self.file.workflow() {
            Some(workflow) => Events::of(workflow, |event| events.contains(&event) || events == ["*"]),
            None => Events::USER,
        };
        let events =
            if origin.ends_with("ref") || origin.ends_with("ref_name") { self.with_free_ref(events) } else { events };
        (!events.is_empty()).then_some(Taint { origin, is_direct: true, events, chosen_by, is_input: false })
    }

    /// The events without `push` where its filters name every branch and tag: the name is one of theirs.
    fn with_free_ref(self, events: Events) -> Events {
        let Some(workflow) = self.file.workflow() else { return events };
        let Some(push) = workflow.on.get("push") else { return events };
        let filters = [push.branches.as_ref(), push.tags.as_ref()];
        let is_fixed = filters.iter().any(Option::is_some)
            && filters.into_iter().flatten().all(|patterns| {
                !patterns.ignore
                    && patterns.list.iter().all(|pattern| !pattern.value.contains(['*', '?', '+', '[', '!']))
            });
        if !is_fixed {
            return events;
        }
        let names: Vec<&str> = events.iter(Some(workflow)).map(|trigger| trigger.event.value.as_str()).collect();
        Events::of(workflow, |event| event != "push" && names.contains(&event))
    }

    fn input(self, name: &str, node: Node<'_>) -> Option<Taint> {
        let is_text = |inputs: &[Input]| {
            let input = inputs.iter().find(|input| input.name.value.eq_ignore_ascii_case(name));
            input.is_some_and(|input| input.kind == InputKind::String)
        };
        let events = match self.file.workflow() {
            Some(workflow) => Events::of(workflow, |event| {
                matches!(event, "workflow_dispatch" | "workflow_call")
                    && workflow.on.get(event).is_some_and(|trigger| is_text(&trigger.inputs))
            }),
            None if self.file.action().is_some_and(|action| is_text(&action.inputs)) => Events::USER,
            None => Events::NONE,
        };
        (!events.is_empty()).then(|| Taint {
            origin: node.to_string(),
            is_direct: true,
            events,
            chosen_by: ChosenBy::Writers,
            is_input: true,
        })
    }

    fn text(self, text: &'a Text, from: Viewpoint<'a>, whole: bool, far: usize) -> Option<Taint> {
        if text.template.as_literal().is_some() {
            return None;
        }
        let expressions = text.template.expressions();
        self.worst_of(expressions.into_iter().filter_map(|expr| self.node(expr.root(), from, whole, far)))
    }

    fn variable(self, name: &str, from: Viewpoint<'a>, far: usize) -> Option<Taint> {
        let of_step = from.step.and_then(|step| value_in(step.env.as_ref(), name));
        if let Some(value) = of_step {
            return self.text(value, from, false, far.checked_sub(1)?);
        }
        if let Some(written) = self.written_before(name, from, far) {
            return Some(written);
        }
        let of_job = from.job.and_then(steps_job).and_then(|job| value_in(job.env.as_ref(), name));
        let of_workflow = || self.file.workflow().and_then(|workflow: &Workflow| value_in(workflow.env.as_ref(), name));
        let value = of_job.or_else(of_workflow)?;
        self.text(value, Viewpoint { step: None, ..from }, false, far.checked_sub(1)?)
    }

    /// What an earlier step wrote to `GITHUB_ENV` under this name.
    fn written_before(self, name: &str, from: Viewpoint<'a>, far: usize) -> Option<Taint> {
        let far = far.checked_sub(1)?;
        self.earlier(from).find_map(|site| match &site.step.kind {
            StepKind::Run { script, .. } if script.raw().contains("GITHUB_ENV") => {
                passing::of_script(self, script, site_of(site), passing::Target::Environment, name, far)
            }
            _ => None,
        })
    }

    /// The steps before the one that is looked from, latest first.
    pub(crate) fn earlier(self, from: Viewpoint<'a>) -> impl Iterator<Item = &'f StepSite<'a>> {
        let sites = self.file.steps();
        let same_job = move |site: &&StepSite<'a>| match (site.job, from.job) {
            (Some(one), Some(other)) => std::ptr::eq(one, other),
            (None, None) => true,
            _ => false,
        };
        let at = from.step.and_then(|step| sites.iter().position(|site| std::ptr::eq(site.step, step)));
        sites.iter().take(at.unwrap_or(sites.len())).rev().filter(same_job)
    }

    fn output_of_step(self, id: &str, output: &str, from: Viewpoint<'a>, far: usize) -> Option<Taint> {
        let far = far.checked_sub(1)?;
        let site = self
            .earlier(from)
            .find(|site| site.step.id.as_ref().is_some_and(|own| own.value.eq_ignore_ascii_case(id)))?;
        match &site.step.kind {
            StepKind::Run { script, .. } => {
                passing::of_script(self, script, site_of(site), passing::Target::Output, output, far)
            }
            StepKind::Uses { uses, with } => {
                let slug = action_name(&uses.value)?;
                if slug == "actions/github-script" {
                    let script = input(with, "script")?;
                    let payload = passing::of_github_script(script.raw(), output)?;
                    return self.brought(payload, format!("steps.{id}.outputs.{output}"));
                }
                self.brought(relay::output(&slug, output)?, format!("steps.{id}.outputs.{output}"))
            }
            _ => None,
        }
    }

    fn output_of_job(self, job: &'a Job, output: &str, far: usize) -> Option<Taint> {
        let steps = steps_job(job)?;
        let (_, value) = steps.outputs.iter().find(|(name, _)| name.value.eq_ignore_ascii_case(output))?;
        self.text(value, Viewpoint { job: Some(job), step: None }, false, far.checked_sub(1)?)
    }

    fn matrix(self, name: Option<&str>, from: Viewpoint<'a>, far: usize) -> Option<Taint> {
        let matrix = from.job?.strategy.as_ref()?.matrix.as_ref()?;
        let far = far.checked_sub(1)?;
        // The matrix is made before the job has anything of its own but `needs`.
        let from = Viewpoint { step: None, ..from };
        match (matrix, name) {
            (TextTree::Mapping(entries), Some(name)) => {
                let chosen = entries
                    .value
                    .iter()
                    .filter(|(key, _)| key.raw().eq_ignore_ascii_case(name) || key.raw() == "include");
                let texts =
                    chosen.map(|(key, tree)| if key.raw() == "include" { of_name(tree, name) } else { vec![tree] });
                self.worst_of(
                    texts.flatten().filter_map(|tree| self.tree(tree, from, far)).collect::<Vec<_>>().into_iter(),
                )
            }
            (tree, _) => self.tree(tree, from, far),
        }
    }

    fn tree(self, tree: &'a TextTree, from: Viewpoint<'a>, far: usize) -> Option<Taint> {
        match tree {
            TextTree::Scalar(text) => self.text(text, from, true, far),
            TextTree::Sequence(items) => items.value.iter().find_map(|item| self.tree(item, from, far)),
            TextTree::Mapping(entries) => entries.value.iter().find_map(|(_, value)| self.tree(value, from, far)),
        }
    }
}

/// In `include`: the values called `name`, and what an expression gives as a whole.
fn of_name<'t>(tree: &'t TextTree, name: &str) -> Vec<&'t TextTree> {
    match tree {
        TextTree::Scalar(_) => vec![tree],
        TextTree::Sequence(items) => items.value.iter().flat_map(|item| of_name(item, name)).collect(),
        TextTree::Mapping(entries) => entries
            .value
            .iter()
            .filter(|(key, _)| key.raw().eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect(),
    }
}

/// The place of a step.
pub(crate) fn site_of<'a>(site: &StepSite<'a>) -> Viewpoint<'a> {
    Viewpoint { job: site.job, step: Some(site.step) }
}

fn steps_job(job: &Job) -> Option<&lineclear_workflow::StepsJob> {
    if let JobKind::Steps(steps) = &job.kind { Some(steps) } else { None }
}

/// The value of `name` in `env`.
pub(crate) fn value_in<'e>(env: Option<&'e Env>, name: &str) -> Option<&'e Text> {
    let Some(Env::Names(names)) = env else { return None };
    names.iter().find(|(key, _)| key.raw().eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
