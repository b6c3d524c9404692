//! Setting, listing and removing records; secrets and variables alike.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lineclear_event::Timestamp;
use lineclear_secrets::{Entry, Kind, Name, RepositoryName, Scope, SecretText};
use serde_json::json;

use super::body;
use crate::exit::Exit;
use crate::local_event::Checkout;
use crate::output;
use crate::secret_stores::{self, Known, SecretStores};
use crate::settings::{self, now};

/// Which file.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The store to work with instead of that of this machine, such as .lineclear/secrets.
    #[arg(long, value_name = "FILE", env = secret_stores::VARIABLE)]
    pub(super) secret_store: Option<PathBuf>,
}

/// Which scope.
#[derive(Debug, Args)]
pub(crate) struct ScopeArgs {
    /// Only for jobs of this environment.
    #[arg(long, value_name = "ENV")]
    env: Option<String>,

    /// The repository. [default: the one in this folder]
    #[arg(long, value_name = "OWNER/NAME")]
    repo: Option<String>,

    /// For all repositories of this machine.
    #[arg(long, conflicts_with_all = ["env", "repo"])]
    machine: bool,

    #[command(flatten)]
    store: StoreArgs,
}

/// Arguments of `set`.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The name: letters, digits and `_`.
    pub(super) name: String,

    /// The value. Others may see it in the list of processes and in the shell's history: for secrets rather use a file.
    #[arg(short, long, value_name = "VALUE", conflicts_with = "body_file", allow_hyphen_values = true, value_parser = hidden)]
    pub(super) body: Option<SecretText>,

    /// A file that holds the value ("-": standard input).
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(super) body_file: Option<PathBuf>,

    #[command(flatten)]
    pub(super) scope: ScopeArgs,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Records of all repositories, not only those that jobs of this one may see.
    #[arg(long, conflicts_with_all = ["env", "repo", "machine"])]
    all: bool,

    /// How to show the list.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) scope: ScopeArgs,
}

/// Arguments of `rm`.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// What to remove.
    #[arg(required = true)]
    pub(super) names: Vec<String>,

    #[command(flatten)]
    pub(super) scope: ScopeArgs,
}

/// How lists are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table for people.
    Text,
    /// One JSON document.
    Json,
}

impl StoreArgs {
    /// The stores: that of this machine, and the one that is named.
    pub(crate) fn open(&self) -> Result<SecretStores, String> {
        Ok(SecretStores::new(&settings::home()?, self.secret_store.as_deref()))
    }
}

impl ScopeArgs {
    pub(super) fn repository(&self) -> Result<RepositoryName, String> {
        repository(self.repo.as_deref())
    }

    /// The scope that they name: the repository's own unless they say otherwise.
    pub(super) fn scope(&self) -> Result<Scope, String> {
        match &self.env {
            _ if self.machine => Ok(Scope::Machine),
            Some(environment) => Scope::environment(self.repository()?, environment).map_err(|error| error.to_string()),
            None => Ok(Scope::Repository(self.repository()?)),
        }
    }
}

/// The repository of that name, or the one in this folder.
pub(crate) fn repository(named: Option<&str>) -> Result<RepositoryName, String> {
    match named {
        Some(name) => RepositoryName::new(name).map_err(|error| error.to_string()),
        None => secret_stores::repository_of(&checkout()?),
    }
}

/// An argument that no message may show.
fn hidden(text: &str) -> Result<SecretText, Infallible> {
    Ok(SecretText::new(text.to_owned()))
}

/// What is in this folder.
pub(crate) fn checkout() -> Result<Checkout, String> {
    let here = std::env::current_dir().map_err(|error| format!("this folder cannot be used: {error}"))?;
    Ok(Checkout::find(&here))
}

/// Carries out `set`; `given` is a value that stands among the arguments.
pub(crate) fn set(kind: Kind, args: &SetArgs, given: Option<&str>) -> Result<Exit, String> {
    let name = Name::new(&args.name).map_err(|error| error.to_string())?;
    let scope = args.scope.scope()?;
    let value =
        body::read(kind, &name, given.or(args.body.as_ref().map(SecretText::expose)), args.body_file.as_deref())?;
    let mut stores = args.scope.store.open()?;
    let is_new = stores.with_store(|store| {
        store.change(|contents| contents.set(kind, scope.clone(), name.clone(), value.clone(), now().0))
    })?;
    let done = if is_new { "is set" } else { "has a new value" };
    output::print(&format!("{} {name} {done} for {scope}\n", kind.as_str()));
    Ok(Exit::Success)
}

