//! Other programs that know one language better: `shellcheck` and `python3`. They are given scripts to read; nothing of a workflow is run.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use lineclear_check::linter::{self, Remark, Snippet};
use serde_json::{Value, json};

use crate::output;

/// Longer than this takes no linter for the scripts of one file.
const LONGEST: Duration = Duration::from_secs(30);
/// More than this says no linter about the scripts of one file.
const MOST_OUTPUT: u64 = 64 << 20;

/// The programs of this machine, asked for when the first script comes.
#[derive(Debug, Default)]
pub(super) struct Tools {
    has_shellcheck: OnceLock<bool>,
    has_python: OnceLock<bool>,
}

impl Tools {
    /// What ShellCheck says of each script; one process for each dialect.
    pub(super) fn lint_shell(&self, snippets: &[Snippet]) -> Option<Vec<Vec<Remark>>> {
        if !self.has_shellcheck.get_or_init(|| is_there("shellcheck")) {
            return None;
        }
        let mut remarks = vec![Vec::new(); snippets.len()];
        let mut by_dialect: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, snippet) in snippets.iter().enumerate() {
            by_dialect.entry(snippet.dialect).or_default().push(index);
        }
        for (dialect, indices) in by_dialect {
            let folder = tempfile::tempdir().ok()?;
            let mut arguments = linter::shellcheck_arguments(dialect);
            // Files in the place of standard input.
            arguments.pop();
            for &index in &indices {
                let path = folder.path().join(index.to_string());
                std::fs::write(&path, snippets.get(index)?.text.as_bytes()).ok()?;
                arguments.push(path.to_str()?.to_owned());
            }
            let answer: Value = serde_json::from_str(&answer("shellcheck", &arguments, "")?).ok()?;
            for comment in answer.get("comments")?.as_array()? {
                let name = comment.get("file")?.as_str()?.rsplit('/').next()?;
                let of_one = json!({ "comments": [comment] }).to_string();
                let index: usize = name.parse().ok()?;
                remarks.get_mut(index)?.extend(linter::read_shellcheck(&of_one)?);
            }
        }
        Some(remarks)
    }

    /// What Python says of each script; one process for all.
    pub(super) fn lint_python(&self, snippets: &[Snippet]) -> Option<Vec<Vec<Remark>>> {
        if !self.has_python.get_or_init(|| is_there("python3")) {
            return None;
        }
        if snippets.is_empty() {
            return Some(Vec::new());
        }
        // Isolated: no variable and no file of the repository decides what is imported.
        let arguments = ["-I".to_owned(), "-c".to_owned(), linter::PYTHON_PROGRAM.to_owned()];
        linter::read_python(&answer("python3", &arguments, &linter::python_input(snippets))?)
    }
}

/// Whether a program of this name is on the `PATH`.
fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// What a program says to its input. One that fails or takes too long is told, and says nothing.
fn answer(program: &str, arguments: &[String], input: &str) -> Option<String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let stdin = child.stdin.take();
    let stdout = child.stdout.take()?;
    let text = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A program that does not read to the end has its reason; its answer tells.
            let _ = stdin.map(|mut stdin| stdin.write_all(input.as_bytes()));
        });
        let reader = scope.spawn(move || {
            let mut text = String::new();
            stdout.take(MOST_OUTPUT).read_to_string(&mut text).ok().map(|_| text)
        });
        if !ends(&mut child) {
            output::complain(&format!(
                "note: {program} took more than {} s for one file and was ended",
                LONGEST.as_secs()
            ));
        }
        reader.join().ok().flatten()
    });
    // 1: something was found.
    let code = child.wait().ok()?.code()?;
    text.filter(|_| code <= 1)
}

/// Waits for a program; ends it when that takes too long.
fn ends(child: &mut Child) -> bool {
    let until = Instant::now() + LONGEST;
    let mut pause = Duration::from_millis(1);
    while Instant::now() < until {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    // It may have ended this very moment.
    let _ = child.kill();
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snippet(text: &str, dialect: &'static str) -> Snippet {
        Snippet { text: text.to_owned(), dialect }
    }

    #[test]
    fn each_script_gets_its_own_remarks() {
        let tools = Tools::default();
        let scripts = [snippet("echo ok\n", "bash"), snippet("echo $x\n", "bash"), snippet("[[ a ]]\n", "sh")];
        let remarks = tools.lint_shell(&scripts).expect("this test needs shellcheck");
        assert!(remarks[0].is_empty(), "{remarks:?}");
        assert!(remarks[1].iter().any(|remark| remark.code == "SC2086"), "{remarks:?}");
        assert!(remarks[2].iter().any(|remark| remark.code.starts_with("SC30")), "{remarks:?}");
        let scripts = [snippet("print(1)\n", "python"), snippet("def f(:\n", "python")];
        let remarks = tools.lint_python(&scripts).expect("this test needs python3");
        assert!(remarks[0].is_empty() && remarks[1].len() == 1, "{remarks:?}");
    }
}
