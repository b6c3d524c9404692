//! Building images: by the engine's own builder, or with BuildKit through Docker's command line where that is there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

use crate::engine::{Body, Engine, Request};
use crate::ignore::Ignore;
use crate::image::stream_error;
use crate::{EngineError, Patience, RegistryLogin};

/// An image to build.
#[derive(Clone, Debug, Default)]
pub struct BuildRequest {
    /// The folder that is sent.
    pub context: PathBuf,
    /// The Dockerfile; it may lie outside of the context.
    pub dockerfile: PathBuf,
    /// Names of the image.
    pub tags: Vec<String>,
    /// `ARG`s.
    pub args: BTreeMap<String, String>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// The stage to build; the last if there is none.
    pub target: Option<String>,
    /// `linux/arm64`
    pub platform: Option<String>,
    /// The network of its steps.
    pub network: Option<String>,
    /// Logins for the registries of its base images.
    pub logins: Vec<RegistryLogin>,
}

/// Where the Dockerfile is in a context that it does not lie in.
const OUTSIDE: &str = ".lineclear.Dockerfile";

impl BuildRequest {
    fn what(&self) -> String {
        format!("build `{}`", self.dockerfile.display())
    }

    fn ignore(&self) -> Ignore {
        let beside = PathBuf::from(format!("{}.dockerignore", self.dockerfile.display()));
        let text = fs::read_to_string(beside).or_else(|_| fs::read_to_string(self.context.join(".dockerignore")));
        text.map(|text| Ignore::parse(&text)).unwrap_or_default()
    }

    /// The Dockerfile's path in the context, if it lies there.
    fn dockerfile_inside(&self) -> Option<String> {
        let (file, context) = (self.dockerfile.canonicalize().ok()?, self.context.canonicalize().ok()?);
        file.strip_prefix(context).ok()?.to_str().map(str::to_owned)
    }
}

impl Engine {
    /// Builds by the engine's own builder (not BuildKit). Gives the image's id. `each` gets what the build says, in pieces of text.
    ///
    /// # Errors
    /// [`EngineError::Failed`] with what the builder said, [`EngineError::File`] for a context that cannot be read.
    pub fn build(
        &self,
        build: &BuildRequest,
        patience: Patience<'_>,
        each: &mut dyn FnMut(&str),
    ) -> Result<String, EngineError> {
        let what = build.what();
        let inside = build.dockerfile_inside();
        let json_text = |map: &BTreeMap<String, String>| json!(map).to_string();
        let mut request = Request::new("POST", "/build?rm=1&forcerm=1", what.clone())
            .query("dockerfile", inside.as_deref().unwrap_or(OUTSIDE))
            .query("buildargs", &json_text(&build.args))
            .query("labels", &json_text(&build.labels));
        for tag in &build.tags {
            request = request.query("t", tag);
        }
        let optional = [("target", &build.target), ("platform", &build.platform), ("networkmode", &build.network)];
        for (name, value) in optional {
            if let Some(value) = value {
                request = request.query(name, value);
            }
        }
        if !build.logins.is_empty() {
            let logins: BTreeMap<&str, Value> =
                build.logins.iter().map(|login| (login.server.as_str(), login.json())).collect();
            use base64::Engine as _;
            let header = base64::engine::general_purpose::URL_SAFE.encode(json!(logins).to_string());
            request = request.header("X-Registry-Config", header);
        }

        let (reader, writer) =
            io::pipe().map_err(|source| EngineError::File { path: build.context.clone(), source })?;
        let failure = Mutex::new(None);
        let mut id = None;
        let result = thread::scope(|scope| {
            let failure = &failure;
            scope.spawn(move || {
                if let Err(error) = write_context(build, inside.is_none(), writer) {
                    // A broken pipe is the engine's refusal, which is told below.
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            });
            let mut archive = Archive { reader, failure };
            let Request { what: told, method, path, headers, .. } = request;
            let request = Request { what: told, method, path, headers, body: Body::Tar(&mut archive) };
            let answer = self.send(request, patience);
            drop(archive);
            self.checked(answer?)?.lines(patience, |said| {
                stream_error(&what, said)?;
                if let Some(text) = said.get("stream").or_else(|| said.get("status")).and_then(Value::as_str) {
                    each(text);
                }
                if let Some(built) = said.pointer("/aux/ID").and_then(Value::as_str) {
                    id = Some(built.to_owned());
                }
                Ok(())
            })
        });
        if let Some(source) = failure.into_inner().unwrap_or_else(PoisonError::into_inner)
            && source.kind() != io::ErrorKind::BrokenPipe
        {
            return Err(EngineError::File { path: build.context.clone(), source });
        }
        result?;
        id.ok_or_else(|| EngineError::Answer { what, problem: "it does not name the image".into() })
    }
}

/// The reading end of the archive. A context that could not be read is an error there, not an early end.
struct Archive<'f> {
    reader: io::PipeReader,
    failure: &'f Mutex<Option<io::Error>>,
}

