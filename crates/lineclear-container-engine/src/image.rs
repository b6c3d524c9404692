//! Images.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::engine::{Body, CALL, Engine, Request, escaped};
use crate::{EngineError, Patience, RegistryLogin};

/// What the engine tells of an image.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageDetails {
    /// `sha256:…`, of its configuration.
    pub id: String,
    /// The names it has: `postgres:15`.
    pub repo_tags: Option<Vec<String>>,
    /// The digests that registries gave it: `postgres@sha256:…`.
    pub repo_digests: Option<Vec<String>>,
    /// In bytes, with what it shares.
    pub size: u64,
    /// `amd64`
    pub architecture: String,
    /// What containers of it begin with.
    pub config: Option<ImageSettings>,
}

/// What containers of an image begin with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageSettings {
    /// `NAME=value`
    pub env: Option<Vec<String>>,
    /// Empty for root.
    pub user: String,
    /// How its health is asked for.
    pub healthcheck: Option<Value>,
    /// Its labels.
    pub labels: Option<BTreeMap<String, String>>,
}

impl ImageDetails {
    /// The digest by which a registry knows it, or its id where no registry does. `repository` is preferred, as it is written without a tag.
    pub fn digest(&self, repository: &str) -> &str {
        let digests = self.repo_digests.iter().flatten().filter_map(|name| name.split_once('@'));
        let mut digests = digests.peekable();
        let first = digests.peek().map(|(_, digest)| *digest);
        digests.find(|(name, _)| *name == repository).map(|(_, digest)| digest).or(first).unwrap_or(&self.id)
    }
}

/// An image in a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageSummary {
    /// `sha256:…`
    pub id: String,
    /// The names it has.
    pub repo_tags: Option<Vec<String>>,
    /// Its labels.
    pub labels: Option<BTreeMap<String, String>>,
}

/// One message of a pull, push or load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullEvent {
    /// The layer that it is about.
    pub layer: Option<String>,
    /// `Downloading`, `Pull complete`, `Status: Image is up to date for …`
    pub status: String,
    /// Bytes done, and of how many.
    pub progress: Option<(u64, u64)>,
}

impl PullEvent {
    fn of(said: &Value) -> Self {
        let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| said.pointer(name).and_then(Value::as_u64);
        Self {
            layer: text("id"),
            status: text("status").or_else(|| text("stream")).unwrap_or_default(),
            progress: number("/progressDetail/current").zip(number("/progressDetail/total")),
        }
    }
}

/// The error in a message, if it is one.
pub(crate) fn stream_error(what: &str, said: &Value) -> Result<(), EngineError> {
    let detailed = said.pointer("/errorDetail/message").and_then(Value::as_str);
    match detailed.or_else(|| said.get("error").and_then(Value::as_str)) {
        Some(message) => Err(EngineError::Failed { what: what.into(), message: message.trim().into() }),
        None => Ok(()),
    }
}

impl Engine {
    /// Pulls an image by its full name: `docker.io/library/postgres:15`, `host:5000/app@sha256:…`. Without a tag, `latest`.
    ///
    /// # Errors
    /// [`EngineError::Failed`] or [`EngineError::Refused`] with what the registry said.
    pub fn image_pull(
        &self,
        name: &str,
        login: Option<&RegistryLogin>,
        platform: Option<&str>,
        patience: Patience<'_>,
        each: &mut dyn FnMut(PullEvent),
    ) -> Result<(), EngineError> {
        let what = format!("pull image `{name}`");
        // Without a tag, the engine would pull all there are.
        let name_and_tag = match name.contains('@') || name.rsplit('/').next().is_some_and(|last| last.contains(':')) {
            true => name.to_owned(),
            false => format!("{name}:latest"),
        };
        let mut request = Request::new("POST", "/images/create", what.clone()).query("fromImage", &name_and_tag);
        if let Some(platform) = platform {
            request = request.query("platform", platform);
        }
        if let Some(login) = login {
            request = request.header("X-Registry-Auth", login.header());
        }
        let answer = self.send(request, patience)?;
        self.checked(answer)?.lines(patience, |said| {
            stream_error(&what, said)?;
            each(PullEvent::of(said));
            Ok(())
        })
    }

