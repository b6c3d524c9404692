//! `lineclear policy`: what `lineclear.toml` asks, in sentences, and its schema for editors.

mod sentences;

use clap::{Args, Subcommand};
use lineclear_policy::{Policy, Preset};
use lineclear_source::{render, suggest};

use crate::exit::Exit;
use crate::local_event::Checkout;
use crate::output;
use crate::policy_file::{self, NAME};

const EXAMPLES: &str = "\
Examples:
  lineclear policy explain            what has to be proven before something moves
  lineclear policy explain main       the same, of one gate
  lineclear policy explain --preset strict
                                      what a preset stands for here
  lineclear policy schema > lineclear.schema.json
                                      a JSON Schema, by which editors complete and check lineclear.toml

Every key: docs/policy.md";

/// Arguments of `policy`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say in sentences what the policy asks.
    Explain(ExplainArgs),
    /// Print a JSON Schema of lineclear.toml, for editors.
    Schema,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  lineclear policy explain            what has to be proven before something moves
  lineclear policy explain main       the same, of one gate
  lineclear policy explain --preset strict
                                      what a preset stands for here

Exit codes: 0 said, 2 wrong input: lineclear.toml has errors, there is no such gate. More: docs/policy.md";

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
struct ExplainArgs {
    /// The gate to explain. [default: everything]
    gate: Option<String>,

    /// As if lineclear.toml named this preset.
    #[arg(long, value_name = "PRESET", value_parser = preset)]
    preset: Option<Preset>,
}

/// Reads the name of a preset.
pub(crate) fn preset(text: &str) -> Result<Preset, String> {
    Preset::ALL.iter().copied().find(|preset| preset.as_str() == text).ok_or_else(|| {
        let all: Vec<&str> = Preset::ALL.iter().map(|preset| preset.as_str()).collect();
        format!("expected one of: {}", all.join(", "))
    })
}

/// Carries out `policy`.
pub(crate) fn run(args: &PolicyArgs) -> Exit {
    let explained = match &args.command {
        Command::Schema => {
            output::print(lineclear_policy::SCHEMA);
            return Exit::Success;
        }
        Command::Explain(args) => match std::env::current_dir() {
            Ok(here) => explain(args, &Checkout::find(&here)),
            Err(error) => Err(format!("this folder cannot be used: {error}")),
        },
    };
    match explained {
        Ok(text) => {
            output::print(&text);
            Exit::Success
        }
        Err(message) => {
            output::complain(&format!("error: {message}"));
            Exit::BadInput
        }
    }
}

fn explain(args: &ExplainArgs, checkout: &Checkout) -> Result<String, String> {
    let file = policy_file::read_as(&checkout.root, args.preset)?;
    let policy = file.sound(output::stderr_style()).map_err(|errors| format!("`{NAME}` cannot be used\n\n{errors}"))?;
    for warning in file.problems.iter().filter(|problem| !problem.is_error()) {
        output::complain(render(warning, &file.source, output::stderr_style()).trim_end());
    }
    match &args.gate {
        Some(name) => {
            let gate = policy.gate(name).ok_or_else(|| no_gate(name, policy))?;
            Ok(sentences::of_gate(gate, policy))
        }
        None if !file.exists && args.preset.is_none() => Ok(format!(
            "There is no `{NAME}` here: nothing is asked, and nothing is published or deployed through a gate.\n`lineclear init` writes one.\n"
        )),
        None => Ok(sentences::of_policy(policy, &checkout.repository_name())),
    }
}

fn no_gate(name: &str, policy: &Policy) -> String {
    let names: Vec<&str> = policy.gates.iter().map(|gate| gate.name.value.as_str()).collect();
    match suggest(name, names.iter().copied()) {
        Some(near) => format!("there is no gate `{name}`; did you mean `{near}`?"),
        None if names.is_empty() => {
            format!("`{NAME}` has no gate: write `preset = \"publish-only\"`, or a `[gate.{name}]`")
        }
        None => format!("there is no gate `{name}`; there are: {}", names.join(", ")),
    }
}
