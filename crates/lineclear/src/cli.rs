//! Arguments, and which command they ask for.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{CommandFactory, Parser, Subcommand};

use crate::command::history::{artifacts, cache, diff, flakes, logs, replay, runs, why};
use crate::command::{
    check, docs, doctor, eval, evidence, gate, image, images, init, key, ledger, lsp, overview, plan, policy, promote,
    prune, publish, registry, run, secret, security, status, variable, vulnerabilities,
};
use crate::exit::Exit;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  lineclear                         what is here, and what to type next
  lineclear run                     what a push of this branch would run, now
  lineclear run -j test             one job, with what it needs
  lineclear check                   mistakes and holes in the workflows, before they run
  lineclear plan --event pull_request
                                    what an event would run, and why
  lineclear why                     what of the last run did not simply succeed, and why
  lineclear logs last-failed --failed
                                    what the steps that failed printed
  lineclear eval '1 < 2 && github.actor'

Exit codes: 0 success, 1 the work failed, 2 wrong input or usage, 3 Lineclear itself failed, 130 cancelled.";

static STARTED_IN: OnceLock<PathBuf> = OnceLock::new();

/// Runs GitHub Actions workflows unchanged, here and now.
#[derive(Debug, Parser)]
#[command(name = "lineclear", version, after_help = EXAMPLES, max_term_width = 110)]
pub(crate) struct Cli {
    /// Work as if started in this folder.
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    directory: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the workflows that an event starts.
    Run(Box<run::RunArgs>),
    /// Say what an event would run, and why each workflow and job would or would not.
    Plan(Box<plan::PlanArgs>),
    /// Find mistakes and holes in workflows before they run, and repair them.
    Check(Box<check::CheckArgs>),
    /// Look at the repository, and write a policy and what workflows are missing.
    Init(init::InitArgs),
    /// Say what this repository is held to, and how it stands.
    Status(status::StatusArgs),
    /// Say what lineclear.toml asks, and print its schema for editors.
    Policy(policy::PolicyArgs),
    /// List the runs that there were.
    Runs(runs::RunsArgs),
    /// Show what the steps of a run printed, or look for something in it.
    Logs(logs::LogsArgs),
    /// Say why what was skipped, waited, missed its cache, failed or was cancelled.
    Why(why::WhyArgs),
    /// Say what changed between two runs, and what came out differently.
    Diff(diff::DiffArgs),
    /// Decide again on what a run recorded, or run it again.
    Replay(replay::ReplayArgs),
    /// List what a run kept, and download it.
    Artifacts(artifacts::ArtifactsArgs),
    /// List, explain and remove caches.
    Cache(cache::CacheArgs),
    /// List the tests that do not always say the same.
    Flakes(flakes::FlakesArgs),
    /// Write the guide of the repository's pipelines: triggers, jobs, required checks, secrets.
    Docs(docs::DocsArgs),
    /// Say whether a commit or an image may be published: clear or blocked, and why.
    Gate(Box<gate::GateArgs>),
    /// Show, verify and export what was stated of commits and images.
    Ledger(ledger::LedgerArgs),
    /// State something of a commit or an image, or list what is stated.
    Evidence(Box<evidence::EvidenceArgs>),
    /// Evaluate one expression, or many as JSON lines.
    Eval(eval::EvalArgs),
    /// Keep secrets for runs, encrypted, and say who uses them.
    Secret(secret::SecretArgs),
    /// Keep configuration variables for runs.
    Variable(variable::VariableArgs),
    /// Look at images in registries; copy, name, push, sign, verify and delete them.
    Image(Box<image::ImageArgs>),
    /// Make, list and remove the keys that images are signed with.
    Key(key::KeyArgs),
    /// List what scanners found in this repository: since when, where, and whether it is still there.
    Security(security::SecurityArgs),
    /// Take in known vulnerabilities, for scans without a network, and say how old they are.
    Vulnerabilities(vulnerabilities::VulnerabilitiesArgs),
    /// Say what is known of images: digest, commit, runs, evidence, tags, targets.
    Images(images::ImagesArgs),
    /// Move images of a commit to their release repositories, by digest, through a clear gate.
    Publish(Box<publish::PublishArgs>),
    /// Give an image that was published the names of a target; the digest stays.
    Promote(Box<promote::PromoteArgs>),
    /// Serve, list, sweep and verify the images of the embedded registry.
    Registry(registry::RegistryArgs),
    /// Remove old runs, expired artifacts, unused caches and images without a tag.
    Prune(prune::PruneArgs),
    /// Say what this machine has for jobs and what it lacks, and remove what killed runs left.
    Doctor(doctor::DoctorArgs),
    /// Answer an editor by the Language Server Protocol, on standard input and output.
    Lsp(lsp::LspArgs),
    /// Print a script that completes lineclear's arguments in a shell.
    Completions {
        /// The shell to complete in.
        shell: clap_complete::Shell,
    },
}

