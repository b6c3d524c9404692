//! `lineclear key`: the keys that images are signed with.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lineclear_event::{Timestamp, with_causes};
use lineclear_secrets::Scope;
use lineclear_sigstore::{KeyError, PrivateKey};
use serde_json::json;

use super::history::Shape;
use crate::exit::Exit;
use crate::local_event::Checkout;
use crate::output;
use crate::signing_keys::{self, SigningKeys};

const EXAMPLES: &str = "\
Examples:
  lineclear key generate release                  makes a key for this repository, and keeps it encrypted
  lineclear key public release > keys/release.pub for `[signing] keys` of lineclear.toml, and for `cosign verify --key`
  lineclear key generate ci --output .            ci.key and ci.pub instead: for a step that runs cosign
  lineclear secret set COSIGN_PRIVATE_KEY --body-file ci.key
  lineclear key import release --file cosign.key  a key of cosign's
  lineclear key list

Keys are ECDSA on P-256, in cosign's own form. A key that is kept is used by Lineclear alone; no job ever sees it. LINECLEAR_SIGNING_PASSPHRASE
or COSIGN_PASSWORD hold the passphrase where nobody can be asked.
Exit codes: 0 done, 2 wrong input: there is no such key, it is taken, or its passphrase is another. More: docs/signing.md";

const GENERATE: &str = "\
Examples:
  lineclear key generate release                  for this repository, kept encrypted
  lineclear key generate release --machine        for all repositories of this machine
  lineclear key generate ci --output .            ci.key and ci.pub, for a step that runs cosign

Exit codes: 0 made, 2 wrong input: the name is taken. More: docs/signing.md";

const IMPORT: &str = "\
Examples:
  lineclear key import release --file cosign.key  asks for its passphrase, or takes it from COSIGN_PASSWORD

Exit codes: 0 kept, 2 wrong input: it is no such key, the name is taken, or the passphrase is another. More: docs/signing.md";

const LIST: &str = "\
Examples:
  lineclear key list
  lineclear key list --format json                names, ids and scopes, for programs

Exit codes: 0 listed, 2 wrong input. More: docs/signing.md";

const PUBLIC: &str = "\
Examples:
  lineclear key public release > keys/release.pub for `[signing] keys` of lineclear.toml, and for `cosign verify --key`
  lineclear key public cosign.pub                 the same of a file, if it is one

Exit codes: 0 printed, 2 wrong input: there is no such key. More: docs/signing.md";

const REMOVE: &str = "\
Examples:
  lineclear key public old > keys/old.pub         first: what it signed needs this for ever
  lineclear key remove old
  lineclear key remove old --machine              the one for all repositories of this machine

Exit codes: 0 removed, 2 wrong input: there is no such key. More: docs/signing.md";

/// Arguments of `key`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key, and keep it encrypted or write it to files.
    Generate(GenerateArgs),
    /// Keep a key that cosign made.
    Import(ImportArgs),
    /// List the keys that are kept: names, ids, for what.
    List(ListArgs),
    /// Print the public half of a key.
    Public(PublicArgs),
    /// Remove a key. What it signed stays signed, and still needs the public half.
    Remove(RemoveArgs),
}

/// Arguments of `key generate`.
#[derive(Debug, Args)]
#[command(after_help = GENERATE)]
struct GenerateArgs {
    /// What it is called: letters, digits, `-` and `_`.
    name: String,

    /// Write NAME.key and NAME.pub into this folder instead of keeping the key; the file is encrypted with a passphrase.
    #[arg(long, value_name = "FOLDER", conflicts_with = "machine")]
    output: Option<PathBuf>,

    /// Encrypt the key that is kept with a passphrase of its own, too: then nothing signs with it unattended.
    #[arg(long)]
    passphrase: bool,

    #[command(flatten)]
    scope: ScopeArgs,
}

/// Arguments of `key import`.
#[derive(Debug, Args)]
#[command(after_help = IMPORT)]
struct ImportArgs {
    /// What it is to be called here.
    name: String,

    /// The file: `cosign.key`.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    scope: ScopeArgs,
}

/// Arguments of `key list`.
#[derive(Debug, Args)]
#[command(after_help = LIST)]
struct ListArgs {
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Arguments of `key public`.
#[derive(Debug, Args)]
#[command(after_help = PUBLIC)]
struct PublicArgs {
    /// The key's name, or the file of a public key.
    name: String,
}

/// Arguments of `key remove`.
#[derive(Debug, Args)]
#[command(after_help = REMOVE)]
struct RemoveArgs {
    /// The key's name.
    name: String,

