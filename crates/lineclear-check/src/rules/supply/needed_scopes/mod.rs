//! What the steps of a job need of its token, as far as its file can tell.
//!
//! [`Needed`] says three things: what is needed ([`Need`]), what may be used beside it, and whether anything in the job could use
//! what cannot be seen ([`Needed::is_open`]): then nothing may be called superfluous. Knowledge of actions is in `actions.rs`, of commands in
//! `commands.rs`; here is how they are put together. Start reading at [`of_file`].

mod actions;
mod commands;
mod token;

use lineclear_shell::Script;
use lineclear_source::Span;
use lineclear_workflow::{
    Access, Action, ActionRef, CallJob, Job, JobKind, Permissions, Read, Runs, Step, StepKind, Text, Workflow,
    WorkflowRef,
};

use self::token::{Surroundings, Token};
use crate::file::language;
use crate::{File, Project, ScriptSite};

/// A scope and a level: `("packages", Access::Write)`.
pub(crate) type Grant = (&'static str, Access);

/// Actions inside of actions are followed no deeper.
const DEEPEST: usize = 5;

/// What a job needs of its token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needed {
    /// What it needs, in the order of its steps.
    pub needs: Vec<Need>,
    /// What it may use beside that.
    pub may: Vec<Grant>,
    /// Whether something in it holds the token and may use any scope.
    pub is_open: bool,
}

/// One thing that needs a scope.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    /// Any of these is enough.
    pub any_of: &'static [Grant],
    /// What needs it: `gh pr comment`.
    pub what: String,
    /// Where that stands.
    pub span: Span,
    /// Whether it fails without.
    pub fails: bool,
}

impl Needed {
    /// Whether anything in the job writes, or may write, with this scope.
    pub(crate) fn may_write(&self, scope: &str) -> bool {
        let writes = |grant: &Grant| grant.0 == scope && grant.1 == Access::Write;
        self.is_open || self.may.iter().any(writes) || self.needs.iter().any(|need| need.any_of.iter().any(writes))
    }

    /// The least scopes that all needs are met with, sorted; none if that cannot be told.
    pub(crate) fn least(&self) -> Option<Vec<Grant>> {
        let is_sure = !self.is_open && self.may.iter().all(|(_, access)| *access != Access::Write);
        if !is_sure {
            return None;
        }
        let mut least: Vec<Grant> = Vec::new();
        // Needs that leave no choice first: what they take may be enough for the others.
        let (forced, free): (Vec<&Need>, Vec<&Need>) = self.needs.iter().partition(|need| need.any_of.len() == 1);
        for need in forced.into_iter().chain(free) {
            if need.any_of.iter().any(|grant| least.iter().any(|held| covers(*held, *grant))) {
                continue;
            }
            let Some(&(scope, access)) = need.any_of.first() else { continue };
            least.retain(|(held, _)| *held != scope);
            least.push((scope, access));
        }
        for &(scope, access) in &self.may {
            if !least.iter().any(|(held, _)| *held == scope) {
                least.push((scope, access));
            }
        }
        least.sort_unstable_by_key(|(scope, _)| *scope);
        Some(least)
    }
}

/// Whether `held` allows what `wanted` asks.
fn covers(held: Grant, wanted: Grant) -> bool {
    held.0 == wanted.0 && (held.1 == wanted.1 || held.1 == Access::Write)
}

/// Whether `permissions` allow what `wanted` asks.
pub(crate) fn allows(permissions: &Permissions, wanted: Grant) -> bool {
    match permissions {
        Permissions::WriteAll(_) => true,
        Permissions::ReadAll(_) => wanted.1 == Access::Read,
        Permissions::Scopes(scopes) => scopes.value.iter().any(|(name, access)| {
            name.value == wanted.0 && (access.value == wanted.1 || access.value == Access::Write)
        }),
    }
}

/// What each job of the file needs, in their order.
pub(crate) fn of_file(file: &File<'_>) -> Vec<Needed> {
    let Some(workflow) = file.workflow() else { return Vec::new() };
    let mut rest = file.scripts();
    let needed = workflow.jobs.iter().map(|job| {
        let is_own = |script: &ScriptSite<'_>| script.site.job.is_some_and(|of| std::ptr::eq(of, job));
        let (scripts, others) = rest.split_at(rest.iter().take_while(|script| is_own(script)).count());
        rest = others;
        of_job(file.project(), workflow, job, 0, scripts)
    });
    needed.collect()
}

