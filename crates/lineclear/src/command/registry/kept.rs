//! What the registry keeps: listed, swept, verified.

use std::fmt::Write as _;

use clap::Args;
use lineclear_store::{DAY_MS, ImageError, ImageRules, Images, Sweep};
use serde_json::json;

use super::DataArgs;
use crate::command::history::Shape;
use crate::exit::Exit;
use crate::history::words::size;
use crate::output;
use crate::session::registry::untagged_days;
use crate::settings::now;

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    data: DataArgs,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

#[derive(Debug, Args)]
pub(super) struct GcArgs {
    #[command(flatten)]
    data: DataArgs,

    /// Only say what would be removed.
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Remove manifests that no tag has led to for this many days. [default: `untagged-days` of lineclear.toml, or 30]
    #[arg(long, value_name = "DAYS")]
    untagged: Option<u32>,

    /// Keep what is being pushed, or was asked for, in these last hours.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    grace: u32,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    data: DataArgs,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

fn failed(error: ImageError) -> Exit {
    output::complain_of(&error);
    Exit::EngineFault
}

fn document(value: &serde_json::Value) -> String {
    // Plain data always has a JSON form.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

pub(super) fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let store = args.data.open()?;
    let mut rows = Vec::new();
    for repository in store.repositories().map_err(failed)? {
        for tag in store.tags(&repository).map_err(failed)?.unwrap_or_default() {
            let Some(digest) = store.tag(&repository, &tag).map_err(failed)? else { continue };
            let Some(facts) = store.manifest_facts(&repository, &digest).map_err(failed)? else { continue };
            let mut bytes = 0;
            for blob in &facts.blobs {
                bytes += store.open_blob(&repository, blob).map_err(failed)?.map_or(0, |open| open.size);
            }
            rows.push((repository.to_string(), tag.to_string(), digest, facts, bytes));
        }
    }
    let usage = store.image_usage().map_err(failed)?;
    if args.format == Shape::Json {
        let images: Vec<_> = rows
            .iter()
            .map(|(repository, tag, digest, facts, bytes)| {
                json!({ "repository": repository, "tag": tag, "digest": digest, "media_type": facts.media_type, "bytes": bytes })
            })
            .collect();
        output::print(&document(&json!({ "images": images, "usage": usage })));
        return Ok(Exit::Success);
    }
    let width = rows.iter().map(|(repository, tag, ..)| repository.len() + tag.len() + 1).max().unwrap_or_default();
    let mut text = String::new();
    for (repository, tag, digest, facts, bytes) in &rows {
        let what = if facts.manifests.is_empty() {
            size(*bytes)
        } else {
            format!("{} platforms or attestations", facts.manifests.len())
        };
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{:width$}  {digest}  {what}", format!("{repository}:{tag}"));
    }
    let _ = writeln!(
        text,
        "{} in {}, {} on the disk{}",
        number(usage.tags, "tag", "tags"),
        number(usage.repositories, "repository", "repositories"),
        size(usage.bytes),
        if usage.uploads > 0 {
            format!("; {} going on", number(usage.uploads, "upload", "uploads"))
        } else {
            String::new()
        },
    );
    output::print(&text);
    Ok(Exit::Success)
}

pub(super) fn gc(args: &GcArgs) -> Result<Exit, Exit> {
    let store = args.data.open()?;
    let rules = ImageRules {
        untagged_ms: Some(i64::from(untagged_days(args.untagged)?).saturating_mul(DAY_MS)),
        grace_ms: i64::from(args.grace) * 3_600_000,
    };
    let deed = if args.dry_run { Sweep::Foresee } else { Sweep::Now };
    let report = store.sweep_images(now(), &rules, deed).map_err(failed)?;
    if args.format == Shape::Json {
        output::print(&document(&json!({ "dry_run": args.dry_run, "removed": report })));
        return Ok(Exit::Success);
    }
    let mut text = String::new();
    let (verb, freed) = if args.dry_run { ("would remove", "would be freed") } else { ("removed", "freed") };
    for (repository, digest) in &report.manifests {
        let _ = writeln!(text, "{verb} {repository}@{digest}");
    }
    let _ = writeln!(
        text,
        "{verb} {}, {}, {}: {} {freed}",
        number(report.manifests.len() as u64, "manifest", "manifests"),
        number(report.blobs, "content", "contents"),
        number(report.uploads, "upload that nobody ended", "uploads that nobody ended"),
        size(report.freed),
    );
    output::print(&text);
    Ok(Exit::Success)
}

pub(super) fn verify(args: &VerifyArgs) -> Result<Exit, Exit> {
    let store = args.data.open()?;
    let mut read = 0;
    let damaged = store.verify_images(&mut |bytes| read += bytes).map_err(failed)?;
    if args.format == Shape::Json {
        output::print(&document(&json!({ "read": read, "damaged": damaged })));
    } else {
        let mut text = String::new();
        for damage in &damaged {
            let places: Vec<String> = damage.repositories.iter().map(ToString::to_string).collect();
            let whose = if places.is_empty() { "no repository".to_owned() } else { places.join(", ") };
            let _ = writeln!(text, "{}: {} ({whose}); push it again", damage.digest, damage.why);
        }
        let _ = writeln!(text, "{} read, {} damaged", size(read), damaged.len());
        output::print(&text);
    }
    Ok(if damaged.is_empty() { Exit::Success } else { Exit::WorkFailed })
}

fn number(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
