//! Keys that images are signed with, and the public ones whose signatures count.
//!
//! Private keys lie in a store of their own beside that of the secrets, encrypted as that one is and under the same master key. No job is
//! ever given anything of it: what a step signs with is a secret that somebody set for it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use lineclear_event::with_causes;
use lineclear_gate::Rules;
use lineclear_policy::{Policy, SigningPolicy};
use lineclear_secrets::{Contents, Kind, Name, Place, RepositoryName, Scope, SecretText};
use lineclear_sigstore::{KeyError, PrivateKey, PublicKey, TrustedKeys};
use zeroize::Zeroizing;

use crate::local_event::Checkout;
use crate::prompt;
use crate::secret_stores::{self, SecretStores};
use crate::settings::{self, now};

/// The key itself, for jobs and scripts that have no store.
const KEY: &str = "LINECLEAR_SIGNING_KEY";
/// Where the passphrase of a key may stand: ours, and cosign's.
const PASSPHRASES: [&str; 2] = ["LINECLEAR_SIGNING_PASSPHRASE", "COSIGN_PASSWORD"];
/// Where the encrypted half of a kept key begins; in front of it stands the public one, which needs no passphrase.
const PRIVATE_BEGINS: &str = "-----BEGIN ENCRYPTED";
/// Largest file that is looked into for a key.
const MAX_KEY_BYTES: u64 = 64 << 10;

/// The keys that are kept for a repository and for this machine.
pub(crate) struct SigningKeys {
    stores: SecretStores,
    repository: RepositoryName,
}

/// Reads a file of the repository by its path from the root.
pub(crate) type ReadFile<'f> = &'f dyn Fn(&str) -> Result<Zeroizing<Vec<u8>>, String>;

/// The keys whose signatures count by a policy.
#[derive(Clone, Debug)]
pub(crate) struct Trusted {
    /// All of them: what the ledger calls them.
    pub(crate) ids: Vec<String>,
    /// The keys themselves, or why one cannot be had: one that is named by its id has to be kept here to verify anything.
    pub(crate) keys: Result<TrustedKeys, String>,
}

/// The keys whose signatures count by a policy; none, where it has nothing to do with signatures. `read` reads where the policy stands: what
/// a branch has under the same name is another key.
///
/// # Errors
/// A sentence: one of the keys that are named cannot be read.
pub(crate) fn trusted(checkout: &Checkout, policy: &Policy, read: ReadFile<'_>) -> Result<Trusted, String> {
    let is_asked = policy.gates.iter().any(|gate| Rules::from(gate).asks_for_keys());
    let is_made = policy.images.iter().any(|image| image.sign.as_ref().is_some_and(|sign| sign.value));
    match is_asked || is_made {
        true => SigningKeys::of(checkout)?.trusted(&policy.signing, read),
        false => Ok(Trusted { ids: Vec::new(), keys: Ok(TrustedKeys::default()) }),
    }
}

/// The ids of these keys.
///
/// # Errors
/// As [`trusted`].
pub(crate) fn counting(checkout: &Checkout, policy: &Policy, read: ReadFile<'_>) -> Result<Vec<String>, String> {
    Ok(trusted(checkout, policy, read)?.ids)
}

/// A key that is kept, without its private half.
#[derive(Debug)]
pub(crate) struct KeptKey {
    pub(crate) name: String,
    pub(crate) scope: Scope,
    pub(crate) public: PublicKey,
    /// Milliseconds since 1970, UTC.
    pub(crate) created: i64,
}

impl SigningKeys {
    /// Those of a repository, below `LINECLEAR_HOME`. Touches nothing.
    pub(crate) fn of(checkout: &Checkout) -> Result<Self, String> {
        let stores = SecretStores::new(&settings::home()?, None);
        Ok(Self { stores, repository: secret_stores::repository_of(checkout)? })
    }

    /// The scope of keys of this repository alone.
    pub(crate) fn own_scope(&self) -> Scope {
        Scope::Repository(self.repository.clone())
    }

    /// Keeps a key under a name that no other key of the scope has.
    pub(crate) fn keep(&mut self, name: &str, scope: &Scope, public: &PublicKey, sealed: &str) -> Result<(), String> {
        let name = name_of(name)?;
        let value = SecretText::new(format!("{}{sealed}", public.pem()));
        let taken = self.stores.with_signing_keys(|store| {
            store.change(|contents| {
                if contents.get(Kind::Secret, scope, &name).is_some() {
                    return Ok(true);
                }
                contents.set(Kind::Secret, scope.clone(), name.clone(), value.clone(), now().0).map(|_| false)
            })
        })?;
        if taken {
            return Err(format!(
                "there is a key {} for {scope}: what it signed needs it; `lineclear key remove` removes it",
                shown(&name)
            ));
        }
        Ok(())
    }

