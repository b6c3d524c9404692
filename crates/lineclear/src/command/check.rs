//! `lineclear check`: finds mistakes and holes before anything runs, and repairs what can be repaired.

mod choose;
mod list;
mod mend;
mod show;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use lineclear_check::{Baseline, Settings};
use lineclear_source::Severity;

use crate::checking::{Around, Named, Outcome, Work};
use crate::exit::Exit;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  lineclear check                                 everything in this repository
  lineclear check .github/workflows/ci.yml        one file
  lineclear check 'services/**/Dockerfile' compose.prod.yml
  lineclear check --fix --diff                    what the safe repairs would change
  lineclear check --fix=all                       all repairs; read them before you keep them
  lineclear check --explain template-injection    what a rule finds, why, and what to do
  lineclear check --format sarif > check.sarif    for code scanning
  lineclear check --write-baseline .lineclear-baseline.json
                                                  leave alone what is there now
  git show :ci.yml | lineclear check - --stdin-filename .github/workflows/ci.yml

A finding is silenced where it stands: # lineclear: ignore[rule] why it is fine here
Levels, paths and runner labels are set in lineclear.toml: docs/check.md

Exit codes: 0 nothing at the level of --deny (error, unless set) or above, 1 something, or with --diff something to repair, 2 wrong usage.";

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    /// Files, folders or patterns; `-` is standard input. [default: the whole repository]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// What standard input is called; its path decides what kind of file it is.
    #[arg(long, value_name = "PATH", default_value = ".github/workflows/stdin.yml")]
    stdin_filename: String,

    /// How to show what is found.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Repair: `safe` makes edits that keep what a file does, `all` also those that have to be read.
    #[arg(long, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "safe")]
    fix: Option<mend::Which>,

    /// Show what the repairs would change, and write nothing.
    #[arg(long)]
    diff: bool,

    /// Report only these rules; may be repeated.
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,

    /// Leave this rule out; may be repeated.
    #[arg(long, value_name = "RULE")]
    allow: Vec<String>,

    /// Fail from this severity on. [default: error, or what lineclear.toml says]
    #[arg(long, value_name = "SEVERITY")]
    deny: Option<Deny>,

    /// Ask the pedantic rules, too.
    #[arg(long)]
    pedantic: bool,

    /// Show findings of this severity and above.
    #[arg(long, value_name = "SEVERITY", default_value = "info")]
    min_severity: Deny,

    /// The forge whose language is meant, for files in none of the forges' own folders.
    #[arg(long, value_name = "FORGE")]
    dialect: Option<Forge>,

    /// Leave alone the findings of this file, which `--write-baseline` wrote.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write all findings into this file, to be left alone from now on.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fix", "diff", "baseline", "rules"])]
    write_baseline: Option<PathBuf>,

    /// Ask git servers for what is not on this machine: commits of tags to pin, metadata of actions, called workflows.
    #[arg(long)]
    online: bool,

    /// Start no other program (shellcheck, python3) for scripts.
    #[arg(long)]
    no_tools: bool,

    /// Also count the findings of each rule.
    #[arg(long)]
    statistics: bool,

    /// How many files to check at once. [default: one for each core]
    #[arg(long, value_name = "NUMBER")]
    threads: Option<usize>,

    /// Print the page of a rule.
    #[arg(long, value_name = "RULE", conflicts_with_all = ["paths", "list"])]
    explain: Option<String>,

    /// List all rules.
    #[arg(long, conflicts_with = "paths")]
    list: bool,
}

