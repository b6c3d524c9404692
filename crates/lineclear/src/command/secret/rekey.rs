//! `lineclear secret rekey`: encrypts a store anew with another key.

use clap::{Args, ValueEnum};
use lineclear_secrets::{KeyKind, NewKey, SecretText};

use super::keep::StoreArgs;
use crate::exit::Exit;
use crate::{output, prompt};

const NEW_KEY: &str = "LINECLEAR_SECRETS_NEW_KEY";
const NEW_PASSPHRASE: &str = "LINECLEAR_SECRETS_NEW_PASSPHRASE";

/// Arguments of `secret rekey`.
#[derive(Debug, Args)]
pub(super) struct RekeyArgs {
    /// What the store is encrypted with from now on. [default: the same kind as now]
    #[arg(long, value_name = "KIND")]
    to: Option<To>,

    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// A new key in the key file; older keys stay in it, for backups and other stores.
    KeyFile,
    /// 32 bytes in base64, from LINECLEAR_SECRETS_NEW_KEY.
    Key,
    /// A passphrase, from LINECLEAR_SECRETS_NEW_PASSPHRASE or asked for.
    Passphrase,
}

/// Carries out `secret rekey`.
pub(super) fn run(args: &RekeyArgs) -> Result<Exit, String> {
    let mut stores = args.store.open()?;
    let store = stores.to_change();
    let kind = store.key_kind().map_err(|error| lineclear_event::with_causes(&error))?;
    let Some(kind) = kind else {
        return Err(format!("there is no store `{}`: nothing is encrypted yet", store.path().display()));
    };
    let has_key = std::env::var_os("LINECLEAR_SECRETS_KEY").is_some_and(|key| !key.is_empty());
    let to = args.to.unwrap_or(match kind {
        KeyKind::Passphrase => To::Passphrase,
        KeyKind::Key if has_key => To::Key,
        KeyKind::Key => To::KeyFile,
    });
    // The old passphrase is asked for first.
    stores.with_store(|store| store.read().map(drop))?;
    let new = match to {
        To::KeyFile => NewKey::KeyFile,
        To::Key => NewKey::Key(variable(NEW_KEY).ok_or_else(|| format!("give the new key in {NEW_KEY}"))?),
        To::Passphrase => NewKey::Passphrase(new_passphrase()?),
    };
    let count = stores.with_store(|store| store.rekey(&new))?;
    output::print(&format!("{count} records of {} are encrypted with the new key\n", store.path().display()));
    if to == To::KeyFile && has_key {
        output::complain("note: LINECLEAR_SECRETS_KEY still names the old key: unset it, and the key file is used");
    }
    Ok(Exit::Success)
}

fn variable(name: &str) -> Option<SecretText> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(SecretText::new)
}

fn new_passphrase() -> Result<SecretText, String> {
    if let Some(passphrase) = variable(NEW_PASSPHRASE) {
        return Ok(passphrase);
    }
    if !prompt::is_possible() {
        return Err(format!("give the new passphrase in {NEW_PASSPHRASE}"));
    }
    let first = SecretText::new(prompt::hidden("New passphrase: ")?);
    let second = SecretText::new(prompt::hidden("Again: ")?);
    if first == second { Ok(first) } else { Err("the two are not the same: nothing was changed".to_owned()) }
}
