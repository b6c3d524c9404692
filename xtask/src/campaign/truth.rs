//! What the campaign itself knows: which contents are red, and in which order they were made.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use lineclear_oci::{Digest, RepositoryName, Tag};
use lineclear_store::Images as _;
use lineclear_store_folder::FolderStore;

/// The label in which every image of the campaign says of which contents it is; it stands in the committed Dockerfile.
pub(super) const LABEL: &str = "campaign.content";

/// Where images are released.
pub(super) const RELEASE: &str = "ghcr.io/octo/app";

/// One commit, as it was made.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) commit: String,
    pub(super) green: bool,
}

/// All contents in the order of their commits on `main`, by their labels.
#[derive(Clone, Debug, Default)]
pub(super) struct Truth {
    contents: BTreeMap<String, Content>,
    /// The newest green commit that was to be published.
    pub(super) newest: Option<String>,
    /// Version tags, and the contents they were first given.
    pub(super) versions: BTreeMap<String, String>,
}

/// The two counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Tags of the release repository that lead to red contents, or to contents of another commit than the tag says.
    pub(super) red: Vec<String>,
    /// What `latest` is, where it is not the newest green commit.
    pub(super) latest: Option<String>,
}

impl Truth {
    pub(super) fn add(&mut self, label: &str, content: Content) {
        self.contents.insert(label.to_owned(), content);
    }

    pub(super) fn of(&self, label: &str) -> Option<&Content> {
        self.contents.get(label)
    }

    /// Both counts, from what is in the registry now.
    pub(super) fn count(&self, store: &FolderStore) -> Result<Counts> {
        let release = RepositoryName::parse(RELEASE)?;
        let mut counts = Counts::default();
        let mut latest = None;
        for tag in store.tags(&release)?.unwrap_or_default() {
            let label = label(store, &release, &tag).with_context(|| format!("what `{tag}` stands for"))?;
            let tag = tag.as_str();
            if tag.starts_with("ci-") {
                continue;
            }
            let content = self.contents.get(&label);
            let is_own = |content: &Content| match tag.strip_prefix("sha-") {
                Some(short) => content.commit.starts_with(short),
                None => self.versions.get(tag).is_none_or(|first| *first == label),
            };
            if !content.is_some_and(|content| content.green && is_own(content)) {
                counts.red.push(format!("`{tag}` stands for `{label}`"));
            }
            if tag == "latest" {
                latest = Some(label);
            }
        }
        if latest != self.newest {
            let name = |label: &Option<String>| label.clone().unwrap_or_else(|| "nothing".to_owned());
            counts.latest =
                Some(format!("`latest` is {}, and the newest green is {}", name(&latest), name(&self.newest)));
        }
        Ok(counts)
    }
}

/// Of which contents the image is that a tag stands for, by its own configuration.
fn label(store: &FolderStore, release: &RepositoryName, tag: &Tag) -> Result<String> {
    let digest = store.tag(release, tag)?.context("it is gone")?;
    let mut manifest = json(&store.manifest(release, &digest)?.context("it has no manifest")?.bytes)?;
    if let Some(child) = manifest["manifests"][0]["digest"].as_str() {
        let child = Digest::parse(child)?;
        manifest = json(&store.manifest(release, &child)?.context("a manifest is missing")?.bytes)?;
    }
    let config = Digest::parse(manifest["config"]["digest"].as_str().context("it has no configuration")?)?;
    let mut blob = store.open_blob(release, &config)?.context("its configuration is missing")?;
    let mut bytes = vec![0; usize::try_from(blob.size)?];
    let mut at = 0;
    while at < bytes.len() {
        let read = blob.content.read_at(at as u64, &mut bytes[at..])?;
        anyhow::ensure!(read > 0, "its configuration is cut off");
        at += read;
    }
    Ok(json(&bytes)?["config"]["Labels"][LABEL].as_str().unwrap_or("something unlabelled").to_owned())
}

fn json(bytes: &[u8]) -> Result<serde_json::Value> {
    Ok(serde_json::from_slice(bytes)?)
}
