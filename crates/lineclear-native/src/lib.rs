//! Native actions, one per file: replacements, built in, for the actions that nearly everybody uses.
//!
//! Each takes the inputs and gives the outputs of the action it stands for, without a download and without Node. [`all`] lists
//! them. What they need of the job they get through [`lineclear_runner::native::Call`]: an action cannot do more than the real
//! one could. `--no-native-actions` turns them off; tests prove that both ways give the same result.

mod braces;
mod cache;
mod caching;
mod checkout;
mod coverage_reports;
mod delivery;
mod download_artifact;
mod forge;
mod github_script;
mod globs;
mod images;
mod labeler;
mod left_reports;
mod merge_artifacts;
mod paths_filter;
mod report_files;
mod scanning;
mod search;
mod setup;
mod signing;
mod sticky_comment;
mod test_reports;
mod upload_artifact;
mod upload_sarif;
mod yaml;

use std::path::PathBuf;

use lineclear_runner::native::NativeAction;

pub use caching::version as cache_version;
pub use delivery::{Deed, Delivered, DeliveredImage, Delivery, Wish, delivery};
pub use left_reports::WorkspaceReports;
pub use scanning::{Vulnerabilities, is_scanner, scanning};

/// Whether an action is part of the runner: `path` is its folder in the repository, empty for the root.
pub fn is_built_in(owner: &str, repo: &str, path: &str) -> bool {
    let name = format!("{owner}/{repo}/{path}").trim_end_matches('/').to_ascii_lowercase();
    delivery::NAMES.contains(&name.as_str()) || all_with(None).iter().any(|action| action.name() == name)
}

/// Every native action but those of [`delivery`], which need the engine, and of [`scanning`], which need what was imported; with the folder of repositories that the variable `LINECLEAR_REPOSITORIES_DIR` names.
pub fn all() -> Vec<Box<dyn NativeAction>> {
    all_with(std::env::var_os("LINECLEAR_REPOSITORIES_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from))
}

/// Every native action. Checkouts of other repositories than the run's own take those that are in the folder `repositories` as
/// `<owner>/<name>`, bare or not, and need no network for them.
pub fn all_with(repositories: Option<PathBuf>) -> Vec<Box<dyn NativeAction>> {
    let mut actions: Vec<Box<dyn NativeAction>> = vec![
        Box::new(checkout::Checkout { repositories }),
        Box::new(cache::Cache),
        Box::new(cache::Restore),
        Box::new(cache::Save),
        Box::new(upload_artifact::UploadArtifact),
        Box::new(merge_artifacts::MergeArtifacts),
        Box::new(download_artifact::DownloadArtifact),
        Box::new(github_script::GithubScript),
        Box::new(labeler::Labeler),
        Box::new(paths_filter::PathsFilter),
        Box::new(sticky_comment::StickyComment),
        Box::new(upload_sarif::UploadSarif),
    ];
    actions.extend(setup::all());
    actions.extend(test_reports::all());
    actions.extend(coverage_reports::all());
    actions.extend(images::all());
    actions.extend(signing::all());
    actions
}
