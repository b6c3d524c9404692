//! Jobs.

use lineclear_expr::Allowed;
use lineclear_source::{Diagnostic, Span, Spanned};
use lineclear_yaml::{Entry, Node};

use super::mapping::Fields;
use super::scalar::{has_expression, text_of};
use super::step::StepScope;
use super::{Reader, keys};
use crate::{
    CallJob, CallSecrets, Environment, Job, JobKind, RunsOn, Snapshot, StepsJob, Text, TextTree, WorkflowRef, code,
};

impl Reader {
    pub(super) fn jobs(&mut self, entry: &Entry) -> Vec<Job> {
        let Some(fields) = self.mapping(&entry.value, "`jobs`") else { return Vec::new() };
        if fields.entries().is_empty() {
            self.error(code::MISSING_KEY, entry.key.span, "a workflow needs at least one job");
        }
        // Jobs and steps are large: a vector that grows would hold room for as many again.
        let mut jobs: Vec<Job> = Vec::with_capacity(fields.entries().len());
        jobs.extend(fields.entries().iter().filter_map(|entry| self.job(entry)));
        let ids: Vec<&str> = fields.entries().iter().map(|entry| entry.key.text.as_str()).collect();
        self.check_needs(&jobs, &ids, entry.key.span);
        jobs
    }

    fn job(&mut self, entry: &Entry) -> Option<Job> {
        let id = self.plain_text(&entry.key, "the id of a job")?;
        self.check_id(&id, "a job");
        let fields = self.mapping(&entry.value, &format!("job `{}`", id.value))?;
        self.check_keys(&fields, &keys::JOB);
        let has_own_steps = fields.has("runs-on") || fields.has("steps");
        let name = fields.get("name").and_then(|node| self.text(node, "`name`", &Allowed::JOB_NAME));
        let needs = fields.get("needs").and_then(|node| self.strings(node, "`needs`")).unwrap_or_default();
        let condition = fields.get("if").and_then(|node| self.condition(node, &Allowed::JOB_IF));
        let permissions = fields.get("permissions").and_then(|node| self.permissions(node));
        let strategy = fields.get("strategy").and_then(|node| self.strategy(node));
        let concurrency = fields.get("concurrency").and_then(|node| self.concurrency(node, &Allowed::JOB_CONCURRENCY));
        let kind = if fields.has("uses") && (!has_own_steps || fields.has("with")) {
            self.call_job(&fields).map(|job| JobKind::Call(Box::new(job)))
        } else {
            Some(JobKind::Steps(Box::new(self.steps_job(&fields, &id))))
        };
        let span = entry.key.span.to(entry.span());
        Some(Job {
            id,
            name,
            needs,
            condition,
            permissions,
            strategy,
            concurrency,
            kind: kind?,
            span,
            body: fields.span,
        })
    }

    fn steps_job(&mut self, fields: &Fields<'_>, id: &Spanned<String>) -> StepsJob {
        if let Some(uses) = fields.entry("uses") {
            let message = "a job either calls a workflow with `uses` or has `runs-on` and `steps` of its own";
            self.error(code::MISPLACED_KEY, uses.key.span, message);
        }
        for key in ["with", "secrets"] {
            if let Some(entry) = fields.entry(key) {
                let message = format!("`{key}` of a job is for a called workflow, and this job has no `uses`");
                self.error(code::MISPLACED_KEY, entry.key.span, message);
            }
        }
        let of = format!("job `{}`", id.value);
        let runs_on = match fields.get("runs-on") {
            Some(node) => self.runs_on(node),
            None => {
                self.missing("runs-on", &of, id.span);
                None
            }
        };
        let steps = match fields.get("steps") {
            Some(node) => self.steps(node, StepScope::Job),
            None => {
                self.missing("steps", &of, id.span);
                Vec::new()
            }
        };
        let (services, services_expression) =
            fields.get("services").map(|node| self.services(node)).unwrap_or_default();
        let number = |reader: &mut Self, key: &str| {
            fields
                .get(key)
                .and_then(|node| reader.number_text(node, &format!("`{key}`"), &Allowed::JOB_TIMEOUT_MINUTES))
        };
        StepsJob {
            runs_on: runs_on.unwrap_or_else(|| RunsOn::Labels(Spanned::new(Vec::new(), id.span))),
            environment: fields.get("environment").and_then(|node| self.environment(node)),
            env: fields.get("env").and_then(|node| self.env(node, &Allowed::JOB_ENV)),
            defaults: fields.get("defaults").and_then(|node| self.defaults(node, Some(&Allowed::JOB_DEFAULTS_RUN))),
            timeout_minutes: number(self, "timeout-minutes"),
            cancel_timeout_minutes: number(self, "cancel-timeout-minutes"),
            continue_on_error: fields
                .get("continue-on-error")
                .and_then(|node| self.bool_text(node, "`continue-on-error`", &Allowed::JOB_CONTINUE_ON_ERROR)),
            container: fields.get("container").and_then(|node| self.container(node)),
            services,
            services_expression,
            outputs: fields.get("outputs").map(|node| self.outputs(node)).unwrap_or_default(),
            steps,
            snapshot: fields.get("snapshot").and_then(|node| self.snapshot(node)),
        }
    }

