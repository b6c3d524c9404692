//! The command lines of builders: pure, from what was asked for and what the builder can do.
//!
//! No secret stands on them: secrets are files, and build arguments are handed over in the environment, where only the same user can
//! read them.

use std::path::PathBuf;

use lineclear_oci::Platform;

use super::builder::Builder;
use super::inputs::{Cache, InputError, Inputs};

/// What is decided before the command line is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// The context, as the builder is given it.
    pub(crate) context: String,
    /// The Dockerfile, if not that of the context.
    pub(crate) file: Option<String>,
    /// For one platform, or several where the builder can.
    pub(crate) platforms: Vec<Platform>,
    /// Names that the image gets where it is built.
    pub(crate) tags: Vec<String>,
    /// Where the image's id is written.
    pub(crate) id_file: Option<PathBuf>,
    /// Where facts of the build are written.
    pub(crate) metadata_file: Option<PathBuf>,
    /// `--output`, at most one.
    pub(crate) output: Option<String>,
    /// Secrets by id, each in a file, or in a variable.
    pub(crate) secrets: Vec<(String, SecretAt)>,
    /// `--cache-from`, as the builder understands them.
    pub(crate) cache_from: Vec<String>,
    pub(crate) cache_to: Vec<String>,
    /// Whether the image says how it was made, so that it is a cache itself.
    pub(crate) is_inline_cache: bool,
    /// `--attest`.
    pub(crate) attests: Vec<String>,
    /// Where logins are, for programs that do not look there by themselves.
    pub(crate) auth_file: Option<PathBuf>,
    /// Another stage than the one that was asked for.
    pub(crate) target: Option<String>,
    /// Whether nothing is asked anew that was just built.
    pub(crate) is_again: bool,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretAt {
    File(PathBuf),
    Variable(String),
}

/// A program with its arguments, and what is added to its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommandLine {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
}

