//! `actions/attest-build-provenance` and `actions/attest-sbom`, with a key.
//!
//! The real ones sign with an identity of the hosted service, which needs certificates and a public log of the internet. Here the step's
//! environment names the key (`LINECLEAR_SIGNING_KEY` or `COSIGN_PRIVATE_KEY`), and the same bundle comes out with a key's signature.
//!
//! # Source
//! `action.yml` and the documentation of both actions.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use lineclear_deliver::signing;
use lineclear_event::with_causes;
use lineclear_oci::{Algorithm, Digest, Hasher};
use lineclear_runner::native::{Call, NativeAction, NativeError};
use lineclear_sigstore::{Bundle, PROVENANCE, PrivateKey, Provenance, Statement, StatementSubject};
use serde_json::Value;

use crate::caching::text;
use crate::images::{client, docker_config};
use crate::search;

/// Says how files or an image were built.
#[derive(Debug)]
pub(crate) struct BuildProvenance;

/// Says what is in files or an image.
#[derive(Debug)]
pub(crate) struct Sbom;

/// Where the key and its passphrase stand in the step's environment: ours, and those that steps give to cosign.
const KEYS: [&str; 2] = ["LINECLEAR_SIGNING_KEY", "COSIGN_PRIVATE_KEY"];
const PASSPHRASES: [&str; 2] = ["LINECLEAR_SIGNING_PASSPHRASE", "COSIGN_PASSWORD"];
/// Most files that one attestation speaks of, as with the real actions.
const MAX_SUBJECTS: usize = 1024;
/// Largest list of contents, as with the real action.
const MAX_SBOM_BYTES: u64 = 16 << 20;

impl NativeAction for BuildProvenance {
    fn name(&self) -> &'static str {
        "actions/attest-build-provenance"
    }

    fn metadata(&self) -> &'static str {
        "
name: Attest Build Provenance
inputs:
  subject-path: {}
  subject-digest: {}
  subject-name: {}
  subject-checksums: {}
  push-to-registry: { default: 'false' }
  create-storage-record: { default: 'true' }
  show-summary: { default: 'true' }
  github-token: {}
outputs:
  bundle-path: { description: file with the bundle }
  attestation-id: { description: digest of the bundle }
  attestation-url: { description: empty here }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let predicate = provenance(call).predicate();
        attest(call, PROVENANCE, predicate)
    }
}

impl NativeAction for Sbom {
    fn name(&self) -> &'static str {
        "actions/attest-sbom"
    }

    fn metadata(&self) -> &'static str {
        "
name: Attest SBOM
inputs:
  subject-path: {}
  subject-digest: {}
  subject-name: {}
  subject-checksums: {}
  sbom-path: { required: true }
  push-to-registry: { default: 'false' }
  create-storage-record: { default: 'true' }
  show-summary: { default: 'true' }
  github-token: {}
outputs:
  bundle-path: { description: file with the bundle }
  attestation-id: { description: digest of the bundle }
  attestation-url: { description: empty here }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let path = call.resolve("sbom-path", call.input("sbom-path"))?;
        let wrong = |why: String| NativeError(format!("`{}` is no list of contents: {why}", path.display()));
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(|error| wrong(error.to_string()))?;
        file.take(MAX_SBOM_BYTES + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        if bytes.len() as u64 > MAX_SBOM_BYTES {
            return Err(wrong(format!("it has more than {MAX_SBOM_BYTES} bytes")));
        }
        let sbom: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let kind = match (sbom["spdxVersion"].as_str(), sbom["bomFormat"].as_str()) {
            (Some(version), _) => format!("https://spdx.dev/Document/v{}", version.trim_start_matches("SPDX-")),
            (None, Some("CycloneDX")) => "https://cyclonedx.org/bom".to_owned(),
            (None, _) => return Err(wrong("expected SPDX or CycloneDX as JSON".to_owned())),
        };
        attest(call, &kind, sbom)
    }
}

