//! Actions around container images: names, logins, builders, builds.

mod build;
pub(crate) mod client;
pub(crate) mod docker_config;
mod lists;
mod login;
mod metadata;
pub(crate) mod sbom;
mod setup_buildx;
mod setup_qemu;

use lineclear_runner::native::NativeAction;

/// Every action around images.
pub(crate) fn all() -> Vec<Box<dyn NativeAction>> {
    vec![
        Box::new(metadata::Metadata),
        Box::new(login::Login),
        Box::new(setup_buildx::SetupBuildx),
        Box::new(setup_qemu::SetupQemu),
        Box::new(build::BuildPush),
        Box::new(sbom::Sbom),
    ]
}
