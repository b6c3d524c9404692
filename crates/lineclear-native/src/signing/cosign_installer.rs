//! `sigstore/cosign-installer`: the cosign of this machine for the job's later steps.
//!
//! Nothing is downloaded: a version is a wish, and another one that is there is told.
//!
//! # Source
//! `action.yml` of `sigstore/cosign-installer`.

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeAction, NativeError, RunOptions};

use crate::setup;

/// Looks for cosign.
#[derive(Debug)]
pub(crate) struct CosignInstaller;

impl NativeAction for CosignInstaller {
    fn name(&self) -> &'static str {
        "sigstore/cosign-installer"
    }

    fn metadata(&self) -> &'static str {
        "
name: cosign-installer
inputs:
  cosign-release: {}
  install-dir: { default: '$HOME/.cosign' }
  use-sudo: { default: 'false' }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let Some(program) = setup::on_path(&call.env, "cosign") else {
            return Err(NativeError(
                "there is no cosign on this machine, and nothing is downloaded: install cosign, or sign with `lineclear image sign`"
                    .to_owned(),
            ));
        };
        let quiet = RunOptions { quiet: true, ..RunOptions::default() };
        let said = call.effects.capture(&program.to_string_lossy(), &["version"], quiet)?;
        let version =
            said.lines().find_map(|line| line.strip_prefix("GitVersion:")).unwrap_or_default().trim().to_owned();
        call.effects.log(&format!("cosign {version} of this machine: {}", program.display()));
        let wanted = call.input("cosign-release");
        if !wanted.is_empty() && wanted != "main" && !version.is_empty() && wanted != version {
            let message =
                format!("cosign {wanted} is asked for; this machine has {version}, and nothing is downloaded");
            call.effects.annotate(AnnotationLevel::Notice, &message);
        }
        Ok(())
    }
}