    /// All keys that this repository may sign with, by name.
    pub(crate) fn all(&mut self) -> Result<Vec<KeptKey>, String> {
        let contents = self.read()?;
        let mut keys = Vec::new();
        for entry in contents.entries() {
            let is_ours = entry.scope().repository().is_none_or(|of| *of == self.repository);
            if is_ours && entry.kind() == Kind::Secret {
                let (name, scope) = (shown(entry.name()), entry.scope().clone());
                let public = public_half(entry.value().expose()).map_err(|error| unusable(&name, &error))?;
                keys.push(KeptKey { name, scope, public, created: entry.created() });
            }
        }
        keys.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(keys)
    }

    /// Removes a key; whether there was one.
    pub(crate) fn remove(&mut self, name: &str, scope: &Scope) -> Result<bool, String> {
        let name = name_of(name)?;
        self.stores.with_signing_keys(|store| store.change(|contents| Ok(contents.remove(Kind::Secret, scope, &name))))
    }

    /// The key to sign with: the one that is named (a name, a file, `env://VARIABLE`), else that of `LINECLEAR_SIGNING_KEY`, else that of the
    /// policy, else the only one that is kept.
    pub(crate) fn private(&mut self, named: Option<&str>, policy: &SigningPolicy) -> Result<PrivateKey, String> {
        if let Some(named) = named {
            return self.private_named(named);
        }
        if let Some(text) = variable(KEY) {
            return open(&format!("${KEY}"), text.as_bytes());
        }
        if let Some(named) = &policy.key {
            return match self.all()?.iter().any(|key| shown_as(&key.name, &named.value)) {
                true => self.private_kept(&named.value),
                false => Err(not_here(&named.value)),
            };
        }
        match self.all()?.as_slice() {
            [only] => {
                let name = only.name.clone();
                self.private_kept(&name)
            }
            [] => Err("there is no key to sign with: `lineclear key generate release` makes one, and `key = \"release\"` in `[signing]` of lineclear.toml \
                 says that it counts"
                .to_owned()),
            several => {
                let names: Vec<&str> = several.iter().map(|key| key.name.as_str()).collect();
                Err(format!(
                    "there are several keys: say which with `--key`, or with `key` in `[signing]` of lineclear.toml: {}",
                    names.join(", ")
                ))
            }
        }
    }

    /// A public key: of a file, `env://VARIABLE`, or a key that is kept.
    pub(crate) fn public(&mut self, named: &str) -> Result<PublicKey, String> {
        if let Some(text) = outside(named)? {
            return PublicKey::from_pem(&text).map_err(|error| unusable(named, &error));
        }
        let name = name_of(named)?;
        let value = self.kept(&name)?;
        public_half(value.expose()).map_err(|error| unusable(named, &error))
    }

    /// The keys that count by the policy; where it names none, the one that the policy signs with.
    /// `read` reads the files that the policy names.
    ///
    /// # Errors
    /// A sentence: a file that is named cannot be read, or is no key.
    pub(crate) fn trusted(&mut self, policy: &SigningPolicy, read: ReadFile<'_>) -> Result<Trusted, String> {
        let mut ids = Vec::new();
        let mut keys: Result<Vec<PublicKey>, String> = Ok(Vec::new());
        let named = policy.keys.iter().map(|named| named.value.as_str());
        for named in named {
            let key = match named.starts_with("sha256:") {
                true => self.public_by_id(named),
                false => Ok(PublicKey::from_pem(&read(named)?).map_err(|error| unusable(named, &error))?),
            };
            ids.push(key.as_ref().map_or_else(|_| named.to_owned(), PublicKey::id));
            keys = keys.and_then(|mut known| key.map(|key| known.push(key)).map(|()| known));
        }
        if let (true, Some(own)) = (ids.is_empty(), &policy.key) {
            let key = self.public_of_policy(&own.value)?;
            ids.push(key.id());
            keys = Ok(vec![key]);
        }
        Ok(Trusted { ids, keys: keys.map(TrustedKeys::new) })
    }

    fn public_by_id(&mut self, id: &str) -> Result<PublicKey, String> {
        let kept = self.all()?.into_iter().find(|key| key.public.id() == id);
        kept.map(|key| key.public).ok_or_else(|| {
            format!("the key {id} of `[signing] keys` is not kept here: name the file of its public half instead")
        })
    }

    /// The public half of the key that `[signing]` names for this machine.
    fn public_of_policy(&mut self, named: &str) -> Result<PublicKey, String> {
        if !self.all()?.iter().any(|key| shown_as(&key.name, named)) {
            return Err(not_here(named));
        }
        self.public(named)
    }

    fn private_named(&mut self, named: &str) -> Result<PrivateKey, String> {
        match outside(named)? {
            Some(text) => open(named, &text),
            None => self.private_kept(named),
        }
    }

    fn private_kept(&mut self, name: &str) -> Result<PrivateKey, String> {
        let value = self.kept(&name_of(name)?)?;
        let at =
            value.expose().find(PRIVATE_BEGINS).ok_or_else(|| format!("the key {name} that is kept is damaged"))?;
        open(name, &value.expose().as_bytes()[at..])
    }

