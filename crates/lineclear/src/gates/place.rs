//! The ledger, the policy and the commits of the repository that is worked in.

use std::sync::Arc;

use lineclear_event::{Subject, with_causes};
use lineclear_gate::Rules;
use lineclear_ledger::{LedgerError, LedgerOf};
use lineclear_policy::{Gate, Policy};
use lineclear_source::suggest;
use lineclear_store::Ledgers;
use lineclear_store_folder::FolderStore;

use super::GitCommits;
use crate::exit::Exit;
use crate::local_event::Checkout;
use crate::output;
use crate::session::prepare::Stopped;
use crate::{settings, signing_keys};

/// Why a command about gates and ledgers ends here.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A sentence: what was asked for is wrong.
    Input(String),
    Ledger(LedgerError),
    /// A sentence: Lineclear itself cannot go on.
    Engine(String),
    /// Everything was said already.
    Said(Exit),
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl Fault {
    /// Tells it, and gives the exit code.
    pub(crate) fn end(outcome: Result<Exit, Self>) -> Exit {
        match outcome {
            Ok(exit) | Err(Self::Said(exit)) => exit,
            Err(Self::Input(sentence)) => {
                output::complain(&format!("error: {sentence}"));
                Exit::BadInput
            }
            Err(Self::Engine(sentence)) => {
                output::complain(&format!("error: {sentence}"));
                Exit::EngineFault
            }
            Err(Self::Ledger(error)) => {
                output::complain(&format!("error: {}", with_causes(&error)));
                Exit::EngineFault
            }
        }
    }
}

/// Where gates are asked about.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) checkout: Checkout,
    pub(crate) ledger: LedgerOf,
    pub(crate) commits: GitCommits,
}

impl Place {
    /// The repository of the current folder, or the one that is named, with its ledger.
    pub(crate) fn open(repository: Option<&str>) -> Result<Self, Fault> {
        if let Some(name) = repository {
            named(name)?;
        }
        let home = settings::home().map_err(Fault::Input)?;
        let here = std::env::current_dir()
            .map_err(|error| Fault::Input(format!("cannot tell the current folder: {error}")))?;
        let checkout = Checkout::find(&here);
        let store = FolderStore::open(home).map_err(|error| unusable_home(&error))?;
        if let Some(name) = repository {
            has_ledger(&store, name)?;
        }
        let name = repository.map_or_else(|| checkout.repository_name(), str::to_owned);
        let ledger = LedgerOf::open(Arc::new(store) as Arc<dyn Ledgers>, name);
        let commits = GitCommits::new(&checkout.root);
        Ok(Self { checkout, ledger, commits })
    }

    /// What `lineclear.toml` says.
    pub(crate) fn policy(&self) -> Result<Policy, Fault> {
        crate::session::machine::read(&self.checkout.root).map_err(|stopped| match stopped.message {
            Some(message) => Fault::Input(message),
            None => Fault::Said(stopped.exit),
        })
    }
}

/// Refuses what is no name of a repository.
fn named(name: &str) -> Result<(), Fault> {
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    match name.split_once('/') {
        Some((owner, name)) if is_plain(owner) && is_plain(name) => Ok(()),
        _ => Err(Fault::Input(format!(
            "`{}` is no repository: name one as OWNER/NAME, `octo/shop`",
            name.escape_debug()
        ))),
    }
}

/// Refuses a repository that was named and has no ledger; one that is damaged it has.
fn has_ledger(store: &FolderStore, name: &str) -> Result<(), Fault> {
    if !matches!(store.ledger_head(name), Ok(head) if head.entries == 0) {
        return Ok(());
    }
    let known = store.ledgers().unwrap_or_default();
    let known = if known.is_empty() {
        "no repository has one".to_owned()
    } else {
        format!("there are those of {}", known.join(", "))
    };
    Err(Fault::Input(format!("`{name}` has no ledger here; {known}")))
}

/// The folder that Lineclear keeps its things in cannot be used.
pub(crate) fn unusable_home(error: &lineclear_store::StoreError) -> Fault {
    Fault::Engine(Stopped::unusable_home(error).message.unwrap_or_else(|| with_causes(error)))
}

/// The rules of a gate, with the keys whose signatures count. Where they cannot be read none does: whoever only asks need not have them.
pub(crate) fn rules_of(gate: &Gate, policy: &Policy, checkout: &Checkout) -> Rules {
    let rules = Rules::from(gate);
    if !rules.asks_for_keys() {
        return rules;
    }
    rules.signed_by(keys(policy, checkout).unwrap_or_default())
}

/// Says why no signature counts here, if one of the rules asks `subject` for one.
pub(crate) fn note_unread_keys(rules: &[Rules], subject: &Subject, policy: &Policy, checkout: &Checkout) {
    let is_asked = matches!(subject, Subject::Digest(_)) && rules.iter().any(Rules::asks_for_keys);
    if let (true, Err(why)) = (is_asked, keys(policy, checkout)) {
        output::complain(&format!("note: no signature counts here: {why}"));
    }
}

fn keys(policy: &Policy, checkout: &Checkout) -> Result<Vec<String>, String> {
    signing_keys::counting(checkout, policy, &|path| signing_keys::file(&checkout.root.join(path)))
}

/// The rules of the gate that is named, or of all.
pub(crate) fn rules(policy: &Policy, checkout: &Checkout, name: Option<&str>) -> Result<Vec<Rules>, Fault> {
    let names = || policy.gates.iter().map(|gate| gate.name.value.as_str());
    let of = |gate| rules_of(gate, policy, checkout);
    let Some(name) = name else {
        let all: Vec<Rules> = policy.gates.iter().map(of).collect();
        return if all.is_empty() { Err(no_gate()) } else { Ok(all) };
    };
    match policy.gate(name) {
        Some(gate) => Ok(vec![of(gate)]),
        None if policy.gates.is_empty() => Err(no_gate()),
        None => Err(Fault::Input(match suggest(name, names()) {
            Some(near) => format!("there is no gate `{name}` in lineclear.toml; did you mean `{near}`?"),
            None => format!(
                "there is no gate `{name}` in lineclear.toml; there are {}",
                names().collect::<Vec<_>>().join(", ")
            ),
        })),
    }
}

fn no_gate() -> Fault {
    Fault::Input("lineclear.toml has no gate, so there is nothing to be clear or blocked; `lineclear init` writes one, docs/gate.md says how".into())
}
