//! How far jobs of this machine are kept from it: the arguments of `run`, over `[runner.isolation]` of `lineclear.toml`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use lineclear_backend::{
    Destination, Enforce, Isolation, IsolationTextError, NetworkAccess, ResourceLimits, parse_bytes, parse_processors,
};
use lineclear_backend_host::{Launcher, SandboxSettings};
use lineclear_policy::{IsolationPolicy, NetworkPolicy};

use super::prepare::Stopped;

/// Arguments of `run` about isolation.
#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Isolation (docs/isolation.md)")]
pub(crate) struct IsolationArgs {
    /// Keep jobs from this machine: a read-only system, a private /tmp, secrets out of sight, no network but loopback. What this
    /// machine cannot enforce is told; with `strict`, the job does not run then.
    #[arg(long, value_name = "MODE", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "best-effort")]
    isolate: Option<Mode>,

    /// What jobs reach: none, loopback (themselves and Lineclear's services), private (everything, but ports are the job's own),
    /// host, or allow=HOST,HOST:PORT,… such as allow=packages.example.org:443,*.example.org,10.0.0.0/8. [default: host; loopback with --isolate]
    #[arg(long, value_name = "NETWORK")]
    network: Option<NetworkAccess>,

    /// Processors of each job, such as 2 or 0.5.
    #[arg(long, value_name = "N", value_parser = parse_processors)]
    cpus: Option<f64>,

    /// Memory of each job, such as 512M or 2G.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    memory: Option<u64>,

    /// How many processes each job may have at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    processes: Option<u64>,

    /// How much each job may write to its own folders, such as 10G.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    disk: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Jobs run without what cannot be enforced.
    BestEffort,
    /// Jobs do not run without it.
    Strict,
}

/// What is asked for; `None`: nothing.
///
/// # Errors
/// For a destination in `lineclear.toml` that is none.
pub(crate) fn asked(args: &IsolationArgs, policy: Option<&IsolationPolicy>) -> Result<Option<Isolation>, Stopped> {
    let mut isolation = match policy {
        Some(policy) => of_policy(policy).map_err(Stopped::bad_input)?,
        None if *args == IsolationArgs::default() => return Ok(None),
        // A single argument asks for what it says and no more.
        None => Isolation { network: NetworkAccess::Host, read_only_system: false, ..Isolation::default() },
    };
    if let Some(mode) = args.isolate {
        isolation.enforce = match mode {
            Mode::BestEffort => Enforce::BestEffort,
            Mode::Strict => Enforce::Strict,
        };
        if policy.is_none() {
            isolation.read_only_system = true;
            isolation.network = NetworkAccess::Loopback;
        }
    }
    if let Some(network) = &args.network {
        isolation.network = network.clone();
    }
    let limits = &mut isolation.limits;
    limits.cpus = args.cpus.or(limits.cpus);
    limits.memory = args.memory.or(limits.memory);
    limits.processes = args.processes.or(limits.processes);
    limits.disk = args.disk.or(limits.disk);
    Ok(Some(isolation))
}

fn of_policy(policy: &IsolationPolicy) -> Result<Isolation, String> {
    let allow: Result<Vec<Destination>, IsolationTextError> =
        policy.allow.iter().map(|text| text.value.parse()).collect();
    let allow = allow.map_err(|error| format!("`allow` in `[runner.isolation]` of `lineclear.toml`: {error}"))?;
    let network = match policy.network.as_ref().map(|network| network.value) {
        _ if !allow.is_empty() => NetworkAccess::AllowList(allow),
        Some(NetworkPolicy::None) => NetworkAccess::None,
        Some(NetworkPolicy::Private) => NetworkAccess::Private,
        Some(NetworkPolicy::Host) => NetworkAccess::Host,
        Some(NetworkPolicy::Loopback) | None => NetworkAccess::Loopback,
    };
    Ok(Isolation {
        network,
        read_only_system: policy.read_only_system.as_ref().is_none_or(|set| set.value),
        limits: ResourceLimits {
            cpus: policy.cpus.as_ref().map(|set| set.value),
            memory: policy.memory.as_ref().map(|set| set.value),
            processes: policy.processes.as_ref().map(|set| u64::from(set.value)),
            disk: policy.disk.as_ref().map(|set| set.value),
        },
        enforce: match policy.enforce.as_ref().map(|set| set.value) {
            Some(lineclear_policy::Enforce::Strict) => Enforce::Strict,
            Some(lineclear_policy::Enforce::BestEffort) | None => Enforce::BestEffort,
        },
    })
}