/// `scripts` are those of the job, if it is one of the file that is looked at.
fn of_job<'p>(
    project: &'p Project<'_>,
    workflow: &Workflow,
    job: &Job,
    depth: usize,
    scripts: &'p [ScriptSite<'p>],
) -> Needed {
    let mut reader = Reader {
        project,
        scripts,
        needed: Needed::default(),
        depth,
        at: job.id.span,
        is_own_file: depth == 0,
        keeps_login: false,
        has_other_clone: false,
    };
    match &job.kind {
        JobKind::Steps(steps) => {
            let envs = [workflow.env.as_ref(), steps.env.as_ref()];
            let around = Surroundings::of(envs.into_iter().flatten());
            for step in &steps.steps {
                reader.step(step, &around);
            }
        }
        JobKind::Call(call) => reader.call(call),
    }
    reader.needed
}

struct Reader<'p, 'f> {
    project: &'p Project<'f>,
    /// Those of the file that is looked at, from the next step on.
    scripts: &'p [ScriptSite<'p>],
    needed: Needed,
    depth: usize,
    /// Where what is read now stands in the file that is looked at.
    at: Span,
    is_own_file: bool,
    /// Whether a checkout left the token in the repository's settings: `git push` works.
    keeps_login: bool,
    /// Whether a script cloned or made another repository: a `git push` may be of that one.
    has_other_clone: bool,
}

impl Reader<'_, '_> {
    fn step(&mut self, step: &Step, around: &Surroundings) {
        let here = around.with(step.env.as_ref());
        match &step.kind {
            StepKind::Run { script, working_directory, shell, .. } => {
                self.has_other_clone |= working_directory.is_some();
                if self.is_own_file {
                    self.at = script.span();
                }
                let raw = script.raw();
                let shell = shell.as_ref().map(Text::raw);
                match self.scripts.split_first() {
                    Some((own, rest)) if self.is_own_file && std::ptr::eq(own.site.step, step) => {
                        self.scripts = rest;
                        self.script(raw, own.language.map(|_| own.script()), &here);
                    }
                    _ => {
                        let language = language(shell, None);
                        self.script(raw, language.map(|language| Script::read(raw, language)).as_ref(), &here);
                    }
                }
            }
            StepKind::Uses { uses, with } => {
                if self.is_own_file {
                    self.at = uses.span;
                }
                match &uses.value {
                    ActionRef::Remote { owner, repo, path, reference } => {
                        let name = token::name(owner, repo, path.as_deref());
                        let call = actions::Call { name: &name, with, around: &here };
                        if !actions::read(self, &call) {
                            let uses = format!("{name}@{reference}");
                            let found = self.project.remote_action(&uses).found();
                            self.unknown(found.as_deref(), &call);
                        }
                    }
                    ActionRef::Local { path } | ActionRef::SameRepository { path } => {
                        let found = self.project.action(path).found();
                        let call = actions::Call { name: path, with, around: &here };
                        self.unknown(found.as_deref(), &call);
                    }
                    // The machine's own variables, and so the way to an identity token, are in the container, too.
                    ActionRef::Docker { .. } => {
                        self.needed.is_open |= here.own || token::is_given(with);
                        self.may(&[("id-token", Access::Write)]);
                    }
                }
            }
            StepKind::Parallel { steps } => steps.iter().for_each(|step| self.step(step, around)),
            StepKind::Wait { .. } | StepKind::WaitAll | StepKind::Cancel { .. } => {}
        }
    }

    /// An action that nothing is known of but its metadata, if those are at hand.
    fn unknown(&mut self, action: Option<&Read<Action>>, call: &actions::Call<'_>) {
        let Some(action) = action.and_then(|read| read.model.as_ref()).filter(|_| self.depth < DEEPEST) else {
            self.needed.is_open = true;
            return;
        };
        let Runs::Composite { steps } = &action.runs else {
            self.needed.is_open = true;
            return;
        };
        let was = (self.depth, self.is_own_file);
        (self.depth, self.is_own_file) = (self.depth + 1, false);
        let given = call.around.own || token::is_given(call.with);
        let around = Surroundings { own: given, ..call.around.clone() };
        steps.iter().for_each(|step| self.step(step, &around));
        (self.depth, self.is_own_file) = was;
    }

