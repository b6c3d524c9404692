//! `lineclear images`: from a digest to its commit, runs, evidence, tags and targets, and back.

use clap::Args;
use lineclear_deliver::{Known, Lookup};
use lineclear_event::{CheckContext, Statement, Subject};
use lineclear_gate::{Asked, Decision, Index, decide};
use serde_json::{Value, json};

use super::publish::{Format, said};
use crate::delivery::{Delivery, Ended};
use crate::exit::Exit;
use crate::output;
use crate::session::registry::RegistryArgs;
use crate::settings::now;

const EXAMPLES: &str = "\
Examples:
  lineclear images                     every image that runs have pushed: tags, digest, commit, gate
  lineclear images backend             those of one image of lineclear.toml
  lineclear images sha256:1a2b3c4d     what is known of a digest: commit, runs, evidence, tags, targets
  lineclear images 1a2b3c4d            what was built from a commit
  lineclear images '#42'               what a run has pushed
  lineclear images latest              what a tag stands for
  lineclear images latest --past       and what it has stood for before, the newest first

All of it is what the ledger knows: no registry is called.
Exit codes: 0 found, 1 nothing is known of it, 2 wrong input, 3 Lineclear itself failed. More: docs/publish.md";

/// Arguments of `images`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImagesArgs {
    /// A digest, a commit (or their first digits), a run, a tag, or an image of `lineclear.toml`. [default: all]
    what: Option<String>,

    /// Of a tag: also the images that it has stood for before.
    #[arg(long, requires = "what")]
    past: bool,

    /// How to show it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Carries out `images`.
pub(crate) fn run(args: &ImagesArgs) -> Exit {
    images(args).unwrap_or_else(said)
}

fn images(args: &ImagesArgs) -> Result<Exit, Ended> {
    let of_digest = args.what.as_deref().and_then(|what| Some((what, what.strip_prefix("sha256:")?)));
    let is_hex = |text: &str| !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some((what, _)) = of_digest.filter(|(_, digits)| !is_hex(digits)) {
        return Err(Ended::input(format!(
            "`{}` is no digest: `sha256:` and 64 hexadecimal digits, or the first of them",
            what.escape_debug()
        )));
    }
    let delivery = Delivery::here(&RegistryArgs::default(), None)?;
    let index = delivery.index()?;
    let lookup = Lookup::new(&index);
    let found: Vec<&Known> = match &args.what {
        None => lookup.all().collect(),
        Some(what) => {
            // A branch or a tag of git is a name for a commit.
            let found = if args.past { lookup.find_ever(what) } else { lookup.find(what) };
            let commit = || delivery.commits.resolve(what).map(|commit| lookup.find(&commit)).unwrap_or_default();
            if found.is_empty() { commit() } else { found }
        }
    };
    if let (Some(what), true) = (&args.what, found.is_empty()) {
        return Err(Ended::work(format!(
            "the ledger of `{}` knows no image by `{what}`; `lineclear images` lists those that it knows",
            delivery.repository
        )));
    }
    let detailed = args.what.is_some() && found.len() == 1;
    match args.format {
        Format::Json => {
            let images: Vec<Value> = found.iter().map(|known| shown(&delivery, &index, known)).collect();
            output::print(&format!("{:#}\n", json!({ "version": 1, "images": images })));
        }
        Format::Text if found.is_empty() => {
            output::print("no run has pushed an image that the ledger knows of\n");
        }
        Format::Text if detailed => {
            output::print(&found.iter().map(|known| detail(&delivery, &index, known)).collect::<String>())
        }
        Format::Text => output::print(&table(&found)),
    }
    Ok(Exit::Success)
}

