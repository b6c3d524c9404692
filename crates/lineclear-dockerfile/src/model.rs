//! What a Dockerfile is made of.

use std::ops::Range;

use lineclear_source::{Source, Span};

use crate::expand::{ExpandFault, Variable, expand, variables};
use crate::{ExecForm, JsonFault, Text};

/// A Dockerfile.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    /// The file.
    pub source: Source,
    /// `# syntax=…`, `# escape=…`, `# check=…` at its head.
    pub directives: Vec<Directive>,
    /// What continues a line and takes the meaning from the next character: `\` or a backtick.
    pub escape: char,
    /// Every comment from its `#`, in file order, directives left out.
    pub comments: Vec<Span>,
    /// The `ARG`s before the first `FROM`, each with its instruction's index among them.
    pub arguments: Vec<Argument>,
    /// In file order.
    pub stages: Vec<Stage>,
}

/// A parser directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// In lower case.
    pub name: String,
    /// What stands behind the `=`.
    pub value: String,
    /// Name and value.
    pub span: Span,
}

/// What one `FROM` begins.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its number, from zero.
    pub index: usize,
    /// The instruction that begins it.
    pub from: From,
    /// The instructions behind it.
    pub instructions: Vec<Instruction>,
}

/// `FROM [--platform=…] image [AS name]`.
#[derive(Clone, Debug)]
pub struct From {
    /// The image or stage as it is written.
    pub image: Word,
    /// The stage's name.
    pub name: Option<Word>,
    /// `--platform`.
    pub platform: Option<Word>,
    /// What it builds upon.
    pub base: Base,
    /// The image with the defaults of the global arguments put in; `None` where one has no default.
    pub expanded: Option<String>,
    /// The whole instruction.
    pub span: Span,
}

/// What a stage builds upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing: `FROM scratch`.
    Scratch,
    /// An earlier stage, by its index.
    Stage(usize),
    /// An image from elsewhere.
    Image,
}

/// One instruction of a stage.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// As it is written.
    pub keyword: Word,
    /// `--name=value` before the arguments.
    pub flags: Vec<Flag>,
    /// The arguments, lines joined.
    pub text: Text,
    /// What it says.
    pub kind: InstructionKind,
    /// From its keyword to its last argument; here-documents are not part of it.
    pub span: Span,
}

/// What an instruction says.
#[derive(Clone, Debug)]
pub enum InstructionKind {
    /// `RUN`
    Run(Run),
    /// `CMD`
    Cmd(CommandLine),
    /// `ENTRYPOINT`
    Entrypoint(CommandLine),
    /// `LABEL`
    Label(Vec<Pair>),
    /// `EXPOSE`
    Expose(Vec<Word>),
    /// `ENV`
    Env(Vec<Pair>),
    /// `ADD`
    Add(Transfer),
    /// `COPY`
    Copy(Transfer),
    /// `VOLUME`
    Volume(Vec<Word>),
    /// `USER`
    User(Word),
    /// `WORKDIR`
    Workdir(Word),
    /// `ARG`
    Arg(Vec<Argument>),
    /// `ONBUILD`: carried out in the stage that builds upon this one.
    OnBuild(Box<Instruction>),
    /// `STOPSIGNAL`
    StopSignal(Word),
    /// `HEALTHCHECK`
    Healthcheck(Healthcheck),
    /// `SHELL`
    Shell(ExecForm),
    /// `MAINTAINER`, which is a label today.
    Maintainer(Word),
    /// What could not be understood: there is a finding of it.
    Unreadable,
}

/// Text of a file with quotes and variables as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The text.
    pub text: Text,
}

/// `--name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Without dashes.
    pub name: Word,
    /// Behind the `=`.
    pub value: Option<Word>,
    /// All of it.
    pub span: Span,
}

/// `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Before the `=`.
    pub name: Word,
    /// Behind it, with quotes.
    pub value: Word,
}

/// An argument of the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: Word,
    /// What stands behind the `=`, with quotes.
    pub default: Option<Word>,
}

/// A command in one of two forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// As it is written, lines joined.
    pub text: Text,
    /// The arguments in exec form; the text is a shell's otherwise.
    pub exec: Option<ExecForm>,
    /// Why a text that looks like exec form is none.
    pub fault: Option<JsonFault>,
}

/// `RUN`.
#[derive(Clone, Debug)]
pub struct Run {
    /// What stands on its line.
    pub command: CommandLine,
    /// In the order of their operators.
    pub here_documents: Vec<HereDocument>,
    /// `--mount`.
    pub mounts: Vec<Mount>,
}

/// `<<NAME` and the lines up to `NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HereDocument {
    /// Without quotes.
    pub name: String,
    /// The lines, each with its end.
    pub body: Text,
    /// Whether variables are put in: the name stands without quotes.
    pub expands: bool,
    /// The operator with its name.
    pub span: Span,
}

/// `--mount=type=…,…`.
#[derive(Clone, Debug)]
pub struct Mount {
    /// `bind`, `cache`, `tmpfs`, `secret`, `ssh`.
    pub kind: String,
    /// Each key with its value.
    pub options: Vec<(Word, Option<Word>)>,
    /// The flag.
    pub span: Span,
}

/// `COPY` and `ADD`.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// What is taken; here-documents stand as `<<NAME`.
    pub sources: Vec<Word>,
    /// Where it goes.
    pub destination: Word,
    /// `--from`.
    pub from: Option<Word>,
    /// Files that are written in the Dockerfile.
    pub here_documents: Vec<HereDocument>,
}

