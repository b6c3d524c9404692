//! Steps of jobs and of composite actions.

use std::collections::HashMap;

use lineclear_expr::Allowed;
use lineclear_source::{Diagnostic, Spanned};
use lineclear_yaml::Node;

use super::mapping::{Fields, Keys, all_of, any_of};
use super::{Reader, keys};
use crate::{ActionRef, Step, StepKind, Text, code};

/// Whose steps are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepScope {
    Job,
    Composite,
}

impl StepScope {
    fn keys(self) -> &'static Keys {
        match self {
            Self::Job => &keys::STEP,
            Self::Composite => &keys::COMPOSITE_STEP,
        }
    }

    fn kinds(self) -> &'static [(&'static str, &'static Keys)] {
        match self {
            Self::Job => &KINDS,
            Self::Composite => &COMPOSITE_KINDS,
        }
    }

    fn allowed(self) -> &'static Allowed {
        match self {
            Self::Job => &Allowed::STEP_RUN,
            Self::Composite => &Allowed::COMPOSITE_STEP,
        }
    }

    fn allowed_in_if(self) -> &'static Allowed {
        match self {
            Self::Job => &Allowed::STEP_IF,
            Self::Composite => &Allowed::COMPOSITE_STEP_IF,
        }
    }
}

/// The keys of which each step has exactly one, with what may stand beside it.
static KINDS: [(&str, &Keys); 6] = [
    ("run", &keys::RUN_STEP),
    ("uses", &keys::USES_STEP),
    ("wait", &keys::WAIT_STEP),
    ("wait-all", &keys::WAIT_ALL_STEP),
    ("cancel", &keys::CANCEL_STEP),
    ("parallel", &keys::PARALLEL_STEP),
];

static COMPOSITE_KINDS: [(&str, &Keys); 2] = [("run", &keys::COMPOSITE_RUN_STEP), ("uses", &keys::COMPOSITE_USES_STEP)];

/// What is known of the steps before the one being read.
#[derive(Debug, Default)]
struct Earlier {
    /// Lower-case id to where it was given.
    ids: HashMap<String, EarlierStep>,
    /// Background steps that nothing has waited for, with and without ids.
    running: usize,
    warned_of_limit: bool,
}

#[derive(Debug)]
struct EarlierStep {
    id: Spanned<String>,
    state: Background,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Background {
    /// Not a background step.
    No,
    Running,
    /// Waited for or cancelled.
    Ended,
}

/// How many steps may run in the background at once.
const MOST_IN_BACKGROUND: usize = 10;

impl Reader {
    pub(super) fn steps(&mut self, node: &Node, scope: StepScope) -> Vec<Step> {
        let Some(items) = self.sequence(node, "`steps`") else { return Vec::new() };
        if items.is_empty() && scope == StepScope::Job {
            self.error(code::MISSING_KEY, node.span(), "a job needs at least one step");
        }
        let mut earlier = Earlier::default();
        let mut steps = Vec::with_capacity(items.len());
        steps.extend(items.iter().filter_map(|item| self.step(item, scope, &mut earlier, false)));
        steps
    }

    fn step(&mut self, node: &Node, scope: StepScope, earlier: &mut Earlier, in_parallel: bool) -> Option<Step> {
        let fields = self.mapping(node, "a step")?;
        let id = fields.get("id").and_then(|node| self.step_id(node, earlier));
        let kind_name = self.step_kind(&fields, scope);
        self.check_step_keys(&fields, scope, kind_name);
        let allowed = scope.allowed();
        let name = fields.get("name").and_then(|node| self.text(node, "`name`", allowed));
        let condition = fields.get("if").and_then(|node| self.condition(node, scope.allowed_in_if()));
        let env = fields.get("env").and_then(|node| self.env(node, allowed));
        let continue_on_error =
            fields.get("continue-on-error").and_then(|node| self.bool_text(node, "`continue-on-error`", allowed));
        let timeout_minutes = fields
            .get("timeout-minutes")
            .filter(|_| scope == StepScope::Job)
            .and_then(|node| self.number_text(node, "`timeout-minutes`", allowed));
        let background = match fields.entry("background") {
            Some(entry) if in_parallel => {
                let message = "`background` is not needed in `parallel`: its steps all run at once";
                self.error(code::MISPLACED_KEY, entry.key.span, message);
                false
            }
            Some(entry) if scope == StepScope::Job => self.flag(&entry.value, "`background`").unwrap_or(false),
            _ => false,
        };
        let kind = match kind_name? {
            "run" => self.run_step(&fields, scope),
            "uses" => self.uses_step(&fields, scope),
            other if in_parallel => {
                let at = fields.entry(other).map_or(fields.span, |entry| entry.key.span);
                let message = format!("`{other}` cannot stand in `parallel`: only `run` and `uses` can");
                self.error(code::STEP_KIND, at, message);
                None
            }
            "wait" => self.wait_step(&fields, earlier),
            "wait-all" => self.wait_all_step(&fields, earlier),
            "cancel" => self.cancel_step(&fields, earlier),
            _ => self.parallel_step(&fields, scope, earlier),
        };
        if background {
            self.started_in_background(&fields, earlier);
        }
        // Known from here on: a step cannot wait for itself.
        if let Some(id) = &id {
            let state = if background { Background::Running } else { Background::No };
            earlier.ids.insert(id.to_ascii_lowercase(), EarlierStep { id: id.clone(), state });
        }
        let span = fields.span;
        Some(Step { id, name, condition, env, continue_on_error, timeout_minutes, background, kind: kind?, span })
    }