    fn call_job(&mut self, fields: &Fields<'_>) -> Option<CallJob> {
        for entry in fields.entries() {
            let key = entry.key.text.as_str();
            if keys::JOB.names.contains(&key) && !keys::CALL_JOB.names.contains(&key) {
                let message = format!("`{key}` cannot stand beside `uses`: the called workflow decides it");
                let help = format!("{} may have: {}", keys::CALL_JOB.of, keys::CALL_JOB.names.join(", "));
                self.report(Diagnostic::error(code::MISPLACED_KEY, message).at(entry.key.span).help(help));
            }
        }
        let with = fields.get("with").map(|node| self.call_inputs(node)).unwrap_or_default();
        let secrets = fields.get("secrets").map_or(CallSecrets::None, |node| self.call_secrets(node));
        let uses = self.filled_string(fields.get("uses")?, "`uses`")?;
        match WorkflowRef::parse(&uses) {
            Ok(reference) => Some(CallJob { uses: Spanned::new(reference, uses.span), with, secrets }),
            Err(error) => {
                let message = format!("`{}` names no reusable workflow: {error}", uses.value);
                self.error(code::USES_SYNTAX, uses.span, message);
                None
            }
        }
    }

    fn call_inputs(&mut self, node: &Node) -> Vec<(Spanned<String>, TextTree)> {
        let Some(fields) = self.mapping(node, "`with`") else { return Vec::new() };
        let read = |entry: &Entry| {
            let name = self.plain_text(&entry.key, "the name of an input");
            let value = self.value_text(entry, "input ", &Allowed::JOB_WITH);
            Some((name?, TextTree::Scalar(value?)))
        };
        fields.entries().iter().filter_map(read).collect()
    }

    fn call_secrets(&mut self, node: &Node) -> CallSecrets {
        if let Node::Scalar(scalar) = node
            && !scalar.is_null()
        {
            return match self.choice(node, "`secrets`", &["inherit"]) {
                Some(inherit) => CallSecrets::Inherit(inherit.span),
                None => CallSecrets::None,
            };
        }
        let Some(fields) = self.mapping(node, "`secrets`") else { return CallSecrets::None };
        let read = |entry: &Entry| {
            let name = self.plain_text(&entry.key, "the name of a secret");
            let value = self.value_text(entry, "secret ", &Allowed::JOB_SECRETS);
            Some((name?, value?))
        };
        CallSecrets::Map(fields.entries().iter().filter_map(read).collect())
    }

    fn runs_on(&mut self, node: &Node) -> Option<RunsOn> {
        if let Node::Mapping { .. } = node {
            let fields = self.fields(node, "`runs-on`", &keys::RUNS_ON)?;
            let group = fields.get("group").and_then(|node| self.filled_text(node, "`group`", &Allowed::JOB_RUNS_ON));
            if let Some(group) = &group {
                self.check_runner_group(group);
            }
            let labels = fields.get("labels").and_then(|node| self.texts(node, "`labels`", &Allowed::JOB_RUNS_ON));
            let is_empty = |node: &Node| node.as_sequence().is_some_and(<[Node]>::is_empty);
            if let Some(labels) = fields.get("labels").filter(|labels| is_empty(labels) && !fields.has("group")) {
                self.error(code::INVALID_VALUE, labels.span(), "`runs-on` needs at least one label");
            }
            if !fields.has("group") && !fields.has("labels") && !self.is_misspelt("group", fields.span) {
                self.error(code::MISSING_KEY, fields.span, "`runs-on` needs `group`, `labels` or both");
            }
            return Some(RunsOn::Group { group, labels: labels.unwrap_or_default(), span: fields.span });
        }
        if node.as_sequence().is_some_and(<[Node]>::is_empty) {
            self.error(code::INVALID_VALUE, node.span(), "`runs-on` needs at least one label");
        }
        let labels = self.texts(node, "`runs-on`", &Allowed::JOB_RUNS_ON)?;
        Some(RunsOn::Labels(Spanned::new(labels, node.span())))
    }

