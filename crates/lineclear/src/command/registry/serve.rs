//! `lineclear registry serve`.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use lineclear_registry_server::{Pattern, Registry, Settings};
use lineclear_services::{Limits, RegistryServer, RegistryServerConfig};
use lineclear_source::Diagnostic;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::DataArgs;
use super::door::{Anonymous, Door};
use crate::exit::Exit;
use crate::local_event::Checkout;
use crate::session::permits::held::{self, Held};
use crate::settings::now;
use crate::{output, policy_file};

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,

    #[command(flatten)]
    data: DataArgs,

    /// A file of users and their passwords, made with `htpasswd -B`; they may do everything.
    #[arg(long, value_name = "FILE")]
    htpasswd: Option<PathBuf>,

    /// Let everybody pull, without a name.
    #[arg(long)]
    anonymous_pull: bool,

    /// Let everybody do everything, without a name.
    #[arg(long, conflicts_with_all = ["anonymous_pull", "htpasswd"])]
    anonymous: bool,

    /// Tags that are neither moved nor removed once they are there, such as 'v*'; may be repeated.
    #[arg(long = "immutable-tags", value_name = "GLOB")]
    immutable_tags: Vec<String>,

    /// Hold the release repositories that this lineclear.toml names: nobody who logs in sets a tag there but a release user.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// A user of --htpasswd that the engine moves images with, after its gate was clear; may be repeated.
    #[arg(long = "release-user", value_name = "NAME", requires = "policy")]
    release_users: Vec<String>,
}

pub(super) fn serve(args: &ServeArgs) -> Result<Exit, Exit> {
    let refuse = |message: String| {
        output::complain(&format!("error: {message}"));
        Exit::BadInput
    };
    let anonymous = match (args.anonymous, args.anonymous_pull) {
        (true, _) => Anonymous::Everything,
        (_, true) => Anonymous::Pulls,
        _ => Anonymous::Nothing,
    };
    if anonymous == Anonymous::Nothing && args.htpasswd.is_none() {
        return Err(refuse(
            "nobody could use this registry: say who may, with --htpasswd FILE, --anonymous-pull or --anonymous".into(),
        ));
    }
    let held = args.policy.as_deref().map(release_repositories).transpose().map_err(refuse)?.unwrap_or_default();
    let door = Door::new(anonymous, args.htpasswd.as_deref()).map_err(refuse)?;
    let door = door.holding(held, args.release_users.clone()).map_err(refuse)?;
    let listener = TcpListener::bind(args.listen)
        .map_err(|error| refuse(format!("cannot listen on {}: {error}; choose another --listen", args.listen)))?;
    // Before anybody can ask it to end.
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|error| {
        output::complain_of(&error);
        Exit::EngineFault
    })?;
    let store = args.data.open()?;
    let settings =
        Settings { immutable_tags: args.immutable_tags.iter().map(Pattern::new).collect(), ..Settings::default() };
    let config = RegistryServerConfig {
        registry: Registry::new(store.clone(), settings),
        door: Arc::new(door),
        clock: Arc::new(now),
        limits: Limits::default(),
        warn: Arc::new(|message: &str| output::complain(&format!("warning: {message}"))),
    };
    let server = RegistryServer::start(listener, config).map_err(|error| {
        output::complain_of(&error);
        Exit::EngineFault
    })?;
    let address = server.address();
    output::print(&format!("the registry listens on {address}; images are in {}\n", store.root().display()));
    if !address.ip().is_loopback() {
        output::complain(
            "note: this is plain HTTP; put a proxy with TLS in front of it where others are on the network",
        );
    }
    let _ended = signals.forever().next();
    drop(server);
    Ok(Exit::Success)
}

/// The release repositories that a policy names, whose repository is the one around it.
///
/// # Errors
/// A sentence: it cannot be read, or is wrong.
fn release_repositories(file: &Path) -> Result<Vec<Held>, String> {
    let named = |why: String| format!("`{}`: {why}", file.display());
    let folder = std::path::absolute(file).ok().and_then(|file| file.parent().map(Path::to_owned));
    let checkout = Checkout::find(&folder.unwrap_or_else(|| PathBuf::from(".")));
    let read = policy_file::read_file(file, &checkout.root)?;
    if !read.exists {
        return Err(named("there is no such file".to_owned()));
    }
    let wrong: Vec<_> = read.findings.into_iter().chain(read.problems).filter(Diagnostic::is_error).collect();
    if !wrong.is_empty() {
        output::complain_findings(&read.source, &wrong);
        return Err(named("mend it first: half of a policy would hold half of what it should".to_owned()));
    }
    // Nobody but release users sets a tag there, and no gate is asked for them: which keys count does not matter.
    Ok(held::all(&[(read.policy, Vec::new())], &checkout.repository_name(), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_policy_with_a_preset_holds_is_known_without_the_keys_that_it_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        let policy = "preset = 'publish-only'\n[image.app]\nrepository = 'ghcr.io/octo/app'\ngate = 'release'\nsign = true\n\
            [gate.release]\nrequire = ['CI / lint']\nsignature = true\n[signing]\nkey = 'release'\nkeys = ['nowhere.pub']\n";
        write("held.toml", policy);
        let file = folder.path().join("held.toml");
        let why = release_repositories(&file).expect_err("the preset finds no check");
        assert!(why.contains("mend it first"), "{why}");
        write(
            ".github/workflows/ci.yml",
            "name: CI\non: push\njobs:\n  lint: { runs-on: ubuntu-latest, steps: [{ run: a }] }\n",
        );
        let held = release_repositories(&file).expect("it is right, and no key is asked for");
        let place = lineclear_oci::RepositoryName::parse("ghcr.io/octo/app").expect("a name");
        assert!(held.len() == 1 && held[0].is_at(&place), "{held:?}");
        write("held.toml", "[image.app\n");
        assert!(release_repositories(&file).is_err_and(|why| why.contains("mend it first")));
        let why = release_repositories(&folder.path().join("none.toml")).expect_err("it is not there");
        assert!(why.contains("there is no such file"), "{why}");
    }
}