/// Signs, writes the bundle, and attaches it where that is asked for.
fn attest(call: &mut Call<'_>, kind: &str, predicate: Value) -> Result<(), NativeError> {
    let key = key(call)?;
    let pushes = call.flag("push-to-registry")?;
    let subjects = subjects(call)?;
    let bundle = if pushes {
        let [subject] = subjects.as_slice() else {
            return Err(NativeError(
                "`push-to-registry` is for one image: give `subject-name` and `subject-digest`".to_owned(),
            ));
        };
        push(call, &key, subject, kind, predicate)?
    } else {
        let statement = Statement { subjects: subjects.clone(), predicate_type: kind.to_owned(), predicate };
        Bundle::sign(&statement, &key).map_err(|error| NativeError(with_causes(&error)))?.write()
    };
    let digest = Digest::of(&bundle);
    let file = call.room.layout().temp.join(format!("attestation-{}.sigstore.json", digest.short()));
    fs::write(&file, &bundle).map_err(|error| NativeError(format!("cannot write `{}`: {error}", file.display())))?;
    let seen = call.room.seen(&file).to_string_lossy().into_owned();
    call.effects.log(&format!("{kind} of {} subject(s), signed with key {}", subjects.len(), key.public().id()));
    call.effects.log(&format!("the bundle is in {seen}"));
    call.effects.output("bundle-path", &seen);
    call.effects.output("attestation-id", digest.as_str());
    call.effects.output("attestation-url", "");
    if call.flag("show-summary")? {
        let lines = subjects.iter().take(20).map(|subject| {
            let digests: Vec<String> = subject.digest.iter().map(|(name, digits)| format!("{name}:{digits}")).collect();
            format!("- {} `{}`\n", subject.name, digests.join(" "))
        });
        call.effects.summary(&format!("### Attested: {kind}\n\n{}", lines.collect::<String>()));
    }
    Ok(())
}

/// Attaches the attestation to the image, with the job's own logins.
fn push(
    call: &mut Call<'_>,
    key: &PrivateKey,
    subject: &StatementSubject,
    kind: &str,
    predicate: Value,
) -> Result<Vec<u8>, NativeError> {
    let told = |error: &dyn std::error::Error| NativeError(with_causes(error));
    let digits = subject.digest.get("sha256").map(String::as_str).unwrap_or_default();
    let digest = Digest::parse(&format!("sha256:{digits}")).map_err(|error| told(&error))?;
    let at = client::Place::of(call, &subject.name)?;
    let config = docker_config::file(call)?;
    let registry = at.client(call, &config)?;
    let image = at.reference.only_at(digest);
    let now = call.now;
    let attested = client::watched(call, &registry, || {
        signing::attest(&registry, &image, &subject.name, key, kind, predicate, now)
    });
    let attested = attested.map_err(|error| told(&error))?;
    call.effects.log(&format!("attached to {} as {}", image.familiar(), attested.attached));
    Ok(attested.bundle)
}

fn key(call: &Call<'_>) -> Result<PrivateKey, NativeError> {
    let of = |names: &[&str]| names.iter().find_map(|name| call.env.get(*name).filter(|value| !value.is_empty()));
    let Some(text) = of(&KEYS) else {
        return Err(NativeError(format!(
            "attestations are signed with a key here, and no key is in the step's environment: make one with `lineclear key generate ci --output .`, \
             keep it with `lineclear secret set {}`, and give it to this step with `env:`",
            KEYS[0]
        )));
    };
    let passphrase = of(&PASSPHRASES).map_or(&[][..], |passphrase| passphrase.as_bytes());
    PrivateKey::open(text.as_bytes(), passphrase)
        .map_err(|error| NativeError(format!("the signing key: {}", with_causes(&error))))
}