    fn call(&mut self, call: &CallJob) {
        self.at = if self.is_own_file { call.uses.span } else { self.at };
        let (found, name) = match &call.uses.value {
            WorkflowRef::Local { path } => (self.project.workflow(path).found(), path.clone()),
            WorkflowRef::Remote { owner, repo, path, reference } => {
                let name = format!("{owner}/{repo}/{path}");
                (self.project.remote_workflow(&format!("{name}@{reference}")).found(), name)
            }
        };
        let called = found.as_ref().and_then(|read| read.model.as_ref()).filter(|_| self.depth < DEEPEST);
        let Some(called) = called else {
            self.needed.is_open = true;
            return;
        };
        for job in &called.jobs {
            match job.permissions.as_ref().or(called.permissions.as_ref()) {
                Some(Permissions::Scopes(scopes)) => {
                    for (scope, access) in &scopes.value {
                        self.asked(&scope.value, access.value, &name, &job.id.value);
                    }
                }
                // The levels of all scopes, as far as the caller has them: nothing can be said of any one.
                Some(Permissions::WriteAll(_)) => self.needed.is_open = true,
                Some(Permissions::ReadAll(_)) => {}
                None => {
                    let inner = of_job(self.project, called, job, self.depth + 1, &[]);
                    self.needed.is_open |= inner.is_open;
                    self.may(&inner.may);
                    let needs = inner.needs.into_iter();
                    self.needed.needs.extend(needs.map(|need| Need { span: self.at, ..need }));
                }
            }
        }
    }

    fn asked(&mut self, scope: &str, access: Access, workflow: &str, job: &str) {
        let Some(any_of) = one(scope, access) else { return };
        let what = format!("job `{job}` of `{workflow}`");
        self.needed.needs.push(Need { any_of, what, span: self.at, fails: false });
    }

    /// What is needed for certain: without it the step fails.
    fn needs(&mut self, any_of: &'static [Grant], what: &str) {
        self.need(any_of, what, true);
    }

    /// What is needed, unless the repository is public, or the step is content without.
    fn wants(&mut self, any_of: &'static [Grant], what: &str) {
        self.need(any_of, what, false);
    }

    fn need(&mut self, any_of: &'static [Grant], what: &str, fails: bool) {
        // What is in another file may not be reached with these inputs.
        let fails = fails && self.is_own_file;
        self.needed.needs.push(Need { any_of, what: format!("`{what}`"), span: self.at, fails });
    }

    fn may(&mut self, grants: &[Grant]) {
        for grant in grants {
            if !self.needed.may.contains(grant) {
                self.needed.may.push(*grant);
            }
        }
    }

    /// The same by whose token it is.
    fn with_token(&mut self, token: Token, any_of: &'static [Grant], what: &str, fails: bool) {
        match token {
            Token::Own => self.need(any_of, what, fails),
            Token::Either => self.may(any_of),
            Token::Other | Token::None => {}
        }
    }
}

/// Every scope with every level, so that what a file asks for can be named without being copied.
const ALL: &[Grant] = &[
    ("actions", Access::Read),
    ("actions", Access::Write),
    ("artifact-metadata", Access::Read),
    ("artifact-metadata", Access::Write),
    ("attestations", Access::Read),
    ("attestations", Access::Write),
    ("checks", Access::Read),
    ("checks", Access::Write),
    ("contents", Access::Read),
    ("contents", Access::Write),
    ("deployments", Access::Read),
    ("deployments", Access::Write),
    ("discussions", Access::Read),
    ("discussions", Access::Write),
    ("id-token", Access::Write),
    ("issues", Access::Read),
    ("issues", Access::Write),
    ("models", Access::Read),
    ("packages", Access::Read),
    ("packages", Access::Write),
    ("pages", Access::Read),
    ("pages", Access::Write),
    ("pull-requests", Access::Read),
    ("pull-requests", Access::Write),
    ("repository-projects", Access::Read),
    ("repository-projects", Access::Write),
    ("security-events", Access::Read),
    ("security-events", Access::Write),
    ("statuses", Access::Read),
    ("statuses", Access::Write),
];

fn one(scope: &str, access: Access) -> Option<&'static [Grant]> {
    ALL.iter().position(|grant| grant.0 == scope && grant.1 == access).and_then(|at| ALL.get(at..=at))
}
