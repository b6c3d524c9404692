//! `lineclear evidence`: what people state of a commit or an image. `docs/ledger.md` is its manual.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lineclear_event::{Evidence, PersonStatement, Statement, Subject, Witness};
use lineclear_oci::Digest;
use lineclear_policy::Policy;
use lineclear_source::suggest;
use serde_json::json;

use super::history::Shape;
use super::image::Failure;
use super::image::connection::ConnectionArgs;
use super::image::reached::Reached;
use super::ledger::{about, entries_text};
use crate::exit::Exit;
use crate::gates::{Fault, Place, subject};
use crate::session::evidence::commit;
use crate::settings::now;
use crate::{output, policy_file};

const EXAMPLES: &str = "\
Examples:
  lineclear evidence add HEAD --name security-review
                                         I looked at it, and it passes
  lineclear evidence add ghcr.io/acme/backend:sha-1a2b3c4 --name manual-validation --note 'pulled and tried on node 3'
                                         about the digest that the tag stands for now
  lineclear evidence add sha256:5f3a… --name stress-test --file report.json
                                         with the digest of what proves it
  lineclear evidence add HEAD --name security-review --fails --note 'tokens in the log'
                                         takes an earlier word back
  lineclear evidence list HEAD           all that is known of it

Exit codes: 0 written or shown, 2 wrong input, 3 Lineclear itself failed: the ledger cannot be read or written. More: docs/ledger.md";

const ADD_EXAMPLES: &str = "\
Examples:
  lineclear evidence add HEAD --name security-review
                                         I looked at it, and it passes
  lineclear evidence add ghcr.io/acme/backend:sha-1a2b3c4 --name manual-validation --note 'pulled and tried on node 3'
                                         about the digest that the tag stands for now
  lineclear evidence add sha256:5f3a… --name stress-test --file report.json
                                         with the digest of what proves it
  lineclear evidence add HEAD --name security-review --fails --note 'tokens in the log'
                                         takes an earlier word back

Exit codes: 0 written, 2 wrong input, 3 Lineclear itself failed: the ledger cannot be read or written. More: docs/ledger.md";

const LIST_EXAMPLES: &str = "\
Examples:
  lineclear evidence list HEAD           of a commit, and of others with the same contents
  lineclear evidence list ghcr.io/acme/backend:1.2.3
                                         of the digest that the tag stands for now
  lineclear evidence list sha256:5f3a… --format json

Exit codes: 0 shown, 2 wrong input, 3 Lineclear itself failed: the ledger cannot be read. More: docs/ledger.md";

/// Arguments of `evidence`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EvidenceArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// State something, signed with your name.
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddArgs),
    /// Show all that is stated of a commit or an image.
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
    /// A commit, a digest, or an image with its tag.
    #[arg(value_name = "SUBJECT")]
    subject: String,

    /// What is stated, as `statements` of a gate name it: manual-validation, security-review.
    #[arg(long, value_name = "NAME", value_parser = statement_name)]
    name: String,

    /// It does not pass.
    #[arg(long)]
    fails: bool,

    /// What is to be said about it.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,

    /// A file that proves it: its digest is stated, not its contents. May be repeated.
    #[arg(long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Sign with this name. [default: user.name and user.email of git]
    #[arg(long = "as", value_name = "NAME")]
    signer: Option<String>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// A commit, a digest, or an image with its tag.
    #[arg(value_name = "SUBJECT")]
    subject: String,

    /// For whom to print (JSON: docs/ledger.md).
    #[arg(long, value_enum, default_value_t)]
    format: Shape,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Carries out `evidence`.
pub(crate) fn run(args: &EvidenceArgs) -> Exit {
    Fault::end(match &args.command {
        Command::Add(args) => add(args),
        Command::List(args) => list(args),
    })
}