    fn check_runner_group(&mut self, group: &Text) {
        let name = group.raw();
        if has_expression(name) {
            return;
        }
        let fits = match name.split('/').collect::<Vec<_>>().as_slice() {
            [_] => true,
            [prefix, name] => matches!(*prefix, "org" | "organization" | "ent" | "enterprise") && !name.is_empty(),
            _ => false,
        };
        if !fits {
            let message =
                format!("`{name}` names no runner group: the only prefixes are `organization/` and `enterprise/`");
            self.error(code::RUNNER_GROUP, group.span(), message);
        }
    }

    /// `environment`: a name, or a mapping with it. One expression may give either.
    fn environment(&mut self, node: &Node) -> Option<Environment> {
        if let Node::Scalar(scalar) = node
            && !scalar.is_null()
        {
            let name = self.scalar_text(scalar, &Allowed::JOB_ENVIRONMENT)?;
            return Some(Environment { name, url: None, deployment: None, span: scalar.span });
        }
        let fields = self.fields(node, "`environment`", &keys::ENVIRONMENT)?;
        let url = fields.get("url").and_then(|node| self.text(node, "`url`", &Allowed::JOB_ENVIRONMENT_URL));
        let deployment =
            fields.get("deployment").and_then(|node| self.bool_text(node, "`deployment`", &Allowed::JOB_ENVIRONMENT));
        let Some(name) = fields.get("name") else {
            self.missing("name", "`environment`", fields.span);
            return None;
        };
        Some(Environment {
            name: self.text(name, "`name`", &Allowed::JOB_ENVIRONMENT)?,
            url,
            deployment,
            span: fields.span,
        })
    }

    fn outputs(&mut self, node: &Node) -> Vec<(Spanned<String>, Text)> {
        let Some(fields) = self.mapping(node, "`outputs`") else { return Vec::new() };
        let read = |entry: &Entry| {
            if has_expression(&entry.key.text) {
                self.dynamic_name(entry.key.span, "an output");
            }
            let value = self.value_text(entry, "output ", &Allowed::JOB_OUTPUTS)?;
            Some((Spanned::new(text_of(&entry.key), entry.key.span), value))
        };
        fields.entries().iter().filter_map(read).collect()
    }

    fn snapshot(&mut self, node: &Node) -> Option<Snapshot> {
        if let Node::Scalar(scalar) = node {
            let image_name = self.filled_text(node, "`snapshot`", &Allowed::JOB_SNAPSHOT_IF)?;
            return Some(Snapshot { image_name, version: None, condition: None, span: scalar.span });
        }
        let fields = self.fields(node, "`snapshot`", &keys::SNAPSHOT)?;
        let version =
            fields.get("version").and_then(|node| self.filled_text(node, "`version`", &Allowed::JOB_SNAPSHOT_IF));
        if let Some(version) = &version {
            self.check_snapshot_version(version.raw(), version.span());
        }
        let condition = fields.get("if").and_then(|node| self.condition(node, &Allowed::JOB_SNAPSHOT_IF));
        let Some(name) = fields.get("image-name") else {
            self.missing("image-name", "`snapshot`", fields.span);
            return None;
        };
        let image_name = self.filled_text(name, "`image-name`", &Allowed::JOB_SNAPSHOT_IF)?;
        Some(Snapshot { image_name, version, condition, span: fields.span })
    }

    fn check_snapshot_version(&mut self, version: &str, span: Span) {
        let is_major = version
            .strip_suffix(".*")
            .is_some_and(|major| !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit()));
        if !has_expression(version) && !is_major {
            let message = format!("`{version}` is not a version of an image: expected a number and `.*`, as in `1.*`");
            self.error(code::INVALID_VALUE, span, message);
        }
    }
}
