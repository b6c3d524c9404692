//! Programs that jobs start.

use std::process::{Command, Stdio};

use super::Finding;

const AREA: &str = "tools";

/// A program, how it tells its version, and who needs it.
struct Tool {
    name: &'static str,
    command: &'static [&'static str],
    is_needed: bool,
    needed_for: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "git",
        command: &["git", "--version"],
        is_needed: true,
        needed_for: "every run: events and checkouts come from it",
    },
    Tool {
        name: "bash",
        command: &["bash", "--version"],
        is_needed: false,
        needed_for: "`run` steps; without it they use sh, as on GitHub",
    },
    Tool {
        name: "node",
        command: &["node", "--version"],
        is_needed: false,
        needed_for: "JavaScript actions that are not built in",
    },
    Tool {
        name: "python3",
        command: &["python3", "--version"],
        is_needed: false,
        needed_for: "`shell: python`, and setup-python",
    },
    Tool {
        name: "docker",
        command: &["docker", "--version"],
        is_needed: false,
        needed_for: "steps that call `docker`",
    },
    Tool {
        name: "docker compose",
        command: &["docker", "compose", "version"],
        is_needed: false,
        needed_for: "steps that call `docker compose`",
    },
    Tool {
        name: "docker buildx",
        command: &["docker", "buildx", "version"],
        is_needed: false,
        needed_for: "image builds by BuildKit: cache mounts, secrets",
    },
    Tool {
        name: "buildah",
        command: &["buildah", "--version"],
        is_needed: false,
        needed_for: "image builds without a container engine",
    },
    Tool {
        name: "shellcheck",
        command: &["shellcheck", "--version"],
        is_needed: false,
        needed_for: "what `lineclear check` says of scripts beyond its own rules",
    },
];

pub(super) fn look() -> Vec<Finding> {
    TOOLS.iter().map(Tool::look).collect()
}

impl Tool {
    fn look(&self) -> Finding {
        match version(self.command) {
            Ok(version) => Finding::ready(AREA, self.name, version),
            Err(why) if self.is_needed => {
                Finding::broken(AREA, self.name, why).with_help(format!("for {}", self.needed_for))
            }
            Err(why) => Finding::absent(AREA, self.name, why).with_help(format!("for {}", self.needed_for)),
        }
    }
}

/// The line of a program's answer that has a digit in it: some begin with a title.
fn version(command: &[&str]) -> Result<String, String> {
    let [program, arguments @ ..] = command else { return Err("no program".to_owned()) };
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "not installed".to_owned(),
        _ => format!("cannot be started: {error}"),
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.contains(|letter: char| letter.is_ascii_digit()));
    match line {
        Some(line) if output.status.success() => Ok(line.trim().to_owned()),
        _ => {
            let why = String::from_utf8_lossy(&output.stderr);
            let why = why.lines().next().unwrap_or("it says nothing").trim().to_owned();
            Err(format!("does not work: {why}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_first_line_with_a_number() {
        assert_eq!(version(&["printf", "Title\nversion: 0.9\nmore 1"]), Ok("version: 0.9".to_owned()));
        assert_eq!(version(&["no-such-program-here"]), Err("not installed".to_owned()));
        assert_eq!(version(&["sh", "-c", "echo broken >&2; exit 3"]), Err("does not work: broken".to_owned()));
    }
}