fn add(args: &AddArgs) -> Result<Exit, Fault> {
    let place = Place::open(None)?;
    let signer = match &args.signer {
        Some(name) if name.trim().is_empty() => return Err(Fault::Input("--as needs a name".into())),
        Some(name) => name.trim().to_owned(),
        None => place.checkout.person().ok_or_else(|| {
            Fault::Input("a statement is signed with a name: set git's user.name, or say --as NAME".into())
        })?,
    };
    let mut files = BTreeMap::new();
    for file in &args.files {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.ok_or_else(|| Fault::Input(format!("`{}` is no file", file.display())))?;
        if files.insert(name, digest(file)?).is_some() {
            return Err(Fault::Input(format!("two files have the name of `{}`", file.display())));
        }
    }
    let subject = find(&place, &args.subject, &args.connection)?;
    let at = now();
    let mut evidence = Vec::new();
    if let Subject::Commit(id) = &subject {
        // With its tree, so that what is stated follows the contents.
        let known = commit(&place.checkout.root, id);
        evidence.extend(known.map(|commit| Evidence {
            subject: subject.clone(),
            at,
            by: Witness::Engine,
            statement: Statement::Commit(commit),
        }));
    }
    evidence.push(Evidence {
        subject: subject.clone(),
        at,
        by: Witness::Person(signer.clone()),
        statement: Statement::Stated(PersonStatement {
            name: args.name.clone(),
            passes: !args.fails,
            note: args.note.clone(),
            files,
        }),
    });
    let numbers = place.ledger.append(evidence)?;
    let verdict = if args.fails { "fails" } else { "passes" };
    let entry = numbers.last().copied().unwrap_or_default();
    output::print(&format!("entry {entry}: {signer} states of {subject} that {} {verdict}\n", args.name));
    // What the policy is wrong about is told by those who go by it.
    if let Ok(file) = policy_file::read(&place.checkout.root)
        && let Some(note) = unasked(&args.name, &file.policy)
    {
        output::complain(&note);
    }
    Ok(Exit::Success)
}

/// That no gate asks for a statement of this name; nothing without gates.
fn unasked(name: &str, policy: &Policy) -> Option<String> {
    let asked: BTreeSet<&str> =
        policy.gates.iter().flat_map(|gate| &gate.statements).map(|statement| statement.value.as_str()).collect();
    if policy.gates.is_empty() || asked.contains(name) {
        return None;
    }
    let those = if asked.is_empty() {
        "nor for any other statement".to_owned()
    } else {
        let near = suggest(name, asked.iter().copied());
        let meant = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("but for {}{meant}", asked.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
    };
    Some(format!("note: no gate of `{}` asks for `{name}`, {those}", policy_file::NAME))
}

fn list(args: &ListArgs) -> Result<Exit, Fault> {
    let place = Place::open(None)?;
    let subject = find(&place, &args.subject, &args.connection)?;
    let index = place.ledger.index()?;
    let entries = about(&subject, &index, &place.commits);
    match args.format {
        Shape::Json => {
            let document = json!({ "subject": subject, "entries": entries });
            // Plain data always has a JSON form.
            output::print(&format!("{}\n", serde_json::to_string_pretty(&document).unwrap_or_default()));
        }
        Shape::Text if entries.is_empty() => output::print(&format!("Nothing is stated of {subject}.\n")),
        Shape::Text => output::print(&entries_text(&entries, output::stdout_style())),
    }
    Ok(Exit::Success)
}

fn find(place: &Place, text: &str, connection: &ConnectionArgs) -> Result<Subject, Fault> {
    let index = place.ledger.index()?;
    let ask = |image: &lineclear_oci::Reference| ask(connection, image);
    subject::find(Some(text), place, &index, Some(&ask))
}

/// The digest that a registry has for a name now.
pub(crate) fn ask(connection: &ConnectionArgs, image: &lineclear_oci::Reference) -> Result<String, String> {
    let reached = Reached::of(image, connection).map_err(|failure| match failure {
        Failure::Input(sentence) | Failure::Refused(sentence) | Failure::Engine(sentence) => sentence,
        Failure::Work(error) => lineclear_event::with_causes(&*error),
    })?;
    let digest = reached.name.digest().ok_or_else(|| "its registry says no digest".to_owned())?;
    Ok(digest.to_string())
}

fn digest(path: &Path) -> Result<String, Fault> {
    let cannot = |error: std::io::Error| Fault::Input(format!("cannot read `{}`: {error}", path.display()));
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(cannot)?;
    Ok(Digest::of(&bytes).to_string())
}

/// Names as gates and people write them.
fn statement_name(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.is_empty() || text.len() > 100 || !text.bytes().all(is_plain) {
        return Err("a name has letters, digits, `-`, `_` and `.`: security-review".to_owned());
    }
    Ok(text.to_owned())
}
