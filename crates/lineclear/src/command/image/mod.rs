//! `lineclear image`: images in registries: what they are, and moving, naming, signing and deleting them.

pub(crate) mod connection;
mod inspect;
mod lists;
mod moves;
pub(super) mod reached;
mod sbom;
mod scan;
mod shown;
mod signing;

pub(crate) use scan::Level;

use clap::{Args, Subcommand};

use crate::exit::Exit;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  lineclear image inspect postgres:15             platforms, user, health check, ports, size, base
  lineclear image inspect --raw ghcr.io/me/app    the manifest as the registry has it
  lineclear image digest ghcr.io/me/app:1         what the name stands for now
  lineclear image tags ghcr.io/me/app
  lineclear image copy ghcr.io/me/app:1 registry.example/app:1
                                                  all platforms, signatures and SBOMs; the digest stays
  lineclear image tag ghcr.io/me/app@sha256:… prod
                                                  another name for the same digest, no data moves
  lineclear image push build/app.tar 127.0.0.1:5000/app:1
                                                  an OCI layout, its archive, or what `docker save` wrote
  lineclear image scan ghcr.io/me/app:1 --fail-on critical,high
                                                  known vulnerabilities of what is in it
  lineclear image referrers ghcr.io/me/app:1      signatures, SBOMs, attestations
  lineclear image sign ghcr.io/me/app:1           with a key of `lineclear key`, so that cosign verifies it
  lineclear image verify ghcr.io/me/app:1         with the keys of `[signing] keys`
  lineclear image attest ghcr.io/me/app:1 --provenance
  lineclear image sbom ghcr.io/me/app:1           what is in it: packages with versions and licences

Short names are those of Docker Hub. Credentials are those of `docker login` and `podman login`, with their helpers.
Exit codes: 0 done, 1 the registry does not have it or refuses, 2 wrong input, 3 Lineclear itself failed. More: docs/registry-client.md";

/// Arguments of `image`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImageArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what an image is: digest, platforms, user, health check, ports, labels, size, layers, base.
    Inspect(inspect::InspectArgs),
    /// Print the digest that a name stands for.
    Digest(lists::DigestArgs),
    /// List the tags of a repository.
    Tags(lists::TagsArgs),
    /// Look up known vulnerabilities of what is in an image, without a network but its registry.
    Scan(Box<scan::ScanArgs>),
    /// List what refers to an image: signatures, SBOMs, attestations.
    Referrers(lists::ReferrersArgs),
    /// List what is inside an image or a folder, as a table, SPDX or CycloneDX.
    Sbom(Box<sbom::SbomArgs>),
    /// Copy an image with all its platforms and all that refers to it; the digest stays.
    Copy(moves::CopyArgs),
    /// Give what a name stands for another tag in its repository; no data moves.
    Tag(moves::TagArgs),
    /// Push an image from a folder or an archive.
    Push(moves::PushArgs),
    /// Delete a manifest by its digest, or a tag, where the registry allows that.
    Delete(moves::DeleteArgs),
    /// Sign a digest with a key, so that Lineclear and cosign verify it.
    Sign(signing::SignArgs),
    /// Verify that a digest is signed by a key that counts, or what was attested of it.
    Verify(signing::VerifyArgs),
    /// Attach a signed statement to a digest: how it was built, what is in it, or anything else.
    Attest(signing::AttestArgs),
}

/// Why a command did not do what it was asked for.
pub(crate) enum Failure {
    /// The registry, the network or the image.
    Work(Box<lineclear_registry::RegistryClientError>),
    /// What was asked for.
    Input(String),
    /// The image is not what it should be.
    Refused(String),
    /// Lineclear itself.
    Engine(String),
}

impl From<lineclear_registry::RegistryClientError> for Failure {
    fn from(error: lineclear_registry::RegistryClientError) -> Self {
        Self::Work(Box::new(error))
    }
}

/// Carries out `image`.
pub(crate) fn run(args: &ImageArgs) -> Exit {
    let done = match &args.command {
        Command::Inspect(args) => inspect::run(args),
        Command::Digest(args) => lists::digest(args),
        Command::Tags(args) => lists::tags(args),
        Command::Referrers(args) => lists::referrers(args),
        Command::Scan(args) => return ended(scan::run(args)),
        Command::Sbom(args) => sbom::run(args),
        Command::Copy(args) => moves::copy(args),
        Command::Tag(args) => moves::tag(args),
        Command::Push(args) => moves::push(args),
        Command::Delete(args) => moves::delete(args),
        Command::Sign(args) => signing::sign(args),
        Command::Verify(args) => signing::verify(args),
        Command::Attest(args) => signing::attest(args),
    };
    ended(done.map(|text| {
        output::print(&text);
        Exit::Success
    }))
}

/// How a command ended: what it failed with is told.
fn ended(done: Result<Exit, Failure>) -> Exit {
    match done {
        Ok(exit) => exit,
        Err(Failure::Work(error)) => {
            output::complain_of(&*error);
            Exit::WorkFailed
        }
        Err(Failure::Refused(message)) => {
            output::complain(&format!("error: {message}"));
            Exit::WorkFailed
        }
        Err(Failure::Input(message)) => {
            output::complain(&format!("error: {message}"));
            Exit::BadInput
        }
        Err(Failure::Engine(message)) => {
            output::complain(&format!("error: {message}"));
            Exit::EngineFault
        }
    }
}
