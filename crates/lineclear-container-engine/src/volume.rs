//! Volumes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::EngineError;
use crate::engine::{CALL, Engine, Request, escaped};

/// A volume in a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeSummary {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "Volumes")]
    volumes: Option<Vec<VolumeSummary>>,
}

impl Engine {
    /// Makes a volume; one of the same name stays as it is.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn volume_create(&self, name: &str, labels: &BTreeMap<String, String>) -> Result<(), EngineError> {
        let request = Request::new("POST", "/volumes/create", "create a volume");
        self.done(request.json(json!({ "Name": name, "Labels": labels })), CALL)
    }

    /// Removes a volume. One that is not there is no error.
    ///
    /// # Errors
    /// [`EngineError`], where a container uses it.
    pub fn volume_remove(&self, name: &str) -> Result<(), EngineError> {
        match self.done(Request::new("DELETE", format!("/volumes/{}", escaped(name)), "remove a volume"), CALL) {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    /// All volumes with this label (`name=value`).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn volumes(&self, label: &str) -> Result<Vec<VolumeSummary>, EngineError> {
        let listed: Listed = self.json(Request::new("GET", "/volumes", "list volumes").labelled(label), CALL)?;
        Ok(listed.volumes.unwrap_or_default())
    }

    /// Whether there is a volume of this name.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn has_volume(&self, name: &str) -> Result<bool, EngineError> {
        let request = Request::new("GET", format!("/volumes/{}", escaped(name)), "tell of a volume");
        match self.done(request, CALL) {
            Ok(()) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
