//! `build-in-delivery`: an image that is built where it runs.

use lineclear_source::Severity;

use super::layers::{place_of, tell};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/build-in-delivery.md`.
#[derive(Debug)]
pub(super) struct BuildInDelivery;

static META: RuleMeta = RuleMeta {
    id: "build-in-delivery",
    summary: "an image that is built where it runs",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("build-in-delivery"),
};

impl Rule for BuildInDelivery {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let (Some(compose), Some(layers)) = (file.compose(), file.layers()) else { return };

        for service in layers.delivered(compose) {
            if service.build.is_none() {
                continue;
            }
            let own = compose.service(service.name());
            let key = own.and_then(|own| own.build.as_ref()).map(|build| build.key);
            let is_pulled = service.image.is_some()
                && service
                    .node
                    .get("pull_policy")
                    .and_then(|policy| policy.as_scalar())
                    .is_none_or(|policy| policy.text != "build");
            if is_pulled {
                // The image is pulled if its registry has it; what is below may say how it came to be.
                if let Some(key) = key {
                    report
                        .at(
                            key,
                            format!(
                                "`{}` is built here if its image is missing: what runs may not be what was tested",
                                service.name()
                            ),
                        )
                        .severity(Severity::Info)
                        .help("leave `build` out of this file");
                }
                continue;
            }
            let place = key.or_else(|| place_of(compose, service.name()));
            let message = format!(
                "`{}`{} is built on the machine it runs on: it is not the image that was tested",
                service.name(),
                layers.below(own)
            );
            tell(report, place, message).help(if key.is_some() {
                "build and test the image before, push it, and name it by `image`"
            } else {
                "write `build: !reset null` and an `image` that was built and tested before"
            });
        }
    }
}
