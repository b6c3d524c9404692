//! Actions around signatures and attestations: the installer of cosign, and GitHub's attestations, made with a key.

mod attest;
mod cosign_installer;

use lineclear_runner::native::NativeAction;

/// Every action around signatures.
pub(crate) fn all() -> Vec<Box<dyn NativeAction>> {
    vec![Box::new(cosign_installer::CosignInstaller), Box::new(attest::BuildProvenance), Box::new(attest::Sbom)]
}