/// Reads the arguments, carries out the command, and gives its exit code.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are printed through the same door and are no error. A closed pipe is nobody's fault.
            let _ = error.print();
            return if error.use_stderr() { Exit::BadInput } else { Exit::Success }.into();
        }
    };
    if let Ok(here) = std::env::current_dir() {
        // The first and only time.
        let _ = STARTED_IN.set(here);
    }
    if let Some(folder) = &cli.directory
        && let Err(error) = std::env::set_current_dir(folder)
    {
        output::complain(&format!("error: cannot work in `{}`: {error}", folder.display()));
        return Exit::BadInput.into();
    }
    let exit = match cli.command {
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Plan(args)) => plan::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Init(args)) => init::run(&args),
        Some(Command::Status(args)) => status::run(&args),
        Some(Command::Policy(args)) => policy::run(&args),
        Some(Command::Runs(args)) => runs::run(&args),
        Some(Command::Logs(args)) => logs::run(&args),
        Some(Command::Why(args)) => why::run(&args),
        Some(Command::Diff(args)) => diff::run(&args),
        Some(Command::Replay(args)) => replay::run(&args),
        Some(Command::Artifacts(args)) => artifacts::run(&args),
        Some(Command::Cache(args)) => cache::run(&args),
        Some(Command::Flakes(args)) => flakes::run(&args),
        Some(Command::Docs(args)) => docs::run(&args),
        Some(Command::Gate(args)) => gate::run(&args),
        Some(Command::Ledger(args)) => ledger::run(&args),
        Some(Command::Evidence(args)) => evidence::run(&args),
        Some(Command::Eval(args)) => eval::run(&args),
        Some(Command::Secret(args)) => secret::run(&args),
        Some(Command::Variable(args)) => variable::run(&args),
        Some(Command::Image(args)) => image::run(&args),
        Some(Command::Key(args)) => key::run(&args),
        Some(Command::Security(args)) => security::run(&args),
        Some(Command::Vulnerabilities(args)) => vulnerabilities::run(&args),
        Some(Command::Images(args)) => images::run(&args),
        Some(Command::Publish(args)) => publish::run(&args),
        Some(Command::Promote(args)) => promote::run(&args),
        Some(Command::Registry(args)) => registry::run(&args),
        Some(Command::Prune(args)) => prune::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Lsp(args)) => lsp::run(&args),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "lineclear", &mut script);
            output::print(&String::from_utf8_lossy(&script));
            Exit::Success
        }
        None => overview::run(),
    };
    // Half a plan, or half of a stream of events, must not pass for the whole.
    let exit = if exit == Exit::Success && output::was_lost() { Exit::EngineFault } else { exit };
    exit.into()
}

/// The folder in which this program was started, before `-C`.
pub(crate) fn started_in() -> Option<&'static PathBuf> {
    STARTED_IN.get()
}

/// Reads an argument of the form NAME=VALUE.
pub(crate) fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }
}
