//! `[runner]`: what jobs find on the machine that runs them, and how far they are kept from it.

use lineclear_source::Spanned;

use crate::table::{Entry, Findings, Table};

/// `[runner]`. What is not set is as the command line says, or as the machine is.
#[derive(Clone, Debug, Default)]
pub struct RunnerPolicy {
    /// `labels`: labels of `runs-on` that the machine stands for, beside those that name what it is.
    pub labels: Vec<Spanned<String>>,
    /// `[runner.images]`: a label of `runs-on` and the image that stands for it, in file order.
    pub images: Vec<(Spanned<String>, Spanned<String>)>,
    /// `engine`: where the container engine is asked for.
    pub engine: Option<Spanned<EngineChoice>>,
    /// `trust-bundle`: a file of CA certificates that containers trust too.
    pub trust_bundle: Option<Spanned<String>>,
    /// `mirrors`: a host of images and the registry that is asked in its place first.
    pub mirrors: Vec<(Spanned<String>, Spanned<String>)>,
    /// `engine-view`: what steps see of a container engine.
    pub engine_view: Option<Spanned<EngineView>>,
    /// `docker-config`: whether steps find the logins of whoever runs Lineclear.
    pub docker_config: Option<Spanned<DockerConfig>>,
    /// `[runner.isolation]`
    pub isolation: Option<IsolationPolicy>,
}

/// Where the container engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineChoice {
    /// The first one that answers.
    Found,
    /// Jobs have none.
    None,
    /// Docker, wherever it is found.
    Docker,
    /// Podman, wherever it is found.
    Podman,
    /// This address: `unix:///run/docker.sock`, `tcp://host:2375`.
    Address(String),
}

/// What steps see of a container engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineView {
    /// What their own job made.
    Own,
    /// What else is on the machine, too, which they cannot change.
    Shared,
}

/// Whose logins `docker` in steps finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DockerConfig {
    /// Those that the job itself makes; they end with it.
    Own,
    /// A copy of those of whoever runs Lineclear, too.
    Inherit,
}

/// `[runner.isolation]`: for jobs that run on the machine itself.
#[derive(Clone, Debug, Default)]
pub struct IsolationPolicy {
    /// `enforce`: what happens where the machine cannot enforce a part.
    pub enforce: Option<Spanned<Enforce>>,
    /// `network`: what a job reaches.
    pub network: Option<Spanned<NetworkPolicy>>,
    /// `allow`: destinations, as `host`, `host:port` or `10.0.0.0/8`; their presence means an allow-list.
    pub allow: Vec<Spanned<String>>,
    /// `read-only-system`. Default: true.
    pub read_only_system: Option<Spanned<bool>>,
    /// `cpus`: processors of a job.
    pub cpus: Option<Spanned<f64>>,
    /// `memory`: bytes of a job.
    pub memory: Option<Spanned<u64>>,
    /// `processes`: how many a job may have at once.
    pub processes: Option<Spanned<u32>>,
    /// `disk`: bytes that a job may write.
    pub disk: Option<Spanned<u64>>,
}

/// What happens where a part of an isolation cannot be enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforce {
    /// It is told in the run's record.
    BestEffort,
    /// The job is refused.
    Strict,
}

/// What a job reaches over the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkPolicy {
    /// Nothing, not even itself.
    None,
    /// Itself, and the services of Lineclear.
    Loopback,
    /// Everything, with a loopback of its own.
    Private,
    /// Everything, as the machine itself.
    Host,
}

impl RunnerPolicy {
    pub(crate) fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let runner = Self {
            labels: table.strings("labels", findings),
            images: texts(&mut table, "images", findings),
            engine: engine(&mut table, findings),
            trust_bundle: table.string("trust-bundle", findings),
            mirrors: texts(&mut table, "mirrors", findings),
            engine_view: table.choice(
                "engine-view",
                &[("own", EngineView::Own), ("shared", EngineView::Shared)],
                findings,
            ),
            docker_config: table.choice(
                "docker-config",
                &[("own", DockerConfig::Own), ("inherit", DockerConfig::Inherit)],
                findings,
            ),
            isolation: table.table("isolation", findings).map(|table| IsolationPolicy::read(table, findings)),
        };
        table.finish(findings);
        runner
    }
}

impl IsolationPolicy {
    fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        const NETWORKS: &[(&str, NetworkPolicy)] = &[
            ("none", NetworkPolicy::None),
            ("loopback", NetworkPolicy::Loopback),
            ("private", NetworkPolicy::Private),
            ("host", NetworkPolicy::Host),
        ];
        let isolation = Self {
            enforce: table.choice(
                "enforce",
                &[("best-effort", Enforce::BestEffort), ("strict", Enforce::Strict)],
                findings,
            ),
            network: table.choice("network", NETWORKS, findings),
            allow: table.strings("allow", findings),
            read_only_system: table.boolean("read-only-system", findings),
            cpus: table.number("cpus", f64::MAX, findings),
            memory: table.size("memory", findings),
            processes: table.count("processes", 1, findings),
            disk: table.size("disk", findings),
        };
        if let (Some(network), Some(first)) = (&isolation.network, isolation.allow.first())
            && network.value != NetworkPolicy::Loopback
        {
            findings.value(first.span, "`allow` adds destinations to the network `loopback`: leave `network` out");
        }
        if let Some(cpus) = isolation.cpus.as_ref().filter(|cpus| cpus.value == 0.0) {
            findings.value(cpus.span, "a job without any processor cannot run");
        }
        table.finish(findings);
        isolation
    }
}

/// A table of texts under names that people choose.
fn texts(
    table: &mut Table<'_>,
    key: &'static str,
    findings: &mut Findings<'_>,
) -> Vec<(Spanned<String>, Spanned<String>)> {
    let Some(texts) = table.table(key, findings) else { return Vec::new() };
    let read = |entry: Entry<'_>| {
        let text = texts.of_string(entry, findings)?;
        if text.value.trim().is_empty() {
            findings.value(text.span, format!("`{}` is empty", entry.name));
            return None;
        }
        Some((Spanned::new(entry.name.to_owned(), entry.key), text))
    };
    texts.entries().filter_map(read).collect()
}

fn engine(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Option<Spanned<EngineChoice>> {
    let text = table.string("engine", findings)?;
    let choice = match text.value.as_str() {
        "auto" => EngineChoice::Found,
        "none" => EngineChoice::None,
        "docker" => EngineChoice::Docker,
        "podman" => EngineChoice::Podman,
        address if ["unix://", "tcp://"].iter().any(|scheme| address.starts_with(scheme)) => {
            EngineChoice::Address(address.to_owned())
        }
        other => {
            let message = format!("`{other}` is no container engine");
            if let Some(finding) = findings.value(text.span, message) {
                finding.help.push(
                    "use `auto`, `none`, `docker`, `podman`, or an address such as `unix:///var/run/docker.sock`"
                        .to_owned(),
                );
            }
            return None;
        }
    };
    Some(Spanned::new(choice, text.span))
}