/// `HEALTHCHECK`.
#[derive(Clone, Debug)]
pub enum Healthcheck {
    /// `NONE`: what the image had is switched off.
    Off,
    /// `CMD`.
    Command(CommandLine),
}

impl Word {
    /// The text as it is written.
    pub fn raw(&self) -> &str {
        self.text.as_str()
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.text.span()
    }

    /// Where a range of [`Word::raw`] stands.
    pub fn span_of(&self, range: Range<usize>) -> Span {
        self.text.span_of(range)
    }

    /// Whether a variable may be in it.
    pub fn has_variable(&self) -> bool {
        self.raw().contains('$')
    }

    /// The variables it names; none where it is not sound.
    pub fn variables(&self, escape: char) -> Vec<Variable<'_>> {
        if self.has_variable() { variables(self.raw(), escape).unwrap_or_default() } else { Vec::new() }
    }

    /// See [`expand`].
    ///
    /// # Errors
    /// As [`expand`].
    pub fn expand(&self, escape: char, value: impl FnMut(&str) -> Option<String>) -> Result<String, ExpandFault> {
        expand(self.raw(), escape, value)
    }

    /// The text without quotes and escapes, variables as they are written; as it is where that cannot be told.
    pub fn unquoted(&self) -> String {
        let keep = |name: &str| Some(format!("${{{name}}}"));
        expand(self.raw(), '\\', keep).unwrap_or_else(|_| self.raw().to_owned())
    }
}

impl Mount {
    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&Word> {
        self.options.iter().find(|(key, _)| key.raw() == name).and_then(|(_, value)| value.as_ref())
    }
}

impl Run {
    /// What a shell carries out: the here-document if it stands alone, otherwise the line. Nothing for the exec form, and nothing
    /// for a here-document that another interpreter reads.
    pub fn script(&self) -> Option<&Text> {
        if self.command.exec.is_some() {
            return None;
        }
        let line = self.command.text.as_str().trim();
        let (Some(document), true) = (self.here_documents.first(), line.starts_with("<<")) else {
            return Some(&self.command.text);
        };
        let is_alone = !line.contains(char::is_whitespace);
        let interpreter = document.body.as_str().strip_prefix("#!").and_then(|rest| rest.lines().next());
        let is_shell = interpreter.is_none_or(|line| {
            let program = line.split_whitespace().next_back().unwrap_or_default();
            program.ends_with("sh")
        });
        (is_alone && is_shell).then_some(&document.body)
    }
}

impl Instruction {
    /// The value of a flag.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name.raw() == name)
    }
}

impl Stage {
    /// The name it was given.
    pub fn name(&self) -> Option<&str> {
        self.from.name.as_ref().map(Word::raw)
    }

    /// Its name, or its image.
    pub fn title(&self) -> &str {
        self.name().unwrap_or_else(|| self.from.image.raw())
    }
}

impl Dockerfile {
    /// The stage before stage `before` that `name` (or a number) means. Upper and lower case make no difference; of two stages with one
    /// name it is the later.
    pub fn stage_before(&self, before: usize, name: &str) -> Option<&Stage> {
        find_stage(self.stages.get(..before).unwrap_or(&self.stages), name)
    }

    /// The stage that is built if no other is asked for.
    pub fn last_stage(&self) -> Option<&Stage> {
        self.stages.last()
    }

    /// The stage and those it builds upon, itself first.
    pub fn lineage<'d>(&'d self, stage: &'d Stage) -> impl Iterator<Item = &'d Stage> {
        std::iter::successors(Some(stage), |stage| match stage.from.base {
            // A base comes before the stage, so this ends.
            Base::Stage(index) if index < stage.index => self.stages.get(index),
            Base::Stage(_) | Base::Scratch | Base::Image => None,
        })
    }

    /// The stages that `stage` needs, itself included: its base, and what it copies and mounts from, and so on. By index.
    pub fn needed_by(&self, stage: &Stage) -> Vec<bool> {
        let mut needed = vec![false; self.stages.len()];
        let mut open = vec![stage.index];
        while let Some(index) = open.pop() {
            let Some(stage) = self.stages.get(index) else { continue };
            if std::mem::replace(&mut needed[index], true) {
                continue;
            }
            if let Base::Stage(base) = stage.from.base {
                open.push(base);
            }
            for name in stage.instructions.iter().flat_map(taken_from) {
                open.extend(self.stage_before(index, name.raw()).map(|stage| stage.index));
            }
        }
        needed
    }
}

/// The stages and images that an instruction takes files from.
fn taken_from(instruction: &Instruction) -> Vec<&Word> {
    match &instruction.kind {
        InstructionKind::Copy(transfer) => transfer.from.iter().collect(),
        InstructionKind::Run(run) => run.mounts.iter().filter_map(|mount| mount.option("from")).collect(),
        InstructionKind::OnBuild(inner) => taken_from(inner),
        _ => Vec::new(),
    }
}

pub(crate) fn find_stage<'s>(stages: &'s [Stage], name: &str) -> Option<&'s Stage> {
    let named = stages.iter().rev().find(|stage| stage.name().is_some_and(|other| other.eq_ignore_ascii_case(name)));
    named.or_else(|| name.parse::<usize>().ok().and_then(|index| stages.get(index)))
}