/// The command that builds.
///
/// `has` says whether a variable is in the step's environment already: a build argument of that name is not put there.
///
/// # Errors
/// For what this builder cannot do: never is a wish dropped in silence.
pub(crate) fn build(
    builder: &Builder,
    inputs: &Inputs,
    order: &Order,
    has: &dyn Fn(&str) -> bool,
) -> Result<CommandLine, InputError> {
    refuse(builder, inputs, order)?;
    let mut line = Line::default();
    let (program, first): (&str, Vec<&str>) = match builder {
        Builder::Buildx { command, .. } => {
            (&command[0], command[1..].iter().map(String::as_str).chain(["build"]).collect())
        }
        Builder::Classic => ("docker", vec!["build"]),
        // `bud` is the name that every version knows.
        Builder::Buildah => ("buildah", vec!["bud", "--layers"]),
    };
    line.args.extend(first.into_iter().map(str::to_owned));
    for host in &inputs.add_hosts {
        line.pair("--add-host", host);
    }
    if builder.is_buildkit() {
        inputs.allow.iter().for_each(|entry| line.pair("--allow", entry));
        line.pair("--progress", "plain");
        if !inputs.builder.is_empty() {
            line.pair("--builder", &inputs.builder);
        }
        if is_complete(builder) {
            // The others attach none: that is done where images are put together.
            inputs.annotations.iter().for_each(|annotation| line.pair("--annotation", annotation));
        }
        if !inputs.call.is_empty() {
            line.pair("--call", &inputs.call);
        }
        inputs.no_cache_filters.iter().for_each(|stage| line.pair("--no-cache-filter", stage));
    }
    for entry in &inputs.build_args {
        match entry.split_once('=') {
            Some((name, value)) if !has(name) && is_variable(name) => {
                line.pair("--build-arg", name);
                line.env.push((name.to_owned(), value.to_owned()));
            }
            _ => line.pair("--build-arg", entry),
        }
    }
    if order.is_inline_cache {
        line.pair("--build-arg", "BUILDKIT_INLINE_CACHE=1");
    }
    inputs.build_contexts.iter().for_each(|entry| line.pair("--build-context", entry));
    order.cache_from.iter().for_each(|entry| line.pair("--cache-from", entry));
    order.cache_to.iter().for_each(|entry| line.pair("--cache-to", entry));
    line.unless_empty("--cgroup-parent", &inputs.cgroup_parent);
    if let Some(file) = &order.file {
        line.pair("--file", file);
    }
    if let Some(file) = &order.id_file {
        line.pair("--iidfile", &file.to_string_lossy());
    }
    if let Some(file) = &order.metadata_file {
        line.pair("--metadata-file", &file.to_string_lossy());
    }
    inputs.labels.iter().for_each(|label| line.pair("--label", label));
    line.unless_empty("--network", &inputs.network);
    if inputs.no_cache && !order.is_again {
        line.args.push("--no-cache".to_owned());
    }
    if let Some(output) = &order.output {
        line.pair("--output", output);
    }
    if !order.platforms.is_empty() {
        let platforms: Vec<String> = order.platforms.iter().map(Platform::to_string).collect();
        line.pair("--platform", &platforms.join(","));
    }
    order.attests.iter().for_each(|entry| line.pair("--attest", entry));
    if inputs.pull && !order.is_again {
        line.args.push("--pull".to_owned());
    }
    for (id, at) in &order.secrets {
        let at = match at {
            SecretAt::File(file) => format!("src={}", file.display()),
            SecretAt::Variable(name) => format!("env={name}"),
        };
        line.pair("--secret", &format!("id={id},{at}"));
    }
    line.unless_empty("--shm-size", &inputs.shm_size);
    inputs.ssh.iter().for_each(|entry| line.pair("--ssh", entry));
    order.tags.iter().for_each(|tag| line.pair("--tag", tag));
    line.unless_empty("--target", order.target.as_deref().unwrap_or(&inputs.target));
    inputs.ulimit.iter().for_each(|entry| line.pair("--ulimit", entry));
    match builder {
        Builder::Buildah => {
            // Its own form has no HEALTHCHECK.
            line.pair("--format", "docker");
            if !has("BUILDAH_ISOLATION") {
                line.pair("--isolation", "chroot");
            }
            if let Some(file) = &order.auth_file {
                line.pair("--authfile", &file.to_string_lossy());
            }
        }
        Builder::Classic => line.env.push(("DOCKER_BUILDKIT".to_owned(), "0".to_owned())),
        // Attestations are asked for where they are wanted, and only there.
        Builder::Buildx { .. } => line.env.push(("BUILDX_NO_DEFAULT_ATTESTATIONS".to_owned(), "1".to_owned())),
    }
    line.args.push(order.context.clone());
    Ok(CommandLine { program: program.to_owned(), args: line.args, env: line.env })
}

/// Refuses what the builder cannot do.
fn refuse(builder: &Builder, inputs: &Inputs, order: &Order) -> Result<(), InputError> {
    let refuse =
        |what: &str, help: &str| Err(InputError(format!("{what} is not possible with {}: {help}", builder.describe())));
    let needs_buildkit = "install buildx (package `docker-buildx`) and run docker/setup-buildx-action";
    if !builder.is_buildkit() {
        if !inputs.call.is_empty() && inputs.call != "build" {
            return refuse("`call`", needs_buildkit);
        }
        if !inputs.no_cache_filters.is_empty() {
            return refuse("`no-cache-filters`", "use `no-cache: true`, or install buildx");
        }
        if !inputs.allow.is_empty() {
            return refuse("`allow`", needs_buildkit);
        }
    }
    if *builder == Builder::Classic {
        if !order.secrets.is_empty() {
            return refuse("a secret (`secrets`, `secret-envs`, `secret-files`)", needs_buildkit);
        }
        if !inputs.ssh.is_empty() {
            return refuse("`ssh`", needs_buildkit);
        }
        if !inputs.build_contexts.is_empty() {
            return refuse("`build-contexts`", needs_buildkit);
        }
    }
    if inputs.cache_to.iter().any(|entry| entry.cache == Cache::Other) && !is_complete(builder) {
        return refuse("this `cache-to`", "use `type=gha`, which works everywhere");
    }
    if !inputs.attests.is_empty() && !is_complete(builder) {
        return refuse("an attestation of another type than provenance and sbom", "remove it from `attests`");
    }
    Ok(())
}

pub(crate) fn is_complete(builder: &Builder) -> bool {
    matches!(builder, Builder::Buildx { is_complete: true, .. })
}

