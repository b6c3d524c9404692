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
    ///
    /// `for NAME in WORDS`, `select`, `case WORD in`, `[[ … ]]` and `(( … ))` count as commands whose program is the keyword. The commands of
    /// `bash -c '…'` count as inside of it.
    pub commands: Vec<Command>,
    /// What holds several commands together, in the order in which they begin: an outer group comes before its inner ones.
    pub groups: Vec<Group>,
}

/// Commands that are held together: `{ … }`, `( … )`, a loop, a condition, a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What holds them together.
    pub kind: GroupKind,
    /// Their indices in [`Script::commands`], those inside of their words too.
    pub commands: Range<usize>,
    /// Redirections of the whole, such as `done < file` or `} >> file`.
    pub redirects: Vec<Redirect>,
    /// The index of the next outer group.
    pub parent: Option<usize>,
    /// From its first to its last byte.
    pub span: Range<usize>,
}

/// The kinds of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// `{ … }`; in PowerShell a script block.
    Block,
    /// `( … )`
    Subshell,
    /// `while`, `until`, `for`, `select` and their like, with their conditions.
    Loop,
    /// `if` and `case`, with their conditions.
    Condition,
    /// The body of a function.
    Function,
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
    /// The index of the command in one of whose words this one stands (`$( )`, backticks, `<( )`, `bash -c '…'`).
    pub inside: Option<usize>,
    /// The index in [`Script::groups`] of the innermost group that holds it.
    pub group: Option<usize>,
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
    /// Whether it is a here-document whose delimiter never comes.
    pub is_open: bool,
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
    /// The pieces it is made of. Variables, substitutions and expressions inside of another's braces or parentheses (`${a:-$b}`, `$(( $a ))`)
    /// follow the piece that holds them; those inside of a substitution are in the words of its commands only.
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
    /// `$( )`, backticks or `<( )`; in PowerShell `( )`, too: its commands are in [`Script::commands`], with [`Command::inside`].
    Substitution {
        /// How it is quoted.
        quoting: Quoting,
        /// Where.
        span: Range<usize>,
    },
    /// `$(( … ))`
    Arithmetic {
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

impl Part {
    /// Where it stands.
    pub fn span(&self) -> Range<usize> {
        match self {
            Self::Literal { span, .. }
            | Self::Variable { span, .. }
            | Self::Substitution { span, .. }
            | Self::Arithmetic { span, .. }
            | Self::Expression { span, .. } => span.clone(),
        }
    }

    /// How it is quoted.
    pub fn quoting(&self) -> Quoting {
        match self {
            Self::Literal { quoting, .. }
            | Self::Variable { quoting, .. }
            | Self::Substitution { quoting, .. }
            | Self::Arithmetic { quoting, .. }
            | Self::Expression { quoting, .. } => *quoting,
        }
    }
}

impl Word {
    /// The text, if it is text only: no variable, substitution or expression is in it.
    pub fn literal(&self) -> Option<&str> {
        self.parts.iter().all(|part| matches!(part, Part::Literal { .. })).then_some(self.text.as_str())
    }

    /// Whether it is the variable `name` and nothing else, however it is quoted.
    pub fn is_variable(&self, name: &str) -> bool {
        matches!(self.parts.as_slice(), [Part::Variable { name: it, .. }] if it == name)
    }

    /// Whether one of its pieces is the variable `name`.
    pub fn has_variable(&self, name: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Variable { name: it, .. } if it == name))
    }

    /// Whether nothing is in it, not even quotes.
    pub fn is_empty(&self) -> bool {
        self.span.is_empty()
    }
}

impl Script {
    /// Takes `text` apart.
    pub fn read(text: &str, language: Language) -> Self {
        match language {
            Language::Posix => crate::posix::read(text),
            Language::PowerShell => crate::power_shell::read(text),
            Language::Cmd => crate::cmd::read(text),
        }
    }

    /// The groups that hold the command of this index, from the innermost to the outermost. Those around the command that it stands inside of
    /// are among them.
    pub fn groups_of(&self, command: usize) -> impl Iterator<Item = &Group> {
        let first = self.commands.get(command).and_then(|command| command.group);
        std::iter::successors(first.and_then(|at| self.groups.get(at)), |group| {
            group.parent.and_then(|at| self.groups.get(at))
        })
    }

    /// The redirections of the command of this index: its own, then those of the groups that hold it.
    pub fn redirects_of(&self, command: usize) -> impl Iterator<Item = &Redirect> {
        let command = self.commands.get(command);
        let own = command.map_or(&[][..], |command| &command.redirects);
        // What stands inside of a word writes into the word.
        let holder = command.and_then(|command| command.inside).and_then(|at| self.commands.get(at));
        let outer = holder.and_then(|holder| holder.group);
        let first = command.and_then(|command| command.group).filter(|at| Some(*at) != outer);
        let parent = move |at: &usize| self.groups.get(*at)?.parent.filter(|parent| Some(*parent) != outer);
        let groups = std::iter::successors(first, parent).filter_map(|at| self.groups.get(at));
        own.iter().chain(groups.flat_map(|group| &group.redirects))
    }

    /// Whether the command of this index stands in a loop.
    pub fn is_in_loop(&self, command: usize) -> bool {
        self.groups_of(command).any(|group| group.kind == GroupKind::Loop)
    }
}