/// Carries out `rm`: all of the names or none.
pub(crate) fn remove(kind: Kind, args: &RemoveArgs) -> Result<Exit, String> {
    let names: Vec<Name> =
        args.names.iter().map(|name| Name::new(name)).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let scope = args.scope.scope()?;
    let mut stores = args.scope.store.open()?;
    let elsewhere = stores.with_store(|store| {
        store.change(|contents| {
            let missing = names.iter().find(|name| contents.get(kind, &scope, name).is_none());
            if let Some(name) = missing {
                let same = contents.entries().iter().filter(|entry| entry.kind() == kind && entry.name() == name);
                let scopes: Vec<String> = same.map(|entry| entry.scope().to_string()).collect();
                return Ok(Some((name.clone(), scopes)));
            }
            names.iter().for_each(|name| {
                contents.remove(kind, &scope, name);
            });
            Ok(None)
        })
    })?;
    if let Some((name, scopes)) = elsewhere {
        let advice = match scopes.as_slice() {
            [] => String::new(),
            scopes => format!("; it is set for {}: --env, --repo and --machine choose", scopes.join(", ")),
        };
        return Err(format!("there is no {} {name} for {scope}{advice}", kind.as_str()));
    }
    for name in names {
        output::print(&format!("{} {name} is removed for {scope}\n", kind.as_str()));
    }
    Ok(Exit::Success)
}

/// Carries out `variable get`: the value that a job would see.
pub(crate) fn get_variable(name: &str, scope: &ScopeArgs) -> Result<Exit, String> {
    let name = Name::new(name).map_err(|error| error.to_string())?;
    let known = scope.store.open()?.read()?;
    let wanted = scope.scope()?;
    let found = match &wanted {
        Scope::Machine => known.entries().find(|entry| *entry.scope() == wanted && is(entry, Kind::Variable, &name)),
        Scope::Repository(repository) | Scope::Environment { repository, .. } => {
            let seen = known.seen_from(Kind::Variable, repository, wanted.environment_name());
            seen.get(name.as_str()).map(|found| found.entry)
        }
    };
    let entry = found.ok_or_else(|| format!("there is no variable {name} for {wanted}"))?;
    output::print(&format!("{}\n", entry.value().expose()));
    Ok(Exit::Success)
}

fn is(entry: &Entry, kind: Kind, name: &Name) -> bool {
    entry.kind() == kind && entry.name() == name
}

/// Carries out `list`.
pub(crate) fn list(kind: Kind, args: &ListArgs) -> Result<Exit, String> {
    let mut stores = args.scope.store.open()?;
    let known = stores.read()?;
    let uses = stores.uses().read();
    let mut entries = chosen(kind, args, &known)?;
    let order = |entry: &&Entry| {
        let scope = entry.scope();
        (
            scope.repository().map(|name| name.to_string()),
            scope.environment_name().map(str::to_owned),
            entry.name().clone(),
        )
    };
    entries.sort_by_key(order);
    let used = |entry: &Entry| uses.get(entry.id()).map(|&at| Timestamp(at));
    if args.format == Format::Json {
        let records: Vec<_> = entries.iter().map(|entry| record(entry, used(entry))).collect();
        output::print(&format!("{:#}\n", serde_json::Value::Array(records)));
        return Ok(Exit::Success);
    }
    if entries.is_empty() {
        output::complain(&format!("note: there are no {}s; `lineclear {0} set NAME` keeps one", kind.as_str()));
        return Ok(Exit::Success);
    }
    let rows: Vec<[String; 4]> = entries
        .iter()
        .map(|entry| {
            let used = used(entry).map_or_else(|| "never used".to_owned(), |at| format!("used {}", ago(at)));
            let set = format!("set {}", ago(Timestamp(entry.updated())));
            [entry.name().to_string(), entry.scope().to_string(), set, used]
        })
        .collect();
    output::print(&table(&rows));
    Ok(Exit::Success)
}

/// The records that were asked for.
fn chosen<'k>(kind: Kind, args: &ListArgs, known: &'k Known) -> Result<Vec<&'k Entry>, String> {
    let of_kind = known.entries().filter(|entry| entry.kind() == kind);
    if args.all {
        return Ok(of_kind.collect());
    }
    if args.scope.env.is_some() || args.scope.machine {
        let scope = args.scope.scope()?;
        return Ok(of_kind.filter(|entry| *entry.scope() == scope).collect());
    }
    let repository = args.scope.repository()?;
    Ok(of_kind.filter(|entry| entry.scope().repository().is_none_or(|of| *of == repository)).collect())
}

/// A record without its value.
fn record(entry: &Entry, used: Option<Timestamp>) -> serde_json::Value {
    json!({
        "kind": entry.kind().as_str(),
        "name": entry.name().as_str(),
        "repository": entry.scope().repository().map(RepositoryName::as_str),
        "environment": entry.scope().environment_name(),
        "created": Timestamp(entry.created()).to_string(),
        "updated": Timestamp(entry.updated()).to_string(),
        "revision": entry.revision(),
        "age_days": days_since(Timestamp(entry.updated())),
        "last_used": used.map(|at| at.to_string()),
    })
}

/// Whole days since a time.
pub(super) fn days_since(at: Timestamp) -> u64 {
    now().millis_since(at) / 86_400_000
}

/// `today`, `yesterday`, `12 days ago`.
pub(super) fn ago(at: Timestamp) -> String {
    match days_since(at) {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}

/// Rows with columns as wide as their widest cell.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
