//! `lineclear eval`: evaluates one expression, or many as JSON lines.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use lineclear_expr::batch::{Fault, JsonScope, evaluate_line};
use lineclear_runner::Reach;
use lineclear_source::{Diagnostic, Source};
use serde_json::Map;

use crate::exit::Exit;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  lineclear eval \"contains('Hello', 'ELL')\"
  lineclear eval --context context.json '${{ github.ref }}'
                                    with context.json such as {\"github\": {\"ref\": \"refs/heads/main\"}}
  lineclear eval \"hashFiles('**/package-lock.json')\"
  lineclear eval -- '-Infinity'
  echo '{\"expr\": \"a.b\", \"context\": {\"a\": {\"b\": 1}}}' | lineclear eval --batch";

/// The longest line that `--batch` reads, in bytes.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// Arguments of `eval`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EvalArgs {
    /// The expression, with or without ${{ }} around it.
    #[arg(value_name = "EXPR", required_unless_present = "batch", allow_negative_numbers = true)]
    expression: Option<String>,

    /// The contexts that can be named: a JSON object of them ("-": standard input). [default: none]
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,

    /// Read lines {"expr": …, "context": …} from standard input, and answer each with {"value": …} or {"error": …}.
    #[arg(long, conflicts_with_all = ["expression", "context", "format"])]
    batch: bool,

    /// How to show the value: as JSON over several lines where that helps, or as JSON in one line.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// How `eval` shows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON for people.
    Text,
    /// JSON in one line.
    Json,
}

/// Carries out `eval`.
pub(crate) fn run(args: &EvalArgs) -> Exit {
    let folder = match std::env::current_dir() {
        Ok(folder) => folder,
        Err(error) => {
            output::complain(&format!("error: cannot tell the current folder: {error}"));
            return Exit::EngineFault;
        }
    };
    let home = std::env::var("HOME").ok();
    let hash_files =
        |patterns: &[String]| lineclear_runner::hash_files(&folder, home.as_deref(), patterns, &Reach::everywhere());
    match &args.expression {
        Some(text) => evaluate(text, args, &hash_files),
        None => match answer_lines(io::stdin().lock(), io::stdout().lock(), &hash_files) {
            Ok(()) => Exit::Success,
            // Whoever read the answers has gone: `| head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
            Err(error) => {
                output::complain(&format!("error: cannot read lines or write answers: {error}"));
                Exit::EngineFault
            }
        },
    }
}

fn evaluate(text: &str, args: &EvalArgs, hash_files: lineclear_expr::batch::HashFiles<'_>) -> Exit {
    let contexts = match args.context.as_deref().map(read_contexts).transpose() {
        Ok(contexts) => contexts,
        Err(message) => {
            output::complain(&format!("error: {message}"));
            return Exit::BadInput;
        }
    };
    let scope = JsonScope::new(contexts.as_ref().unwrap_or(&Map::new()), hash_files);
    match scope.evaluate(text) {
        Ok(value) => {
            output::print(&shown(&value.to_json(), args.format));
            Exit::Success
        }
        Err(fault) => {
            let findings = findings(&fault, contexts.is_some());
            output::complain_findings(&Source::new("expression", text), &findings);
            Exit::BadInput
        }
    }
}

fn shown(value: &serde_json::Value, format: Format) -> String {
    match format {
        Format::Text => format!("{value:#}\n"),
        Format::Json => format!("{value}\n"),
    }
}

fn findings(fault: &Fault, has_contexts: bool) -> Vec<Diagnostic> {
    let errors = match fault {
        Fault::Parse(errors) => errors,
        Fault::Evaluate(error) => return vec![error.to_diagnostic(0)],
    };
    let mut findings: Vec<Diagnostic> = errors.iter().map(|error| error.to_diagnostic(0)).collect();
    let names_context = errors.iter().position(|error| error.words.starts_with("Unrecognized named-value"));
    if let Some(at) = names_context.filter(|_| !has_contexts) {
        let help = "give the contexts with --context FILE, a JSON object such as {\"github\": {\"ref\": \"…\"}}";
        findings[at].help.push(help.to_owned());
    }
    findings
}

/// The contexts of a file; the error is a sentence for the user.
fn read_contexts(path: &Path) -> Result<Map<String, serde_json::Value>, String> {
    let (name, text) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), io::read_to_string(io::stdin().lock()))
    } else {
        (format!("`{}`", path.display()), std::fs::read_to_string(path))
    };
    let text = text.map_err(|error| format!("cannot read the contexts from {name}: {error}"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(contexts)) => Ok(contexts),
        Ok(_) => Err(format!("{name} is not a JSON object of contexts, such as {{\"github\": {{}}}}")),
        Err(error) => Err(format!("{name} is not JSON: {error}")),
    }
}

