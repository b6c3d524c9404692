//! `service-without-image`: a service that neither has an image nor is built.

use lineclear_compose::{Service, bases_of};
use lineclear_source::Severity;

use super::layers::read;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/service-without-image.md`.
#[derive(Debug)]
pub(super) struct ServiceWithoutImage;

static META: RuleMeta = RuleMeta {
    id: "service-without-image",
    summary: "a service that neither has an image nor is built",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("service-without-image"),
};

impl Rule for ServiceWithoutImage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let (Some(compose), Some(layers)) = (file.compose(), file.layers()) else { return };
        let own = compose.source.name();
        // An overlay whose base has another name, or lies elsewhere.
        let has_unknown_base = !bases_of(own).is_empty() && !layers.has_base();
        if has_unknown_base || layers.includes() {
            return;
        }
        for service in compose.services.iter().filter(|service| lacks_image(service)) {
            let merged = layers.all().service(service.name());
            if merged.is_some_and(|merged| !lacks_image(merged)) {
                continue;
            }
            let project = file.project();
            // Any other file of the repository may be given together with this one.
            let list = project.list();
            let mut others =
                list.iter().filter(|path| path.as_str() != own && FileKind::of(path) == Some(FileKind::Compose));
            if others.any(|path| read(project, path).is_some_and(|other| other.service(service.name()).is_some())) {
                continue;
            }
            report
                .at(service.key.span, format!("`{}` has neither `image` nor `build`: nothing starts", service.name()))
                .help("add `image` or `build`");
        }
    }
}

/// Whether nothing says what the service runs: neither it nor what it extends, and no program provides it.
fn lacks_image(service: &Service) -> bool {
    let is_given = |key| service.node.get(key).is_some();
    !["image", "build", "extends", "provider", "<<"].into_iter().any(is_given)
        && service.image.is_none()
        && service.build.is_none()
        && service.extends.is_none()
        && service.overrides.is_empty()
}
