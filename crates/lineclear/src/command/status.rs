//! `lineclear status`: what this repository is held to, and how it stands.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use lineclear_event::{CheckContext, Subject};
use lineclear_gate::{Asked, Decision, Rules, decide};
use lineclear_ledger::LedgerOf;
use lineclear_policy::{Image, Policy};
use lineclear_store::Ledgers;
use lineclear_store_folder::FolderStore;
use serde::Serialize;

use crate::delivery::release_name;
use crate::exit::Exit;
use crate::gates::{Fault, GitCommits, unusable_home};
use crate::local_event::{Checkout, git_says};
use crate::output;
use crate::policy_file::{self, NAME};
use crate::settings;

const EXAMPLES: &str = "\
Examples:
  lineclear status                   what has to be proven here, and what of it is proven of HEAD
  lineclear status --format json     the same, for programs

A gate that is blocked is explained by `lineclear gate --explain`. Exit codes: 0, or 2 if lineclear.toml cannot be used.";

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatusArgs {
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    format: Shown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Shown {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// What there is to say.
#[derive(Debug, Serialize)]
struct Status {
    /// `publish_only` or `deploy`.
    mode: Mode,
    /// The mode in a sentence.
    says: &'static str,
    preset: Option<&'static str>,
    /// The commit that gates were asked about.
    commit: Option<String>,
    gates: Vec<GateStatus>,
    images: Vec<ImageStatus>,
    environments: Vec<String>,
    /// What nothing in the policy switches on.
    off: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    PublishOnly,
    Deploy,
}

#[derive(Debug, Serialize)]
struct GateStatus {
    gate: String,
    clear: bool,
    /// What is missing, a sentence each.
    blocked: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ImageStatus {
    image: String,
    repository: String,
    gate: Option<String>,
}

/// Carries out `status`.
pub(crate) fn run(args: &StatusArgs) -> Exit {
    let told = std::env::current_dir()
        .map_err(|error| Fault::Input(format!("this folder cannot be used: {error}")))
        .and_then(|here| status(&Checkout::find(&here)));
    Fault::end(told.map(|status| {
        output::print(&match args.format {
            Shown::Text => text(&status),
            Shown::Json => json(&status),
        });
        Exit::Success
    }))
}

fn status(checkout: &Checkout) -> Result<Status, Fault> {
    let file = policy_file::read(&checkout.root).map_err(Fault::Input)?;
    let unsound = |errors| Fault::Input(format!("`{NAME}` cannot be used\n\n{errors}"));
    let policy = file.sound(output::stderr_style()).map_err(unsound)?;
    let commit = head(&checkout.root);
    let gates = match &commit {
        Some(commit) => decisions(policy, checkout, commit)?.iter().map(GateStatus::of).collect(),
        None => Vec::new(),
    };
    let mode = if policy.environments.is_empty() { Mode::PublishOnly } else { Mode::Deploy };
    let says = match mode {
        Mode::PublishOnly if policy.images.is_empty() => {
            "publish only: no environments are configured, nothing is deployed; no image is configured either, so nothing is published"
        }
        Mode::PublishOnly => "publish only: no environments are configured, nothing is deployed",
        Mode::Deploy => "publish and deploy: environments are configured",
    };
    Ok(Status {
        mode,
        says,
        preset: policy.preset.as_ref().map(|preset| preset.preset.value.as_str()),
        commit,
        gates,
        images: policy.images.iter().map(|image| ImageStatus::of(image, &checkout.repository_name())).collect(),
        environments: policy.environments.iter().map(|environment| environment.name.value.clone()).collect(),
        off: off(policy),
    })
}

/// What nothing switches on. S0-57, S0-58, S0-59
fn off(policy: &Policy) -> Vec<&'static str> {
    let is = |value: &Option<lineclear_source::Spanned<bool>>| value.as_ref().is_some_and(|value| value.value);
    let deploys = policy.environments.iter().any(|environment| environment.deploy.is_some());
    let rolls_back = policy
        .environments
        .iter()
        .filter_map(|environment| environment.rollback.as_ref())
        .any(|rollback| rollback.value == lineclear_policy::Rollback::Automatic);
    let signs =
        policy.images.iter().any(|image| is(&image.sign)) || policy.gates.iter().any(|gate| is(&gate.signature));
    let lists =
        policy.images.iter().any(|image| !image.sbom.is_empty()) || policy.gates.iter().any(|gate| is(&gate.sbom));
    let attests = policy.gates.iter().any(|gate| is(&gate.provenance));
    let scans = policy.gates.iter().any(|gate| gate.scan.is_some());
    [
        (deploys, "deployment (`deploy` of an environment)"),
        (rolls_back, "rollback without being asked (`rollback = \"automatic\"` of an environment)"),
        (lists, "lists of contents (`sbom` of an image or gate)"),
        (signs, "signatures (`sign` of an image, `signature` of a gate)"),
        (attests, "attestations of builds (`provenance` of a gate)"),
        (scans, "known vulnerabilities block (`scan` of a gate)"),
    ]
    .into_iter()
    .filter(|(is_on, _)| !is_on)
    .map(|(_, what)| what)
    .collect()
}

fn head(root: &Path) -> Option<String> {
    let said = git_says(root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], &[]).ok()?;
    let commit = String::from_utf8(said).ok()?.trim().to_owned();
    matches!(commit.len(), 40 | 64).then_some(commit)
}

/// What the gates say of `commit`, as a push. Nothing is recorded: this only looks.
fn decisions(policy: &Policy, checkout: &Checkout, commit: &str) -> Result<Vec<Decision>, Fault> {
    let home = settings::home().map_err(Fault::Input)?;
    let store = FolderStore::open(home).map_err(|error| unusable_home(&error))?;
    let ledger = LedgerOf::open(Arc::new(store) as Arc<dyn Ledgers>, checkout.repository_name());
    let index = ledger.index()?;
    let asked =
        Asked { subject: Subject::Commit(commit.to_owned()), context: CheckContext::Push, now: settings::now() };
    let commits = GitCommits::new(&checkout.root);
    // Of a commit no signature is asked, so it does not matter whose would count.
    Ok(policy.gates.iter().map(|gate| decide(&Rules::from(gate), &asked, &index, &commits)).collect())
}

impl GateStatus {
    fn of(decision: &Decision) -> Self {
        let said = decision.statement();
        Self { gate: said.gate, clear: said.clear, blocked: said.blocked }
    }
}

impl ImageStatus {
    /// Of an image of `repository` (`owner/name`).
    fn of(image: &Image, repository: &str) -> Self {
        Self {
            image: image.name.value.clone(),
            repository: image.repository.as_ref().map(|text| release_name(&text.value, repository)).unwrap_or_default(),
            gate: image.gate.as_ref().map(|gate| gate.value.clone()),
        }
    }
}

fn json(status: &Status) -> String {
    // Texts and lists only.
    serde_json::to_string(status).map(|line| line + "\n").unwrap_or_default()
}

fn text(status: &Status) -> String {
    let style = output::stdout_style();
    let mut text = format!("{}\n", status.says);
    // Writing to a string cannot fail.
    if let Some(preset) = status.preset {
        let _ = writeln!(text, "preset `{preset}`: `lineclear policy explain` says what it asks");
    }
    match &status.commit {
        None => text.push_str("\nThere is no commit here yet, so no gate can be asked.\n"),
        Some(commit) => {
            let _ = writeln!(text, "\nGates, of HEAD ({})", commit.get(..12).unwrap_or(commit));
            if status.gates.is_empty() {
                let proven = if status.images.is_empty() { ": nothing has to be proven" } else { "" };
                let _ = writeln!(text, "  none{proven}; `lineclear init` writes a policy");
            }
        }
    }
    for gate in &status.gates {
        match gate.blocked.first() {
            None => {
                let _ = writeln!(text, "  {} {}", style.green("clear  "), gate.gate);
            }
            Some(first) => {
                let more = gate.blocked.len().saturating_sub(1);
                let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
                let _ = writeln!(text, "  {} {}: {first}{more}", style.red("blocked"), gate.gate);
            }
        }
    }
    if !status.images.is_empty() {
        text.push_str("\nImages\n");
    }
    for image in &status.images {
        let gate = image.gate.as_ref().map_or_else(
            || "through no gate: nothing publishes it".to_owned(),
            |gate| format!("through the gate `{gate}`"),
        );
        let _ = writeln!(text, "  {} goes to {} {gate}", image.image, image.repository);
    }
    if !status.environments.is_empty() {
        let _ = writeln!(text, "\nEnvironments\n  {}", status.environments.join(", "));
    }
    if !status.off.is_empty() {
        text.push_str("\nOff, because nothing asks for it\n");
    }
    for what in &status.off {
        let _ = writeln!(text, "  {what}");
    }
    text
}
