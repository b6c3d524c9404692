//! `lineclear image copy`, `tag`, `push`, `delete`: what changes a registry.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use lineclear_oci::{Platform, Reference, Tag};
use lineclear_registry::{CopyOptions, Pushed, open_image};

use super::Failure;
use super::connection::ConnectionArgs;
use super::shown::Shown;
use crate::history::words::{count, size};

/// Arguments of `image copy`.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The image: `name`, `name:tag` or `name@sha256:…`.
    from: Reference,

    /// Where to, with a tag; without one it keeps that of the image.
    to: Reference,

    /// All platforms, and the index itself; this is the default.
    #[arg(long, conflicts_with = "platform")]
    all: bool,

    /// The image of this platform alone, such as `linux/arm64`: another digest than that of the whole.
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,

    /// Leave behind what refers to the image: signatures, SBOMs, attestations.
    #[arg(long)]
    no_referrers: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Arguments of `image tag`.
#[derive(Debug, Args)]
pub(crate) struct TagArgs {
    /// The image: best `name@sha256:…`, so that it is the one that was tested.
    image: Reference,

    /// The new tags.
    #[arg(required = true)]
    tags: Vec<Tag>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Arguments of `image push`.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// A folder with an OCI layout, an archive of one, or an archive that `docker save` wrote.
    path: PathBuf,

    /// Where to, with a tag.
    to: Reference,

    /// Which of several images in it.
    #[arg(long)]
    name: Option<String>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Arguments of `image delete`.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// `name@sha256:…` deletes the manifest with all its tags, `name:tag` the tag alone.
    image: Reference,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Carries out `image copy`.
pub(super) fn copy(args: &CopyArgs) -> Result<String, Failure> {
    let shown = Shown::new();
    let client = args.connection.client_telling(Some(Arc::clone(&shown) as _))?;
    let options = CopyOptions { platform: args.platform.clone(), referrers: !args.no_referrers };
    let copied = client.copy(&args.from.or_latest(), &args.to, &options);
    shown.end();
    let copied = copied?;
    let to = match (args.to.tag(), args.to.digest()) {
        (None, None) => args.to.tagged(args.from.tag().cloned().unwrap_or_else(Tag::latest)),
        _ => args.to.clone(),
    };
    Ok(summary("copied", &to, &copied))
}

/// Carries out `image tag`.
pub(super) fn tag(args: &TagArgs) -> Result<String, Failure> {
    let client = args.connection.client()?;
    let image = args.image.or_latest();
    // Looked up once: all tags are of the same digest, whoever moves the old one meanwhile.
    let pinned = image.only_at(client.resolve(&image)?.digest);
    let mut text = String::new();
    for tag in &args.tags {
        let named = client.retag(&pinned, tag)?;
        text.push_str(&format!("{}\n", image.tagged(tag.clone()).at(named.digest).familiar()));
    }
    Ok(text)
}

/// Carries out `image push`.
pub(super) fn push(args: &PushArgs) -> Result<String, Failure> {
    if !args.path.exists() {
        return Err(Failure::Input(format!("there is no `{}`", args.path.display())));
    }
    let shown = Shown::new();
    let client = args.connection.client_telling(Some(Arc::clone(&shown) as _))?;
    let to = args.to.or_latest();
    let pushed = open_image(&args.path, args.name.as_deref()).and_then(|image| client.push_image(&*image, &to));
    shown.end();
    Ok(summary("pushed", &to, &pushed?))
}

/// Carries out `image delete`.
pub(super) fn delete(args: &DeleteArgs) -> Result<String, Failure> {
    if args.image.tag().is_none() && args.image.digest().is_none() {
        let name = args.image.familiar();
        return Err(Failure::Input(format!("say what of `{name}` to delete: `{name}:TAG` or `{name}@sha256:…`")));
    }
    args.connection.client()?.delete(&args.image)?;
    Ok(format!("deleted {}\n", args.image.familiar()))
}

fn summary(done: &str, to: &Reference, pushed: &Pushed) -> String {
    let referrers = match pushed.referrers {
        0 => String::new(),
        referrers => format!(", {referrers} of them signatures, SBOMs or the like"),
    };
    format!(
        "{done} {}\n{}{referrers}; {} sent ({}), {} mounted, {} there before\n",
        to.at(pushed.root.digest.clone()).familiar(),
        count(pushed.manifests, "manifest"),
        count(pushed.transferred, "blob"),
        size(pushed.bytes),
        pushed.mounted,
        pushed.existed,
    )
}