impl Read for Archive<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        if count == 0 && self.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Err(io::Error::other("the context cannot be read"));
        }
        Ok(count)
    }
}

/// Writes the context as a tar archive, without what is ignored.
fn write_context(build: &BuildRequest, dockerfile_outside: bool, to: impl Write) -> io::Result<()> {
    let mut archive = tar::Builder::new(io::BufWriter::with_capacity(64 << 10, to));
    archive.follow_symlinks(false);
    archive.mode(tar::HeaderMode::Complete);
    let always = build.dockerfile_inside();
    add_folder(&mut archive, &build.context, "", &build.ignore(), always.as_deref())?;
    if dockerfile_outside {
        archive.append_path_with_name(&build.dockerfile, OUTSIDE)?;
    }
    archive.into_inner()?.flush()
}

fn add_folder(
    archive: &mut tar::Builder<impl Write>,
    root: &Path,
    folder: &str,
    ignore: &Ignore,
    always: Option<&str>,
) -> io::Result<()> {
    let named = |path: &Path, error: io::Error| io::Error::new(error.kind(), format!("`{}`: {error}", path.display()));
    let place = root.join(folder);
    let mut items: Vec<_> = fs::read_dir(&place)
        .map_err(|error| named(&place, error))?
        .collect::<Result<_, _>>()
        .map_err(|error| named(&place, error))?;
    items.sort_by_key(fs::DirEntry::file_name);
    for item in items {
        let Some(name) = item.file_name().to_str().map(str::to_owned) else {
            let problem = format!("the name of `{}` is no text", item.path().display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        };
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let kind = item.file_type().map_err(|error| named(&item.path(), error))?;
        // The builder itself needs these two, whatever the patterns say.
        let needed = always == Some(path.as_str()) || path == ".dockerignore";
        let out = !needed && ignore.leaves_out(&path);
        if kind.is_dir() {
            let has_needed = always.is_some_and(|always| always.starts_with(&format!("{path}/")));
            if out && !has_needed && !ignore.may_keep_in(&path) {
                continue;
            }
            if !out {
                archive.append_path_with_name(item.path(), &path).map_err(|error| named(&item.path(), error))?;
            }
            add_folder(archive, root, &path, ignore, always)?;
        } else if !out && (kind.is_file() || kind.is_symlink()) {
            archive.append_path_with_name(item.path(), &path).map_err(|error| named(&item.path(), error))?;
        }
    }
    Ok(())
}

/// Whether there is a `docker` with its `buildx` plugin, that is BuildKit, for this engine.
pub fn has_buildx() -> bool {
    let asked = Command::new("docker").args(["buildx", "version"]).stdin(Stdio::null()).output();
    asked.is_ok_and(|output| output.status.success())
}

/// Builds with BuildKit, by `docker buildx build --load`. Gives the image's id. `each` gets what the build says, line by line.
///
/// # Errors
/// [`EngineError::Failed`] with the last lines of what it said; [`EngineError::File`] if `docker` cannot be started.
pub fn build_with_buildx(
    engine: &Engine,
    build: &BuildRequest,
    patience: Patience<'_>,
    each: &mut dyn FnMut(&str),
) -> Result<String, EngineError> {
    let what = build.what();
    let file = |source| EngineError::File { path: "docker".into(), source };
    let id_file = tempfile_path(&build.dockerfile);
    let mut command = Command::new("docker");
    command.args(["buildx", "build", "--load", "--progress=plain", "--iidfile"]).arg(&id_file);
    command.arg("--file").arg(&build.dockerfile);
    let pairs = |flag: &'static str, map: &BTreeMap<String, String>| -> Vec<String> {
        map.iter().flat_map(|(name, value)| [flag.to_owned(), format!("{name}={value}")]).collect()
    };
    command.args(build.tags.iter().flat_map(|tag| ["--tag", tag]));
    command.args(pairs("--label", &build.labels));
    // Values may be secret, so only the names stand on the command line.
    for (name, value) in &build.args {
        command.args(["--build-arg", name]).env(name, value);
    }
    let optional = [("--target", &build.target), ("--platform", &build.platform), ("--network", &build.network)];
    for (flag, value) in optional {
        if let Some(value) = value {
            command.args([flag, value]);
        }
    }
    command.arg("--").arg(&build.context);
    command.env("DOCKER_HOST", engine.address().to_string()).env_remove("DOCKER_CONTEXT").env_remove("BUILDX_BUILDER");
    let (reader, writer) = io::pipe().map_err(file)?;
    command.stdin(Stdio::null()).stdout(writer.try_clone().map_err(file)?).stderr(writer);
    let mut child = command.spawn().map_err(file)?;
    drop(command); // It holds the writing end.
    let mut last: Vec<String> = Vec::new();
    let mut lines = BufReader::new(reader);
    let mut cancelled = false;
    loop {
        use std::os::fd::AsFd;
        if lines.buffer().is_empty()
            && let Err(error) = crate::http::wait(lines.get_ref().as_fd(), &what, patience)
        {
            // Its own end is the only way to stop it; what it had begun in the engine ends with it.
            let _ = child.kill();
            let _ = child.wait();
            let _ = fs::remove_file(&id_file);
            cancelled = matches!(error, EngineError::Cancelled);
            if !cancelled {
                return Err(error);
            }
            break;
        }
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line).map_err(file)? == 0 {
            break;
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        each(&line);
        if last.len() == 12 {
            last.remove(0);
        }
        last.push(line);
    }
    if cancelled {
        return Err(EngineError::Cancelled);
    }
    let status = child.wait().map_err(file)?;
    let id = fs::read_to_string(&id_file).unwrap_or_default().trim().to_owned();
    let _ = fs::remove_file(&id_file);
    match status.success() && !id.is_empty() {
        true => Ok(id),
        false => Err(EngineError::Failed { what, message: last.join("\n") }),
    }
}

