//! Which shell a script is given to, and how.
//!
//! # Source
//! Section 1.6 of the protocol notes, after `ScriptHandler.cs` and `ScriptHandlerHelpers.cs` of `actions/runner`.

use std::borrow::Cow;

/// A shell as `shell:` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shell {
    /// A name to be found on the `PATH`, or a path.
    pub(crate) program: String,
    /// Arguments as one text, `{0}` standing for the script's path.
    pub(crate) arguments: String,
}

/// Why a `shell:` is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a shell: it must be one of bash, sh, pwsh, python, cmd and powershell, or a command line with `{{0}}` in the \
     place of the script, such as `{0} {{0}}`"
)]
pub(crate) struct NotAShell(String);

impl Shell {
    /// The shell of a step that names none: start-up files are read, and a failing part of a pipe goes unnoticed (traps 1 and 3).
    pub(crate) fn unspecified(bash_exists: bool) -> Self {
        Self::new(if bash_exists { "bash" } else { "sh" }, "-e {0}")
    }

    pub(crate) fn parse(text: &str) -> Result<Self, NotAShell> {
        let text = text.trim();
        let (program, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim();
        if !rest.is_empty() {
            if !rest.contains("{0}") {
                return Err(NotAShell(text.to_owned()));
            }
            return Ok(Self::new(program, rest));
        }
        match program.to_ascii_lowercase().as_str() {
            "bash" => Ok(Self::new(program, "--noprofile --norc -e -o pipefail {0}")),
            "sh" => Ok(Self::new(program, "-e {0}")),
            "pwsh" | "powershell" => Ok(Self::new(program, "-command \". '{0}'\"")),
            "python" => Ok(Self::new(program, "{0}")),
            "cmd" => Ok(Self::new(program, "/D /E:ON /V:OFF /S /C \"CALL \"{0}\"\"")),
            _ => Err(NotAShell(text.to_owned())),
        }
    }

    fn new(program: &str, arguments: &str) -> Self {
        Self { program: program.to_owned(), arguments: arguments.to_owned() }
    }

    /// The end of the script's file name, known by the command's name; none for a command that is not known (trap 4).
    pub(crate) fn extension(&self) -> &'static str {
        match self.kind() {
            "bash" | "sh" => ".sh",
            "pwsh" | "powershell" => ".ps1",
            "python" => ".py",
            "cmd" => ".cmd",
            _ => "",
        }
    }

    /// What is written to the script's file.
    pub(crate) fn script<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.kind() {
            "pwsh" | "powershell" => Cow::Owned(format!(
                "$ErrorActionPreference = 'stop'\n{text}\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) {{ exit $LASTEXITCODE }}"
            )),
            "cmd" => Cow::Owned(format!("@echo off\n{text}")),
            _ => Cow::Borrowed(text),
        }
    }

    /// The arguments, one by one, with `script` as the script's path.
    pub(crate) fn arguments(&self, script: &str) -> Vec<String> {
        split_arguments(&self.arguments).into_iter().map(|argument| argument.replace("{0}", script)).collect()
    }

    fn kind(&self) -> &'static str {
        let name = self.program.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        ["bash", "sh", "pwsh", "powershell", "python", "cmd"].into_iter().find(|&kind| kind == name).unwrap_or_default()
    }
}

/// Splits a line into arguments as .NET does when it starts a process: at blanks outside double quotes; a backslash is
/// itself unless a double quote follows.
pub(crate) fn split_arguments(line: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut current: Option<String> = None;
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let mut slashes = 1;
                while characters.next_if_eq(&'\\').is_some() {
                    slashes += 1;
                }
                let argument = current.get_or_insert_default();
                if characters.peek() == Some(&'"') {
                    argument.push_str(&"\\".repeat(slashes / 2));
                    if slashes % 2 == 1 {
                        characters.next();
                        argument.push('"');
                    }
                } else {
                    argument.push_str(&"\\".repeat(slashes));
                }
            }
            '"' => {
                current.get_or_insert_default();
                quoted = !quoted;
            }
            ' ' | '\t' if !quoted => arguments.extend(current.take()),
            other => current.get_or_insert_default().push(other),
        }
    }
    arguments.extend(current);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(shell: &str) -> String {
        match Shell::parse(shell) {
            Ok(shell) => format!("{} {:?} {}", shell.program, shell.arguments("/s"), shell.extension()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn traps_1_and_3_only_a_bash_that_is_asked_for_minds_pipes() {
        assert_eq!(Shell::unspecified(true).arguments("/s"), ["-e", "/s"]);
        assert_eq!(line("bash"), r#"bash ["--noprofile", "--norc", "-e", "-o", "pipefail", "/s"] .sh"#);
        assert_eq!(line("bash -x {0}"), r#"bash ["-x", "/s"] .sh"#);
    }

    #[test]
    fn trap_4_a_custom_shell_has_no_extension_and_needs_a_place_for_the_script() {
        assert_eq!(line("perl {0}"), r#"perl ["/s"] "#);
        assert!(line("node").starts_with("`node` is not a shell"), "{}", line("node"));
        assert!(line("perl -w").starts_with("`perl -w` is not a shell"));
    }

    #[test]
    fn known_shells_get_their_arguments() {
        assert_eq!(line("sh"), r#"sh ["-e", "/s"] .sh"#);
        assert_eq!(line("python"), r#"python ["/s"] .py"#);
        assert_eq!(line("pwsh"), r#"pwsh ["-command", ". '/s'"] .ps1"#);
    }

    #[test]
    fn arguments_are_split_as_dot_net_splits_them() {
        assert_eq!(split_arguments(r#"-c "a b" c\d "e\"f" """#), ["-c", "a b", r"c\d", r#"e"f"#, ""]);
        assert_eq!(split_arguments("  "), Vec::<String>::new());
    }
}
