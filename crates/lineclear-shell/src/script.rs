//! What a script is made of.

use std::ops::Range;

/// The language of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// `bash`, `sh` and their like.
    Posix,
    /// `pwsh` and `powershell`.
    PowerShell,
    /// `cmd`.
    Cmd,
}

/// A script: its simple commands in the order of the text, those inside of `$( )`, loops, conditions and functions too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// In the order in which they begin. A command inside of a word's `$( )` comes after the command that holds it.
    pub commands: Vec<Command>,
}

/// A simple command: `NAME=value program arguments > file`. Places are byte ranges of the script's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments. Empty for a line of assignments only.
    pub words: Vec<Word>,
    /// The assignments before the program, or all there is.
    pub assignments: Vec<Assignment>,
    /// In the order of the text.
    pub redirects: Vec<Redirect>,
    /// What follows.
    pub connector: Connector,
    /// The index in [`Script::commands`] of the command whose output this one reads.
    pub reads_from: Option<usize>,
    /// Whether the exit code is looked at: it stands in the condition of `if`, `while` or `until`, before `&&` or `||`, or behind `!`.
    pub is_condition: bool,
    /// The index of the command in one of whose words this one stands (`$( )`, backticks, `<( )`).
    pub inside: Option<usize>,
    /// From its first to its last byte.
    pub span: Range<usize>,
}

/// What stands behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    /// A line's end, `;` or the end of the script.
    End,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|` or `|&`
    Pipe,
    /// `&`
    Background,
}

/// `NAME=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// What is assigned; of an array, all of its text.
    pub value: Word,
    /// Name and value.
    pub span: Range<usize>,
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Which way.
    pub kind: RedirectKind,
    /// The descriptor before the operator, if one is written.
    pub descriptor: Option<u32>,
    /// The file or descriptor; of a here-document, its body.
    pub target: Word,
    /// Operator and target; of a here-document, operator and delimiter.
    pub span: Range<usize>,
}

/// The kinds of redirections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// `<`
    Read,
    /// `>`, `>|`, `&>`
    Write,
    /// `>>`, `&>>`
    Append,
    /// `>&`, `<&`
    Duplicate,
    /// `<<`, `<<-`
    HereDocument,
    /// `<<<`
    HereString,
}

/// A word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Its text without quotes and backslashes; expansions and `${{ }}` as they are written.
    pub text: String,
    /// The pieces it is made of.
    pub parts: Vec<Part>,
    /// With quotes.
    pub span: Range<usize>,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Literal {
        /// Without quotes and backslashes.
        text: String,
        /// How it is quoted.
        quoting: Quoting,
        /// Where.
        span: Range<usize>,
    },
    /// `$NAME`, `${NAME…}`, `$1`, `$@`; in PowerShell `$env:NAME` (then the name is `NAME`) and `$name`; in cmd `%NAME%`.
    Variable {
        /// The name.
        name: String,
        /// How it is quoted.
        quoting: Quoting,
        /// Where.
        span: Range<usize>,
    },
    /// `$( )`, backticks or `<( )`: its commands are in [`Script::commands`], with [`Command::inside`].
    Substitution {
        /// How it is quoted.
        quoting: Quoting,
        /// Where.
        span: Range<usize>,
    },
    /// `${{ … }}` of a workflow.
    Expression {
        /// How it is quoted.
        quoting: Quoting,
        /// With its braces.
        span: Range<usize>,
    },
}

/// How a piece of a word is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    /// Not at all.
    None,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
}

impl Script {
    /// Takes `text` apart.
    pub fn read(_text: &str, _language: Language) -> Self {
        Self::default()
    }
}

impl Command {
    /// The program as it is called, without its folder, and its arguments: what `sudo`, `env`, `command`, `exec`, `time`, `nice`, `xargs` and
    /// their like start counts as the program.
    pub fn program(&self) -> Option<(&str, &[Word])> {
        let (first, rest) = self.words.split_first()?;
        Some((first.text.rsplit('/').next().unwrap_or_default(), rest))
    }
}