/// Where BuildKit writes the image's id: a name that nobody else uses.
fn tempfile_path(dockerfile: &Path) -> PathBuf {
    use std::hash::{BuildHasher, RandomState};
    let number = RandomState::new().hash_one(dockerfile);
    std::env::temp_dir().join(format!("lineclear-build-{}-{number:016x}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(build: &BuildRequest) -> Vec<String> {
        let mut bytes = Vec::new();
        write_context(build, build.dockerfile_inside().is_none(), &mut bytes).expect("an archive");
        let mut archive = tar::Archive::new(&bytes[..]);
        let entries = archive.entries().expect("entries");
        entries.map(|e| e.expect("an entry").path().expect("a path").display().to_string()).collect()
    }

    #[test]
    fn the_context_is_sent_without_what_is_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        place("docker/Dockerfile", "FROM scratch");
        place("src/main", "x");
        place("target/big/file", "x");
        place("target/keep/file", "x");
        place(".dockerignore", "target\n!target/keep\ndocker\n.dockerignore");
        std::os::unix::fs::symlink("/nowhere", folder.path().join("dangling")).expect("a link");
        let build = BuildRequest {
            context: folder.path().into(),
            dockerfile: folder.path().join("docker/Dockerfile"),
            ..BuildRequest::default()
        };
        let expected =
            [".dockerignore", "dangling", "docker/Dockerfile", "src", "src/main", "target/keep", "target/keep/file"];
        assert_eq!(sent(&build), expected);
        let outside = tempfile::NamedTempFile::new().expect("a file");
        let build = BuildRequest { dockerfile: outside.path().into(), ..build };
        assert_eq!(sent(&build).last().map(String::as_str), Some(OUTSIDE));
    }

    #[test]
    fn a_context_that_cannot_be_read_names_the_file() {
        let build = BuildRequest { context: "/no/such/folder".into(), ..BuildRequest::default() };
        let error = write_context(&build, false, io::sink()).expect_err("it is not there");
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
    }
}