/// How findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Against the lines they stand in, for people.
    Text,
    /// One line for each, for editors and grep.
    Short,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands that become annotations.
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Deny {
    Info,
    Warning,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Forge {
    Github,
    Gitea,
}

impl From<Deny> for Severity {
    fn from(deny: Deny) -> Self {
        match deny {
            Deny::Info => Self::Info,
            Deny::Warning => Self::Warning,
            Deny::Error => Self::Error,
        }
    }
}

/// What is checked and how, once arguments and `lineclear.toml` have been read.
struct Asked {
    root: PathBuf,
    named: Named,
    settings: Settings,
    around: BTreeMap<String, Around>,
    threads: usize,
    deny: Severity,
    baseline: Option<(PathBuf, Baseline)>,
}

impl Asked {
    fn check(&self) -> Vec<Outcome> {
        let Self { named, settings, around, threads, .. } = self;
        Work { named, settings, around, threads: *threads }.check()
    }
}

/// Carries out `check`.
pub(crate) fn run(args: &CheckArgs) -> Exit {
    if let Some(rule) = &args.explain {
        return list::explain(rule);
    }
    if args.list {
        return list::list(args.format == Format::Json);
    }
    checked(args).unwrap_or_else(|message| {
        output::complain(&format!("error: {message}"));
        Exit::BadInput
    })
}

fn checked(args: &CheckArgs) -> Result<Exit, String> {
    let here = std::env::current_dir().map_err(|error| format!("the current folder is not usable: {error}"))?;
    let root = root_of(&here);
    let mut asked = choose::asked(args, &root, &here)?;
    let stdin = args.paths.iter().any(|path| path.as_os_str() == "-");
    for name in &asked.named.unknown {
        output::complain(&format!("note: nothing is known of files like `{name}`; it is left out"));
    }
    if asked.named.inputs.is_empty() && !stdin {
        if args.paths.is_empty() || !asked.named.unknown.is_empty() {
            output::complain("nothing to check: there are no workflows, actions, Dockerfiles or compose files here");
            return Ok(Exit::Success);
        }
        return Err("there is nothing to check in what was named".to_owned());
    }
    if args.fix.is_some() || args.diff {
        return mend::mend(args, &asked, stdin);
    }
    let mut outcomes = asked.check();
    if stdin {
        outcomes.push(choose::standard_input(args, &asked)?);
    }
    if let Some(path) = &args.write_baseline {
        return write_baseline(path, &outcomes);
    }
    Ok(tell(args, &mut asked, outcomes))
}

/// Shows what was found, less what is known, and says whether that is a failure.
fn tell(args: &CheckArgs, asked: &mut Asked, mut outcomes: Vec<Outcome>) -> Exit {
    let mut known = 0;
    if let Some((path, baseline)) = &mut asked.baseline {
        let all = baseline.count();
        for outcome in &mut outcomes {
            let name = outcome.source.name().to_owned();
            outcome.findings.retain(|finding| !baseline.take(&name, finding));
        }
        known = all - baseline.count();
        let left = baseline.left();
        if left > 0 && asked.named.is_whole && asked.settings.only.is_none() {
            let path = path.display();
            output::complain(&format!(
                "note: {left} entries of {path} are no longer found; write it anew to remove them"
            ));
        }
    }
    let least: Severity = args.min_severity.into();
    let deny = asked.deny;
    let fails =
        outcomes.iter().flat_map(|outcome| &outcome.findings).any(|finding| finding.diagnostic.severity >= deny);
    for outcome in &mut outcomes {
        outcome.findings.retain(|finding| finding.diagnostic.severity >= least);
    }
    show::show(args.format, &outcomes, known, args.statistics);
    if fails { Exit::WorkFailed } else { Exit::Success }
}

fn write_baseline(path: &Path, outcomes: &[Outcome]) -> Result<Exit, String> {
    let findings =
        outcomes.iter().flat_map(|outcome| outcome.findings.iter().map(|finding| (outcome.source.name(), finding)));
    let baseline = Baseline::of(findings);
    std::fs::write(path, baseline.text())
        .map_err(|error| format!("`{}` cannot be written: {error}", path.display()))?;
    output::complain(&format!("{} findings are now known in {}", baseline.count(), path.display()));
    Ok(Exit::Success)
}

/// The repository's root: the nearest folder upwards with what makes one, or this folder.
fn root_of(here: &Path) -> PathBuf {
    const MARKS: [&str; 5] = [".github", ".gitea", ".forgejo", "lineclear.toml", ".git"];
    let is_root = |folder: &&Path| MARKS.iter().any(|mark| folder.join(mark).exists());
    here.ancestors().find(is_root).unwrap_or(here).to_path_buf()
}
