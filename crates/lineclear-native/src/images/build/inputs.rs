//! What a build is asked for: the inputs of `docker/build-push-action`, read and checked before anything is built.
//!
//! # Source
//! `action.yml` and the documentation of `docker/build-push-action`; the reference of `docker buildx build` for what an output, a
//! cache or an attestation may say.

use std::collections::BTreeMap;

use lineclear_oci::Platform;

use super::super::lists::{Commas, Comments, Quotes, attribute, entries, entries_with, fields};

/// What is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InputError(pub(crate) String);

/// Attributes between commas: `type=registry,ref=app:cache,mode=max`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    /// As it was written.
    pub(crate) raw: String,
    values: BTreeMap<String, String>,
    /// Fields without a key.
    pub(crate) plain: Vec<String>,
}

impl Attributes {
    pub(crate) fn read(raw: &str) -> Self {
        let mut attributes = Self { raw: raw.to_owned(), ..Self::default() };
        for field in fields(raw) {
            match attribute(&field) {
                (Some(key), value) => drop(attributes.values.insert(key.to_ascii_lowercase(), value.to_owned())),
                (None, value) => attributes.plain.push(value.to_owned()),
            }
        }
        attributes
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Whether the attribute is there and true.
    pub(crate) fn is(&self, key: &str) -> bool {
        matches!(self.get(key), Some("true" | "1"))
    }
}

/// Where a build's result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputKind {
    /// Files in a folder.
    Local,
    /// The same in an archive.
    Tar,
    /// An image in the form of the image specification.
    Oci,
    /// An image in the engine, or in an archive that an engine loads.
    Docker,
    /// An image, pushed or not.
    Image { push: bool },
    /// Nowhere.
    Cache,
}

/// One entry of `outputs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) kind: OutputKind,
    pub(crate) attributes: Attributes,
}

impl Output {
    fn read(entry: &str) -> Result<Self, InputError> {
        let attributes = Attributes::read(entry);
        let kind = match attributes.get("type") {
            // A path alone is a folder.
            None if attributes.values.is_empty() => {
                let raw = format!("type=local,dest={entry}");
                return Ok(Self { kind: OutputKind::Local, attributes: Attributes::read(&raw) });
            }
            Some("local") => OutputKind::Local,
            Some("tar") => OutputKind::Tar,
            Some("oci") => OutputKind::Oci,
            Some("docker") => OutputKind::Docker,
            Some("image") => OutputKind::Image { push: attributes.is("push") },
            Some("registry") => OutputKind::Image { push: attributes.get("push").is_none_or(|push| push == "true") },
            Some("cacheonly") => OutputKind::Cache,
            _ => {
                return Err(InputError(format!(
                    "output `{entry}`: its type must be one of local, tar, oci, docker, image, registry, cacheonly"
                )));
            }
        };
        if matches!(kind, OutputKind::Local | OutputKind::Tar) && attributes.get("dest").is_none() {
            return Err(InputError(format!("output `{entry}` does not say where to: add `dest=…`")));
        }
        Ok(Self { kind, attributes })
    }

    /// The names that the output itself gives to the image.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.attributes.get("name").unwrap_or_default();
        names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }
}

/// One entry of `cache-from` or `cache-to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    /// The cache service of the run.
    Service {
        scope: String,
        /// Whether the layers of all stages are kept, not only those of the image.
        is_max: bool,
    },
    Registry {
        reference: String,
        is_max: bool,
    },
    Local {
        path: String,
        is_max: bool,
    },
    Inline,
    /// One that only a builder knows: passed on as it is.
    Other,
}

/// An entry as it was written, and as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CacheEntry {
    pub(crate) raw: String,
    pub(crate) cache: Cache,
}