    /// Pushes an image under a name that it has.
    ///
    /// # Errors
    /// [`EngineError::Failed`] or [`EngineError::Refused`] with what the registry said.
    pub fn image_push(
        &self,
        repository: &str,
        tag: &str,
        login: Option<&RegistryLogin>,
        patience: Patience<'_>,
        each: &mut dyn FnMut(PullEvent),
    ) -> Result<(), EngineError> {
        let what = format!("push image `{repository}:{tag}`");
        // The header must be there also where there is nothing to say in it.
        let header = login.map_or_else(|| RegistryLogin::default().header(), RegistryLogin::header);
        let request = Request::new("POST", format!("/images/{}/push", escaped(repository)), what.clone());
        let answer = self.send(request.query("tag", tag).header("X-Registry-Auth", header), patience)?;
        self.checked(answer)?.lines(patience, |said| {
            stream_error(&what, said)?;
            each(PullEvent::of(said));
            Ok(())
        })
    }

    /// What the engine knows of an image; `None` if it does not have it.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn image(&self, name: &str) -> Result<Option<ImageDetails>, EngineError> {
        let request = Request::new("GET", format!("/images/{}/json", escaped(name)), format!("tell of image `{name}`"));
        match self.json(request, CALL) {
            Ok(details) => Ok(Some(details)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives an image one more name.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn image_tag(&self, name: &str, repository: &str, tag: &str) -> Result<(), EngineError> {
        let request = Request::new("POST", format!("/images/{}/tag", escaped(name)), format!("tag image `{name}`"));
        self.done(request.query("repo", repository).query("tag", tag), CALL)
    }

    /// Takes a name from an image, and removes the image with its last one. One that is not there is no error.
    ///
    /// # Errors
    /// [`EngineError`], with [`EngineError::is_conflict`] where a container uses it.
    pub fn image_remove(&self, name: &str) -> Result<(), EngineError> {
        let request = Request::new("DELETE", format!("/images/{}", escaped(name)), format!("remove image `{name}`"));
        match self.done(request, CALL) {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    /// All images with this label (`name=value`).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn images(&self, label: &str) -> Result<Vec<ImageSummary>, EngineError> {
        self.json(Request::new("GET", "/images/json", "list images").labelled(label), CALL)
    }

    /// Makes an image of one layer from a tar archive of its files, under this name.
    ///
    /// `changes` are lines of a Dockerfile: `ENV PATH=/bin`.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn image_import(
        &self,
        tar: &mut dyn Read,
        repository: &str,
        tag: &str,
        changes: &[&str],
        patience: Patience<'_>,
    ) -> Result<(), EngineError> {
        let what = format!("import image `{repository}:{tag}`");
        let request = Request::new("POST", "/images/create?fromSrc=-", what.clone());
        let mut request = request.query("repo", repository).query("tag", tag);
        for change in changes {
            request = request.query("changes", change);
        }
        let Request { what: told, method, path, headers, .. } = request;
        let answer = self.send(Request { what: told, method, path, headers, body: Body::Tar(tar) }, patience)?;
        self.checked(answer)?.lines(patience, |said| stream_error(&what, said))
    }

    /// Loads images from an archive as [`Engine::image_save`] writes them.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn image_load(
        &self,
        tar: &mut dyn Read,
        patience: Patience<'_>,
        each: &mut dyn FnMut(PullEvent),
    ) -> Result<(), EngineError> {
        let what = "load images";
        let (path, body) = ("/images/load".to_owned(), Body::Tar(tar));
        let request = Request { what: what.into(), method: "POST", path, headers: Vec::new(), body };
        let answer = self.send(request, patience)?;
        self.checked(answer)?.lines(patience, |said| {
            stream_error(what, said)?;
            each(PullEvent::of(said));
            Ok(())
        })
    }

    /// Writes an image as a tar archive.
    ///
    /// # Errors
    /// [`EngineError`]; [`EngineError::File`] names `path` if it cannot be written.
    pub fn image_save(&self, name: &str, path: &Path, patience: Patience<'_>) -> Result<(), EngineError> {
        let fail = |source| EngineError::File { path: path.into(), source };
        let request = Request::new("GET", format!("/images/{}/get", escaped(name)), format!("save image `{name}`"));
        let answer = self.send(request, patience)?;
        let mut answer = self.checked(answer)?;
        let mut file = std::fs::File::create(path).map_err(fail)?;
        let mut bytes = Vec::new();
        while answer.piece(&mut bytes, patience)? {
            file.write_all(&bytes).map_err(fail)?;
            bytes.clear();
        }
        Ok(())
    }
}
