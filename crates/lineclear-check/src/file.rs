//! The file that rules look at.

use std::cell::OnceCell;

use lineclear_catalog::Platform;
use lineclear_compose::Compose;
use lineclear_dockerfile::Dockerfile;
use lineclear_policy::Policy;
use lineclear_shell::Language;
use lineclear_source::Source;
use lineclear_workflow::{
    Action, Job, JobKind, Runs, RunsOn, StepKind, StepsJob, Text, Workflow, Written, walk_action, walk_workflow,
};
use lineclear_yaml::{Limits, Tree};

use crate::rules::container::Layers;
use crate::rules::deeds::{Done, deeds};
use crate::rules::job::machine::Machine;
use crate::rules::supply::needed_scopes::{self, Needed};
use crate::site::{Steps, gather_runs};
use crate::types::Typed;
use crate::{Dialect, ExpressionSite, Form, Project, RunSite, ScriptSite, StepSite, UseSite};

/// One file as it was read, with what most rules ask of it gathered once.
#[derive(Debug)]
pub struct File<'a> {
    source: &'a Source,
    content: Content<'a>,
    dialect: Dialect,
    project: &'a Project<'a>,
    steps: OnceCell<Vec<StepSite<'a>>>,
    uses: OnceCell<Vec<UseSite<'a>>>,
    expressions: OnceCell<Vec<ExpressionSite<'a>>>,
    scripts: OnceCell<Vec<ScriptSite<'a>>>,
    tree: OnceCell<Option<Tree>>,
    deeds: OnceCell<Vec<Done<'a>>>,
    typed: OnceCell<Typed<'a>>,
    needed_scopes: OnceCell<Vec<Needed>>,
    layers: OnceCell<Option<Layers>>,
    runs: OnceCell<Vec<RunSite<'a>>>,
}