impl CacheEntry {
    fn read(entry: &str) -> Result<Self, InputError> {
        let attributes = Attributes::read(entry);
        let is_max = match attributes.get("mode") {
            None | Some("min") => false,
            Some("max") => true,
            Some(other) => return Err(InputError(format!("cache `{entry}`: the mode is min or max, not `{other}`"))),
        };
        let of = |key: &str| attributes.get(key).map(str::to_owned);
        let missing = |key: &str| InputError(format!("cache `{entry}` lacks `{key}=…`"));
        let cache = match attributes.get("type") {
            None => match attributes.plain.as_slice() {
                [reference] => Cache::Registry { reference: reference.clone(), is_max },
                _ => return Err(InputError(format!("cache `{entry}` does not say its type: `type=gha`, for example"))),
            },
            Some("registry") => Cache::Registry { reference: of("ref").ok_or_else(|| missing("ref"))?, is_max },
            Some("gha") => Cache::Service { scope: of("scope").unwrap_or_else(|| "buildkit".to_owned()), is_max },
            Some("local") => {
                let path = of("src").or_else(|| of("dest")).ok_or_else(|| missing("src` or `dest"))?;
                Cache::Local { path, is_max }
            }
            Some("inline") => Cache::Inline,
            Some(_) => Cache::Other,
        };
        Ok(Self { raw: entry.to_owned(), cache })
    }
}

/// A secret of the build: never on a command line.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SecretFrom {
    /// The value itself.
    Value(String),
    /// A variable of the step.
    Variable(String),
    /// A file.
    File(String),
}

impl std::fmt::Debug for SecretFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value(***)",
            Self::Variable(_) => "Variable",
            Self::File(_) => "File",
        })
    }
}

/// What is asked of attestations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Attest {
    /// Nothing was said.
    #[default]
    Unsaid,
    No,
    /// With these attributes, without `type` and `disabled`.
    Yes(String),
}

/// All inputs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) add_hosts: Vec<String>,
    pub(crate) allow: Vec<String>,
    pub(crate) annotations: Vec<String>,
    pub(crate) build_args: Vec<String>,
    pub(crate) build_contexts: Vec<String>,
    pub(crate) builder: String,
    pub(crate) cache_from: Vec<CacheEntry>,
    pub(crate) cache_to: Vec<CacheEntry>,
    pub(crate) call: String,
    pub(crate) cgroup_parent: String,
    pub(crate) context: String,
    pub(crate) file: String,
    pub(crate) labels: Vec<String>,
    pub(crate) load: bool,
    pub(crate) network: String,
    pub(crate) no_cache: bool,
    pub(crate) no_cache_filters: Vec<String>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) platforms: Vec<Platform>,
    pub(crate) provenance: Attest,
    pub(crate) sbom: Attest,
    /// Attestations of other types.
    pub(crate) attests: Vec<String>,
    pub(crate) pull: bool,
    pub(crate) push: bool,
    /// Id and where it comes from.
    pub(crate) secrets: Vec<(String, SecretFrom)>,
    pub(crate) shm_size: String,
    pub(crate) ssh: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) target: String,
    pub(crate) ulimit: Vec<String>,
    /// What was left out, and why: the real action warns too.
    pub(crate) warnings: Vec<String>,
}

