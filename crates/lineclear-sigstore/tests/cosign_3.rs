//! A bundle that cosign 3.1.3 wrote (`cosign sign --key`, with a signing configuration without logs), as a registry kept it.

use lineclear_oci::Digest;
use lineclear_sigstore::{Bundle, BundleContent, Claim, KeyMaterial, PublicKey, TrustedKeys};

const BUNDLE: &[u8] = include_bytes!("cosign-3/bundle.json");
const KEY: &[u8] = include_bytes!("cosign-3/cosign.pub");
const DIGEST: &str = include_str!("cosign-3/digest");

#[test]
fn a_signature_of_cosign_3_verifies_for_its_digest() {
    let (bundle, key) = (Bundle::read(BUNDLE).expect("a bundle"), PublicKey::from_pem(KEY).expect("a key"));
    assert_eq!(bundle.material, KeyMaterial::Key { hint: key.hint() }, "keys are named as cosign names them");
    let trusted = TrustedKeys::new(vec![key]);
    let digest = Digest::parse(DIGEST.trim()).expect("a digest");
    assert_eq!(trusted.verify_bundle(&bundle, &digest, None).expect("it verifies").claim, Claim::Signature);
    assert!(trusted.verify_bundle(&bundle, &Digest::of(b"another"), None).is_err());
}

#[test]
fn what_cosign_3_reads_is_written_in_the_same_form() {
    let bundle = Bundle::read(BUNDLE).expect("a bundle");
    assert!(matches!(&bundle.content, BundleContent::Envelope(envelope) if envelope.signatures.len() == 1));
    let (ours, theirs): (serde_json::Value, serde_json::Value) =
        (serde_json::from_slice(&bundle.write()).expect("JSON"), serde_json::from_slice(BUNDLE).expect("JSON"));
    assert_eq!(ours["mediaType"], theirs["mediaType"]);
    assert_eq!(ours["dsseEnvelope"]["payload"], theirs["dsseEnvelope"]["payload"]);
    assert_eq!(ours["verificationMaterial"]["publicKey"], theirs["verificationMaterial"]["publicKey"]);
}