    fn kept(&mut self, name: &Name) -> Result<SecretText, String> {
        let contents = self.read()?;
        let place = Place { repository: &self.repository, environment: None };
        let seen = contents.seen_from(Kind::Secret, place);
        seen.get(name.as_str()).map(|entry| entry.value().clone()).ok_or_else(|| {
            format!("there is no key {} and no such file; `lineclear key list` shows those that there are", shown(name))
        })
    }

    fn read(&mut self) -> Result<Contents, String> {
        self.stores.with_signing_keys(lineclear_secrets::SecretStore::read)
    }
}

/// A key that does not lie in the store: a file, or `env://VARIABLE`. `None` for what is the name of a key that is kept.
fn outside(named: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    if let Some(name) = named.strip_prefix("env://") {
        let text = variable(name).ok_or_else(|| format!("the variable {name}, which should hold a key, is not set"))?;
        return Ok(Some(Zeroizing::new(text.as_bytes().to_vec())));
    }
    if let Some((scheme, _)) = named.split_once("://") {
        return Err(format!(
            "keys of `{scheme}://` are held by a service, which is not asked here: expected a file, env://VARIABLE or the name of a key"
        ));
    }
    if named.contains(['/', '.']) || Path::new(named).is_file() {
        return file(Path::new(named)).map(Some);
    }
    Ok(None)
}

/// Opens a private key; its passphrase is asked for where there is somebody to ask.
fn open(what: &str, text: &[u8]) -> Result<PrivateKey, String> {
    let given = PASSPHRASES.iter().find_map(|name| variable(name));
    let first = given.as_ref().map_or(&[][..], |given| given.as_bytes());
    match PrivateKey::open(text, first) {
        Err(KeyError::WrongPassphrase) if given.is_none() && prompt::is_possible() => {
            let asked = Zeroizing::new(prompt::hidden(&format!("Passphrase of {what}: "))?);
            PrivateKey::open(text, asked.as_bytes())
        }
        other => other,
    }
    .map_err(|error| match error {
        KeyError::WrongPassphrase if given.is_none() => {
            format!("the key {what} wants its passphrase: set {} to it", PASSPHRASES[0])
        }
        other => unusable(what, &other),
    })
}

/// A passphrase for a new key: of the environment, or asked for twice. Empty where nobody can be asked.
pub(crate) fn new_passphrase(what: &str) -> Result<Zeroizing<String>, String> {
    if let Some(given) = PASSPHRASES.iter().find_map(|name| variable(name)) {
        return Ok(given);
    }
    if !prompt::is_possible() {
        return Err(format!("the key {what} needs a passphrase: set {} to it", PASSPHRASES[0]));
    }
    let first = Zeroizing::new(prompt::hidden(&format!("Passphrase for {what}: "))?);
    let second = Zeroizing::new(prompt::hidden("The same once more: ")?);
    if first != second {
        return Err("the two are not the same: nothing was made".to_owned());
    }
    Ok(first)
}

fn not_here(named: &str) -> String {
    format!(
        "this machine has no key {named}, which `[signing] key` names: `lineclear key generate {named}` makes one, `lineclear key import` \
         takes one; where nobody signs, name the public half in `[signing] keys`"
    )
}

/// Whether a key that is kept is the one that is named: names ignore case, and `-` is `_`.
fn shown_as(kept: &str, named: &str) -> bool {
    kept.eq_ignore_ascii_case(&named.replace('-', "_"))
}

/// Reads a file with a key.
pub(crate) fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let wrong = |error: std::io::Error| format!("cannot read `{}`: {error}", path.display());
    let mut text = Zeroizing::new(Vec::with_capacity(4096));
    File::open(path).map_err(wrong)?.take(MAX_KEY_BYTES).read_to_end(&mut text).map_err(wrong)?;
    Ok(text)
}

/// The passphrase for reading a key that comes from elsewhere.
pub(crate) fn open_foreign(path: &Path) -> Result<PrivateKey, String> {
    open(&format!("`{}`", path.display()), &file(path)?)
}

fn variable(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(Zeroizing::new)
}

fn public_half(value: &str) -> Result<PublicKey, KeyError> {
    PublicKey::from_pem(value.split(PRIVATE_BEGINS).next().unwrap_or_default().as_bytes())
}

fn name_of(text: &str) -> Result<Name, String> {
    Name::new(&text.replace('-', "_")).map_err(|_| {
        format!("`{text}` is no name for a key: letters, digits, `-` and `_` only, and no digit first; a file is written as ./{text}")
    })
}

fn shown(name: &Name) -> String {
    name.as_str().to_ascii_lowercase()
}

fn unusable(what: &str, error: &KeyError) -> String {
    format!("the key {what} cannot be used: {}", with_causes(error))
}
