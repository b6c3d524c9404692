//! A workflow file as a whole.

use lineclear_expr::Allowed;
use lineclear_source::{Diagnostic, Source, Span};
use lineclear_yaml::Node;

use super::scalar::has_expression;
use super::{Reader, keys};
use crate::{Concurrency, Queue, RunDefaults, Triggers, Workflow, code};

pub(super) fn read(reader: &mut Reader, source: &Source, root: Option<&Node>) -> Option<Workflow> {
    let Some(root) = root else {
        let message = "the file is empty; a workflow needs at least the keys `on` and `jobs`";
        reader.error(code::MISSING_KEY, Span::default(), message);
        return None;
    };
    let fields = reader.mapping(root, "a workflow")?;
    if let Some(runs) = fields.entry("runs")
        && !fields.has("jobs")
    {
        let message = "this is an action, not a workflow: a workflow has `on` and `jobs`";
        reader.error(code::MISPLACED_KEY, runs.key.span, message);
        return None;
    }
    reader.check_keys(&fields, &keys::WORKFLOW);
    let start = Span::new(fields.span.start as usize, fields.span.start as usize);
    let on = match fields.entry("on") {
        Some(entry) => reader.triggers(&entry.value, entry.key.span),
        None => {
            reader.missing("on", "a workflow", start);
            Triggers::default()
        }
    };
    let jobs = match fields.entry("jobs") {
        Some(entry) => reader.jobs(entry),
        None => {
            reader.missing("jobs", "a workflow", start);
            Vec::new()
        }
    };
    Some(Workflow {
        source: source.clone(),
        name: fields.get("name").and_then(|node| reader.string(node, "`name`")).filter(|name| !name.is_empty()),
        run_name: fields.get("run-name").and_then(|node| reader.text(node, "`run-name`", &Allowed::RUN_NAME)),
        description: fields.get("description").and_then(|node| reader.string(node, "`description`")),
        on,
        permissions: fields.get("permissions").and_then(|node| reader.permissions(node)),
        env: fields.get("env").and_then(|node| reader.env(node, &Allowed::WORKFLOW_ENV)),
        defaults: fields.get("defaults").and_then(|node| reader.defaults(node, None)),
        concurrency: fields
            .get("concurrency")
            .and_then(|node| reader.concurrency(node, &Allowed::WORKFLOW_CONCURRENCY)),
        jobs,
    })
}

impl Reader {
    /// `defaults`; a workflow's have no expressions.
    pub(super) fn defaults(&mut self, node: &Node, allowed: Option<&Allowed>) -> Option<RunDefaults> {
        let run = self.fields(node, "`defaults`", &keys::DEFAULTS)?.get("run")?;
        let fields = self.fields(run, "`defaults.run`", &keys::DEFAULTS_RUN)?;
        let shell = fields.get("shell").and_then(|node| self.default_text(node, "`shell`", allowed));
        if let Some(shell) = &shell {
            self.check_shell(shell);
        }
        let working_directory =
            fields.get("working-directory").and_then(|node| self.default_text(node, "`working-directory`", allowed));
        Some(RunDefaults { shell, working_directory })
    }

    fn default_text(&mut self, node: &Node, place: &str, allowed: Option<&Allowed>) -> Option<crate::Text> {
        if allowed.is_none() {
            self.filled_string(node, place)?;
        }
        self.filled_text(node, place, allowed.unwrap_or(&Allowed::RUN_NAME))
    }

    /// A group's name, or a mapping with it. One expression may give either.
    pub(super) fn concurrency(&mut self, node: &Node, allowed: &Allowed) -> Option<Concurrency> {
        if let Node::Scalar(scalar) = node
            && !scalar.is_null()
        {
            let group = self.group(node, allowed)?;
            return Some(Concurrency { group, cancel_in_progress: None, queue: Queue::Single, span: scalar.span });
        }
        let fields = self.fields(node, "`concurrency`", &keys::CONCURRENCY)?;
        let cancel_in_progress =
            fields.get("cancel-in-progress").and_then(|node| self.bool_text(node, "`cancel-in-progress`", allowed));
        let queue = fields.get("queue").and_then(|node| self.choice(node, "`queue`", &["single", "max"]));
        let always_cancels = cancel_in_progress
            .as_ref()
            .is_some_and(|text| matches!(text.template.as_literal(), Some(lineclear_expr::Value::Bool(true))));
        if let Some(queue) = &queue
            && queue.value == "max"
            && always_cancels
        {
            let message = "`queue: max` keeps runs waiting, and `cancel-in-progress: true` cancels them: choose one";
            self.error(code::CONCURRENCY, queue.span, message);
        }
        let Some(group) = fields.get("group") else {
            self.missing("group", "`concurrency`", fields.span);
            return None;
        };
        let queue = if queue.is_some_and(|queue| queue.value == "max") { Queue::Max } else { Queue::Single };
        Some(Concurrency { group: self.group(group, allowed)?, cancel_in_progress, queue, span: fields.span })
    }

    fn group(&mut self, node: &Node, allowed: &Allowed) -> Option<crate::Text> {
        const LONGEST: usize = 400;
        let group = self.filled_text(node, "the concurrency group", allowed)?;
        if !has_expression(group.raw()) && group.raw().chars().count() > LONGEST {
            let message = format!("the name of a concurrency group has at most {LONGEST} characters");
            self.report(Diagnostic::error(code::CONCURRENCY, message).at(group.span()));
        }
        Some(group)
    }
}
