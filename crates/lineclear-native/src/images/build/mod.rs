//! `docker/build-push-action`: an image from a Dockerfile, pushed, loaded or exported.
//!
//! The way of a build: [`inputs`] reads what is asked for, [`builder`] finds what can build here, [`context`] finds the files, [`arguments`]
//! makes the command line, [`work`] runs it once, or once a platform where the builder can do no more. What comes out becomes a
//! [`layout`]: blobs and manifests whose digests are computed here. That is what is pushed ([`push`]) and exported. [`report`] tells the
//! image's facts.
//!
//! # Source
//! `action.yml` and the documentation of `docker/build-push-action`.

mod arguments;
mod builder;
mod cache;
mod context;
mod failure;
mod inputs;
mod layout;
mod provenance;
mod push;
mod report;
mod work;

use lineclear_event::{AnnotationLevel, with_causes};
use lineclear_runner::native::{Call, NativeAction, NativeError};

pub(crate) use builder::{buildx_command, field, last_line};

/// Builds images.
#[derive(Debug)]
pub(crate) struct BuildPush;

impl From<inputs::InputError> for NativeError {
    fn from(error: inputs::InputError) -> Self {
        Self(error.0)
    }
}

impl From<layout::LayoutError> for NativeError {
    fn from(error: layout::LayoutError) -> Self {
        Self(with_causes(&error))
    }
}

impl NativeAction for BuildPush {
    fn name(&self) -> &'static str {
        "docker/build-push-action"
    }

    fn metadata(&self) -> &'static str {
        "
name: Build and push Docker images
inputs:
  add-hosts: {}
  allow: {}
  annotations: {}
  attests: {}
  build-args: {}
  build-contexts: {}
  builder: {}
  cache-from: {}
  cache-to: {}
  call: {}
  cgroup-parent: {}
  context: {}
  file: {}
  labels: {}
  load: { default: 'false' }
  network: {}
  no-cache: { default: 'false' }
  no-cache-filters: {}
  outputs: {}
  platforms: {}
  provenance: {}
  pull: { default: 'false' }
  push: { default: 'false' }
  sbom: {}
  secrets: {}
  secret-envs: {}
  secret-files: {}
  shm-size: {}
  ssh: {}
  tags: {}
  target: {}
  ulimit: {}
  github-token: { default: '${{ github.token }}' }
outputs:
  imageid: { description: id of the image }
  digest: { description: digest of the image or index }
  metadata: { description: what is known of the build }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let inputs = inputs::Inputs::read(&|name| call.inputs.get(name).cloned().unwrap_or_default())?;
        for (_, secret) in &inputs.secrets {
            if let inputs::SecretFrom::Value(value) = secret {
                call.effects.add_mask(value);
            }
        }
        for warning in &inputs.warnings {
            call.effects.annotate(AnnotationLevel::Warning, warning);
        }
        work::Work::prepare(call, inputs)?.carry_out(call)
    }
}