/// What is attested: an image or file by its digest, or files of the workspace.
fn subjects(call: &mut Call<'_>) -> Result<Vec<StatementSubject>, NativeError> {
    let (digest, name) = (call.input("subject-digest").to_owned(), call.input("subject-name").to_owned());
    let checksums = call.input("subject-checksums").to_owned();
    let patterns: Vec<String> =
        call.lines("subject-path").iter().flat_map(|line| line.split(',')).map(|one| one.trim().to_owned()).collect();
    let given = [!digest.is_empty(), !checksums.is_empty(), !patterns.is_empty()];
    if given.iter().filter(|is| **is).count() != 1 {
        return Err(NativeError("give one of `subject-path`, `subject-digest` and `subject-checksums`".to_owned()));
    }
    if !digest.is_empty() {
        let digest = Digest::parse(&digest)
            .map_err(|error| NativeError(format!("`subject-digest`: {}", with_causes(&error))))?;
        if name.is_empty() {
            return Err(NativeError("`subject-digest` needs `subject-name`".to_owned()));
        }
        return Ok(vec![subject(&name, &digest)]);
    }
    let found = if checksums.is_empty() { of_files(call, &patterns, &name)? } else { of_list(call, &checksums)? };
    match found.len() {
        0 => Err(NativeError("there is nothing to attest: no file was found".to_owned())),
        1..=MAX_SUBJECTS => Ok(found),
        many => Err(NativeError(format!("there are {many} files; one attestation speaks of at most {MAX_SUBJECTS}"))),
    }
}

fn of_files(call: &mut Call<'_>, patterns: &[String], name: &str) -> Result<Vec<StatementSubject>, NativeError> {
    let files = search::files_of(call, "subject-path", patterns)?;
    let one = |file: &std::path::PathBuf| {
        let own = file.file_name().unwrap_or_default().to_string_lossy();
        let name = if name.is_empty() { &*own } else { name };
        Ok(subject(name, &digest_of(file)?))
    };
    files.iter().take(MAX_SUBJECTS + 1).map(one).collect()
}

/// A list as `sha256sum` writes it: a file, or the text itself.
fn of_list(call: &Call<'_>, given: &str) -> Result<Vec<StatementSubject>, NativeError> {
    let path = if given.contains('\n') { None } else { Some(call.resolve("subject-checksums", given)?) };
    let list = if let Some(path) = path.filter(|path| path.is_file()) {
        fs::read_to_string(&path).map_err(|error| NativeError(format!("cannot read `{}`: {error}", path.display())))?
    } else {
        given.to_owned()
    };
    let one = |line: &str| {
        let (digits, name) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let digest = Digest::parse(&format!("sha256:{digits}"));
        let digest =
            digest.map_err(|_| NativeError(format!("`subject-checksums` has a line without a SHA-256: `{line}`")))?;
        Ok(subject(name.trim_start().trim_start_matches('*'), &digest))
    };
    list.lines().map(str::trim).filter(|line| !line.is_empty()).map(one).collect()
}

fn subject(name: &str, digest: &Digest) -> StatementSubject {
    let digest = BTreeMap::from([(digest.algorithm().as_str().to_owned(), digest.hex().to_owned())]);
    StatementSubject { name: name.to_owned(), digest }
}

fn digest_of(file: &Path) -> Result<Digest, NativeError> {
    let wrong = |error: std::io::Error| NativeError(format!("cannot read `{}`: {error}", file.display()));
    let mut from = File::open(file).map_err(wrong)?;
    let (mut hasher, mut buffer) = (Hasher::new(Algorithm::Sha256), vec![0; 1 << 16]);
    loop {
        match from.read(&mut buffer).map_err(wrong)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// What is known of this build: the job's own words come from the engine, and not from the step.
fn provenance(call: &Call<'_>) -> Provenance {
    let github = &call.contexts.github;
    let of = |key: &str| text(github, key).to_owned();
    let repository = format!("{}/{}", of("server_url"), of("repository"));
    // `owner/name/.github/workflows/ci.yml@refs/heads/main`
    let workflow = of("workflow_ref");
    let workflow = workflow.split('@').next().unwrap_or_default();
    let workflow = workflow.strip_prefix(&format!("{}/", of("repository"))).unwrap_or(workflow).to_owned();
    let inputs = github.get("event").and_then(|event| event.get("inputs")).and_then(Value::as_object);
    let said = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Provenance {
        builder: format!("{}@v{}", env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION")),
        invocation: format!("{repository}/actions/runs/{}/attempts/{}", of("run_id"), of("run_attempt")),
        reference: of("ref"),
        commit: of("sha"),
        event: of("event_name"),
        inputs: inputs.map_or_else(BTreeMap::new, |inputs| {
            inputs.iter().map(|(name, value)| (name.clone(), said(value))).collect()
        }),
        workflow,
        repository,
        ..Provenance::default()
    }
}
