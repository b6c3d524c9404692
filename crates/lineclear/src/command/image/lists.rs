//! `lineclear image digest`, `tags`, `referrers`: what a registry has under a name.

use clap::Args;
use lineclear_oci::{MediaType, Reference};
use serde_json::json;

use super::Failure;
use super::connection::ConnectionArgs;
use crate::command::history::Shape;
use crate::history::words::size;

/// Arguments of `image digest`.
#[derive(Debug, Args)]
pub(crate) struct DigestArgs {
    /// The image: `name` or `name:tag`.
    image: Reference,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Arguments of `image tags`.
#[derive(Debug, Args)]
pub(crate) struct TagsArgs {
    /// The repository, such as `ghcr.io/me/app`.
    repository: Reference,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Arguments of `image referrers`.
#[derive(Debug, Args)]
pub(crate) struct ReferrersArgs {
    /// The image: `name`, `name:tag` or `name@sha256:…`.
    image: Reference,

    /// Only those of this type, such as `application/spdx+json`.
    #[arg(long = "type", value_name = "TYPE")]
    artifact_type: Option<String>,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Carries out `image digest`.
pub(super) fn digest(args: &DigestArgs) -> Result<String, Failure> {
    let found = args.connection.client()?.resolve(&args.image.or_latest())?;
    Ok(format!("{}\n", found.digest))
}

/// Carries out `image tags`.
pub(super) fn tags(args: &TagsArgs) -> Result<String, Failure> {
    if let Some(tag) = args.repository.tag() {
        return Err(Failure::Input(format!("tags are those of a repository; leave out `:{tag}`")));
    }
    let tags = args.connection.client()?.tags(&args.repository)?;
    Ok(match args.format {
        Shape::Json => {
            let document = json!({ "repository": args.repository.name(), "tags": tags });
            serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
        }
        Shape::Text => tags.iter().map(|tag| format!("{tag}\n")).collect(),
    })
}

/// Carries out `image referrers`.
pub(super) fn referrers(args: &ReferrersArgs) -> Result<String, Failure> {
    let client = args.connection.client()?;
    let digest = match args.image.digest() {
        Some(digest) => digest.clone(),
        None => client.resolve(&args.image.or_latest())?.digest,
    };
    let wanted = args.artifact_type.as_deref().map(MediaType::parse);
    let found = client.referrers(&args.image, &digest, wanted.as_ref())?;
    if args.format == Shape::Json {
        let document = json!({ "subject": digest, "referrers": found });
        return Ok(serde_json::to_string_pretty(&document).unwrap_or_default() + "\n");
    }
    let line = |entry: &lineclear_oci::Descriptor| {
        let kind = entry.artifact_type.as_ref().unwrap_or(&entry.media_type).to_string();
        let kind: String = kind.chars().filter(|c| !c.is_control()).collect();
        format!("{}  {kind}  {}\n", entry.digest, size(entry.size))
    };
    Ok(found.iter().map(line).collect())
}
