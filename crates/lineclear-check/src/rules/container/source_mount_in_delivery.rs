//! `source-mount-in-delivery`: a delivered service that runs what lies on the machine.

use lineclear_compose::{Mount, MountKind};
use lineclear_source::Severity;

use super::layers::{place_of, tell};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/source-mount-in-delivery.md`.
#[derive(Debug)]
pub(super) struct SourceMountInDelivery;

static META: RuleMeta = RuleMeta {
    id: "source-mount-in-delivery",
    summary: "a delivered service that runs what lies on the machine",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("source-mount-in-delivery"),
};

impl Rule for SourceMountInDelivery {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let (Some(compose), Some(layers)) = (file.compose(), file.layers()) else { return };

        for service in layers.delivered(compose) {
            let own = compose.service(service.name());
            for mount in service.mounts.iter().filter(|mount| is_source(mount)) {
                let source = mount.source.as_deref().unwrap_or_default();
                let is_own = |own: &Mount| own.span == mount.span && own.target == mount.target;
                let own = own.filter(|own| own.mounts.iter().any(is_own));
                let place = if own.is_some() { Some(mount.span) } else { place_of(compose, service.name()) };
                let message = format!(
                    "`{}`{} runs what lies in `{source}` of the machine, not what is in its image",
                    service.name(),
                    layers.below(own)
                );
                tell(report, place, message).help(if own.is_some() {
                    "leave the mount to the file for developers: the image has the code"
                } else {
                    "take it away here: `volumes: !reset []`, or move it to the file for developers"
                });
            }
        }
    }
}

/// Whether a mount puts a folder of the repository where the code is. Single files are configuration, and data has folders of its own.
fn is_source(mount: &Mount) -> bool {
    let Some(source) = mount.source.as_deref().filter(|_| mount.kind == MountKind::Bind) else { return false };
    if !source.starts_with('.') {
        return false;
    }
    let source = source.trim_end_matches('/');
    if matches!(source, "." | "..") {
        return true;
    }
    let name = source.rsplit('/').next().unwrap_or_default();
    let target = mount.target.trim_end_matches('/');
    let is_code = CODE.iter().any(|code| {
        target.strip_prefix(code).is_some_and(|rest| {
            rest.is_empty()
                || matches!(rest, "/src" | "/app" | "/lib" | "/code" | "/server" | "/client" | "/backend" | "/frontend")
        })
    });
    is_code && !name.contains('.') && !DATA.contains(&name)
}

/// Folders of containers where code lies.
const CODE: [&str; 10] = [
    "/app",
    "/src",
    "/code",
    "/usr/src/app",
    "/usr/src",
    "/usr/app",
    "/workspace",
    "/srv/app",
    "/opt/app",
    "/var/www/html",
];

/// Folders that hold no code.
const DATA: [&str; 12] =
    ["data", "logs", "log", "uploads", "storage", "media", "config", "conf", "certs", "backup", "backups", "public"];