/// What isolated jobs see of Lineclear's own files, which is what a job needs of them: fetched actions, and the objects of
/// the repository, which the copy in its workspace shares.
pub(crate) fn sandbox(home: &Path, root: &Path, git_dir: Option<&Path>) -> SandboxSettings {
    let mut shown = vec![root.to_owned(), home.join("actions")];
    if let Some(git_dir) = git_dir {
        shown.push(git_dir.to_owned());
        // A second working tree has its objects where the first one has them.
        let common = std::fs::read_to_string(git_dir.join("commondir")).ok();
        shown.extend(common.map(|path| git_dir.join(path.trim_end())));
    }
    let folders = ["LINECLEAR_ACTIONS_DIR", "LINECLEAR_ACTION_SERVERS"].into_iter().filter_map(std::env::var_os);
    let folders =
        folders.flat_map(|value| value.to_string_lossy().split_whitespace().map(PathBuf::from).collect::<Vec<_>>());
    shown.extend(folders.filter(|path| path.is_absolute()));
    SandboxSettings { launcher: Some(Launcher::this_program()), hidden: vec![home.to_owned()], shown }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use lineclear_policy::Policy;
    use lineclear_source::Source;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        isolation: IsolationArgs,
    }

    fn ask(args: &[&str], toml: &str) -> Option<Isolation> {
        let args = Arguments::try_parse_from(std::iter::once("run").chain(args.iter().copied())).expect("arguments");
        let (policy, _) = Policy::read(&Source::new("lineclear.toml", toml.to_owned()));
        asked(&args.isolation, policy.runner.isolation.as_ref())
            .unwrap_or_else(|_| panic!("{args:?}", args = args.isolation))
    }

    #[test]
    fn nothing_is_isolated_unless_it_is_asked_for() {
        assert_eq!(ask(&[], ""), None);
        assert_eq!(ask(&["--isolate"], ""), Some(Isolation::default()));
        let strict = ask(&["--isolate=strict", "--network", "none"], "").expect("asked");
        assert_eq!(
            (strict.enforce, strict.network, strict.read_only_system),
            (Enforce::Strict, NetworkAccess::None, true)
        );
    }

    #[test]
    fn one_argument_asks_for_no_more_than_it_says() {
        let only = ask(&["--memory", "2G"], "").expect("asked");
        assert_eq!(
            (only.limits.memory, only.network, only.read_only_system),
            (Some(2 << 30), NetworkAccess::Host, false)
        );
        let only = ask(&["--network", "loopback"], "").expect("asked");
        assert_eq!((only.network, only.read_only_system), (NetworkAccess::Loopback, false));
    }

    #[test]
    fn arguments_win_over_the_file() {
        let toml = "[runner.isolation]\nenforce = \"strict\"\nallow = [\"packages.example.org:443\"]\nmemory = \"1G\"\ncpus = 2\n";
        let file = ask(&[], toml).expect("asked");
        assert_eq!(file.network.to_string(), "allow=packages.example.org:443");
        assert_eq!((file.enforce, file.limits.memory, file.limits.cpus), (Enforce::Strict, Some(1 << 30), Some(2.0)));
        let both = ask(&["--network", "private", "--memory", "512M", "--isolate"], toml).expect("asked");
        assert_eq!((both.network, both.limits.memory), (NetworkAccess::Private, Some(512 << 20)));
        assert_eq!((both.enforce, both.limits.cpus), (Enforce::BestEffort, Some(2.0)));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_is_expected() {
        for (args, expected) in [
            (["--network", "lo"], "expected none, loopback, private, host or allow=HOST[:PORT],…"),
            (["--memory", "2 gigs"], "expected a number and K, M, G or T"),
            (["--cpus", "0"], "expected one such as 2 or 0.5"),
            (["--disk", "much"], "expected a number and K, M, G or T"),
            (["--processes", "0"], "0 is not in 1.."),
        ] {
            let error = Arguments::try_parse_from(std::iter::once("run").chain(args)).map(|_| ()).expect_err("refused");
            assert!(error.to_string().contains(expected), "{args:?}: {error}");
        }
    }
}