/// What a file says.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A workflow.
    Workflow(&'a Workflow),
    /// An action's metadata.
    Action(&'a Action),
    /// `dependabot.yml`: see [`File::tree`].
    Dependabot,
    /// A Dockerfile.
    Dockerfile(&'a Dockerfile),
    /// A compose file.
    Compose(&'a Compose),
    /// `lineclear.toml`.
    Policy(&'a Policy),
}

impl<'a> File<'a> {
    /// A file that was read.
    pub fn new(source: &'a Source, content: Content<'a>, dialect: Dialect, project: &'a Project<'a>) -> Self {
        Self {
            source,
            content,
            dialect,
            project,
            steps: OnceCell::new(),
            uses: OnceCell::new(),
            expressions: OnceCell::new(),
            scripts: OnceCell::new(),
            tree: OnceCell::new(),
            deeds: OnceCell::new(),
            typed: OnceCell::new(),
            needed_scopes: OnceCell::new(),
            layers: OnceCell::new(),
            runs: OnceCell::new(),
        }
    }

    /// The text, with the path of the file from the repository's root as its name.
    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// The path from the repository's root, with forward slashes.
    pub fn path(&self) -> &'a str {
        self.source.name()
    }

    /// What it says.
    pub fn content(&self) -> Content<'a> {
        self.content
    }

    /// The forge whose language it is written in.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What lies around it.
    pub fn project(&self) -> &'a Project<'a> {
        self.project
    }

    /// The workflow, if it is one.
    pub fn workflow(&self) -> Option<&'a Workflow> {
        if let Content::Workflow(workflow) = self.content { Some(workflow) } else { None }
    }

    /// The action, if it is one.
    pub fn action(&self) -> Option<&'a Action> {
        if let Content::Action(action) = self.content { Some(action) } else { None }
    }

    /// The Dockerfile, if it is one.
    pub fn dockerfile(&self) -> Option<&'a Dockerfile> {
        if let Content::Dockerfile(dockerfile) = self.content { Some(dockerfile) } else { None }
    }

    /// The compose file, if it is one.
    pub fn compose(&self) -> Option<&'a Compose> {
        if let Content::Compose(compose) = self.content { Some(compose) } else { None }
    }

    /// A compose file with what it lies upon; `None` for other files.
    pub(crate) fn layers(&self) -> Option<&Layers> {
        self.layers.get_or_init(|| self.compose().map(|compose| Layers::of(compose, self.project))).as_ref()
    }

    /// The path of a file beside this one.
    pub fn beside(&self, name: &str) -> String {
        match self.path().rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{name}"),
            None => name.to_owned(),
        }
    }

    /// The jobs of a workflow; none in other files.
    pub fn jobs(&self) -> &'a [Job] {
        self.workflow().map_or(&[], |workflow| &workflow.jobs)
    }

    /// The jobs that run steps.
    pub fn step_jobs(&self) -> impl Iterator<Item = (&'a Job, &'a StepsJob)> + use<'a> {
        self.jobs().iter().filter_map(|job| match &job.kind {
            JobKind::Steps(steps) => Some((job, &**steps)),
            JobKind::Call(_) => None,
        })
    }

    /// All steps of all jobs, or of a composite action.
    pub fn steps(&self) -> &[StepSite<'a>] {
        self.steps.get_or_init(|| {
            let mut steps = Steps::default();
            for (job, own) in self.step_jobs() {
                steps.gather(&own.steps, Some(job));
            }
            if let Some(Action { runs: Runs::Composite { steps: own }, .. }) = self.action() {
                steps.gather(own, None);
            }
            steps.sites
        })
    }

    /// The steps that use an action.
    pub fn uses(&self) -> &[UseSite<'a>] {
        self.uses.get_or_init(|| self.steps().iter().filter_map(|&site| UseSite::of(site, self.source)).collect())
    }

    /// All expressions, in the order of the model.
    pub fn expressions(&self) -> &[ExpressionSite<'a>] {
        self.expressions.get_or_init(|| {
            let mut sites = Vec::new();
            let mut visit = |place, written: Written<'a>| match written {
                Written::Condition(condition) => sites.push(ExpressionSite {
                    expr: &condition.expr,
                    scalar: &condition.scalar,
                    place,
                    form: Form::Condition,
                }),
                Written::Text(text) => expressions_of(text, |expr, form| {
                    sites.push(ExpressionSite { expr, scalar: &text.scalar, place, form });
                }),
            };
            match self.content {
                Content::Workflow(workflow) => walk_workflow(workflow, &mut visit),
                Content::Action(action) => walk_action(action, &mut visit),
                Content::Dependabot | Content::Dockerfile(_) | Content::Compose(_) | Content::Policy(_) => {}
            }
            sites
        })
    }

    /// The types of all expressions, and what in them is worth a question.
    pub fn typed(&self) -> &Typed<'a> {
        self.typed.get_or_init(|| Typed::of(self))
    }

    /// All `run` scripts.
    pub fn scripts(&self) -> &[ScriptSite<'a>] {
        self.scripts.get_or_init(|| {
            let mut sites = Vec::new();
            for &site in self.steps() {
                if let StepKind::Run { script, shell, .. } = &site.step.kind {
                    let shell = shell.as_ref().or_else(|| self.default_shell(site.job)).map(Text::raw);
                    sites.push(ScriptSite::new(script, site, shell, language(shell, site.job)));
                }
            }
            sites
        })
    }

    /// The `RUN` scripts of a Dockerfile; none in other files.
    pub fn runs(&self) -> &[RunSite<'a>] {
        self.runs.get_or_init(|| self.dockerfile().map_or_else(Vec::new, gather_runs))
    }

    /// The script of a step, if it runs one.
    pub fn script_of(&self, site: StepSite<'_>) -> Option<&ScriptSite<'a>> {
        site.script.and_then(|at| self.scripts().get(at))
    }

    /// What the steps do that matters for delivery.
    pub(crate) fn deeds(&self) -> &[Done<'a>] {
        self.deeds.get_or_init(|| deeds(self))
    }

    /// The YAML as a tree, for what the model does not keep; `None` where it has no tree. It is read again for this.
    pub fn tree(&self) -> Option<&Tree> {
        self.tree.get_or_init(|| lineclear_yaml::parse(self.source, &Limits::workflow()).tree).as_ref()
    }

    /// What each job of a workflow needs of its token, in their order.
    pub(crate) fn needed_scopes(&self) -> &[Needed] {
        self.needed_scopes.get_or_init(|| needed_scopes::of_file(self))
    }

    fn default_shell(&self, job: Option<&'a Job>) -> Option<&'a Text> {
        let of_job = job.and_then(|job| match &job.kind {
            JobKind::Steps(steps) => steps.defaults.as_ref(),
            JobKind::Call(_) => None,
        });
        let of_workflow = self.workflow().and_then(|workflow| workflow.defaults.as_ref()).filter(|_| job.is_some());
        [of_job, of_workflow].into_iter().flatten().find_map(|defaults| defaults.shell.as_ref())
    }
}

fn expressions_of<'a>(text: &'a Text, mut found: impl FnMut(&'a lineclear_expr::Expr, Form)) {
    use lineclear_expr::{Template, TemplatePart};
    match &text.template {
        Template::Literal(_) => {}
        Template::Expression(expr) => found(expr, Form::Whole),
        Template::Mixed(parts) => parts.iter().for_each(|part| {
            if let TemplatePart::Expression(expr) = part {
                found(expr, Form::Mixed);
            }
        }),
    }
}

/// The language of a script, by its shell or by the machine's.
pub(crate) fn language(shell: Option<&str>, job: Option<&Job>) -> Option<Language> {
    let Some(shell) = shell else {
        return Some(if job.is_some_and(is_windows) { Language::PowerShell } else { Language::Posix });
    };
    let program = shell.split_ascii_whitespace().next()?.rsplit(['/', '\\']).next()?;
    match program.trim_end_matches(".exe") {
        "bash" | "sh" | "dash" | "zsh" | "ksh" => Some(Language::Posix),
        "pwsh" | "powershell" => Some(Language::PowerShell),
        "cmd" => Some(Language::Cmd),
        _ => None,
    }
}

/// Whether a job runs on Windows for sure: a label says so, or every value that the label may come out as.
fn is_windows(job: &Job) -> bool {
    let JobKind::Steps(steps) = &job.kind else { return false };
    let RunsOn::Labels(labels) = &steps.runs_on else { return false };
    let is_open = |label: &Text| label.raw().contains("${{");
    let says_so = |label: &Text| !is_open(label) && label.raw().to_ascii_lowercase().contains("windows");
    labels.value.iter().any(says_so)
        || labels.value.iter().any(is_open)
            && Machine::of(job)
                .and_then(|machine| machine.platforms())
                .is_some_and(|platforms| platforms.is_only(Platform::Windows))
}
