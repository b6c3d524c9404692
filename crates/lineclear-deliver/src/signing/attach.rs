//! Attaching signatures and attestations to an image.

use lineclear_event::{ProvenanceStatement, SignatureStatement, Timestamp};
use lineclear_oci::{AnyManifest, Descriptor, Digest, Reference};
use lineclear_registry::{Client, RegistryClientError};
use lineclear_sigstore::{
    Artifact, Bundle, Claim, PROVENANCE, PrivateKey, Provenance, ProvenanceFacts, SIGNATURE, SimpleSigning, Statement,
    TrustedKeys, referrer, signature_manifest, signature_tag,
};
use serde_json::Value;

use super::{Form, Proof, SigningError, examine};

/// How often a list of signatures that others write at the same time is written anew.
const MAX_WRITES: usize = 5;

/// An attestation that was attached, read back and verified.
#[derive(Clone, Debug)]
pub struct Attested {
    /// The key's name.
    pub key: String,
    /// The digest of the referrer that carries it.
    pub attached: Digest,
    /// What it says.
    pub statement: Statement,
    /// The bundle, as a file has it.
    pub bundle: Vec<u8>,
}

/// Signs the digest that `place` names, in both forms that verifiers look for: a Sigstore bundle that refers to the image, and a signature
/// under cosign's tag. What is there by the same key stays, and nothing is added.
///
/// # Errors
/// [`SigningError::NoDigest`] for a tag; what the registry refuses; [`SigningError::Lost`] if the signature does not verify once it is there.
pub fn sign_image(
    client: &Client,
    place: &Reference,
    key: &PrivateKey,
    now: Timestamp,
) -> Result<SignatureStatement, SigningError> {
    let subject = subject_of(client, place)?;
    let digest = &subject.digest;
    let trusted = TrustedKeys::new(vec![key.public().clone()]);
    let signed_as = |form: Form| -> Result<Option<Proof>, SigningError> {
        let proofs = examine(client, place, &trusted)?.proofs.into_iter();
        Ok(proofs.filter(|proof| proof.verified.claim == Claim::Signature).find(|proof| proof.form == form))
    };
    if signed_as(Form::Tag)?.is_none() {
        add_signature(client, place, key, digest)?;
    }
    if signed_as(Form::Bundle)?.is_none() {
        let bundle = Bundle::sign(&Statement::signature_of(digest), key)?;
        push(client, place, &referrer(&subject, bundle.write(), SIGNATURE, &now.to_string()))?;
    }
    let lost = || SigningError::Lost { what: "signature", digest: digest.clone() };
    signed_as(Form::Tag)?.ok_or_else(lost)?;
    Ok(signed_as(Form::Bundle)?.ok_or_else(lost)?.signature_statement())
}

/// Attaches a signed statement about the digest that `place` names; `name` is what people call the image, which may be reached by another one.
///
/// # Errors
/// As [`sign_image`].
pub fn attest(
    client: &Client,
    place: &Reference,
    name: &str,
    key: &PrivateKey,
    predicate_type: &str,
    predicate: Value,
    now: Timestamp,
) -> Result<Attested, SigningError> {
    let subject = subject_of(client, place)?;
    let statement = Statement::new(name, &subject.digest, predicate_type, predicate);
    let bundle = Bundle::sign(&statement, key)?.write();
    let artifact = referrer(&subject, bundle.clone(), predicate_type, &now.to_string());
    let attached = push(client, place, &artifact)?.digest;
    let trusted = TrustedKeys::new(vec![key.public().clone()]);
    let found = examine(client, place, &trusted)?.proofs.into_iter().find(|proof| proof.attached == attached);
    match found.map(|proof| (proof.verified.key, proof.verified.claim)) {
        Some((key, Claim::Statement(found))) if found == statement => Ok(Attested { key, attached, statement, bundle }),
        _ => Err(SigningError::Lost { what: "attestation", digest: subject.digest }),
    }
}

/// Attaches a signed provenance to the digest that `place` names, which people call `name`.
///
/// # Errors
/// As [`sign_image`].
pub fn attest_provenance(
    client: &Client,
    place: &Reference,
    name: &str,
    key: &PrivateKey,
    provenance: &Provenance,
    now: Timestamp,
) -> Result<ProvenanceStatement, SigningError> {
    let attested = attest(client, place, name, key, PROVENANCE, provenance.predicate(), now)?;
    let facts = ProvenanceFacts::read(&attested.statement.predicate)?;
    Ok(ProvenanceStatement {
        predicate: PROVENANCE.to_owned(),
        builder: facts.builder,
        commit: facts.commit.unwrap_or_default(),
        key: attested.key,
        attached: Some(attested.attached.to_string()),
    })
}

/// The image itself, and below an index every manifest that it lists.
///
/// # Errors
/// When one of them cannot be read.
pub fn recursively(client: &Client, place: &Reference) -> Result<Vec<Reference>, SigningError> {
    let root = client.manifest(place)?;
    let mut places = vec![place.only_at(root.digest().clone())];
    let mut at = 0;
    while let Some(here) = places.get(at).cloned() {
        let manifest = if at == 0 { root.clone() } else { client.manifest(&here)? };
        for child in manifest.children().iter().filter(|child| child.media_type.is_manifest()) {
            let child = place.only_at(child.digest.clone());
            if !places.contains(&child) {
                places.push(child);
            }
        }
        at += 1;
        if places.len() > lineclear_oci::MAX_ENTRIES {
            return Err(SigningError::TooMany {
                digest: root.digest().clone(),
                found: places.len(),
                most: lineclear_oci::MAX_ENTRIES,
            });
        }
    }
    Ok(places)
}

/// What is signed: read from the registry, and compared with its digest.
fn subject_of(client: &Client, place: &Reference) -> Result<Descriptor, SigningError> {
    let digest = place.digest().ok_or_else(|| SigningError::NoDigest(place.familiar()))?;
    Ok(client.manifest(&place.only_at(digest.clone()))?.descriptor())
}

/// One more signature under cosign's tag, beside those of others.
fn add_signature(client: &Client, place: &Reference, key: &PrivateKey, digest: &Digest) -> Result<(), SigningError> {
    let payload = SimpleSigning::new(place, digest);
    let signature = key.sign(&payload.write())?;
    let tagged = place.bare().tagged(signature_tag(digest));
    for _ in 0..MAX_WRITES {
        let before = manifest_if_there(client, &tagged)?;
        let artifact = signature_manifest(before.as_ref(), &payload, &signature);
        push(client, &tagged, &artifact)?;
        // Whoever wrote it at the same time has read it before it had this one.
        let after = client.manifest(&tagged)?;
        if lineclear_sigstore::signature_layers(&after).iter().any(|layer| layer.signature == signature) {
            return Ok(());
        }
    }
    Err(SigningError::Lost { what: "signature", digest: digest.clone() })
}

pub(super) fn manifest_if_there(
    client: &Client,
    place: &Reference,
) -> Result<Option<AnyManifest>, RegistryClientError> {
    match client.manifest(place) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Blobs first, then the manifest: under the tag of `place`, or by its own digest if that has none.
fn push(client: &Client, place: &Reference, artifact: &Artifact) -> Result<Descriptor, RegistryClientError> {
    for (blob, bytes) in &artifact.blobs {
        client.push_bytes(place, blob, bytes)?;
    }
    let to = match place.digest() {
        Some(_) => place.only_at(artifact.manifest.digest().clone()),
        None => place.clone(),
    };
    client.push_manifest(&to, &artifact.manifest)
}
