//! `lineclear image scan`: known vulnerabilities of what is in an image, without asking any network but its registry.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use lineclear_deliver::inventory::{self, InventoryError};
use lineclear_event::{Evidence, Severity, Statement, Subject, Witness, with_causes};
use lineclear_ledger::LedgerOf;
use lineclear_oci::{AnyManifest, Digest, Platform, Reference};
use lineclear_policy::{PRESET_GATE, Policy, VulnerabilitySeverity};
use lineclear_sbom::{Inventory, read_document};
use lineclear_source::Style;
use lineclear_vulnerability::{Database, Hit, Scan, sarif, scan};
use serde_json::{Value, json};

use super::Failure;
use super::connection::ConnectionArgs;
use super::reached::Reached;
use crate::command::vulnerabilities::{is_stale, millis};
use crate::exit::Exit;
use crate::history::terminal::harmless;
use crate::history::words::{age, count};
use crate::history::{History, Scope};
use crate::{output, policy_file, scanning, settings};

const EXAMPLES: &str = "\
Examples:
  lineclear vulnerabilities import Debian.zip PyPI.zip
                                               once, and again when it is old
  lineclear image scan ghcr.io/me/app:1        what is known of its packages; the ledger is told, by digest
  lineclear image scan ghcr.io/me/app:1 --fail-on critical,high
                                               the same, and exit code 1 if there is any
  lineclear image scan ghcr.io/me/app:1 --fail-on critical,high --budget 4
                                               up to four are accepted
  lineclear image scan sha256:…                an image of this repository, where the ledger says
  lineclear image scan --sbom app.spdx.json --format sarif --output app.sarif
  lineclear image scan .                       a folder: lock files and what is installed

`[[scan.ignore]]` of lineclear.toml takes findings out, each with a reason, an owner and a last day; `[scan] block` is the default of `--fail-on`,
then what the gate `main` blocks, as a preset may have it.
What could not be looked up is said, and a scan with such a gap passes no gate.
Exit codes: 0 done, 1 findings that count, or gaps where findings would count, 2 wrong input. More: docs/scan.md";

/// Arguments of `image scan`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ScanArgs {
    /// One image (`name`, `name:tag`, `name@sha256:…`, `sha256:…`), a folder, or an archive of an image.
    #[arg(required_unless_present = "sbom")]
    what: Option<String>,

    /// Take the packages from this SPDX or CycloneDX document.
    #[arg(long, value_name = "FILE", conflicts_with = "what")]
    sbom: Option<PathBuf>,

    /// Show findings of these severities only (the ledger is told of all).
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SEVERITY")]
    severity: Vec<Level>,

    /// Exit with 1 if there are findings of these severities (default: `block` in `[scan]` of lineclear.toml, then what the
    /// gate `main` blocks).
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SEVERITY")]
    fail_on: Vec<Level>,

    /// So many findings of these severities are accepted.
    #[arg(long, value_name = "NUMBER")]
    budget: Option<u64>,

    /// Leave out what no version repairs yet.
    #[arg(long)]
    ignore_unfixed: bool,

    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Form,

    /// Write it to this file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Of several platforms, this one only, such as `linux/arm64` (default: each of them).
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,

    /// Do not tell the ledger.
    #[arg(long)]
    no_record: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    #[default]
    Text,
    /// Documented keys (docs/scan.md).
    Json,
    /// SARIF 2.1.0.
    Sarif,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Critical,
    High,
    #[value(alias = "moderate")]
    Medium,
    Low,
    Unknown,
}

/// One list of packages, looked up.
struct Scanned {
    inventory: Inventory,
    scan: Scan,
}

/// What was asked for, read.
struct Taken {
    inventories: Vec<Inventory>,
    /// Of images in a registry: the digest of the index around them.
    index: Option<Digest>,
    /// Whether the digests are those of a registry, which evidence may be about.
    is_by_digest: bool,
}

