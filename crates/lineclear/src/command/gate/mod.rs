//! `lineclear gate`: clear or blocked, and why. `docs/gate.md` is its manual.

mod replay;
mod text;

use clap::{Args, ValueEnum};
use lineclear_event::{CheckContext, Evidence, Statement, Timestamp, Witness};
use lineclear_gate::{Asked, Decision, Index, Rules, decide};
use serde_json::{Value, json};

use super::evidence::ask;
use super::history::Shape;
use super::image::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::gates::{Fault, Place, note_unread_keys, rules, subject, tell_of_unproduced};
use crate::output;
use crate::settings::now;

const EXAMPLES: &str = "\
Examples:
  lineclear gate                         may what is checked out be published?
  lineclear gate --explain               every requirement, what it rests on, and what would supply what is missing
  lineclear gate main~2 --gate release   another commit, at one gate
  lineclear gate --on pull_request       as a pull request is judged, which may ask for other checks
  lineclear gate ghcr.io/acme/backend:latest
                                         what the tag stands for now
  lineclear gate --replay 41             decides again what entry 41 of the ledger decided

Exit codes: 0 clear, 1 blocked, 2 wrong input: there is no such gate, or none at all.";

/// Arguments of `gate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GateArgs {
    /// A commit, a digest, or an image with its tag. [default: what is checked out]
    #[arg(value_name = "COMMIT|DIGEST|IMAGE")]
    subject: Option<String>,

    /// Ask this gate of lineclear.toml. [default: all of them]
    #[arg(long, value_name = "NAME")]
    gate: Option<String>,

    /// Judge as on this event: a check may be required on one of them only.
    #[arg(long, value_name = "EVENT", value_enum, default_value_t)]
    on: On,

    /// Show every requirement with its evidence, and the command that supplies what is missing.
    #[arg(long)]
    explain: bool,

    /// Decide again what this entry of the ledger decided, on what was known then.
    #[arg(long, value_name = "ENTRY", conflicts_with_all = ["subject", "gate", "on"])]
    replay: Option<u64>,

    /// Write the decision and what it rests on into the ledger; this is the default.
    #[arg(long, overrides_with = "no_record")]
    record: bool,

    /// Write nothing into the ledger.
    #[arg(long)]
    no_record: bool,

    /// For whom to print (JSON: docs/gate.md).
    #[arg(long, value_enum, default_value_t)]
    format: Shape,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The event that a gate is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum On {
    #[default]
    Push,
    #[value(name = "pull_request")]
    PullRequest,
}

/// A decision, with the entry that it was written as.
struct Decided {
    decision: Decision,
    entry: Option<u64>,
}

/// Carries out `gate`.
pub(crate) fn run(args: &GateArgs) -> Exit {
    Fault::end(try_run(args))
}

fn try_run(args: &GateArgs) -> Result<Exit, Fault> {
    let place = Place::open(None)?;
    let policy = place.policy()?;
    if let Some(number) = args.replay {
        return replay::replay(number, &place, &policy, args.format);
    }
    let rules = rules(&policy, &place.checkout, args.gate.as_deref())?;
    let index = place.ledger.index()?;
    let ask = |image: &lineclear_oci::Reference| ask(&args.connection, image);
    let subject = subject::find(args.subject.as_deref(), &place, &index, Some(&ask))?;
    note_unread_keys(&rules, &subject, &policy, &place.checkout);
    let context = match args.on {
        On::Push => CheckContext::Push,
        On::PullRequest => CheckContext::PullRequest,
    };
    let asked = |now| Asked { subject: subject.clone(), context, now };
    let mut decided = Vec::new();
    for rules in &rules {
        let mut one = if args.no_record && !args.record {
            Decided { decision: decide(rules, &asked(now()), &index, &place.commits), entry: None }
        } else {
            record(&place, rules, &asked)?
        };
        tell_of_unproduced(&mut one.decision, rules, &place.checkout.root);
        decided.push(one);
    }
    let index = place.ledger.index()?;
    match args.format {
        Shape::Json => print_json(&decided.iter().map(in_json).collect::<Vec<_>>()),
        Shape::Text => {
            let style = output::stdout_style();
            let text: Vec<String> =
                decided.iter().map(|one| text::text(one, &place, &index, args.explain, style)).collect();
            output::print(&text.join("\n"));
        }
    }
    let is_clear = decided.iter().all(|one| one.decision.clear);
    Ok(if is_clear { Exit::Success } else { Exit::WorkFailed })
}

/// Decides, and writes that down. The decision is of exactly the entries before its own, so that it can be replayed.
fn record(place: &Place, rules: &Rules, asked: &dyn Fn(Timestamp) -> Asked) -> Result<Decided, Fault> {
    let made = std::cell::RefCell::new(Ok::<_, Fault>(None));
    let numbers = place.ledger.append_with(|_| {
        let index = match place.ledger.index() {
            Ok(index) => index,
            Err(error) => {
                *made.borrow_mut() = Err(Fault::Ledger(error));
                return Vec::new();
            }
        };
        let decision = decide(rules, &asked(not_before_last(&index)), &index, &place.commits);
        let evidence = Evidence {
            subject: decision.subject.clone(),
            at: decision.at,
            by: Witness::Engine,
            statement: Statement::Decision(decision.statement()),
        };
        *made.borrow_mut() = Ok(Some(decision));
        vec![evidence]
    })?;
    match made.into_inner()? {
        Some(decision) => Ok(Decided { decision, entry: numbers.first().copied() }),
        None => Err(Fault::Input("nothing was decided".into())),
    }
}

/// The time now, or that of the last entry if the clock went back: times of a ledger never do.
fn not_before_last(index: &Index) -> Timestamp {
    let last = index.entries().last().map(|entry| entry.evidence.at);
    last.map_or_else(now, |last| last.max(now()))
}

fn in_json(decided: &Decided) -> Value {
    let mut value = json!(decided.decision);
    if let (Some(object), Some(entry)) = (value.as_object_mut(), decided.entry) {
        object.insert("entry".into(), json!(entry));
    }
    value
}

/// One decision as an object, several as a list.
fn print_json(decisions: &[Value]) {
    let text = match decisions {
        [one] => serde_json::to_string_pretty(one),
        all => serde_json::to_string_pretty(all),
    };
    // Plain data always has a JSON form.
    output::print(&format!("{}\n", text.unwrap_or_default()));
}
