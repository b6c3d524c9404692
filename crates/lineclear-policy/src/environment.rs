//! `[environment.NAME]`: who may move what there, how, and how it is proven to be well.

use std::time::Duration;

use lineclear_source::{Span, Spanned};

use crate::table::{Findings, Table};

/// `[environment.NAME]`.
#[derive(Clone, Debug)]
pub struct Environment {
    /// As other environments and workflows name it.
    pub name: Spanned<String>,
    /// `accepts`: patterns of branches, or of refs where they begin with `refs/`; any, if it is not set.
    pub accepts: Option<Spanned<Vec<Spanned<String>>>>,
    /// `after`: environments in which the same digests have to be proven first.
    pub after: Vec<Spanned<String>>,
    /// `gate`: what has to be clear besides.
    pub gate: Option<Spanned<String>>,
    /// `images`: what is moved there; all, if it is not set.
    pub images: Vec<Spanned<String>>,
    /// `approvals`
    pub approvals: Option<Approvals>,
    /// `deploy`
    pub deploy: Option<Deploy>,
    /// `health`
    pub health: Option<Health>,
    /// `rollback`
    pub rollback: Option<Spanned<Rollback>>,
    /// `secrets`: names that have to be there before anything begins.
    pub secrets: Vec<Spanned<String>>,
    /// `wait`: how long an approved move waits.
    pub wait: Option<Spanned<Duration>>,
    /// `url`: where people find it.
    pub url: Option<Spanned<String>>,
}

/// `approvals` of an environment.
#[derive(Clone, Debug)]
pub struct Approvals {
    /// `count`
    pub count: Option<Spanned<u32>>,
    /// `by`: people (`name`) and teams (`@team`).
    pub by: Vec<Spanned<String>>,
    /// `not-author`: whether who wrote the change does not count.
    pub not_author: Option<Spanned<bool>>,
    /// The key.
    pub span: Span,
}

/// `deploy` of an environment.
#[derive(Clone, Debug)]
pub struct Deploy {
    /// `kind`, and the keys that belong to it.
    pub kind: Spanned<DeployKind>,
    /// The key.
    pub span: Span,
}

/// The ways to deploy.
#[derive(Clone, Debug)]
pub enum DeployKind {
    /// `compose-ssh`: Compose on a machine that is reached by SSH.
    ComposeSsh {
        /// `host`
        host: Option<Spanned<String>>,
        /// `user`
        user: Option<Spanned<String>>,
        /// `port`
        port: Option<Spanned<u32>>,
        /// `directory` on that machine.
        directory: Option<Spanned<String>>,
        /// `known-hosts`: the file with the machine's key.
        known_hosts: Option<Spanned<String>>,
        /// `before`: a command on this side, before the connection: a tunnel.
        before: Option<Spanned<String>>,
        /// What is deployed.
        compose: ComposeFiles,
    },
    /// `compose`: Compose on the machine that deploys.
    Compose {
        /// What is deployed.
        compose: ComposeFiles,
    },
    /// `command`: a command that gets the digests in its surroundings.
    Command {
        /// `run`
        run: Option<Spanned<String>>,
    },
}

/// What Compose deploys.
#[derive(Clone, Debug)]
pub struct ComposeFiles {
    /// `files`: the base and its overlays, in this order.
    pub files: Vec<Spanned<String>>,
    /// `profiles`
    pub profiles: Vec<Spanned<String>>,
    /// `env-files`
    pub env_files: Vec<Spanned<String>>,
}

/// `health` of an environment.
#[derive(Clone, Debug)]
pub struct Health {
    /// `url`: what is asked.
    pub url: Option<Spanned<String>>,
    /// `attempts`
    pub attempts: Option<Spanned<u32>>,
    /// `interval`: between two attempts.
    pub interval: Option<Spanned<Duration>>,
    /// `containers`: how long the containers' own health checks are waited for.
    pub containers: Option<Spanned<Duration>>,
    /// `shows`: text that the answer has to contain, so that an old version that still answers is no success.
    pub shows: Option<Spanned<String>>,
    /// The key.
    pub span: Span,
}

