//! What is known of the job that a door is made for.

use std::path::PathBuf;

use lineclear_backend::{Credentials, labels};
use lineclear_oci::{Reference, Routes};
use serde_json::{Map, Value};

use super::{Found, MappedImage};
use crate::names::Names;
use crate::settings::View;

/// Marks what was made through a door, as opposed to what Lineclear itself made for the job.
pub(crate) const DOOR_LABEL: &str = "org.lineclear.door";
/// The ports that were asked for, as JSON.
pub(crate) const PORTS_LABEL: &str = "org.lineclear.ports";
/// Networks that every engine has.
const DEFAULT_NETWORKS: &[&str] = &["bridge", "host", "none"];

/// A door's job. It does not change.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) owner: String,
    pub(crate) run: String,
    pub(crate) tracking_id: String,
    pub(crate) names: Names,
    pub(crate) view: View,
    pub(crate) is_confined: bool,
    /// Published ports are opened on the job's own loopback.
    pub(crate) has_network: bool,
    /// What containers may mount, with links followed.
    pub(crate) folders: Vec<PathBuf>,
    /// Folders that the job sees elsewhere than where they are.
    pub(crate) seen: Vec<(PathBuf, PathBuf)>,
    /// What containers may not mount, with links followed.
    pub(crate) protected: Vec<PathBuf>,
    /// What the engine's own socket is called.
    pub(crate) engine_sockets: Vec<PathBuf>,
    pub(crate) socket: PathBuf,
    pub(crate) routes: Routes,
    /// What opens the registry that names are mapped to.
    pub(crate) registry: Option<Credentials>,
}

impl Job {
    /// The labels of everything that is made through the door.
    pub(crate) fn labels(&self) -> [(&'static str, &str); 4] {
        [(labels::OWNER, &self.owner), (labels::RUN, &self.run), (labels::JOB, &self.tracking_id), (DOOR_LABEL, "1")]
    }

    /// The labels as an object.
    pub(crate) fn label_object(&self) -> Value {
        let labels = self.labels().into_iter().map(|(key, value)| (key.to_owned(), value.into()));
        Value::Object(labels.collect::<Map<_, _>>())
    }

    /// The filter that only what belongs to this job passes.
    pub(crate) fn label_filter(&self) -> String {
        format!("{}={}", labels::JOB, self.tracking_id)
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.view == View::Shared
    }

    pub(crate) fn owns(&self, found: &Found) -> bool {
        found.job.as_deref() == Some(&self.tracking_id)
    }

    pub(crate) fn is_default_network(name: &str) -> bool {
        DEFAULT_NETWORKS.contains(&name)
    }

    /// Where an image is kept, if its name is mapped and the job may use what keeps it.
    pub(crate) fn mapped(&self, name: &str) -> Option<MappedImage> {
        self.registry.as_ref()?;
        let asked = Reference::parse(name).ok()?;
        let kept = self.routes.apply(&asked)?;
        Some(MappedImage { asked, kept })
    }
}

/// An image's name in full: `docker.io/library/app:latest`. `None` for what is no name.
pub(crate) fn full_name(name: &str) -> Option<String> {
    Reference::parse(name).ok().map(|reference| reference.or_latest().to_string())
}
