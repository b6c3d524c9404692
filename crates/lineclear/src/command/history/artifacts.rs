//! `lineclear artifacts`: what a run kept, and how to get it.

use std::path::PathBuf;

use clap::Args;
use lineclear_source::suggest;
use lineclear_store::{ArtifactMeta, Artifacts};

use super::heading::{entry, heading};
use super::{Shape, print_json};
use crate::exit::Exit;
use crate::history::{History, HistoryError, Scope, table, words};
use crate::output;
use crate::settings::now;

const EXAMPLES: &str = "\
Examples:
  lineclear artifacts                                  of the last run
  lineclear artifacts last-failed screenshots --download out
                                                       the files of one, into out/
  lineclear artifacts ci.yml#12 --download out         all of them, each into a folder of its name
  lineclear artifacts --format json

Every run keeps its own artifacts, also when it is run again. What is downloaded is checked against its digest first.";

/// Arguments of `artifacts`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ArtifactsArgs {
    /// Which run.
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,

    /// Only the artifact of this name.
    #[arg(value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    scope: Scope,

    /// Write the files below this folder, which is made if it is missing; files of the same names are replaced.
    #[arg(short, long, value_name = "DIR")]
    download: Option<PathBuf>,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Carries out `artifacts`.
pub(crate) fn run(args: &ArtifactsArgs) -> Exit {
    HistoryError::end(try_run(args))
}

fn try_run(args: &ArtifactsArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let run = history.select(&args.run)?;
    let id = run.header.id;
    let all = history.store.list(id)?;
    let mut artifacts = all.clone();
    if let Some(name) = &args.name {
        artifacts.retain(|artifact| artifact.name == *name);
        if artifacts.is_empty() {
            return Err(HistoryError::Asked(unknown(id.0, name, &all)));
        }
    }
    if let Some(folder) = &args.download {
        return download(&history, args, &artifacts, folder);
    }
    match args.format {
        Shape::Json => {
            print_json(&serde_json::json!({ "run": entry(&history, &run), "artifacts": artifacts }));
        }
        Shape::Text => {
            let style = output::stdout_style();
            output::print(&heading(&history, &run, style));
            if artifacts.is_empty() {
                output::print("It kept no artifacts.\n");
                return Ok(Exit::Success);
            }
            let row = |artifact: &ArtifactMeta| {
                vec![
                    format!("  {}", style.bold(&artifact.name)),
                    words::size(artifact.size),
                    words::count(usize::try_from(artifact.files).unwrap_or(usize::MAX), "file"),
                    format!("kept {}", words::age(artifact.created, now())),
                    expires(artifact),
                    style.dim(artifact.digest.get(..19).unwrap_or(&artifact.digest)),
                ]
            };
            output::print(&table::columns(&artifacts.iter().map(row).collect::<Vec<_>>()));
        }
    }
    Ok(Exit::Success)
}

fn expires(artifact: &ArtifactMeta) -> String {
    match artifact.expires.map(|end| words::until(end, now())) {
        None => "never expires".to_owned(),
        Some(end) if end == "expired" => "expired, goes with the next prune".to_owned(),
        Some(end) => format!("expires {end}"),
    }
}

fn download(
    history: &History,
    args: &ArtifactsArgs,
    artifacts: &[ArtifactMeta],
    folder: &std::path::Path,
) -> Result<Exit, HistoryError> {
    let mut done = Vec::new();
    for artifact in artifacts {
        // A name has no slash and is not empty, but it may be `..`.
        let is_folder = !artifact.name.chars().all(|character| character == '.');
        let place = match args.name {
            None if is_folder => folder.join(&artifact.name),
            _ => folder.to_path_buf(),
        };
        let wrong = |source| HistoryError::Write { path: place.display().to_string(), source };
        std::fs::create_dir_all(&place).map_err(wrong)?;
        let kept = history.store.download(artifact.run, &artifact.name, &place)?;
        if args.format == Shape::Text {
            let (files, size) =
                (words::count(usize::try_from(kept.files).unwrap_or(usize::MAX), "file"), words::size(kept.size));
            output::print(&format!("{}: {files}, {size} in {}\n", kept.name, place.display()));
        }
        done.push(serde_json::json!({ "artifact": kept, "folder": place }));
    }
    match args.format {
        Shape::Json => print_json(&serde_json::json!({ "downloaded": done })),
        Shape::Text if done.is_empty() => output::print("There is nothing to download: the run kept no artifacts.\n"),
        Shape::Text => {}
    }
    Ok(Exit::Success)
}

fn unknown(run: u64, name: &str, all: &[ArtifactMeta]) -> String {
    let names = all.iter().map(|artifact| artifact.name.as_str());
    let advice = match suggest(name, names.clone()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if all.is_empty() => "; it kept none".to_owned(),
        None => format!("; there are {}", names.collect::<Vec<_>>().join(", ")),
    };
    format!("run {run} has no artifact `{name}`{advice}")
}