    fn step_id(&mut self, node: &Node, earlier: &Earlier) -> Option<Spanned<String>> {
        let id = self.string(node, "`id`")?;
        if !self.check_id(&id, "a step") {
            return None;
        }
        if let Some(first) = earlier.ids.get(&id.to_ascii_lowercase()) {
            let message = format!("the id `{}` is already that of an earlier step; ids ignore case", id.value);
            self.report(
                Diagnostic::error(code::DUPLICATE_ID, message).at(id.span).label(first.id.span, "the earlier step"),
            );
            return None;
        }
        Some(id)
    }

    /// The one key that says what the step does.
    fn step_kind(&mut self, fields: &Fields<'_>, scope: StepScope) -> Option<&'static str> {
        let found: Vec<_> = scope.kinds().iter().map(|(name, _)| *name).filter(|name| fields.has(name)).collect();
        match found.as_slice() {
            [only] => Some(only),
            // A kind of step that only jobs have is reported with the keys.
            [] if fields.entries().iter().any(|entry| KINDS.iter().any(|(name, _)| *name == entry.key.text)) => None,
            [] if ["run", "uses"].iter().any(|key| self.is_misspelt(key, fields.span)) => None,
            [] => {
                self.error(code::STEP_KIND, fields.span, "a step needs `run` or `uses`");
                None
            }
            [_, second, ..] => {
                let names: Vec<String> = found.iter().map(|name| format!("`{name}`")).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let at = fields.entry(second).map_or(fields.span, |entry| entry.key.span);
                self.error(code::STEP_KIND, at, format!("a step has only one of {}", all_of(&names)));
                None
            }
        }
    }

    fn check_step_keys(&mut self, fields: &Fields<'_>, scope: StepScope, kind: Option<&str>) {
        let kind_keys = scope.kinds().iter().find(|(name, _)| Some(*name) == kind).map(|(_, keys)| *keys);
        for entry in fields.entries() {
            let key = entry.key.text.as_str();
            if !keys::STEP.names.contains(&key) {
                continue;
            }
            let found = if !scope.keys().names.contains(&key) {
                let message = format!("`{key}` cannot be used in a composite action");
                Diagnostic::error(code::MISPLACED_KEY, message)
            } else if let (Some(kind), Some(keys)) = (kind, kind_keys.filter(|keys| !keys.names.contains(&key))) {
                let help = format!("{} may have: {}", keys.of, keys.names.join(", "));
                Diagnostic::error(code::MISPLACED_KEY, format!("`{key}` cannot stand beside `{kind}`")).help(help)
            } else {
                continue;
            };
            self.report(found.at(entry.key.span));
        }
        self.check_keys(fields, &keys::STEP);
    }

    fn run_step(&mut self, fields: &Fields<'_>, scope: StepScope) -> Option<StepKind> {
        let script = fields.get("run").and_then(|node| self.text(node, "`run`", scope.allowed()));
        let shell = fields.get("shell").and_then(|node| match scope {
            StepScope::Composite => self.filled_text(node, "`shell`", scope.allowed()),
            // The schema gives `shell` of a workflow's step no contexts.
            StepScope::Job => {
                let place = "`shell` of a step (unlike that of `defaults.run` of a job)";
                self.filled_string(node, place)?;
                self.text(node, place, scope.allowed())
            }
        });
        match &shell {
            Some(shell) => self.check_shell(shell),
            None if scope == StepScope::Composite && !fields.has("shell") => {
                let at = fields.entry("run").map_or(fields.span, |entry| entry.key.span);
                self.missing("shell", "a step with `run` in a composite action", at);
            }
            None => {}
        }
        let working_directory =
            fields.get("working-directory").and_then(|node| self.text(node, "`working-directory`", scope.allowed()));
        Some(StepKind::Run { script: script?, shell, working_directory })
    }

    fn uses_step(&mut self, fields: &Fields<'_>, scope: StepScope) -> Option<StepKind> {
        let with = fields.get("with").map(|node| self.with(node, scope.allowed())).unwrap_or_default();
        let uses = self.filled_string(fields.get("uses")?, "`uses`")?;
        match ActionRef::parse(&uses) {
            Ok(action) => {
                if matches!(&action, ActionRef::SameRepository { path } if path.contains('@')) {
                    let message =
                        "a path with `$/` takes no `@ref`: what follows the `@` is read as a part of the path";
                    self.warning(code::USES_SYNTAX, uses.span, message);
                }
                Some(StepKind::Uses { uses: Spanned::new(action, uses.span), with })
            }
            Err(error) => {
                self.error(code::USES_SYNTAX, uses.span, format!("`{}` names no action: {error}", uses.value));
                None
            }
        }
    }

    fn wait_step(&mut self, fields: &Fields<'_>, earlier: &mut Earlier) -> Option<StepKind> {
        let ids = self.strings(fields.get("wait")?, "`wait`")?;
        if ids.is_empty() {
            self.error(code::STEP_REFERENCE, fields.span, "`wait` names no step; `wait-all` waits for all");
        }
        for id in &ids {
            self.end_background(id, "wait for", earlier);
        }
        Some(StepKind::Wait { ids })
    }

    fn wait_all_step(&mut self, fields: &Fields<'_>, earlier: &mut Earlier) -> Option<StepKind> {
        let value = fields.get("wait-all")?;
        if !value.is_null() && self.flag(value, "`wait-all`") == Some(false) {
            self.error(code::INVALID_VALUE, value.span(), "`wait-all` is true or has no value");
        }
        earlier.running = 0;
        let running = earlier.ids.values_mut().filter(|step| step.state == Background::Running);
        running.for_each(|step| step.state = Background::Ended);
        Some(StepKind::WaitAll)
    }

    fn cancel_step(&mut self, fields: &Fields<'_>, earlier: &mut Earlier) -> Option<StepKind> {
        let id = self.filled_string(fields.get("cancel")?, "`cancel`")?;
        self.end_background(&id, "cancel", earlier);
        Some(StepKind::Cancel { id })
    }

    /// `wait` and `cancel` name a background step that came before.
    fn end_background(&mut self, id: &Spanned<String>, verb: &str, earlier: &mut Earlier) {
        match earlier.ids.get_mut(&id.to_ascii_lowercase()) {
            Some(step) if step.state == Background::Running => {
                step.state = Background::Ended;
                earlier.running = earlier.running.saturating_sub(1);
            }
            Some(step) => {
                let message = match step.state {
                    Background::No => {
                        format!("`{}` does not run in the background, so there is nothing to {verb}", id.value)
                    }
                    _ => format!("`{}` was already waited for or cancelled", id.value),
                };
                self.report(
                    Diagnostic::warning(code::STEP_REFERENCE, message).at(id.span).label(step.id.span, "the step"),
                );
            }
            None => {
                let near = self.suggest(&id.value, earlier.ids.values().map(|step| step.id.value.as_str()));
                let message = match near {
                    Some(near) => format!("no earlier step has the id `{}`; did you mean `{near}`?", id.value),
                    None => format!("no earlier step has the id `{}`", id.value),
                };
                self.error(code::STEP_REFERENCE, id.span, message);
            }
        }
    }

    fn started_in_background(&mut self, fields: &Fields<'_>, earlier: &mut Earlier) {
        earlier.running += 1;
        if earlier.running > MOST_IN_BACKGROUND && !earlier.warned_of_limit {
            earlier.warned_of_limit = true;
            let at = fields.entry("background").map_or(fields.span, |entry| entry.key.span);
            let message = format!("more than {MOST_IN_BACKGROUND} background steps at once: this one starts later");
            self.warning(code::BACKGROUND_LIMIT, at, message);
        }
    }

    fn parallel_step(&mut self, fields: &Fields<'_>, scope: StepScope, earlier: &mut Earlier) -> Option<StepKind> {
        let node = fields.get("parallel")?;
        let items = self.sequence(node, "`parallel`")?;
        if items.is_empty() {
            self.error(code::STEP_KIND, node.span(), "`parallel` needs at least one step");
        }
        if items.len() > MOST_IN_BACKGROUND {
            let message = format!("more than {MOST_IN_BACKGROUND} parallel steps: the others start later");
            self.warning(code::BACKGROUND_LIMIT, node.span(), message);
        }
        let steps = items.iter().filter_map(|item| self.step(item, scope, earlier, true)).collect();
        Some(StepKind::Parallel { steps })
    }

    /// A custom shell has a place for the script; a single word must be a shell that is known.
    pub(super) fn check_shell(&mut self, shell: &Text) {
        const KNOWN: [&str; 6] = ["bash", "sh", "pwsh", "powershell", "python", "cmd"];
        let text = shell.raw();
        let is_known = KNOWN.iter().any(|known| known.eq_ignore_ascii_case(text));
        if super::scalar::has_expression(text) || text.contains("{0}") || is_known {
            return;
        }
        let message = if text.contains(char::is_whitespace) {
            format!("the shell `{text}` has no `{{0}}`, where the script's path would go")
        } else {
            match self.suggest(text, KNOWN) {
                Some(near) => format!("`{text}` is not a known shell; did you mean `{near}`?"),
                None => format!("`{text}` is not a known shell"),
            }
        };
        let help = format!("known are {}; any other is written with `{{0}}`, as in `perl {{0}}`", any_of(&KNOWN));
        self.report(Diagnostic::error(code::SHELL, message).at(shell.span()).help(help));
    }
}