    #[command(flatten)]
    scope: ScopeArgs,
}

/// For what a key is.
#[derive(Debug, Args)]
struct ScopeArgs {
    /// For all repositories of this machine, and not for the one in this folder alone.
    #[arg(long)]
    machine: bool,
}

impl ScopeArgs {
    fn scope(&self, keys: &SigningKeys) -> Scope {
        if self.machine { Scope::Machine } else { keys.own_scope() }
    }
}

/// Carries out `key`.
pub(crate) fn run(args: &KeyArgs) -> Exit {
    let done = match &args.command {
        Command::Generate(args) => generate(args),
        Command::Import(args) => import(args),
        Command::List(args) => list(args),
        Command::Public(args) => public(args),
        Command::Remove(args) => remove(args),
    };
    match done {
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

fn here() -> Result<SigningKeys, String> {
    let here = std::env::current_dir().map_err(|error| format!("this folder cannot be used: {error}"))?;
    SigningKeys::of(&Checkout::find(&here))
}

fn generate(args: &GenerateArgs) -> Result<String, String> {
    let told = |error: KeyError| with_causes(&error);
    let key = PrivateKey::generate().map_err(told)?;
    let id = key.public().id();
    if let Some(folder) = &args.output {
        let sealed = key.seal(signing_keys::new_passphrase(&args.name)?.as_bytes()).map_err(told)?;
        let (private, public) = (folder.join(format!("{}.key", args.name)), folder.join(format!("{}.pub", args.name)));
        if args.name.contains('/') {
            return Err(format!("`{}` is no name for a key: the folder is given with --output", args.name));
        }
        write(&private, sealed.as_bytes(), 0o600)?;
        write(&public, key.public().pem().as_bytes(), 0o644)?;
        return Ok(format!("{} and {}\n{id}\n", private.display(), public.display()));
    }
    let mut keys = here()?;
    let scope = args.scope.scope(&keys);
    let passphrase = match args.passphrase {
        true => signing_keys::new_passphrase(&args.name)?,
        // The store encrypts it.
        false => zeroize::Zeroizing::default(),
    };
    let sealed = zeroize::Zeroizing::new(key.seal(passphrase.as_bytes()).map_err(told)?);
    keys.keep(&args.name, &scope, key.public(), &sealed)?;
    Ok(format!(
        "key {} is kept for {scope}\n{id}\n`lineclear key public {}` prints its public half\n",
        args.name, args.name
    ))
}

fn import(args: &ImportArgs) -> Result<String, String> {
    let mut keys = here()?;
    let scope = args.scope.scope(&keys);
    let key = signing_keys::open_foreign(&args.file)?;
    let sealed = zeroize::Zeroizing::new(key.seal(&[]).map_err(|error| with_causes(&error))?);
    keys.keep(&args.name, &scope, key.public(), &sealed)?;
    Ok(format!("key {} is kept for {scope}\n{}\n", args.name, key.public().id()))
}

fn list(args: &ListArgs) -> Result<String, String> {
    let keys = here()?.all()?;
    if args.format == Shape::Json {
        let all: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "name": key.name,
                    "id": key.public.id(),
                    "algorithm": key.public.algorithm().as_str(),
                    "repository": key.scope.repository().map(lineclear_secrets::RepositoryName::as_str),
                    "created": Timestamp(key.created).to_string(),
                })
            })
            .collect();
        return Ok(format!("{:#}\n", json!({ "version": 1, "keys": all })));
    }
    if keys.is_empty() {
        output::complain("note: there are no keys; `lineclear key generate NAME` makes one");
    }
    Ok(keys.iter().map(|key| format!("{}  {}  {}\n", key.name, key.public.id(), key.scope)).collect())
}

fn public(args: &PublicArgs) -> Result<String, String> {
    Ok(here()?.public(&args.name)?.pem())
}

fn remove(args: &RemoveArgs) -> Result<String, String> {
    let mut keys = here()?;
    let scope = args.scope.scope(&keys);
    match keys.remove(&args.name, &scope)? {
        true => Ok(format!("key {} is removed for {scope}\n", args.name)),
        false => {
            Err(format!("there is no key {} for {scope}; `lineclear key list` shows those that there are", args.name))
        }
    }
}

/// Writes a file that was not there: nobody's key is lost.
fn write(path: &Path, text: &[u8], mode: u32) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("cannot write `{}`: {error}", path.display());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(wrong)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(wrong)?;
    file.write_all(text).and_then(|()| file.sync_all()).map_err(wrong)
}
