//! `lineclear ledger set-aside`: the way on from a ledger that is not what was written.

use std::collections::BTreeMap;
use std::fs;

use clap::Args;
use lineclear_event::{Evidence, PersonStatement, Statement, Subject, Timestamp, Witness, with_causes};
use lineclear_oci::Digest;
use lineclear_store_folder::FolderStore;

use crate::exit::Exit;
use crate::gates::{Fault, Place, unusable_home};
use crate::output;
use crate::settings::{self, now};

/// The name of the statement that a new ledger begins with.
const STATEMENT: &str = "ledger-set-aside";

const AFTER: &str = "\
What was proven before counts no more: run the workflows again for what is to be published. Images and tags in registries stay as they are;
`latest` and tags of branches then stand for what the new ledger does not know, and move with `lineclear publish --take` once.
Put the lines back instead where you can: from a backup, or from an export that `lineclear ledger verify FILE` finds whole.

Exit codes: 0 set aside, 2 wrong input: there is nothing damaged, 3 Lineclear itself failed. More: docs/ledger.md";

/// Arguments of `ledger set-aside`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct SetAsideArgs {
    /// Who does it. [default: git's user.name and user.email]
    #[arg(long = "as", value_name = "NAME")]
    signer: Option<String>,
}

pub(super) fn run(args: &SetAsideArgs, repository: Option<&str>) -> Result<Exit, Fault> {
    let place = Place::open(repository)?;
    let name = place.ledger.repository().to_owned();
    if name != place.checkout.repository_name() {
        return Err(Fault::Input(format!(
            "go to the repository: the new ledger of `{name}` begins with what is checked out there"
        )));
    }
    let why = match place.ledger.index() {
        Ok(_) => {
            return Err(Fault::Input(format!(
                "the ledger of `{name}` is what was written; only a damaged one is set aside"
            )));
        }
        Err(error) => with_causes(&error),
    };
    let signer = args.signer.clone().or_else(|| place.checkout.person()).filter(|name| !name.trim().is_empty());
    let signer = signer.ok_or_else(|| {
        Fault::Input(
            "the new ledger begins with who set the old one aside: set git's user.name, or say --as NAME".into(),
        )
    })?;
    let commit = place.commits.resolve("HEAD");
    let commit = commit.ok_or_else(|| Fault::Input("a ledger begins with a commit, and there is none here".into()))?;

    let home = settings::home().map_err(Fault::Input)?;
    let store = FolderStore::open(home).map_err(|error| unusable_home(&error))?;
    let at = now();
    let kept = store.set_ledger_aside(&name, &mark(at)).map_err(|error| Fault::Engine(with_causes(&error)))?;
    let (mut files, mut where_it_is) = (BTreeMap::new(), "its file is gone".to_owned());
    if let Some(kept) = &kept {
        let read = fs::read(kept).map_err(|error| Fault::Engine(format!("cannot read `{}`: {error}", kept.display())));
        let digest = Digest::of(&read?).to_string();
        let file = kept.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        where_it_is = format!("it is kept as {file}");
        files.insert(file, digest);
    }
    let statement = PersonStatement {
        name: STATEMENT.to_owned(),
        passes: true,
        note: format!("the ledger before this one was set aside, {where_it_is}: {why}"),
        files,
    };
    place.ledger.append(vec![Evidence {
        subject: Subject::Commit(commit),
        at,
        by: Witness::Person(signer),
        statement: Statement::Stated(statement),
    }])?;
    let kept = kept.map_or(where_it_is, |kept| format!("it is kept as {}", kept.display()));
    output::print(&format!(
        "the ledger of {name} was set aside; {kept}\nentry 0 of the new one says so; nothing that was proven before counts: run the workflows again\n"
    ));
    Ok(Exit::Success)
}

/// `damaged-20260131T235959Z`
fn mark(at: Timestamp) -> String {
    let plain: String = at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let second = plain.split('.').next().unwrap_or(&plain).trim_end_matches('Z');
    format!("damaged-{second}Z")
}