/// Answers each line of `input` in order. What was answered is written before more input is waited for.
fn answer_lines(
    input: impl Read,
    mut output: impl Write,
    hash_files: lineclear_expr::batch::HashFiles<'_>,
) -> io::Result<()> {
    let mut input = BufReader::with_capacity(64 * 1024, input);
    let mut line = Vec::new();
    let mut answers = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            output.write_all(&answers)?;
            return output.flush();
        }
        let answer = if line.len() as u64 == LONGEST_LINE && line.last() != Some(&b'\n') {
            input.skip_until(b'\n')?;
            Some(r#"{"error":"the line is longer than 64 MiB"}"#.to_owned())
        } else {
            match std::str::from_utf8(&line) {
                Ok(line) => evaluate_line(line, hash_files),
                Err(error) => Some(format!(r#"{{"error":"the line is not UTF-8: {error}"}}"#)),
            }
        };
        if let Some(answer) = answer {
            answers.extend_from_slice(answer.as_bytes());
            answers.push(b'\n');
        }
        let more_is_here = input.buffer().contains(&b'\n');
        if !more_is_here || answers.len() > 64 * 1024 {
            output.write_all(&answers)?;
            output.flush()?;
            answers.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::{Style, render};

    use super::*;

    fn no_files(_: &[String]) -> Result<String, String> {
        Ok(String::new())
    }

    fn answers(input: &[u8]) -> String {
        let mut output = Vec::new();
        answer_lines(input, &mut output, &no_files).expect("reads from and writes to memory");
        String::from_utf8(output).expect("answers are text")
    }

    #[test]
    fn lines_are_answered_in_order_and_blank_ones_are_not() {
        let input = b"{\"expr\":\"1\"}\n\n  \r\n{\"expr\":\"x\"}\r\nno\n{\"expr\":\"'last'\"}";
        let answers = answers(input);
        let lines: Vec<&str> = answers.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0], r#"{"value":1}"#);
        assert!(lines[1].starts_with(r#"{"error":"Unrecognized named-value: 'x'"#));
        assert!(lines[2].starts_with(r#"{"error":"the line is not JSON"#));
        assert_eq!(lines[3], r#"{"value":"last"}"#);
    }

    #[test]
    fn a_line_that_is_not_text_is_answered_with_an_error() {
        let answers = answers(b"\xff\xfe\n{\"expr\":\"2\"}\n");
        assert!(answers.starts_with(r#"{"error":"the line is not UTF-8"#) && answers.ends_with("{\"value\":2}\n"));
    }

    /// Gives one line at each read, and remembers what had been written by then.
    struct Conversation<'c> {
        lines: Vec<&'static [u8]>,
        written: &'c std::cell::RefCell<Vec<u8>>,
        seen: &'c std::cell::RefCell<Vec<usize>>,
    }

    impl Read for Conversation<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.seen.borrow_mut().push(self.written.borrow().len());
            let Some(line) = self.lines.pop() else { return Ok(0) };
            buffer[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }

    struct Shared<'c>(&'c std::cell::RefCell<Vec<u8>>);

    impl Write for Shared<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_answer_is_written_before_the_next_line_is_waited_for() {
        let (written, seen) = Default::default();
        let conversation =
            Conversation { lines: vec![b"{\"expr\":\"2\"}\n", b"{\"expr\":\"1\"}\n"], written: &written, seen: &seen };
        answer_lines(conversation, Shared(&written), &no_files).expect("reads and writes");
        assert_eq!(*seen.borrow(), [0, 12, 24]);
    }

    #[test]
    fn a_fault_underlines_the_part_that_is_wrong() {
        let text = "github.ref == 'x' && gihtub";
        let scope = JsonScope::new(&Map::new(), &no_files);
        let found = findings(&scope.evaluate(text).expect_err("no contexts"), false);
        assert_eq!(found.len(), 2);
        let shown = render(&found[0], &Source::new("expression", text), Style::Plain);
        assert!(shown.contains("^^^^^^") && shown.contains("--context FILE"), "{shown}");
        assert_eq!(found[1].span.map(lineclear_source::Span::range), Some(21..27));
    }

    #[test]
    fn values_are_shown_as_json() {
        let value = serde_json::json!({"a": [1, "x"]});
        assert_eq!(shown(&value, Format::Json), "{\"a\":[1,\"x\"]}\n");
        assert_eq!(shown(&value, Format::Text), "{\n  \"a\": [\n    1,\n    \"x\"\n  ]\n}\n");
        assert_eq!(shown(&serde_json::json!("x"), Format::Text), "\"x\"\n");
    }
}
