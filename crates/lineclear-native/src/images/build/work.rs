//! One build, from what was asked for to what became of it.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use lineclear_dockerfile::{Base, Scope};
use lineclear_event::{AnnotationLevel, with_causes};
use lineclear_oci::{AnyManifest, ImageConfig, Platform};
use lineclear_runner::native::{Call, NativeError, RunOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::arguments::{self, Order, SecretAt, is_complete};
use super::builder::{self, Builder};
use super::cache::{self, Form};
use super::context::{self, Context};
use super::failure;
use super::inputs::{Attest, Cache, Inputs, Level, Output, OutputKind, SecretFrom};
use super::layout::{Attached, BuiltImage, Layout, Says, Statement};
use super::provenance::{self, Origin};
use super::push::{self, Destination};
use super::report;
use crate::caching::text;
use crate::images::client::Place;
use crate::images::docker_config;

/// Everything that a build needs, ready.
pub(super) struct Work {
    inputs: Inputs,
    builder: Builder,
    context: Context,
    /// Goes with the step.
    temp: TempDir,
    /// In memory where the machine can, for its owner only; goes with the step.
    _secrets_folder: TempDir,
    secrets: Vec<(String, SecretAt)>,
    /// The job's logins.
    config: PathBuf,
    destinations: Vec<Destination>,
    cache_from: Vec<String>,
    cache_to: Vec<String>,
    is_inline_cache: bool,
    /// Names that caches were loaded under.
    cache_names: Vec<String>,
}

/// What was built, by platform.
struct Built {
    id: String,
    config: ImageConfig,
    size: u64,
}

impl Work {
    /// Looks at everything that can be wrong before anything is built.
    ///
    /// # Errors
    /// The first thing that is.
    pub(super) fn prepare(call: &mut Call<'_>, inputs: Inputs) -> Result<Self, NativeError> {
        let builder = builder::find(call, &inputs.builder)?;
        call.effects.log(&format!("Builder: {}", builder.describe()));
        let temp = folder(&call.room.layout().temp, "docker-build-")?;
        let context = context::find(call, &inputs.context, &inputs.file, temp.path())?;
        let destinations = destinations(call, &inputs)?;
        push::may_push(call, &destinations)?;
        for tag in &inputs.tags {
            Place::of(call, tag)?;
        }
        if inputs.load && inputs.platforms.len() > 1 {
            return Err(NativeError(
                "`load` takes an image for one platform: an engine keeps no index. Build one platform, or push instead"
                    .into(),
            ));
        }
        if matches!(inputs.sbom, Attest::Yes(_)) && !is_complete(&builder) {
            return Err(NativeError(format!(
                "`sbom` is not possible with {}: use an engine with containerd's store of images or a `docker-container` builder, \
                 or set `sbom: false` and make the SBOM in a step of its own",
                builder.describe()
            )));
        }
        let config = docker_config::file(call)?;
        let secrets_folder = folder(&call.room.layout().scratch, "secrets-")?;
        let secrets = secrets(call, &inputs, secrets_folder.path())?;
        let mut work = Self {
            inputs,
            builder,
            context,
            temp,
            _secrets_folder: secrets_folder,
            secrets,
            config,
            destinations,
            cache_from: Vec::new(),
            cache_to: Vec::new(),
            is_inline_cache: false,
            cache_names: Vec::new(),
        };
        work.use_caches(call)?;
        work.use_own_bases(call)?;
        Ok(work)
    }

    /// Builds, and brings the image where it is to go.
    ///
    /// # Errors
    /// Why the build failed, or what could not be pushed or written.
    pub(super) fn carry_out(mut self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let started = lineclear_event::Timestamp(call.now.0);
        if !matches!(self.inputs.call.as_str(), "" | "build") {
            // Questions about the Dockerfile build nothing.
            let order = self.order();
            return self.run(call, &order).map(drop);
        }
        let (layout, built) = if is_complete(&self.builder) {
            (Some(self.build_whole(call)?), None)
        } else {
            let built = self.build_each(call)?;
            let layout = if self.needs_layout() { Some(self.gather(call, &built, started)?) } else { None };
            (layout, Some(built))
        };
        self.write_outputs(call, layout.as_ref(), built.as_deref())?;
        if let Some(layout) = layout.as_ref().filter(|_| !self.destinations.is_empty()) {
            push::push(call, layout, &self.destinations, &self.config)?;
        }
        self.keep_caches(call, layout.as_ref(), built.as_deref());
        self.tell(call, layout.as_ref(), built.as_deref())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// What is the same for every run of the builder.
    fn order(&self) -> Order {
        Order {
            context: self.context.given.clone(),
            file: self.context.file.clone(),
            platforms: self.inputs.platforms.clone(),
            secrets: self.secrets.clone(),
            cache_from: self.cache_from.clone(),
            is_inline_cache: self.is_inline_cache,
            auth_file: (self.builder == Builder::Buildah && self.config.is_file()).then(|| self.config.clone()),
            ..Order::default()
        }
    }

    fn run(&self, call: &mut Call<'_>, order: &Order) -> Result<String, NativeError> {
        let names: Vec<String> = call.env.keys().cloned().collect();
        let line =
            arguments::build(&self.builder, &self.inputs, order, &|name| names.iter().any(|known| known == name))?;
        let args: Vec<&str> = line.args.iter().map(String::as_str).collect();
        let env: Vec<(&str, &str)> = line.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let options = RunOptions { env: &env, ..RunOptions::default() };
        let (code, said) = call.effects.run_heard(&line.program, &args, options)?;
        if code == 0 {
            return Ok(said);
        }
        Err(NativeError(failure::explain(&said, &self.context.file_name, self.context.dockerfile.as_ref())))
    }

    /// With a builder that does all at once: one image, or an index with its attestations.
    fn build_whole(&mut self, call: &mut Call<'_>) -> Result<Layout, NativeError> {
        let folder = self.path("layout");
        let seen = seen(call, &folder);
        let mut order = self.order();
        order.output = Some(format!("type=oci,tar=false,dest={seen}"));
        order.metadata_file = Some(self.path("metadata.json"));
        order.cache_to.clone_from(&self.cache_to);
        // Attestations say by which names the image goes.
        order.tags.clone_from(&self.inputs.tags);
        let is_private = call.contexts.github["event"]["repository"]["private"].as_bool().unwrap_or(false);
        order.attests = self.attests(call, is_private);
        self.run(call, &order)?;
        let layout = Layout::of_folder(&folder)?;
        let is_loaded = self.inputs.load || (self.inputs.outputs.is_empty() && !self.inputs.push && self.is_engines());
        if is_loaded && layout.images.len() == 1 {
            let mut again = Order { is_again: true, tags: self.inputs.tags.clone(), ..self.order() };
            again.output = Some("type=docker".to_owned());
            self.run(call, &again)?;
        }
        Ok(layout)
    }

    fn is_engines(&self) -> bool {
        matches!(&self.builder, Builder::Buildx { driver, .. } if driver == "docker")
    }

    fn attests(&self, call: &Call<'_>, is_private: bool) -> Vec<String> {
        let id = format!("builder-id={}", run_address(call));
        let with = |kind: &str, attributes: &str| {
            let attributes = if attributes.is_empty() { String::new() } else { format!(",{attributes}") };
            format!("type={kind}{attributes}")
        };
        let mut attests = Vec::new();
        match &self.inputs.provenance {
            Attest::No => attests.push("type=provenance,disabled=true".to_owned()),
            Attest::Yes(attributes) if attributes.contains("builder-id=") => {
                attests.push(with("provenance", attributes))
            }
            Attest::Yes(attributes) => attests.push(format!("{},{id}", with("provenance", attributes))),
            Attest::Unsaid if self.inputs.load => {}
            Attest::Unsaid if is_private => attests.push(format!("type=provenance,mode=min,inline-only=true,{id}")),
            Attest::Unsaid => attests.push(format!("type=provenance,mode=max,{id}")),
        }
        if let Attest::Yes(attributes) = &self.inputs.sbom {
            attests.push(with("sbom", attributes));
        }
        attests.extend(self.inputs.attests.iter().cloned());
        attests
    }

    /// With a builder that knows one platform at a time: each by itself.
    fn build_each(&self, call: &mut Call<'_>) -> Result<Vec<Built>, NativeError> {
        let platforms: Vec<Option<Platform>> = match self.inputs.platforms.as_slice() {
            [] => vec![None],
            some => some.iter().cloned().map(Some).collect(),
        };
        let mut built = Vec::new();
        for (number, platform) in platforms.iter().enumerate() {
            if platforms.len() > 1 {
                let shown = platform.as_ref().map_or_else(String::new, Platform::to_string);
                call.effects.log(&format!("Platform {} of {}: {shown}", number + 1, platforms.len()));
            }
            let id_file = self.path(&format!("id-{number}"));
            let mut order = self.order();
            order.platforms = platform.iter().cloned().collect();
            order.id_file = Some(PathBuf::from(seen(call, &id_file)));
            if platforms.len() == 1 && (self.builder.has_engine() || self.inputs.load) {
                order.tags.clone_from(&self.inputs.tags);
            }
            self.run(call, &order)?;
            let id = std::fs::read_to_string(&id_file)
                .map_err(|error| NativeError(format!("the builder wrote no image id ({error})")))?;
            let image = self.inspect(call, id.trim())?;
            if let Some(platform) = platform
                && !image.config.platform().is(platform)
            {
                return Err(NativeError(format!(
                    "what was built for {platform} is an image for {}: the base image on this machine is for that. Name it by a \
                     digest, or use a registry that has it for {platform}",
                    image.config.platform()
                )));
            }
            built.push(image);
        }
        Ok(built)
    }

    /// What is known of an image by its id.
    fn inspect(&self, call: &mut Call<'_>, id: &str) -> Result<Built, NativeError> {
        let quiet = RunOptions { quiet: true, ..RunOptions::default() };
        let (config, size) = if self.builder.has_engine() {
            let said = call.effects.capture("docker", &["image", "inspect", "--format", "{{json .}}", id], quiet)?;
            let said: Value = serde_json::from_str(&said).map_err(|error| NativeError(error.to_string()))?;
            let config = json!({
                "architecture": said["Architecture"],
                "variant": said["Variant"].as_str().filter(|variant| !variant.is_empty()),
                "os": said["Os"],
                "config": said["Config"],
                "rootfs": { "type": "layers", "diff_ids": said["RootFS"]["Layers"].as_array().cloned().unwrap_or_default() },
            });
            (config, said["Size"].as_u64().unwrap_or(0))
        } else {
            let said = call.effects.capture("buildah", &["inspect", "--type", "image", id], quiet)?;
            let mut said: Value = serde_json::from_str(&said).map_err(|error| NativeError(error.to_string()))?;
            (said["Docker"].take(), 0)
        };
        let config =
            ImageConfig::read(config.to_string().as_bytes()).map_err(|error| NativeError(with_causes(&error)))?;
        Ok(Built { id: id.to_owned(), config, size })
    }

    /// Whether the image itself is needed here, not only in the engine.
    fn needs_layout(&self) -> bool {
        let is_file = |output: &Output| match output.kind {
            OutputKind::Oci => true,
            OutputKind::Docker => output.attributes.get("dest").is_some(),
            _ => false,
        };
        !self.destinations.is_empty() || self.inputs.outputs.iter().any(is_file)
    }

    /// Takes the images out of the engine and puts them together.
    fn gather(
        &self,
        call: &mut Call<'_>,
        built: &[Built],
        started: lineclear_event::Timestamp,
    ) -> Result<Layout, NativeError> {
        let mut archives = Vec::new();
        for (number, image) in built.iter().enumerate() {
            let archive = self.path(&format!("image-{number}.tar"));
            let seen = seen(call, &archive);
            let quiet = RunOptions { quiet: true, ..RunOptions::default() };
            if self.builder.has_engine() {
                call.effects.capture("docker", &["save", "--output", &seen, &image.id], quiet)?;
            } else {
                call.effects.capture(
                    "buildah",
                    &["push", "--quiet", &image.id, &format!("docker-archive:{seen}")],
                    quiet,
                )?;
            }
            archives.push((image.config.platform(), archive));
        }
        let oci = |output: &Output| output.kind == OutputKind::Oci || output.attributes.is("oci-mediatypes");
        let attached = Attached {
            manifest: self.inputs.annotations_at(Level::Manifest),
            index: self.inputs.annotations_at(Level::Index),
            descriptor: self.inputs.annotations_at(Level::ManifestDescriptor),
            is_oci: self.inputs.outputs.iter().any(oci),
        };
        let origin = self.origin(call, started);
        let say = |image: &BuiltImage| -> Vec<Statement> {
            vec![provenance::statement(&origin, &image.platform.to_string())]
        };
        let says: Option<&Says<'_>> = match self.inputs.provenance {
            Attest::Yes(_) => Some(&say),
            Attest::No | Attest::Unsaid => None,
        };
        let layout = Layout::of_archives(&self.path("layout"), &archives, &attached, says)?;
        for (_, archive) in archives {
            // They are as large as the images, and what is needed of them is in the layout.
            std::fs::remove_file(&archive)
                .map_err(|error| NativeError(format!("cannot remove `{}`: {error}", archive.display())))?;
        }
        Ok(layout)
    }

    fn origin(&self, call: &Call<'_>, started: lineclear_event::Timestamp) -> Origin {
        let github = &call.contexts.github;
        let (server, repository) = (text(github, "server_url"), text(github, "repository"));
        let is_max = matches!(&self.inputs.provenance, Attest::Yes(attributes) if attributes.contains("mode=max"));
        Origin {
            builder_id: run_address(call),
            invocation: format!("{}-{}", text(github, "run_id"), started.0),
            repository: format!("{server}/{repository}.git#{}", text(github, "ref")),
            sha: text(github, "sha").to_owned(),
            dockerfile: self.context.file_name.clone(),
            target: self.inputs.target.clone(),
            build_args: self.inputs.build_args.clone(),
            labels: self.inputs.labels.clone(),
            bases: self.bases().into_iter().map(|base| (base, None)).collect(),
            started: started.to_string(),
            finished: lineclear_event::Timestamp(now_millis().unwrap_or(started.0)).to_string(),
            is_max,
        }
    }

    /// The images that the build's stages begin with, by name.
    fn bases(&self) -> Vec<String> {
        let Some(file) = &self.context.dockerfile else { return Vec::new() };
        let given: BTreeMap<String, String> = self
            .inputs
            .build_args
            .iter()
            .filter_map(|entry| entry.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
            .collect();
        let scope = Scope::global(file, &given);
        let images = file.stages.iter().filter(|stage| stage.from.base == Base::Image);
        let mut bases: Vec<String> = Vec::new();
        for image in images.filter_map(|stage| scope.expand(&stage.from.image)) {
            if !bases.contains(&image) {
                bases.push(image);
            }
        }
        bases
    }

    /// The image that the target is built upon, through its stages.
    fn base(&self) -> Option<String> {
        let file = self.context.dockerfile.as_ref()?;
        let named = |name: &str| {
            file.stages.iter().rev().find(|stage| stage.from.name.as_ref().is_some_and(|own| own.raw() == name))
        };
        let mut stage = if self.inputs.target.is_empty() { file.stages.last() } else { named(&self.inputs.target) }?;
        while let Base::Stage(index) = stage.from.base {
            stage = file.stages.get(index)?;
        }
        (stage.from.base == Base::Image).then(|| stage.from.expanded.clone())?
    }

    /// Brings the result where `outputs` say.
    fn write_outputs(
        &self,
        call: &mut Call<'_>,
        layout: Option<&Layout>,
        built: Option<&[Built]>,
    ) -> Result<(), NativeError> {
        for output in &self.inputs.outputs {
            let dest = output.attributes.get("dest").map(|dest| call.resolve("outputs", dest)).transpose()?;
            match (output.kind, built, layout) {
                (OutputKind::Image { .. } | OutputKind::Cache, ..) | (OutputKind::Docker, Some(_), None) => {}
                (OutputKind::Oci, Some(_), Some(layout)) | (OutputKind::Docker, Some(_), Some(layout)) => {
                    let Some(dest) = dest else { continue };
                    make_parent(&dest)?;
                    let names = if output.names().is_empty() { self.inputs.tags.clone() } else { output.names() };
                    layout.write_archive(&dest, &names)?;
                    call.effects.log(&format!("Wrote the image to {}", dest.display()));
                }
                (OutputKind::Local | OutputKind::Tar, Some(built), _) if self.builder == Builder::Classic => {
                    let (Some(dest), [image]) = (dest, built) else { continue };
                    self.export(call, image, output.kind, &dest)?;
                }
                (OutputKind::Local | OutputKind::Tar, Some(_), _) if self.inputs.platforms.len() > 1 => {
                    // As BuildKit does: a folder for each platform.
                    for platform in &self.inputs.platforms {
                        let Some(dest) = &dest else { continue };
                        let dest = dest.join(platform.to_string().replace('/', "_"));
                        let dest = if output.kind == OutputKind::Tar { dest.with_extension("tar") } else { dest };
                        make_parent(&dest)?;
                        let kind = if output.kind == OutputKind::Tar { "tar" } else { "local" };
                        let raw = format!("type={kind},dest={}", seen(call, &dest));
                        let platforms = vec![platform.clone()];
                        self.run(call, &Order { is_again: true, platforms, output: Some(raw), ..self.order() })?;
                    }
                }
                _ => {
                    if let Some(dest) = &dest {
                        make_parent(dest)?;
                    }
                    let tags = if output.kind == OutputKind::Docker { self.inputs.tags.clone() } else { Vec::new() };
                    let raw = Some(output.attributes.raw.clone());
                    self.run(call, &Order { is_again: true, output: raw, tags, ..self.order() })?;
                }
            }
        }
        Ok(())
    }

    /// The files of an image, by the engine: its classic builder exports nothing.
    fn export(&self, call: &mut Call<'_>, image: &Built, kind: OutputKind, dest: &Path) -> Result<(), NativeError> {
        let quiet = RunOptions { quiet: true, ..RunOptions::default() };
        let container = call.effects.capture("docker", &["create", &image.id, "-"], quiet)?;
        let container = container.trim().to_owned();
        let archive = if kind == OutputKind::Tar { dest.to_owned() } else { self.path("export.tar") };
        make_parent(&archive)?;
        let to = seen(call, &archive);
        let exported = call.effects.capture("docker", &["export", "--output", &to, &container], quiet);
        call.effects.capture("docker", &["rm", &container], quiet)?;
        exported?;
        if kind == OutputKind::Local {
            let failed = |error: std::io::Error| NativeError(format!("cannot write to `{}`: {error}", dest.display()));
            std::fs::create_dir_all(dest).map_err(failed)?;
            let file = std::fs::File::open(&archive).map_err(failed)?;
            tar::Archive::new(std::io::BufReader::new(file)).unpack(dest).map_err(failed)?;
        }
        Ok(())
    }

    /// Restores caches, and says to the builder where they are.
    fn use_caches(&mut self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let whole = is_complete(&self.builder);
        let form = if whole { Form::BuildKit } else { Form::Images };
        for (number, entry) in self.inputs.cache_from.clone().into_iter().enumerate() {
            match entry.cache {
                Cache::Service { .. } | Cache::Local { .. } if self.builder == Builder::Buildah => {
                    call.effects.annotate(
                        AnnotationLevel::Warning,
                        &format!(
                            "`cache-from: {}` has no use with buildah: its own layers on this machine are the cache",
                            entry.raw
                        ),
                    );
                }
                Cache::Service { scope, .. } => {
                    let base = self.path(&format!("cache-in-{number}"));
                    let Some(folder) = cache::restore(call, form, &scope, &base)? else { continue };
                    self.take_cache(call, whole, &folder);
                }
                Cache::Local { path, .. } => {
                    let folder = call.resolve("cache-from", &path)?;
                    if folder.is_dir() {
                        self.take_cache(call, whole, &folder.to_string_lossy());
                    }
                }
                Cache::Registry { reference, .. } => {
                    let place = Place::of(call, &reference)?;
                    let name = place.reference.to_string();
                    self.let_in(&place)?;
                    // What is not there is no cache, and nothing worse.
                    match &self.builder {
                        Builder::Buildx { .. } => self.cache_from.push(format!("type=registry,ref={name}")),
                        Builder::Classic => self.cache_from.extend(pulled(call, &name)),
                        Builder::Buildah => self.cache_from.push(place.reference.bare().name()),
                    }
                }
                Cache::Inline => {}
                Cache::Other => self.cache_from.push(entry.raw),
            }
        }
        for entry in self.inputs.cache_to.clone() {
            match entry.cache {
                Cache::Service { is_max, .. } if whole => {
                    let to = seen(call, &cache::folder_to_save(&self.path("cache-out")));
                    let mode = if is_max { "max" } else { "min" };
                    self.cache_to.push(format!("type=local,dest={to},mode={mode}"));
                }
                _ if whole => self.cache_to.push(entry.raw),
                Cache::Service { .. } | Cache::Local { .. } if self.builder == Builder::Buildah => {
                    call.effects.annotate(
                        AnnotationLevel::Warning,
                        &format!(
                            "`cache-to: {}` is not kept: with buildah, its own layers on this machine are the cache",
                            entry.raw
                        ),
                    );
                }
                Cache::Registry { reference, is_max } => {
                    if is_max {
                        let message = format!(
                            "`cache-to: {}` is kept with mode=min: this builder cannot keep more in a registry",
                            entry.raw
                        );
                        call.effects.annotate(AnnotationLevel::Warning, &message);
                    }
                    let place = Place::of(call, &reference)?;
                    let destination = Destination { place, is_by_digest: false };
                    push::may_push(call, std::slice::from_ref(&destination))?;
                    self.destinations.push(destination);
                    self.is_inline_cache = self.builder.is_buildkit();
                }
                Cache::Service { .. } | Cache::Local { .. } | Cache::Inline => {
                    self.is_inline_cache = self.builder.is_buildkit();
                }
                Cache::Other => {}
            }
        }
        Ok(())
    }

    /// A restored folder becomes what the builder reads.
    fn take_cache(&mut self, call: &mut Call<'_>, whole: bool, folder: &str) {
        let path = PathBuf::from(folder);
        if whole {
            self.cache_from.push(format!("type=local,src={}", seen(call, &path)));
            return;
        }
        match cache::load(call, &path) {
            Ok(names) => {
                let of = |name: &String| match &self.builder {
                    Builder::Buildx { .. } => format!("type=registry,ref={name}"),
                    _ => name.clone(),
                };
                self.cache_from.extend(names.iter().map(of));
                self.cache_names.extend(names);
            }
            // A build can do without its cache.
            Err(NativeError(problem)) => {
                let message = format!("the build cache could not be loaded: {}", builder::last_line(&problem));
                call.effects.annotate(AnnotationLevel::Warning, &message);
            }
        }
    }

    /// Puts the login of a route where the builder looks for logins.
    fn let_in(&self, place: &Place) -> Result<(), NativeError> {
        match place.login() {
            Some((user, password)) => {
                docker_config::add(&self.config, place.reference.registry().as_str(), user, password)
            }
            None => Ok(()),
        }
    }

    /// Base images that the run's own registry has are taken from there.
    fn use_own_bases(&mut self, call: &mut Call<'_>) -> Result<(), NativeError> {
        for base in self.bases() {
            let Ok(place) = Place::of(call, &base) else { continue };
            if !place.is_routed {
                continue;
            }
            let config = self.config.clone();
            let client = place.client(call, &config)?;
            let is_there = crate::images::client::watched(call, &client, || client.resolve(&place.reference));
            if is_there.is_err() {
                continue;
            }
            self.let_in(&place)?;
            let own = place.reference.to_string();
            call.effects.log(&format!("{base} is taken from the run's own registry"));
            if is_complete(&self.builder) || self.builder == Builder::Buildah {
                let scheme = if self.builder == Builder::Buildah { "docker://" } else { "docker-image://" };
                self.inputs.build_contexts.push(format!("{base}={scheme}{own}"));
            } else if pulled(call, &own).is_some() {
                let quiet = RunOptions { quiet: true, ..RunOptions::default() };
                call.effects.capture("docker", &["tag", &own, &base], quiet)?;
            }
        }
        Ok(())
    }

    /// Keeps what the build can be quicker with next time. Nothing that goes wrong here fails the step.
    fn keep_caches(&self, call: &mut Call<'_>, layout: Option<&Layout>, built: Option<&[Built]>) {
        let entries = self.inputs.cache_to.iter();
        let (locals, services): (Vec<_>, Vec<_>) = entries
            .filter(|entry| matches!(entry.cache, Cache::Local { .. } | Cache::Service { .. }))
            .partition(|entry| matches!(entry.cache, Cache::Local { .. }));
        let out = self.path("cache-out");
        if let (true, Some(layout)) = (built.is_none(), layout) {
            for (scope, _) in cache::services(&self.inputs.cache_to) {
                // What is in the index names everything that is in the folder.
                let index = std::fs::read_to_string(cache::folder_to_save(&out).join("index.json"));
                let root = Layout::root(layout).map_or_else(String::new, |root| root.digest().to_string());
                cache::save(call, Form::BuildKit, &scope, &out, &index.unwrap_or(root));
            }
        } else if let (Some([image]), false, true) =
            (built, self.builder == Builder::Buildah, !(locals.is_empty() && services.is_empty()))
        {
            if let Err(NativeError(problem)) = self.keep_images(call, image, &out) {
                let message = format!("the build cache was not kept: {}", builder::last_line(&problem));
                call.effects.annotate(AnnotationLevel::Warning, &message);
            }
        } else if built.is_some_and(|built| built.len() > 1) && !services.is_empty() {
            call.effects.annotate(
                AnnotationLevel::Warning,
                "the build cache of several platforms is not kept by this builder: its own cache in the engine remains",
            );
        }
        cache::forget(call, &self.cache_names);
    }

    fn keep_images(&self, call: &mut Call<'_>, image: &Built, out: &Path) -> Result<(), NativeError> {
        let mut max: Option<Vec<String>> = None;
        for entry in &self.inputs.cache_to {
            let (scope, is_max, local) = match &entry.cache {
                Cache::Service { scope, is_max } => (scope.clone(), *is_max, None),
                Cache::Local { path, is_max } => ("local".to_owned(), *is_max, Some(call.resolve("cache-to", path)?)),
                _ => continue,
            };
            let mut ids = vec![image.id.clone()];
            if is_max {
                if max.is_none() {
                    max = Some(self.build_stages(call)?);
                }
                ids.extend(max.iter().flatten().filter(|id| **id != image.id).cloned());
            }
            match local {
                Some(folder) => drop(cache::unload(call, &ids, &scope, &folder)?),
                None => {
                    let folder = cache::folder_to_save(out);
                    cache::unload(call, &ids, &scope, &folder)?;
                    cache::save(call, Form::Images, &scope, out, &ids.join("\n"));
                }
            }
        }
        Ok(())
    }

    /// The stages that `mode=max` keeps: they are built already, and here only named.
    fn build_stages(&self, call: &mut Call<'_>) -> Result<Vec<String>, NativeError> {
        let Some(file) = &self.context.dockerfile else { return Ok(Vec::new()) };
        let mut ids = Vec::new();
        for (number, stage) in cache::stages(file, &self.inputs.target).into_iter().enumerate() {
            let id_file = self.path(&format!("stage-{number}"));
            let mut order = Order { is_again: true, target: Some(stage), ..self.order() };
            order.id_file = Some(PathBuf::from(seen(call, &id_file)));
            self.run(call, &order)?;
            let id = std::fs::read_to_string(&id_file)
                .map_err(|error| NativeError(format!("the builder wrote no image id ({error})")))?;
            ids.push(id.trim().to_owned());
        }
        Ok(ids)
    }

    /// Sets the outputs, and tells the image's facts.
    fn tell(&self, call: &mut Call<'_>, layout: Option<&Layout>, built: Option<&[Built]>) -> Result<(), NativeError> {
        let root = layout.and_then(Layout::root);
        let digest = root.map_or_else(String::new, |root| root.digest().to_string());
        let id = match (built, layout.map(|layout| layout.images.as_slice())) {
            (Some([image]), _) => image.id.clone(),
            (None, Some([image])) if matches!(root, Some(AnyManifest::Image(_))) => {
                image.manifest.config().digest.to_string()
            }
            _ => digest.clone(),
        };
        let names: Vec<String> = if self.inputs.tags.is_empty() {
            self.destinations.iter().map(|destination| destination.place.name.clone()).collect()
        } else {
            self.inputs.tags.clone()
        };
        let mut metadata: Value = std::fs::read(self.path("metadata.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_else(|| json!({}));
        if let Some(root) = root {
            metadata["containerimage.descriptor"] = json!(root.descriptor());
            metadata["containerimage.digest"] = digest.as_str().into();
        }
        if let Some([image]) = built {
            metadata["containerimage.config.digest"] = image.id.as_str().into();
        }
        if !names.is_empty() {
            metadata["image.name"] = names.join(",").into();
        }
        call.effects.output("imageid", &id);
        if !digest.is_empty() {
            call.effects.output("digest", &digest);
        }
        call.effects.output("metadata", &format!("{metadata:#}"));
        call.effects.log(&format!("Image id: {id}"));
        let (first, platforms): (Option<(&ImageConfig, u64)>, Vec<String>) = match (built, layout) {
            (Some(built), _) => (
                built.first().map(|image| {
                    let packed = layout.and_then(|layout| layout.images.first()).map_or(0, |image| image.size);
                    (&image.config, image.size.max(packed))
                }),
                built.iter().map(|image| image.config.platform().to_string()).collect(),
            ),
            (None, Some(layout)) => (
                layout.images.first().map(|image| (&image.config, image.size)),
                layout.images.iter().map(|image| image.platform.to_string()).collect(),
            ),
            (None, None) => (None, Vec::new()),
        };
        let config = first.map(|(config, size)| report::config_fact(config, size, self.base()));
        let is_pushed = self.inputs.pushes();
        report::tell(call, &report::Result { names, digest, platforms, config, is_pushed });
        Ok(())
    }
}

/// A folder of the step's own, for its owner only.
fn folder(in_folder: &Path, prefix: &str) -> Result<TempDir, NativeError> {
    let failed =
        |error: std::io::Error| NativeError(format!("cannot make a folder in `{}`: {error}", in_folder.display()));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(in_folder).map_err(failed)?;
    tempfile::Builder::new().prefix(prefix).tempdir_in(in_folder).map_err(failed)
}

fn make_parent(path: &Path) -> Result<(), NativeError> {
    let parent = path.parent().unwrap_or(path);
    std::fs::create_dir_all(parent)
        .map_err(|error| NativeError(format!("cannot make the folder `{}`: {error}", parent.display())))
}

fn seen(call: &Call<'_>, path: &Path) -> String {
    call.room.seen(path).to_string_lossy().into_owned()
}

/// Puts secrets where the builder is given them: into files of this step's own.
fn secrets(call: &Call<'_>, inputs: &Inputs, folder: &Path) -> Result<Vec<(String, SecretAt)>, NativeError> {
    let mut secrets = Vec::new();
    for (number, (id, from)) in inputs.secrets.iter().enumerate() {
        let at = match from {
            SecretFrom::Value(value) => {
                let path = folder.join(number.to_string());
                let mut options = std::fs::OpenOptions::new();
                let file = options.write(true).create_new(true).mode(0o600).open(&path);
                file.and_then(|mut file| file.write_all(value.as_bytes()))
                    .map_err(|error| NativeError(format!("cannot write the secret `{id}`: {error}")))?;
                SecretAt::File(call.room.seen(&path))
            }
            SecretFrom::Variable(name) => {
                if !call.env.contains_key(name) {
                    return Err(NativeError(format!("the secret `{id}` is the variable `{name}`, which is not set")));
                }
                SecretAt::Variable(name.clone())
            }
            SecretFrom::File(file) => {
                let path = call.resolve("secret-files", file)?;
                if !path.is_file() {
                    return Err(NativeError(format!("the secret `{id}` is the file `{file}`, which is not there")));
                }
                SecretAt::File(call.room.seen(&path))
            }
        };
        if let SecretAt::File(path) = &at
            && path.to_string_lossy().contains([',', '"'])
        {
            return Err(NativeError(format!(
                "the path of the secret `{id}` has a comma or a quote, which no builder takes"
            )));
        }
        secrets.push((id.clone(), at));
    }
    // The classic builder has no way to be told of them, and buildah reads no variables: files will do for both.
    Ok(secrets)
}

/// Where the image is pushed to.
fn destinations(call: &Call<'_>, inputs: &Inputs) -> Result<Vec<Destination>, NativeError> {
    let mut destinations: Vec<Destination> = Vec::new();
    let mut add = |name: &str, is_by_digest: bool| -> Result<(), NativeError> {
        let place = Place::of(call, name)?;
        let is_known = destinations.iter().any(|known| known.place.reference == place.reference);
        if !is_known {
            destinations.push(Destination { place, is_by_digest });
        }
        Ok(())
    };
    if inputs.push {
        if inputs.tags.is_empty() {
            return Err(NativeError("tag is needed when pushing to registry: give `tags`".to_owned()));
        }
        inputs.tags.iter().try_for_each(|tag| add(tag, false))?;
    }
    for output in inputs.outputs.iter().filter(|output| output.kind == OutputKind::Image { push: true }) {
        let is_by_digest = output.attributes.is("push-by-digest");
        let names = if output.names().is_empty() { inputs.tags.clone() } else { output.names() };
        if names.is_empty() {
            return Err(NativeError(format!(
                "output `{}` pushes, and has no name: add `name=…`, or `tags`",
                output.attributes.raw
            )));
        }
        names.iter().try_for_each(|name| add(name, is_by_digest))?;
    }
    Ok(destinations)
}

/// The image by this name, if the engine can have it.
fn pulled(call: &mut Call<'_>, name: &str) -> Option<String> {
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    call.effects.capture("docker", &["pull", "--quiet", name], quiet).ok().map(|_| name.to_owned())
}

/// The address of this run, which says who built.
fn run_address(call: &Call<'_>) -> String {
    let github = &call.contexts.github;
    let of = |name: &str| text(github, name);
    let attempt = call.env.get("GITHUB_RUN_ATTEMPT").map_or("1", String::as_str);
    format!("{}/{}/actions/runs/{}/attempts/{attempt}", of("server_url"), of("repository"), of("run_id"))
}

fn now_millis() -> Option<i64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(now.as_millis()).ok()
}
