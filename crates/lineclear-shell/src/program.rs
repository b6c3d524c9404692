//! The program that a command runs, seen through those that only start another.

use crate::{Command, Word};

/// A program that starts another: the options that take a value of their own, and how many words stand before the other program.
struct Starter {
    name: &'static str,
    /// Letters of short options whose value is the next word, if it is not glued to them.
    short: &'static str,
    /// Long options whose value is the next word, if there is no `=`.
    long: &'static [&'static str],
    /// Words that are not options before the other program.
    operands: usize,
    /// Whether `NAME=value` may stand before the other program.
    assignments: bool,
}

const fn starter(name: &'static str, short: &'static str) -> Starter {
    Starter { name, short, long: &[], operands: 0, assignments: false }
}

static STARTERS: &[Starter] = &[
    Starter {
        name: "sudo",
        short: "ugpCrthTUDR",
        long: &["--user", "--group", "--prompt", "--chdir", "--host", "--role", "--type"],
        operands: 0,
        assignments: true,
    },
    Starter { name: "env", short: "uC", long: &["--unset", "--chdir"], operands: 0, assignments: true },
    starter("doas", "uC"),
    starter("gosu", ""),
    starter("command", ""),
    starter("builtin", ""),
    starter("exec", "a"),
    starter("time", "fo"),
    Starter { name: "nice", short: "n", long: &["--adjustment"], operands: 0, assignments: false },
    starter("ionice", "cnp"),
    starter("nohup", ""),
    starter("setsid", ""),
    starter("stdbuf", "ioe"),
    starter("unbuffer", ""),
    starter("winpty", ""),
    starter("chronic", ""),
    starter("caffeinate", "tw"),
    Starter {
        name: "xargs",
        short: "nPILdaEs",
        long: &["--max-args", "--max-procs", "--replace", "--delimiter", "--arg-file", "--max-lines"],
        operands: 0,
        assignments: false,
    },
    Starter { name: "timeout", short: "sk", long: &["--signal", "--kill-after"], operands: 1, assignments: false },
    Starter { name: "gtimeout", short: "sk", long: &["--signal", "--kill-after"], operands: 1, assignments: false },
    Starter { name: "flock", short: "wE", long: &["--timeout", "--wait"], operands: 1, assignments: false },
    starter("retry", "tmdn"),
    Starter {
        name: "xvfb-run",
        short: "nsefpw",
        long: &["--server-num", "--server-args", "--error-file", "--auth-file"],
        operands: 0,
        assignments: false,
    },
    starter("dbus-run-session", ""),
    starter("catchsegv", ""),
    starter("arch", ""),
];

/// More than this many starters in a row is nobody's script.
const MOST_STARTERS: usize = 8;

impl Command {
    /// The program as it is called, without its folder and `.exe`, and its arguments: what `sudo`, `env`, `command`, `exec`, `time`, `nice`,
    /// `xargs`, `timeout` and their like start counts as the program.
    pub fn program(&self) -> Option<(&str, &[Word])> {
        program_of(&self.words)
    }

    /// The program's word: see [`Command::program`].
    pub fn program_word(&self) -> Option<&Word> {
        let (_, arguments) = self.program()?;
        self.words.get(self.words.len().checked_sub(arguments.len() + 1)?)
    }
}

/// The program that these words call.
pub(crate) fn program_of(words: &[Word]) -> Option<(&str, &[Word])> {
    let mut words = words;
    for _ in 0..MOST_STARTERS {
        let (first, rest) = words.split_first()?;
        let name = base_name(&first.text);
        let Some(started) = started_by(name, rest) else { return Some((name, rest)) };
        words = started;
    }
    let (first, rest) = words.split_first()?;
    Some((base_name(&first.text), rest))
}

/// The words of the program that the program `name` starts, if it starts one.
fn started_by<'w>(name: &str, arguments: &'w [Word]) -> Option<&'w [Word]> {
    // What `$SUDO` stands for is plain; so is PowerShell's call operator.
    if matches!(name, "$SUDO" | "${SUDO}" | "$sudo" | "${sudo}" | "&" | ".") {
        let is_program = name != "." && !arguments.is_empty();
        return is_program.then_some(arguments);
    }
    let starter = STARTERS.iter().find(|starter| starter.name == name)?;
    let mut rest = arguments;
    let mut operands = starter.operands;
    while let Some((word, behind)) = rest.split_first() {
        let text = word.text.as_str();
        if text == "--" {
            rest = behind;
            break;
        } else if let Some(long) = text.strip_prefix("--") {
            let takes_next = !long.contains('=') && starter.long.contains(&text);
            rest = if takes_next { behind.get(1..)? } else { behind };
        } else if let Some(short) = text.strip_prefix('-').filter(|short| !short.is_empty()) {
            // `command -v x` asks where `x` is, and `env -S` takes a text.
            if (name == "command" && short.contains(['v', 'V'])) || (name == "env" && short.starts_with('S')) {
                return None;
            }
            // The first letter that takes a value takes what is glued to it, or else the next word.
            let takes_next =
                short.find(|letter| starter.short.contains(letter)).is_some_and(|at| at + 1 == short.len());
            rest = if takes_next { behind.get(1..)? } else { behind };
        } else if starter.assignments && is_assignment(text) {
            rest = behind;
        } else if operands > 0 || (name == "retry" && text.bytes().all(|byte| byte.is_ascii_digit())) {
            operands = operands.saturating_sub(1);
            rest = behind;
        } else {
            break;
        }
    }
    for _ in 0..operands {
        rest = rest.split_first()?.1;
    }
    (!rest.is_empty()).then_some(rest)
}

fn is_assignment(text: &str) -> bool {
    let end = crate::text::name_end(text.as_bytes(), 0);
    end > 0 && text.as_bytes().get(end) == Some(&b'=')
}

fn base_name(text: &str) -> &str {
    // A folder may be an expression, in which slashes are something else.
    let behind = text.rfind("}}").and_then(|at| text.get(at + 2..)).filter(|behind| behind.contains('/'));
    let name = match behind {
        Some(behind) => behind,
        None if text.contains("${{") => return text,
        None => text,
    };
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    name.strip_suffix(".exe").unwrap_or(name)
}

/// Whether this is a shell that takes a script by `-c`.
pub(crate) fn is_shell(name: &str) -> bool {
    matches!(name, "bash" | "sh" | "dash" | "zsh" | "ksh" | "ash")
}