/// Carries out `image scan`.
pub(super) fn run(args: &ScanArgs) -> Result<Exit, Failure> {
    let history = History::open(&Scope::default()).map_err(|error| Failure::Input(with_causes(&error)))?;
    let root = history.checkout.root.clone();
    let policy = policy(&root)?;
    let database = scanning::database(&policy.scan, &root).map_err(Failure::Input)?;
    let database = database.ok_or_else(|| Failure::Input(scanning::NOTHING_KNOWN.to_owned()))?;
    let ledger = history.repository.clone().map(|repository| LedgerOf::open(Arc::new(history.store), repository));
    let taken = take(args, ledger.as_ref())?;
    let ignores = scanning::ignores(&policy.scan);
    let mut all = Vec::new();
    for inventory in taken.inventories {
        let mut scan = scan(&inventory, &database, &ignores)
            .map_err(|error| Failure::Input(format!("the database of vulnerabilities: {error}")))?;
        if args.ignore_unfixed {
            scan.hits.retain(|hit| !hit.fixed.is_empty());
        }
        all.push(Scanned { inventory, scan });
    }
    let (fail_on, budget) = args.accepts(&policy);
    let blocking = all.iter().flat_map(|one| &one.scan.hits).filter(|hit| fail_on.contains(&hit.severity));
    let blocking = blocking.map(Hit::finding).collect::<BTreeSet<_>>().len() as u64;
    // `--ignore-unfixed` is a way to look at it, and no way past a gate.
    let is_recorded = taken.is_by_digest && !args.no_record && !args.ignore_unfixed;
    let told = if is_recorded { record(&all, taken.index.as_ref(), ledger.as_ref())? } else { String::new() };
    show(args, &all, &database, &told)?;
    warn(&all, &database);
    let gaps: usize = all.iter().map(|one| one.scan.gaps.len()).sum();
    let of = fail_on.iter().rev().map(|severity| severity.as_str()).collect::<Vec<_>>().join(" or ");
    if blocking > budget {
        let accepted = match budget {
            0 => "none is".to_owned(),
            1 => "one is".to_owned(),
            number => format!("{number} are"),
        };
        let findings = if blocking == 1 { "finding" } else { "findings" };
        output::complain(&format!("error: {blocking} {findings} of severity {of}, and {accepted} accepted"));
        return Ok(Exit::WorkFailed);
    }
    if gaps > 0 && !fail_on.is_empty() {
        output::complain(&format!(
            "error: not everything could be looked up, so nobody knows that nothing of severity {of} is there"
        ));
        return Ok(Exit::WorkFailed);
    }
    Ok(Exit::Success)
}

/// The policy with what its preset stands for. What the preset does not find in the workflows is no business of a scan.
fn policy(root: &Path) -> Result<Policy, Failure> {
    let file = policy_file::read(root).map_err(Failure::Input)?;
    // Half of a policy is none: an ignore that was misspelt must not let something through, or keep it.
    if let Some(error) = file.findings.iter().find(|finding| finding.is_error()) {
        let shown = lineclear_source::render(error, &file.source, output::stderr_style());
        return Err(Failure::Input(format!("{}:\n{}", policy_file::NAME, shown.trim_end())));
    }
    Ok(file.policy)
}

