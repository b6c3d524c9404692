//! The places that most rules look at: steps, expressions, scripts. They are gathered once for a file.

use std::cell::OnceCell;
use std::ops::Range;

use lineclear_dockerfile::{Dockerfile, ExecForm, Instruction, InstructionKind, Run, Stage};
use lineclear_expr::{Expr, Node};
use lineclear_shell::{Language, Script};
use lineclear_source::Span;
use lineclear_workflow::{Job, Place, Step, StepKind, Text};
use lineclear_yaml::{Scalar, ScalarStyle};

use crate::pairs::Pairs;

/// A step of a job or of a composite action. Steps inside of `parallel` come right behind it.
#[derive(Clone, Copy, Debug)]
pub struct StepSite<'a> {
    /// The step.
    pub step: &'a Step,
    /// Its job; none in a composite action.
    pub job: Option<&'a Job>,
    /// Its index among all steps of the job or action, those inside of `parallel` counted.
    pub index: usize,
    /// Whether it stands inside of `parallel`.
    pub in_parallel: bool,
    /// The index of its script in [`File::scripts`](crate::File::scripts), if it runs one.
    pub script: Option<usize>,
}

/// One expression and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct ExpressionSite<'a> {
    /// The expression.
    pub expr: &'a Expr,
    /// The scalar that it stands in.
    pub scalar: &'a Scalar,
    /// The key, job and step.
    pub place: Place<'a>,
    /// How it stands in the scalar.
    pub form: Form,
}

/// How an expression stands in its scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// It is an `if`.
    Condition,
    /// `${{ … }}` and nothing else: the value keeps its type.
    Whole,
    /// With text or other expressions around it: the value becomes text.
    Mixed,
}

impl ExpressionSite<'_> {
    /// Where a part of the expression stands in the file.
    pub fn span_of(&self, node: Node<'_>) -> Span {
        self.scalar.span_of(node.span().range())
    }

    /// Where the whole expression stands in the file: what is between `${{` and `}}`, without white space around it.
    pub fn span(&self) -> Span {
        self.span_of(self.expr.root())
    }

    /// Where the expression stands in the file, with its `${{` and `}}`; an `if` without them is as [`Self::span`].
    pub fn braced_span(&self) -> Span {
        let text = &self.scalar.text;
        let Range { start, end } = self.expr.span().range();
        let opens = text.get(..start).is_some_and(|before| before.ends_with("${{"));
        let closes = text.get(end..).is_some_and(|after| after.starts_with("}}"));
        if opens && closes { self.scalar.span_of(start - 3..end + 2) } else { self.span() }
    }
}

/// A `run` script and where it stands.
#[derive(Debug)]
pub struct ScriptSite<'a> {
    /// The script.
    pub text: &'a Text,
    /// Its step.
    pub site: StepSite<'a>,
    /// The shell as it was written, of the step or of the nearest `defaults`; none where the machine decides.
    pub shell: Option<&'a str>,
    /// The language, if it is one that can be taken apart. Scripts without `shell` count as Windows' only where every label says so.
    pub language: Option<Language>,
    parsed: OnceCell<Script>,
    pairs: OnceCell<Box<Pairs>>,
}

impl<'a> ScriptSite<'a> {
    pub(crate) fn new(text: &'a Text, site: StepSite<'a>, shell: Option<&'a str>, language: Option<Language>) -> Self {
        Self { text, site, shell, language, parsed: OnceCell::new(), pairs: OnceCell::new() }
    }

    /// The script taken apart; nothing for languages that cannot be.
    pub fn script(&self) -> &Script {
        self.parsed.get_or_init(|| match self.language {
            Some(language) => Script::read(self.raw(), language),
            None => Script::default(),
        })
    }

    /// The script's text, expressions unevaluated. Ranges of [`Script`] are ranges of it.
    pub fn raw(&self) -> &'a str {
        self.text.raw()
    }

    /// Whether the script's text holds any of `words`: quicker than to look for each, for most are in few scripts.
    pub fn has_any(&self, words: &[&str]) -> bool {
        self.pairs.get_or_init(|| Box::new(Pairs::of(self.raw()))).any_in(self.raw(), words)
    }

    /// Where a range of the script's text stands in the file.
    pub fn span_of(&self, range: Range<usize>) -> Span {
        self.text.scalar.span_of(range)
    }
}

