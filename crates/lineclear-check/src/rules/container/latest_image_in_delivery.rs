//! `latest-image-in-delivery`: a delivered service whose image is another one tomorrow.

use lineclear_compose::interpolation::with_defaults;
use lineclear_source::Severity;

use super::image::Image;
use super::layers::{place_of, tell};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/latest-image-in-delivery.md`.
#[derive(Debug)]
pub(super) struct LatestImageInDelivery;

static META: RuleMeta = RuleMeta {
    id: "latest-image-in-delivery",
    summary: "a delivered service whose image is another one tomorrow",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("latest-image-in-delivery"),
};

impl Rule for LatestImageInDelivery {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let (Some(compose), Some(layers)) = (file.compose(), file.layers()) else { return };

        for service in layers.delivered(compose) {
            let Some(image) = service.image.as_ref().filter(|_| service.build.is_none()) else { continue };
            let own = compose.service(service.name()).filter(|own| own.image.is_some());
            let place = own.and_then(|own| own.image.as_ref()).map(|image| image.span);
            // Without its variables, which are not known here.
            let Some(name) = with_defaults(&image.text) else { continue };
            let read = Image::read(&name);
            if read.digest.is_some() || read.repository.is_empty() {
                continue;
            }
            let is_default = name != image.text;
            let what = match read.tag {
                Some("latest") if is_default => "is `latest` if nobody says otherwise",
                Some("latest" | "stable" | "main" | "master" | "edge" | "nightly") => "is another image tomorrow",
                None => "has no version",
                Some(_) => continue,
            };
            let message = format!(
                "`{name}` of `{}`{} {what}: nobody can say what runs, and there is no way back to it",
                service.name(),
                layers.below(own)
            );
            tell(report, place.or_else(|| place_of(compose, service.name())), message)
                .severity(if is_default { Severity::Info } else { Severity::Warning })
                .help(format!("name a version: `{}:1.2`, best with its digest", read.repository));
        }
    }
}