fn take(args: &ScanArgs, ledger: Option<&LedgerOf>) -> Result<Taken, Failure> {
    let of_file = |inventory| Taken { inventories: vec![inventory], index: None, is_by_digest: false };
    if let Some(path) = &args.sbom {
        let fault = |why: String| Failure::Input(format!("`{}`: {why}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| fault(format!("it cannot be read: {error}")))?;
        let (_, mut inventory) = read_document(&bytes).map_err(|error| fault(with_causes(&error)))?;
        if inventory.subject.name.is_empty() {
            inventory.subject.name = path.display().to_string();
        }
        return Ok(of_file(inventory));
    }
    let what = args.what.as_deref().unwrap_or_default().trim();
    one_reference(what)?;
    let platform = args.platform.clone().unwrap_or_else(Platform::of_this_machine);
    let path = Path::new(what);
    if path.exists() {
        if path.is_dir() && !path.join("oci-layout").is_file() {
            return Ok(of_file(inventory::of_folder(path).map_err(unread)?));
        }
        return Ok(of_file(inventory::of_archive(path, None, &platform, None).map_err(unread)?));
    }
    let image = if what.starts_with("sha256:") { known_by_digest(what, ledger)? } else { parsed(what)?.or_latest() };
    let reached = Reached::of(&image, &args.connection)?;
    let Reached { client, at, .. } = &reached;
    let manifest = client.manifest(at)?;
    let index = match &manifest {
        AnyManifest::Index(_) => Some(manifest.digest().clone()),
        AnyManifest::Image(_) => None,
    };
    let read = |of: &Digest, name: &Reference, platform: &Platform| -> Result<Inventory, Failure> {
        let mut found = inventory::of_registry(client, &at.only_at(of.clone()), platform).map_err(unread)?;
        found.subject.name = name.to_string();
        Ok(found)
    };
    let mut inventories = Vec::new();
    match (&index, &args.platform) {
        (Some(_), None) => {
            let images = manifest.children().iter().filter(|child| !child.is_buildkit_attestation());
            for child in images {
                let of = child.platform.clone().unwrap_or_else(|| platform.clone());
                inventories.push(read(&child.digest, &reached.name.at(child.digest.clone()), &of)?);
            }
        }
        _ => inventories.push(read(manifest.digest(), &reached.name, &platform)?),
    }
    // Of an index, every image has to be known before anything is said of it.
    Ok(Taken { inventories, index: index.filter(|_| args.platform.is_none()), is_by_digest: true })
}

/// The registry's word, or what is wrong with the image.
fn unread(error: InventoryError) -> Failure {
    match error {
        InventoryError::Registry(error) => error.into(),
        error => Failure::Input(with_causes(&error)),
    }
}

/// S1-54: a list of tags, as other actions make them, is no image.
fn one_reference(what: &str) -> Result<(), Failure> {
    let given: Vec<&str> = what.split([',', '\n', '\r', ' ', '\t']).filter(|part| !part.is_empty()).collect();
    if given.len() < 2 || Path::new(what).exists() {
        return Ok(());
    }
    Err(Failure::Input(format!(
        "{} names are given ({}, …), and one scan is of one image: give its digest, `name@sha256:…`. Tags of one build have the same digest, \
         so one of them is enough",
        given.len(),
        given[0]
    )))
}

fn parsed(what: &str) -> Result<Reference, Failure> {
    Reference::parse(what)
        .map_err(|error| Failure::Input(format!("there is no `{what}`, and it is no name of an image either: {error}")))
}

/// Where the ledger says that a digest is.
fn known_by_digest(digest: &str, ledger: Option<&LedgerOf>) -> Result<Reference, Failure> {
    let unknown = || {
        Failure::Input(format!(
            "the ledger knows no image `{digest}`: name where it is, `registry.example/name@{digest}`"
        ))
    };
    let subject: Subject =
        digest.parse().map_err(|error: lineclear_event::NoSubject| Failure::Input(error.to_string()))?;
    let index = ledger.ok_or_else(unknown)?.index().map_err(|error| Failure::Input(with_causes(&error)))?;
    let names = index.of(&subject).rev().find_map(|entry| match &entry.evidence.statement {
        Statement::Image(image) => image.names.first().cloned(),
        Statement::Move(moved) => Some(moved.repository.clone()),
        _ => None,
    });
    let name = parsed(&names.ok_or_else(unknown)?)?;
    let digest = Digest::parse(digest).map_err(|error| Failure::Input(error.to_string()))?;
    Ok(name.only_at(digest))
}

/// Tells the ledger of each image by its own digest, and of the index only when all that it names was looked at.
fn record(all: &[Scanned], index: Option<&Digest>, ledger: Option<&LedgerOf>) -> Result<String, Failure> {
    let Some(ledger) = ledger else { return Ok("no ledger is told: this folder is of no repository\n".into()) };
    let at = settings::now();
    let evidence = |digest: &str, scan: &Scan| -> Option<Evidence> {
        let statement = Statement::Scan(scan.statement());
        Some(Evidence { subject: digest.parse().ok()?, at, by: Witness::Engine, statement })
    };
    let mut list: Vec<Evidence> =
        all.iter().filter_map(|one| evidence(one.inventory.subject.digest.as_deref()?, &one.scan)).collect();
    list.extend(
        index.and_then(|digest| evidence(&digest.to_string(), &Scan::together(all.iter().map(|one| &one.scan)))),
    );
    let number = list.len();
    ledger
        .append(list)
        .map_err(|error| Failure::Input(format!("the ledger cannot be told: {}", with_causes(&error))))?;
    Ok(format!("the ledger of {} knows it of {}\n", ledger.repository(), count(number, "digest")))
}

/// What people have to know beside the findings.
fn warn(all: &[Scanned], database: &Database) {
    let mut told = BTreeSet::new();
    for one in all {
        for gap in &one.scan.gaps {
            if told.insert(gap.clone()) {
                output::complain(&format!("warning: not looked up: {gap}"));
            }
        }
        for expired in &one.scan.expired {
            let (id, until, owner) = (&expired.ignore.id, &expired.ignore.until, &expired.ignore.owner);
            let line = format!("warning: the ignore of {id} by {owner} ended on {until} and ignores nothing any more");
            if told.insert(line.clone()) {
                output::complain(&line);
            }
        }
        // Of an image that is a gap, or somebody's word.
        let is_told = !one.scan.gaps.is_empty() || !one.scan.ignored.is_empty();
        if one.inventory.packages.is_empty() && !is_told {
            output::complain(&format!("warning: no package was found in {}", one.inventory.subject.name));
        }
    }
    let now = settings::now();
    let oldest = database.ecosystems().values().filter_map(|about| millis(&about.imported)).min();
    if let Some(oldest) = oldest.filter(|oldest| is_stale(*oldest, now)) {
        output::complain(&format!(
            "warning: a part of the database was imported {}: newer vulnerabilities are not found",
            age(oldest, now)
        ));
    }
}

fn show(args: &ScanArgs, all: &[Scanned], database: &Database, told: &str) -> Result<(), Failure> {
    let text = match args.format {
        Form::Text => text(args, all, database),
        Form::Json => {
            format!("{:#}\n", json!({ "images": all.iter().map(|one| document(args, one)).collect::<Vec<_>>() }))
        }
        Form::Sarif => format!("{:#}\n", sarif_of_all(args, all)),
    };
    match &args.output {
        Some(path) => {
            let fault = |error| Failure::Input(format!("cannot write `{}`: {error}", path.display()));
            std::fs::write(path, text).map_err(fault)?;
            let hits: usize = all.iter().map(|one| one.scan.hits.len()).sum();
            output::print(&format!("{} in `{}`\n{told}", count(hits, "finding"), path.display()));
        }
        None if args.format == Form::Text => output::print(&format!("{text}{told}")),
        None => output::print(&text),
    }
    Ok(())
}

fn document(args: &ScanArgs, one: &Scanned) -> Value {
    let shown: Vec<&Hit> = one.scan.hits.iter().filter(|hit| args.shows(hit)).collect();
    json!({
        "image": one.inventory.subject.name,
        "digest": one.inventory.subject.digest,
        "platform": one.inventory.subject.platform,
        "packages": one.scan.packages,
        "database": one.scan.database,
        "counts": one.scan.counts(),
        "findings": shown,
        "ignored": one.scan.ignored,
        "expired": one.scan.expired,
        "gaps": one.scan.gaps,
    })
}

/// A log with a run for each image, each in a category of its own where there are several.
fn sarif_of_all(args: &ScanArgs, all: &[Scanned]) -> Value {
    let mut log = Value::Null;
    let mut runs = Vec::new();
    for one in all {
        let mut shown = one.scan.clone();
        shown.hits.retain(|hit| args.shows(hit));
        let subject = &one.inventory.subject;
        log = sarif(&shown, &subject.name, subject.digest.as_deref(), env!("CARGO_PKG_VERSION"));
        let Some(mut run) = log["runs"].get_mut(0).map(Value::take) else { continue };
        if let Some(platform) = subject.platform.as_ref().filter(|_| all.len() > 1) {
            run["automationDetails"] = json!({ "id": format!("lineclear/{platform}/") });
        }
        runs.push(run);
    }
    log["runs"] = Value::Array(runs);
    log
}

fn text(args: &ScanArgs, all: &[Scanned], database: &Database) -> String {
    let mut text = String::new();
    for one in all {
        let subject = &one.inventory.subject;
        let _ = writeln!(text, "{}", subject.name);
        let distribution = one.inventory.distribution.as_ref().map(|known| known.pretty.clone());
        for fact in [subject.digest.clone(), subject.platform.clone(), distribution]
            .into_iter()
            .flatten()
            .filter(|fact| !fact.is_empty())
        {
            let _ = writeln!(text, "  {}", harmless(&fact, Style::Plain));
        }
        let shown: Vec<&Hit> = one.scan.hits.iter().filter(|hit| args.shows(hit)).collect();
        if !shown.is_empty() {
            text.push('\n');
        }
        let widest = |of: &dyn Fn(&Hit) -> usize| shown.iter().map(|hit| of(hit)).max().unwrap_or(0).min(50);
        let ids = widest(&|hit| hit.id.chars().count());
        let packages = widest(&|hit| hit.package.chars().count() + hit.version.chars().count() + 1);
        for hit in &shown {
            let fixed =
                if hit.fixed.is_empty() { "not repaired yet".to_owned() } else { format!("fixed in {}", hit.fixed) };
            let package = format!("{} {}", hit.package, hit.version);
            let line =
                format!("{:<9} {:<ids$}  {package:<packages$}  {fixed}  {}", hit.severity.as_str(), hit.id, hit.title);
            // Whoever made the image or the record chose these words.
            let _ = writeln!(text, "{}", harmless(line.trim_end(), Style::Plain));
        }
        let counts: Vec<String> =
            one.scan.counts().iter().rev().map(|(severity, number)| format!("{number} {severity}")).collect();
        let found = match (counts.is_empty(), one.scan.gaps.is_empty()) {
            (false, _) => counts.join(", "),
            (true, true) => "nothing found".to_owned(),
            (true, false) => "nothing found in these, and not everything could be looked up".to_owned(),
        };
        let _ = writeln!(text, "\n{} looked up: {found}", count(one.scan.packages, "package"));
        for ignored in &one.scan.ignored {
            let (hit, ignore) = (&ignored.hit, &ignored.ignore);
            let _ = writeln!(
                text,
                "ignored: {} in {}: {} ({}, until {})",
                hit.id, hit.package, ignore.reason, ignore.owner, ignore.until
            );
        }
    }
    if let Some(newest) = database.newest() {
        let _ = writeln!(text, "newest record of the database: {}", newest.get(..10).unwrap_or(newest));
    }
    text
}

impl ScanArgs {
    fn shows(&self, hit: &Hit) -> bool {
        self.severity.is_empty() || self.severity.iter().any(|level| Severity::from(*level) == hit.severity)
    }

    /// The severities that count, and how many findings of them are accepted: what was asked for, else what `[scan]` says, else what the gate
    /// asks for that a preset speaks of.
    fn accepts(&self, policy: &Policy) -> (BTreeSet<Severity>, u64) {
        let given = self.budget.unwrap_or(0);
        if !self.fail_on.is_empty() {
            return (self.fail_on.iter().map(|level| Severity::from(*level)).collect(), given);
        }
        if let Some(block) = &policy.scan.block {
            return (block.value.iter().map(|of| severity(of.value)).collect(), given);
        }
        let Some(scan) = policy.gate(PRESET_GATE).and_then(|gate| gate.scan.as_ref()) else {
            return (BTreeSet::new(), given);
        };
        let accepted = scan.budget.as_ref().map_or(0, |budget| u64::from(budget.value));
        (scan.block.iter().map(|of| severity(of.value)).collect(), self.budget.unwrap_or(accepted))
    }
}

fn severity(of: VulnerabilitySeverity) -> Severity {
    match of {
        VulnerabilitySeverity::Unknown => Severity::Unknown,
        VulnerabilitySeverity::Low => Severity::Low,
        VulnerabilitySeverity::Medium => Severity::Medium,
        VulnerabilitySeverity::High => Severity::High,
        VulnerabilitySeverity::Critical => Severity::Critical,
    }
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Critical => Self::Critical,
            Level::High => Self::High,
            Level::Medium => Self::Medium,
            Level::Low => Self::Low,
            Level::Unknown => Self::Unknown,
        }
    }
}