/// A script of a file, whatever kind of file it is.
pub trait Scripted {
    /// Its text. Ranges of [`Script`] are ranges of it.
    fn raw(&self) -> &str;
    /// The script taken apart.
    fn script(&self) -> &Script;
    /// Where a range of the text stands in the file.
    fn span_of(&self, range: Range<usize>) -> Span;
    /// Whether the file has the script's letters as they are, without escapes.
    fn is_verbatim(&self) -> bool;
}

impl Scripted for ScriptSite<'_> {
    fn raw(&self) -> &str {
        self.text.raw()
    }

    fn script(&self) -> &Script {
        self.script()
    }

    fn span_of(&self, range: Range<usize>) -> Span {
        self.span_of(range)
    }

    fn is_verbatim(&self) -> bool {
        self.text.scalar.style != ScalarStyle::DoubleQuoted
    }
}

/// A `RUN` of a Dockerfile that a POSIX shell carries out.
#[derive(Debug)]
pub struct RunSite<'a> {
    /// The script.
    pub text: &'a lineclear_dockerfile::Text,
    /// The instruction's content.
    pub run: &'a Run,
    /// Its stage.
    pub stage: &'a Stage,
    parsed: OnceCell<Script>,
}

impl Scripted for RunSite<'_> {
    fn raw(&self) -> &str {
        self.text.as_str()
    }

    fn script(&self) -> &Script {
        self.parsed.get_or_init(|| Script::read(self.text.as_str(), Language::Posix))
    }

    fn span_of(&self, range: Range<usize>) -> Span {
        self.text.span_of(range)
    }

    fn is_verbatim(&self) -> bool {
        true
    }
}

/// Gathers the `RUN` instructions. Stages that name another shell are left out.
pub(crate) fn gather_runs(dockerfile: &Dockerfile) -> Vec<RunSite<'_>> {
    let mut runs = Vec::new();
    for stage in &dockerfile.stages {
        let is_other =
            |instruction: &Instruction| matches!(&instruction.kind, InstructionKind::Shell(form) if is_foreign(form));
        if dockerfile.lineage(stage).flat_map(|stage| &stage.instructions).any(is_other) {
            continue;
        }
        for instruction in &stage.instructions {
            if let InstructionKind::Run(run) = &instruction.kind
                && let Some(text) = run.script()
            {
                runs.push(RunSite { text, run, stage, parsed: OnceCell::new() });
            }
        }
    }
    runs
}

/// Whether the shell that `SHELL` names is no POSIX shell.
fn is_foreign(form: &ExecForm) -> bool {
    let program = form.arguments.first().map(|(word, _)| word.to_ascii_lowercase()).unwrap_or_default();
    ["powershell", "pwsh", "cmd"].iter().any(|shell| program.contains(shell))
}

/// The steps in their order, those inside of `parallel` right behind it.
#[derive(Default)]
pub(crate) struct Steps<'a> {
    pub(crate) sites: Vec<StepSite<'a>>,
    scripts: usize,
}

impl<'a> Steps<'a> {
    /// Adds the steps of a job or of a composite action.
    pub(crate) fn gather(&mut self, steps: &'a [Step], job: Option<&'a Job>) {
        let first = self.sites.len();
        for step in steps {
            self.add(step, job, first, false);
            if let StepKind::Parallel { steps } = &step.kind {
                steps.iter().for_each(|step| self.add(step, job, first, true));
            }
        }
    }

    fn add(&mut self, step: &'a Step, job: Option<&'a Job>, first: usize, in_parallel: bool) {
        let is_script = matches!(step.kind, StepKind::Run { .. });
        let script = is_script.then_some(self.scripts);
        self.scripts += usize::from(is_script);
        self.sites.push(StepSite { step, job, index: self.sites.len() - first, in_parallel, script });
    }
}