impl Inputs {
    /// Reads the inputs; `input` gives one as it was written.
    ///
    /// # Errors
    /// The first that cannot be meant.
    pub(crate) fn read(input: &dyn Fn(&str) -> String) -> Result<Self, InputError> {
        let of = |name: &str| input(name).trim().to_owned();
        let list = |name: &str| entries(&of(name), Commas::Separate, Comments::None);
        let lines = |name: &str| entries(&of(name), Commas::Belong, Comments::None);
        let flag = |name: &str| match of(name).as_str() {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" | "" => Ok(false),
            other => Err(InputError(format!("input `{name}` must be `true` or `false`, not `{other}`"))),
        };
        let platform = |name: &String| Platform::parse(name).map_err(|error| InputError(error.to_string()));
        let outputs = entries_with(&of("outputs"), Commas::Belong, Comments::None, Quotes::Plain);
        let mut warnings = Vec::new();
        let mut secrets = Vec::new();
        let mut secret = |entry: &str, from: &dyn Fn(String) -> SecretFrom| match entry.split_once('=') {
            Some((id, value)) if !id.is_empty() && !value.is_empty() => {
                secrets.push((id.trim().to_owned(), from(value.to_owned())));
            }
            // Only the id is told: what stands there may be a secret all the same.
            Some((id, _)) if !id.is_empty() => warnings.push(format!("the secret `{id}` has no value and is left out")),
            _ => warnings.push("an entry of the secrets is no `id=value` and is left out".to_owned()),
        };
        for entry in entries_with(&input("secrets"), Commas::Belong, Comments::None, Quotes::Hold) {
            if !entry.trim().is_empty() {
                secret(&entry, &SecretFrom::Value);
            }
        }
        list("secret-envs").iter().for_each(|entry| secret(entry, &SecretFrom::Variable));
        lines("secret-files").iter().for_each(|entry| secret(entry, &SecretFrom::File));
        let (mut provenance, mut sbom, mut attests) = (attest(&of("provenance")), attest(&of("sbom")), Vec::new());
        for entry in lines("attests") {
            let attributes = Attributes::read(&entry);
            let rest = || {
                let kept = fields(&entry).into_iter().filter(|field| !field.starts_with("type=")).collect::<Vec<_>>();
                if attributes.is("disabled") { Attest::No } else { Attest::Yes(kept.join(",")) }
            };
            match attributes.get("type").or(attributes.plain.first().map(String::as_str)) {
                // The inputs of their own win.
                Some("provenance") if provenance == Attest::Unsaid => provenance = rest(),
                Some("sbom") if sbom == Attest::Unsaid => sbom = rest(),
                Some("provenance" | "sbom") => {}
                _ => attests.push(entry),
            }
        }
        let cache = |name: &str| lines(name).iter().map(|entry| CacheEntry::read(entry)).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            add_hosts: list("add-hosts"),
            allow: list("allow"),
            annotations: lines("annotations"),
            build_args: lines("build-args"),
            build_contexts: lines("build-contexts"),
            builder: of("builder"),
            cache_from: cache("cache-from")?,
            cache_to: cache("cache-to")?,
            call: of("call"),
            cgroup_parent: of("cgroup-parent"),
            context: of("context"),
            file: of("file"),
            labels: lines("labels"),
            load: flag("load")?,
            network: of("network"),
            no_cache: flag("no-cache")?,
            no_cache_filters: list("no-cache-filters"),
            outputs: outputs.iter().map(|entry| Output::read(entry.trim())).collect::<Result<_, _>>()?,
            platforms: list("platforms").iter().map(platform).collect::<Result<_, _>>()?,
            provenance,
            sbom,
            attests,
            pull: flag("pull")?,
            push: flag("push")?,
            secrets,
            shm_size: of("shm-size"),
            ssh: list("ssh"),
            tags: list("tags"),
            target: of("target"),
            ulimit: lines("ulimit"),
            warnings,
        })
    }

    /// Whether the image is pushed to a registry.
    pub(crate) fn pushes(&self) -> bool {
        self.push || self.outputs.iter().any(|output| output.kind == OutputKind::Image { push: true })
    }

    /// The annotations that are attached there; one without a level is the manifest's.
    pub(crate) fn annotations_at(&self, level: Level) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for entry in &self.annotations {
            let (levels, rest) = match entry.split_once('=') {
                Some((before, _)) => match before.split_once(':') {
                    Some((levels, _)) if levels.split(',').all(|level| Level::parse(level).is_some()) => {
                        (levels, &entry[levels.len() + 1..])
                    }
                    _ => ("manifest", entry.as_str()),
                },
                None => continue,
            };
            if levels.split(',').filter_map(Level::parse).any(|one| one == level)
                && let Some((name, value)) = rest.split_once('=')
            {
                found.insert(name.to_owned(), value.to_owned());
            }
        }
        found
    }
}

/// Where an annotation is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Manifest,
    Index,
    ManifestDescriptor,
    IndexDescriptor,
}

impl Level {
    fn parse(text: &str) -> Option<Self> {
        // A platform may stand behind the level: `manifest[linux/amd64]`.
        match text.split('[').next()?.trim() {
            "manifest" => Some(Self::Manifest),
            "index" => Some(Self::Index),
            "manifest-descriptor" => Some(Self::ManifestDescriptor),
            "index-descriptor" => Some(Self::IndexDescriptor),
            _ => None,
        }
    }
}

