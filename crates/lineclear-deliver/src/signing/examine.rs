//! Everything that is attached to an image, and what of it counts.

use lineclear_event::{SignatureStatement, with_causes};
use lineclear_oci::{AnyManifest, Descriptor, Digest, MediaType, Reference};
use lineclear_registry::{Client, RegistryClientError};
use lineclear_sigstore::{
    Bundle, Envelope, MAX_BUNDLE_BYTES, SIMPLE_SIGNING, TrustedKeys, Verified, attestation_tag, envelope_type,
    is_bundle_type, signature_layers, signature_tag,
};

use super::SigningError;
use super::attach::manifest_if_there;

/// Most things that are looked at: whoever may write to a repository can attach any number.
const MOST: usize = 256;
/// Largest text of an older signature.
const MAX_PAYLOAD_BYTES: u64 = 1 << 20;

/// What is attached to an image.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// What counts.
    pub proofs: Vec<Proof>,
    /// What does not, and why.
    pub refused: Vec<Refused>,
}

/// Something that was verified.
#[derive(Clone, Debug)]
pub struct Proof {
    pub verified: Verified,
    pub form: Form,
    /// The manifest that carries it.
    pub attached: Digest,
}

/// Something that counts for nothing.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The manifest that carries it.
    pub attached: Digest,
    pub form: Form,
    pub why: String,
}

/// How it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a Sigstore bundle that refers to the image.
    Bundle,
    /// Under a tag that is made of the digest, as older versions of cosign do.
    Tag,
}

impl Form {
    /// As evidence has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bundle => "sigstore-bundle",
            Self::Tag => "cosign",
        }
    }
}

impl Proof {
    /// What the ledger keeps of a signature.
    pub fn signature_statement(&self) -> SignatureStatement {
        SignatureStatement {
            key: self.verified.key.clone(),
            form: self.form.as_str().to_owned(),
            attached: Some(self.attached.to_string()),
        }
    }
}

/// Reads all that is attached to the digest that `place` names, and verifies it.
///
/// # Errors
/// [`SigningError::NoDigest`] for a tag; when the registry cannot say what there is. What is attached and damaged is no error, but refused.
pub fn examine(client: &Client, place: &Reference, trusted: &TrustedKeys) -> Result<Examined, SigningError> {
    let digest = place.digest().ok_or_else(|| SigningError::NoDigest(place.familiar()))?.clone();
    let place = place.only_at(digest.clone());
    let manifest = client.manifest(&place)?;
    let look = Look { client, place, digest, manifest, trusted };
    let mut examined = Examined::default();
    look.bundles(&mut examined)?;
    look.signatures(&mut examined)?;
    look.attestations(&mut examined)?;
    Ok(examined)
}

struct Look<'l> {
    client: &'l Client,
    place: Reference,
    digest: Digest,
    manifest: AnyManifest,
    trusted: &'l TrustedKeys,
}

