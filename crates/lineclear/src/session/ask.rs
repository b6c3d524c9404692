//! Asking for the inputs of `workflow_dispatch` at a terminal.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};

use lineclear_workflow::{Input, InputKind, Workflow};

/// Whether there is somebody to be asked.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for every declared input that is not given. An empty answer takes the default; an impossible one is asked again.
///
/// # Errors
/// The terminal went away.
pub(crate) fn for_inputs(workflow: &Workflow, given: &mut BTreeMap<String, String>) -> io::Result<()> {
    let Some(trigger) = workflow.on.get("workflow_dispatch") else { return Ok(()) };
    let mut stdin = io::stdin().lock();
    for input in &trigger.inputs {
        if !given.keys().any(|name| name.eq_ignore_ascii_case(&input.name.value))
            && let Some(answer) = ask(input, &mut stdin, &mut io::stderr())?
        {
            given.insert(input.name.value.clone(), answer);
        }
    }
    Ok(())
}

/// One question, until the answer is possible. `None`: the default is taken.
fn ask(input: &Input, answers: &mut impl BufRead, screen: &mut impl Write) -> io::Result<Option<String>> {
    let default = input.default.as_ref().map(|default| default.raw().to_owned());
    let options: Vec<&str> = match &input.kind {
        InputKind::Choice(options) => options.iter().map(String::as_str).collect(),
        InputKind::Boolean => vec!["true", "false"],
        InputKind::String | InputKind::Number | InputKind::Environment => Vec::new(),
    };
    loop {
        let mut question = input.name.value.clone();
        if let Some(description) = &input.description {
            question.push_str(&format!(" ({description})"));
        }
        if !options.is_empty() {
            question.push_str(&format!(" {}", options.join("/")));
        }
        if let Some(default) = &default {
            question.push_str(&format!(" [{default}]"));
        }
        write!(screen, "{question}: ")?;
        screen.flush()?;
        let mut answer = String::new();
        if answers.read_line(&mut answer)? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("no answer for input `{}`", input.name.value),
            ));
        }
        match answer.trim() {
            "" if input.required && default.is_none() && options.is_empty() => {
                writeln!(screen, "  a value is required")?
            }
            "" => return Ok(None),
            answer if !options.is_empty() && !options.contains(&answer) => {
                writeln!(screen, "  expected one of {}", options.join(", "))?;
            }
            answer if input.kind == InputKind::Number && answer.parse::<f64>().is_err() => {
                writeln!(screen, "  expected a number")?;
            }
            answer => return Ok(Some(answer.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;

    use super::*;

    #[test]
    fn an_input_is_asked_for_until_the_answer_is_possible() {
        let text = "on:\n  workflow_dispatch:\n    inputs:\n      target:\n        description: where to\n        type: choice\n        options: [staging, production]\n        required: true\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n";
        let workflow = Workflow::read(&Source::new("w.yml", text)).model.expect("a workflow");
        let input = &workflow.on.get("workflow_dispatch").expect("the trigger").inputs[0];
        let mut screen = Vec::new();
        let answer = ask(input, &mut "nowhere\nproduction\n".as_bytes(), &mut screen).expect("an answer");
        assert_eq!(answer.as_deref(), Some("production"));
        let screen = String::from_utf8(screen).expect("text");
        assert_eq!(screen.matches("target (where to) staging/production: ").count(), 2, "{screen}");
        assert!(screen.contains("expected one of staging, production"), "{screen}");
        assert!(ask(input, &mut "".as_bytes(), &mut Vec::new()).is_err());
    }
}
