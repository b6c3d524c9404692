//! The embedded registry of a run: `[registry]` of `lineclear.toml`, and the arguments that win over it.

use std::sync::Arc;

use clap::Args;
use lineclear_oci::{RegistryHost, Routes};
use lineclear_policy::RegistryPolicy;
use lineclear_registry_server::{Pattern, Registry, Settings};
use lineclear_store::Limits;
use lineclear_store_folder::FolderStore;

use super::forge_choice::ForgeAsked;
use super::machine;
use super::prepare::Stopped;
use crate::exit::Exit;
use crate::local_event::Checkout;
use crate::output;

/// The registry that is beside the forge when the forge is the embedded one.
const BESIDE_THE_FORGE: &str = "ghcr.io";

/// Arguments of `run` about images that are pushed.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Images")]
pub(crate) struct RegistryArgs {
    /// Let names of this registry lead to the embedded one: pushed there, and looked for there first; may be repeated.
    /// [default: ghcr.io, unless there is a real forge; `none` maps nothing]
    #[arg(long = "registry-map", value_name = "HOST")]
    map: Vec<String>,
}

/// The registry of a run, and the hosts whose names lead to it.
#[derive(Clone, Debug)]
pub(crate) struct RunRegistry {
    pub(crate) registry: Registry,
    hosts: Vec<RegistryHost>,
}

impl RunRegistry {
    /// What the arguments say, else the policy, else what fits the forge.
    pub(crate) fn of(
        args: &RegistryArgs,
        policy: &RegistryPolicy,
        forge: &ForgeAsked,
        store: &Arc<FolderStore>,
    ) -> Result<Self, Stopped> {
        let named: Vec<&str> = match (&args.map, &policy.map) {
            (given, _) if !given.is_empty() => given.iter().map(String::as_str).collect(),
            (_, Some(set)) => set.iter().map(|host| host.value.as_str()).collect(),
            _ if *forge == ForgeAsked::Local => vec![BESIDE_THE_FORGE],
            _ => Vec::new(),
        };
        let read = |host: &&str| RegistryHost::parse(host);
        let hosts = named.iter().filter(|host| **host != "none").map(read).collect::<Result<_, _>>();
        let hosts = hosts.map_err(|error| Stopped::bad_input(format!("--registry-map: {error}")))?;
        let immutable_tags = policy.immutable_tags.iter().map(|pattern| Pattern::new(&pattern.value)).collect();
        let settings = Settings { immutable_tags, ..Settings::default() };
        Ok(Self { registry: Registry::new(store.clone(), settings), hosts })
    }

    /// Which names lead to the registry, which is found at `address`.
    pub(crate) fn routes(&self, address: &str) -> Routes {
        match RegistryHost::parse(address) {
            Ok(here) => Routes::into_registry(&here, self.hosts.iter().cloned()),
            Err(_) => Routes::default(),
        }
    }
}

/// How many days an image is kept that no tag leads to: what was `asked` for, else what `lineclear.toml` of the repository around the current
/// folder says, else the default.
///
/// # Errors
/// [`Exit::BadInput`], told, for a file that cannot be read: half of its settings would remove what was to stay.
pub(crate) fn untagged_days(asked: Option<u32>) -> Result<u32, Exit> {
    if let Some(days) = asked {
        return Ok(days);
    }
    let Ok(here) = std::env::current_dir() else { return Ok(Limits::default().untagged_image_days) };
    let policy = machine::read(&Checkout::find(&here).root).map_err(|Stopped { exit, message }| {
        message.iter().for_each(|message| output::complain(&format!("error: {message}")));
        exit
    })?;
    Ok(policy.registry.untagged_days.map_or(Limits::default().untagged_image_days, |days| days.value))
}

#[cfg(test)]
mod tests {
    use lineclear_policy::Policy;
    use lineclear_source::Source;

    use super::*;

    fn mapped(args: &[&str], policy: &str, forge: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(FolderStore::open(folder.path()).expect("a store"));
        let args = RegistryArgs { map: args.iter().map(|host| (*host).to_owned()).collect() };
        let (policy, findings) = Policy::read(&Source::new("lineclear.toml", policy));
        assert!(findings.is_empty(), "{findings:?}");
        let forge = forge.parse().expect("a forge");
        let Ok(registry) = RunRegistry::of(&args, &policy.registry, &forge, &store) else { return "refused".into() };
        let name = "ghcr.io/octo/app:1".parse().expect("a reference");
        let route = registry.routes("127.0.0.1:5000").apply(&name);
        route.map_or_else(|| "as it is".into(), |name| name.to_string())
    }

    #[test]
    fn names_lead_to_the_embedded_registry_as_arguments_policy_and_forge_say() {
        let here = "127.0.0.1:5000/ghcr.io/octo/app:1";
        assert_eq!(mapped(&[], "", "local"), here);
        assert_eq!(mapped(&[], "", "github"), "as it is");
        assert_eq!(mapped(&[], "[registry]\nmap = []\n", "local"), "as it is");
        assert_eq!(mapped(&[], "[registry]\nmap = [\"ghcr.io\"]\n", "github"), here);
        assert_eq!(mapped(&["ghcr.io"], "[registry]\nmap = []\n", "github"), here);
        assert_eq!(mapped(&["none"], "", "local"), "as it is");
        assert_eq!(mapped(&["https://ghcr.io"], "", "local"), "refused");
    }
}