impl Look<'_> {
    fn bundles(&self, examined: &mut Examined) -> Result<(), SigningError> {
        let all = self.client.referrers(&self.place, &self.digest, None)?;
        // Some versions of cosign say the type in the manifest, and another one where referrers are listed.
        let may_be = |entry: &&Descriptor| {
            entry.artifact_type.as_ref().is_none_or(|kind| is_bundle_type(kind) || *kind == MediaType::OciEmpty)
        };
        let entries: Vec<&Descriptor> = all.iter().filter(may_be).collect();
        self.not_too_many(entries.len())?;
        for entry in entries {
            let carrier = match self.carrier(&self.place.only_at(entry.digest.clone())) {
                Ok(Some(carrier)) => carrier,
                Ok(None) => {
                    examined.refuse(entry, Form::Bundle, "it is listed, and is not there");
                    continue;
                }
                Err(why) => {
                    examined.refuse(entry, Form::Bundle, &why?);
                    continue;
                }
            };
            if let Some(layer) = bundle_layer(&carrier) {
                match self.bundle(&carrier, &layer) {
                    Ok(verified) => examined.prove(verified, Form::Bundle, entry),
                    Err(why) => examined.refuse(entry, Form::Bundle, &why?),
                }
            }
        }
        Ok(())
    }

    fn bundle(&self, carrier: &AnyManifest, layer: &Descriptor) -> Result<Verified, Result<String, SigningError>> {
        if carrier.subject().is_none_or(|subject| subject.digest != self.digest) {
            return Err(Ok("it refers to another image".to_owned()));
        }
        let bytes = self.blob(layer, MAX_BUNDLE_BYTES as u64)?;
        let bundle = Bundle::read(&bytes).map_err(|error| Ok(with_causes(&error)))?;
        let verified = self.trusted.verify_bundle(&bundle, &self.digest, Some(self.manifest.raw()));
        verified.map_err(|error| Ok(with_causes(&error)))
    }

    fn signatures(&self, examined: &mut Examined) -> Result<(), SigningError> {
        let tagged = self.place.bare().tagged(signature_tag(&self.digest));
        let Some(list) = self.tagged(&tagged, examined)? else { return Ok(()) };
        let carrier = list.descriptor();
        let layers = signature_layers(&list);
        self.not_too_many(layers.len())?;
        if layers.is_empty() {
            examined.refuse(&carrier, Form::Tag, &format!("it has no layer of type {SIMPLE_SIGNING} with a signature"));
        }
        for layer in layers {
            let verified = self.blob(&layer.layer, MAX_PAYLOAD_BYTES).and_then(|text| {
                let verified = self.trusted.verify_simple(&text, &layer.signature, &self.digest);
                verified.map_err(|error| Ok(with_causes(&error)))
            });
            match verified {
                Ok(verified) => examined.prove(verified, Form::Tag, &carrier),
                Err(why) => examined.refuse(&carrier, Form::Tag, &why?),
            }
        }
        Ok(())
    }

    fn attestations(&self, examined: &mut Examined) -> Result<(), SigningError> {
        let tagged = self.place.bare().tagged(attestation_tag(&self.digest));
        let Some(AnyManifest::Image(list)) = self.tagged(&tagged, examined)? else { return Ok(()) };
        let carrier = AnyManifest::Image(list.clone()).descriptor();
        let layers = list.parts().layers.iter().filter(|layer| layer.media_type == envelope_type());
        self.not_too_many(layers.clone().count())?;
        for layer in layers {
            let verified = self.blob(layer, MAX_BUNDLE_BYTES as u64).and_then(|bytes| {
                let envelope = Envelope::read(&bytes).map_err(|error| Ok(with_causes(&error)))?;
                self.trusted.verify_envelope(&envelope, &self.digest).map_err(|error| Ok(with_causes(&error)))
            });
            match verified {
                Ok(verified) => examined.prove(verified, Form::Tag, &carrier),
                Err(why) => examined.refuse(&carrier, Form::Tag, &why?),
            }
        }
        Ok(())
    }

    /// What a tag that is made of the digest stands for, if that can be read; otherwise it is refused in the name of the image.
    fn tagged(&self, tagged: &Reference, examined: &mut Examined) -> Result<Option<AnyManifest>, SigningError> {
        self.carrier(tagged).or_else(|why| {
            examined.refuse(&self.manifest.descriptor(), Form::Tag, &format!("`{}`: {}", tagged.familiar(), why?));
            Ok(None)
        })
    }

    /// What carries something, if it is there; the inner answer of a failure is why it is refused, or why nothing can be said.
    fn carrier(&self, place: &Reference) -> Result<Option<AnyManifest>, Result<String, SigningError>> {
        manifest_if_there(self.client, place).map_err(refused_or_unknown)
    }

    /// A blob; the inner answer is why it is refused, or why nothing can be said.
    fn blob(&self, layer: &Descriptor, limit: u64) -> Result<Vec<u8>, Result<String, SigningError>> {
        if layer.size > limit {
            return Err(Ok(format!("it has {} bytes; at most {limit} are read", layer.size)));
        }
        self.client.blob_bytes(&self.place, layer, limit).map_err(refused_or_unknown)
    }

    fn not_too_many(&self, found: usize) -> Result<(), SigningError> {
        if found > MOST {
            return Err(SigningError::TooMany { digest: self.digest.clone(), found, most: MOST });
        }
        Ok(())
    }
}

/// What is damaged is refused, and hides nothing else; of what the registry cannot say now, nothing is known.
fn refused_or_unknown(error: RegistryClientError) -> Result<String, SigningError> {
    if error.is_transient() { Err(error.into()) } else { Ok(with_causes(&error)) }
}

/// The one layer of a bundle's manifest; `None` for what is no bundle.
fn bundle_layer(carrier: &AnyManifest) -> Option<Descriptor> {
    let AnyManifest::Image(manifest) = carrier else { return None };
    match manifest.parts().layers.as_slice() {
        [layer] if is_bundle_type(&layer.media_type) => Some(layer.clone()),
        _ => None,
    }
}

impl Examined {
    fn prove(&mut self, verified: Verified, form: Form, carrier: &Descriptor) {
        self.proofs.push(Proof { verified, form, attached: carrier.digest.clone() });
    }

    fn refuse(&mut self, carrier: &Descriptor, form: Form, why: &str) {
        self.refused.push(Refused { attached: carrier.digest.clone(), form, why: why.to_owned() });
    }
}