/// What follows a failed deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rollback {
    /// The digests from before are deployed again.
    Automatic,
    /// The environment is held until somebody decides.
    Manual,
}

impl Environment {
    pub(crate) fn read(name: Spanned<String>, mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let environment = Self {
            name,
            accepts: table.get("accepts").map(|entry| Spanned::new(table.of_strings(entry, findings), entry.span)),
            after: table.strings("after", findings),
            gate: table.string("gate", findings),
            images: table.strings("images", findings),
            approvals: table.table("approvals", findings).map(|table| Approvals::read(table, findings)),
            deploy: table.table("deploy", findings).and_then(|table| Deploy::read(table, findings)),
            health: table.table("health", findings).map(|table| Health::read(table, findings)),
            rollback: table.choice(
                "rollback",
                &[("automatic", Rollback::Automatic), ("manual", Rollback::Manual)],
                findings,
            ),
            secrets: table.strings("secrets", findings),
            wait: table.duration("wait", findings),
            url: table.string("url", findings),
        };
        table.finish(findings);
        environment
    }
}

impl Approvals {
    fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let approvals = Self {
            span: table.span(),
            count: table.count("count", 1, findings),
            by: table.strings("by", findings),
            not_author: table.boolean("not-author", findings),
        };
        table.finish(findings);
        // Teams have any number of members; people are counted.
        let people = approvals.by.iter().all(|name| !name.value.starts_with('@'));
        if let Some(count) = &approvals.count
            && people
            && !approvals.by.is_empty()
            && (count.value as usize) > approvals.by.len()
        {
            let message =
                format!("{} approvals are asked of {} people: none ever suffices", count.value, approvals.by.len());
            findings.value(count.span, message);
        }
        approvals
    }
}

#[derive(Clone, Copy)]
enum Kind {
    ComposeSsh,
    Compose,
    Command,
}

impl Deploy {
    fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Option<Self> {
        let span = table.span();
        let kinds = [("compose-ssh", Kind::ComposeSsh), ("compose", Kind::Compose), ("command", Kind::Command)];
        if !table.has("kind") {
            table.required("kind", findings);
            return None;
        }
        // Which keys there are hangs on the kind: without it none is called unknown.
        let kind = table.choice("kind", &kinds, findings)?;
        let deploy = match kind.value {
            Kind::ComposeSsh => DeployKind::ComposeSsh {
                host: table.required("host", findings),
                user: table.string("user", findings),
                port: table.count("port", 1, findings),
                directory: table.string("directory", findings),
                known_hosts: table.string("known-hosts", findings),
                before: table.string("before", findings),
                compose: ComposeFiles::read(&mut table, findings),
            },
            Kind::Compose => DeployKind::Compose { compose: ComposeFiles::read(&mut table, findings) },
            Kind::Command => DeployKind::Command { run: table.required("run", findings) },
        };
        table.finish(findings);
        Some(Self { kind: Spanned::new(deploy, kind.span), span })
    }
}

impl ComposeFiles {
    fn read(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Self {
        Self {
            files: table.strings("files", findings),
            profiles: table.strings("profiles", findings),
            env_files: table.strings("env-files", findings),
        }
    }
}

impl Health {
    fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let health = Self {
            span: table.span(),
            url: table.string("url", findings),
            attempts: table.count("attempts", 1, findings),
            interval: table.duration("interval", findings),
            containers: table.duration("containers", findings),
            shows: table.string("shows", findings),
        };
        if let Some(url) = health.url.as_ref().filter(|url| !is_url(&url.value)) {
            findings
                .value(url.span, format!("`{}` is not an address: it begins with `https://` or `http://`", url.value));
        }
        table.finish(findings);
        health
    }
}

fn is_url(text: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}