/// Whether it can be the name of a variable.
fn is_variable(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
        // Variables that the builder itself reads are arguments by value.
        && !["DOCKER_", "BUILDKIT_", "BUILDX_", "BUILDAH_", "STORAGE_", "CONTAINERS_", "GO", "LD_"].iter().any(|start| name.starts_with(start))
        && !["http_proxy", "https_proxy", "no_proxy", "all_proxy", "ftp_proxy"].contains(&name.to_ascii_lowercase().as_str())
}

#[derive(Default)]
struct Line {
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Line {
    fn pair(&mut self, name: &str, value: &str) {
        self.args.extend([name.to_owned(), value.to_owned()]);
    }

    fn unless_empty(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.pair(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn inputs(given: &[(&str, &str)]) -> Inputs {
        let given: BTreeMap<&str, &str> = given.iter().copied().collect();
        Inputs::read(&|name| given.get(name).copied().unwrap_or_default().to_owned()).expect("inputs")
    }

    fn buildx() -> Builder {
        let command = vec!["docker".to_owned(), "buildx".to_owned()];
        Builder::Buildx { command, driver: "docker".into(), is_complete: false }
    }

    fn shown(builder: &Builder, given: &[(&str, &str)], order: &Order) -> Result<String, String> {
        let line = build(builder, &inputs(given), order, &|name| name == "PATH").map_err(|error| error.0)?;
        Ok(format!("{} {}", line.program, line.args.join(" ")))
    }

    #[test]
    fn every_builder_is_given_what_was_asked_for() {
        let given = [
            ("add-hosts", "docker:10.0.0.1"),
            ("labels", "a=b"),
            ("target", "production"),
            ("network", "host"),
            ("pull", "true"),
            ("no-cache", "true"),
            ("shm-size", "2g"),
            ("ulimit", "nofile=1024:1024"),
        ];
        let order = Order { context: ".".into(), tags: vec!["x:1".into()], ..Order::default() };
        let common = "--add-host docker:10.0.0.1{}--label a=b --network host --no-cache --pull --shm-size 2g --tag x:1 --target production --ulimit nofile=1024:1024{} .";
        let expect = |start: &str, middle: &str, end: &str| {
            format!("{start} {}", common.replacen("{}", middle, 1).replacen("{}", end, 1))
        };
        assert_eq!(shown(&Builder::Classic, &given, &order), Ok(expect("docker build", " ", "")));
        assert_eq!(shown(&buildx(), &given, &order), Ok(expect("docker buildx build", " --progress plain ", "")));
        assert_eq!(
            shown(&Builder::Buildah, &given, &order),
            Ok(expect("buildah bud --layers", " ", " --format docker --isolation chroot"))
        );
    }

    #[test]
    fn values_of_build_arguments_stay_off_the_command_line() {
        let given = inputs(&[("build-args", "TOKEN=s3cret\nPATH=/x\nHTTP_PROXY=p\nFROM_ENV\nA B=c")]);
        let line = build(&buildx(), &given, &Order::default(), &|name| name == "PATH").expect("a command");
        let text = line.args.join(" ");
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("--build-arg TOKEN --build-arg PATH=/x --build-arg HTTP_PROXY=p --build-arg FROM_ENV"));
        assert!(line.env.contains(&("TOKEN".to_owned(), "s3cret".to_owned())));
    }

    #[test]
    fn what_a_builder_cannot_do_is_refused() {
        let order = Order { secrets: vec![("T".into(), SecretAt::Variable("T".into()))], ..Order::default() };
        assert!(shown(&Builder::Classic, &[], &order).is_err_and(|error| error.contains("docker-buildx")));
        assert!(shown(&buildx(), &[], &order).is_ok_and(|line| line.contains("--secret id=T,env=T")));
        assert!(shown(&Builder::Classic, &[("ssh", "default")], &Order::default()).is_err());
        assert!(shown(&Builder::Classic, &[("build-contexts", "a=b")], &Order::default()).is_err());
        assert!(shown(&Builder::Buildah, &[("call", "check")], &Order::default()).is_err());
        assert!(shown(&Builder::Buildah, &[("no-cache-filters", "a")], &Order::default()).is_err());
        assert!(shown(&buildx(), &[("cache-to", "type=s3,bucket=x")], &Order::default()).is_err());
    }
}