fn table(found: &[&Known]) -> String {
    let mut rows = vec![["IMAGE", "TAGS", "DIGEST", "COMMIT", "GATE", "PROMOTED TO"].map(str::to_owned)];
    for known in found.iter().rev() {
        let tags: Vec<&str> = known.tags.iter().filter(|tag| tag.is_current).map(|tag| tag.tag.as_str()).collect();
        let gate = known.decided.as_ref().map_or_else(
            || "not asked".to_owned(),
            |(_, gate, clear)| format!("{gate}: {}", if *clear { "clear" } else { "blocked" }),
        );
        let targets: Vec<&str> = known.targets.iter().map(String::as_str).collect();
        rows.push([
            name_of(known),
            or_dash(&tags.join(", ")),
            known.digest.chars().take(19).collect(),
            or_dash(known.commits.last().and_then(|commit| commit.get(..7)).unwrap_or_default()),
            gate,
            or_dash(&targets.join(", ")),
        ]);
    }
    let wide = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..6).map(|column| wide(column).unwrap_or_default()).collect();
    let line = |row: &[String; 6]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, wide)| format!("{cell:wide$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn detail(delivery: &Delivery, index: &Index, known: &Known) -> String {
    let mut text = format!("{}  {}\n", name_of(known), known.digest);
    let mut line = |name: &str, values: &[String]| {
        for (number, value) in values.iter().enumerate() {
            text.push_str(&format!("  {:9} {value}\n", if number == 0 { name } else { "" }));
        }
    };
    line("commit", &known.commits);
    let runs: Vec<String> = known.runs.iter().map(|run| format!("run {run}: `lineclear why {run}`")).collect();
    line("built by", &runs);
    line("pushed as", &known.names);
    let tags: Vec<String> = known
        .tags
        .iter()
        .map(|tag| format!("{}:{}{}", tag.repository, tag.tag, if tag.is_current { "" } else { "  (has moved on)" }))
        .collect();
    line("tags", &tags);
    line("promoted", &known.targets.iter().cloned().collect::<Vec<_>>());
    let gates: Vec<String> = decisions(delivery, index, known)
        .iter()
        .map(|decision| {
            let blocked = decision.statement().blocked;
            match decision.clear {
                true => format!("{} is clear", decision.gate),
                false => format!("{} is blocked: {}", decision.gate, blocked.join("; ")),
            }
        })
        .collect();
    line("gate", &gates);
    let unfinished: Vec<String> =
        known.unfinished.iter().map(|id| format!("move {id}: `lineclear publish --resume`")).collect();
    line("unfinished", &unfinished);
    line("evidence", &evidence(index, known));
    text
}

fn shown(delivery: &Delivery, index: &Index, known: &Known) -> Value {
    let tags: Vec<Value> = known
        .tags
        .iter()
        .map(|tag| json!({ "repository": tag.repository, "tag": tag.tag, "current": tag.is_current }))
        .collect();
    let gates: Vec<Value> = decisions(delivery, index, known)
        .iter()
        .map(|decision| json!({ "gate": decision.gate, "clear": decision.clear, "blocked": decision.statement().blocked }))
        .collect();
    json!({
        "image": known.image,
        "digest": known.digest,
        "commits": known.commits,
        "runs": known.runs,
        "names": known.names,
        "tags": tags,
        "targets": known.targets,
        "gates": gates,
        "unfinished": known.unfinished,
        "entries": known.entries,
    })
}

/// What the gates of the image say now.
fn decisions(delivery: &Delivery, index: &Index, known: &Known) -> Vec<Decision> {
    let Some(image) = delivery.policy.image(&known.image) else { return Vec::new() };
    let mut gates: Vec<&str> = Vec::new();
    let promoted = image.promote.iter().filter_map(|promotion| promotion.gate.as_ref());
    for gate in image.gate.iter().chain(promoted) {
        if !gates.contains(&gate.value.as_str()) {
            gates.push(&gate.value);
        }
    }
    let asked = Asked { subject: Subject::Digest(known.digest.clone()), context: CheckContext::Push, now: now() };
    let rules = gates.into_iter().filter_map(|gate| delivery.rules(gate));
    rules.map(|rules| decide(&rules, &asked, index, &delivery.commits)).collect()
}

/// What is stated of the digest itself, an entry a line.
fn evidence(index: &Index, known: &Known) -> Vec<String> {
    let of = |statement: &Statement| match statement {
        Statement::Image(_) => Some("pushed".to_owned()),
        Statement::Scan(scan) => {
            let counts: Vec<String> =
                scan.counts.iter().map(|(severity, count)| format!("{count} {severity}")).collect();
            let counts = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
            Some(format!("scan by {}: {counts}", scan.tool))
        }
        Statement::Sbom(sbom) => Some(format!(
            "list of contents ({}), {} package{}",
            sbom.format,
            sbom.packages,
            if sbom.packages == 1 { "" } else { "s" }
        )),
        Statement::Signature(signature) => Some(format!("signature by {}", signature.key)),
        Statement::Provenance(provenance) => Some(format!("provenance: built by {}", provenance.builder)),
        Statement::Stated(stated) => {
            Some(format!("{}: {}{}", stated.name, if stated.passes { "passes" } else { "fails" }, noted(&stated.note)))
        }
        Statement::Decision(decision) => {
            Some(format!("gate {}: {}", decision.gate, if decision.clear { "clear" } else { "blocked" }))
        }
        Statement::Move(moved) => Some(format!("move {} {:?}", moved.id, moved.phase).to_lowercase()),
        Statement::Tests(_)
        | Statement::Coverage(_)
        | Statement::Check(_)
        | Statement::Run(_)
        | Statement::Commit(_) => None,
    };
    let subject = Subject::Digest(known.digest.clone());
    let entries = index.of(&subject);
    entries.filter_map(|entry| Some(format!("{:>5}  {}", entry.number, of(&entry.evidence.statement)?))).collect()
}

fn noted(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" ({note})") }
}

fn name_of(known: &Known) -> String {
    let name = known.names.first().map(|name| name.split(['@']).next().unwrap_or(name).to_owned());
    if known.image.is_empty() { name.unwrap_or_else(|| "-".to_owned()) } else { known.image.clone() }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}
