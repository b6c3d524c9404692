//! What jobs find on this machine: `[runner]` of `lineclear.toml`, and the arguments that win over it.

use std::path::{Path, PathBuf};

use clap::Args;
use lineclear_policy::{DockerConfig, EngineChoice, EngineView, Policy};

use super::prepare::Stopped;
use crate::cli::name_and_value;
use crate::exit::Exit;
use crate::output;
use crate::policy_file;

/// Arguments of `run` about the machine.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    /// Run jobs with this label of `runs-on` in an image, such as ubuntu-latest=example.org/ci/ubuntu:24.04; may be repeated.
    #[arg(long = "image", value_name = "LABEL=IMAGE", value_parser = name_and_value)]
    images: Vec<(String, String)>,

    /// The container engine: auto, docker, podman, none, or its address. [default: auto, the first that answers]
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    engine: Option<EngineChoice>,

    /// A file of CA certificates that containers trust too, for networks whose proxy has a CA of its own.
    #[arg(long, value_name = "FILE", env = "LINECLEAR_TRUST_BUNDLE")]
    trust_bundle: Option<PathBuf>,

    /// Let `docker` in steps begin with a copy of your own logins; without it, a job has only those that it makes.
    #[arg(long)]
    inherit_docker_config: bool,

    /// Let steps see what else is in the container engine; they cannot change it either way.
    #[arg(long)]
    shared_engine_view: bool,
}

fn engine(text: &str) -> Result<EngineChoice, String> {
    Ok(match text {
        "auto" => EngineChoice::Found,
        "none" => EngineChoice::None,
        "docker" => EngineChoice::Docker,
        "podman" => EngineChoice::Podman,
        address if ["unix://", "tcp://"].iter().any(|scheme| address.starts_with(scheme)) => {
            EngineChoice::Address(address.to_owned())
        }
        _ => {
            return Err(
                "expected auto, docker, podman, none, or an address such as unix:///var/run/docker.sock".to_owned()
            );
        }
    })
}

/// What this machine offers to jobs.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// The file as a whole: other settings of a run are in it, too.
    pub(crate) policy: Policy,
    /// Labels that this machine stands for, beside what it is.
    pub(crate) labels: Vec<String>,
    /// Labels that stand for images; the first entry for a label counts.
    pub(crate) images: Vec<(String, String)>,
    pub(crate) engine: EngineChoice,
    pub(crate) trust_bundle: Option<PathBuf>,
    /// A host of images and the registry that is asked in its place first.
    pub(crate) mirrors: Vec<(String, String)>,
    pub(crate) engine_view: EngineView,
    pub(crate) docker_config: DockerConfig,
}

impl Machine {
    /// Reads `lineclear.toml` in `root`, if there is one, and lays the arguments over it.
    pub(crate) fn of(root: &Path, args: &MachineArgs, labels: &[String]) -> Result<Self, Stopped> {
        let policy = read(root)?;
        let runner = &policy.runner;
        let texts = |pairs: &[(lineclear_source::Spanned<String>, lineclear_source::Spanned<String>)]| {
            pairs.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect::<Vec<_>>()
        };
        let trust_bundle = match (&args.trust_bundle, &runner.trust_bundle) {
            (Some(given), _) => Some(std::path::absolute(given).unwrap_or_else(|_| given.clone())),
            (None, Some(set)) => Some(root.join(&set.value)),
            (None, None) => None,
        };
        if let Some(bundle) = trust_bundle.as_ref().filter(|bundle| !bundle.is_file()) {
            return Err(Stopped::bad_input(format!("the trust bundle `{}` is no file", bundle.display())));
        }
        Ok(Self {
            labels: labels.iter().cloned().chain(runner.labels.iter().map(|label| label.value.clone())).collect(),
            images: args.images.iter().cloned().chain(texts(&runner.images)).collect(),
            engine: args
                .engine
                .clone()
                .or_else(|| runner.engine.as_ref().map(|engine| engine.value.clone()))
                .unwrap_or(EngineChoice::Found),
            trust_bundle,
            mirrors: texts(&runner.mirrors),
            engine_view: match &runner.engine_view {
                _ if args.shared_engine_view => EngineView::Shared,
                Some(set) => set.value,
                None => EngineView::Own,
            },
            docker_config: match &runner.docker_config {
                _ if args.inherit_docker_config => DockerConfig::Inherit,
                Some(set) => set.value,
                None => DockerConfig::Own,
            },
            policy,
        })
    }
}

/// What everything goes by: the file with what its preset stands for. A file with errors stops the command: half of its settings would be
/// another machine than the one that was meant. A preset that does not find its checks stops nothing here: its gate stays closed.
pub(crate) fn read(root: &Path) -> Result<Policy, Stopped> {
    let file = policy_file::read(root).map_err(Stopped::bad_input)?;
    if file.findings.iter().any(lineclear_source::Diagnostic::is_error) {
        output::complain_findings(&file.source, &file.findings);
        return Err(Stopped { exit: Exit::BadInput, message: None });
    }
    Ok(file.policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(toml: &str, args: &MachineArgs) -> Machine {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("lineclear.toml"), toml).expect("a file");
        Machine::of(folder.path(), args, &["big".to_owned()]).unwrap_or_else(|_| panic!("{toml} is read"))
    }

    #[test]
    fn arguments_win_over_the_file_and_lists_come_together() {
        let toml = "[runner]\nlabels = [\"gpu\"]\nengine = \"podman\"\nengine-view = \"shared\"\nimages = { ubuntu-latest = \"a:1\" }";
        let plain = machine(toml, &MachineArgs::default());
        assert_eq!((plain.engine, plain.engine_view), (EngineChoice::Podman, EngineView::Shared));
        assert_eq!(plain.labels, ["big", "gpu"]);
        let args = MachineArgs {
            engine: Some(EngineChoice::None),
            images: vec![("ubuntu-latest".to_owned(), "b:2".to_owned())],
            inherit_docker_config: true,
            ..MachineArgs::default()
        };
        let asked = machine(toml, &args);
        assert_eq!((asked.engine, asked.docker_config), (EngineChoice::None, DockerConfig::Inherit));
        assert_eq!(asked.images.first().map(|(_, image)| image.as_str()), Some("b:2"));
    }

    #[test]
    fn a_file_with_errors_and_a_bundle_that_is_missing_stop_the_command() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lineclear.toml");
        for wrong in ["[runner]\nengin = \"podman\"", "[runner]\ntrust-bundle = \"no-such.pem\""] {
            std::fs::write(&file, wrong).expect("a file");
            let stopped = Machine::of(folder.path(), &MachineArgs::default(), &[]).map(drop);
            assert_eq!(stopped.map_err(|stopped| stopped.exit), Err(Exit::BadInput), "{wrong}");
        }
    }
}