fn attest(text: &str) -> Attest {
    match text {
        "" => Attest::Unsaid,
        "false" | "False" | "FALSE" | "0" => Attest::No,
        "true" | "True" | "TRUE" | "1" => Attest::Yes(String::new()),
        attributes if Attributes::read(attributes).is("disabled") => Attest::No,
        attributes => Attest::Yes(attributes.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Inputs, InputError> {
        let given: BTreeMap<&str, &str> = given.iter().copied().collect();
        Inputs::read(&|name| given.get(name).copied().unwrap_or_default().to_owned())
    }

    #[test]
    fn outputs_have_types_and_names() {
        let kind = |entry: &str| read(&[("outputs", entry)]).map(|inputs| inputs.outputs[0].kind).map_err(|e| e.0);
        assert_eq!(kind("out"), Ok(OutputKind::Local));
        assert_eq!(kind("type=local,dest=out"), Ok(OutputKind::Local));
        assert_eq!(kind("type=registry"), Ok(OutputKind::Image { push: true }));
        assert_eq!(kind("type=image,push=true"), Ok(OutputKind::Image { push: true }));
        assert_eq!(kind("type=image"), Ok(OutputKind::Image { push: false }));
        assert!(kind("type=zip,dest=x").is_err_and(|error| error.contains("cacheonly")));
        assert!(kind("type=tar").is_err_and(|error| error.contains("dest")));
        let inputs = read(&[("outputs", "type=image,\"name=a/b,c/d\",push-by-digest=true,push=true")]).expect("inputs");
        assert_eq!(inputs.outputs[0].names(), ["a/b", "c/d"]);
        assert!(inputs.pushes());
    }

    #[test]
    fn caches_are_understood() {
        let cache = |entry: &str| read(&[("cache-to", entry)]).map(|inputs| inputs.cache_to[0].cache.clone());
        let service = |scope: &str, is_max| Cache::Service { scope: scope.into(), is_max };
        assert_eq!(cache("type=gha,mode=max"), Ok(service("buildkit", true)));
        assert_eq!(cache("type=gha,scope=web"), Ok(service("web", false)));
        assert_eq!(cache("user/app:cache"), Ok(Cache::Registry { reference: "user/app:cache".into(), is_max: false }));
        assert_eq!(cache("type=local,dest=/c"), Ok(Cache::Local { path: "/c".into(), is_max: false }));
        assert_eq!(cache("type=inline"), Ok(Cache::Inline));
        assert_eq!(cache("type=s3,bucket=x"), Ok(Cache::Other));
        assert!(cache("type=gha,mode=most").is_err());
        assert!(cache("type=registry").is_err());
    }

    #[test]
    fn secrets_keep_their_lines_and_never_show() {
        let inputs = read(&[
            ("secrets", "TOKEN=abc=d\n\"KEY=one\ntwo\"\nEMPTY="),
            ("secret-envs", "A=B"),
            ("secret-files", "F=./x,y"),
        ])
        .expect("inputs");
        let expected = [
            ("TOKEN", SecretFrom::Value("abc=d".into())),
            ("KEY", SecretFrom::Value("one\ntwo".into())),
            ("A", SecretFrom::Variable("B".into())),
            ("F", SecretFrom::File("./x,y".into())),
        ];
        assert_eq!(inputs.secrets, expected.map(|(id, from)| (id.to_owned(), from)));
        assert_eq!(inputs.warnings, ["the secret `EMPTY` has no value and is left out"]);
        assert!(!format!("{inputs:?}").contains("abc"));
    }

    #[test]
    fn attestations_come_from_three_inputs() {
        let of = |given: &[(&str, &str)]| read(given).map(|inputs| (inputs.provenance, inputs.sbom)).expect("inputs");
        assert_eq!(of(&[]), (Attest::Unsaid, Attest::Unsaid));
        assert_eq!(
            of(&[("provenance", "mode=max"), ("sbom", "true")]),
            (Attest::Yes("mode=max".into()), Attest::Yes(String::new()))
        );
        assert_eq!(
            of(&[("provenance", "false"), ("attests", "type=provenance,mode=max\ntype=sbom,generator=x")]),
            (Attest::No, Attest::Yes("generator=x".into()))
        );
    }

    #[test]
    fn annotations_have_levels() {
        let inputs = read(&[("annotations", "a=1\nmanifest:b=2\nindex:c=x:y=3\nmanifest,index:d=4")]).expect("inputs");
        let at = |level| {
            inputs.annotations_at(level).into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(at(Level::Manifest), ["a=1", "b=2", "d=4"]);
        assert_eq!(at(Level::Index), ["c=x:y=3", "d=4"]);
    }

    #[test]
    fn tags_and_platforms_stand_in_lines_or_between_commas() {
        let inputs = read(&[("tags", "a:1,b:2\nc:3"), ("platforms", "linux/amd64,linux/arm64")]).expect("inputs");
        assert_eq!(inputs.tags, ["a:1", "b:2", "c:3"]);
        assert_eq!(inputs.platforms.len(), 2);
        assert!(read(&[("platforms", "linux/amd64/x/y/z")]).is_err());
    }
}
