//! Any bytes are read as a bundle, an envelope, a statement, a signed text, a key and a sealed key: without a panic; a bundle that was read is
//! written and read the same, and none that nobody signed verifies.
#![no_main]

use std::sync::OnceLock;

use lineclear_oci::Digest;
use lineclear_sigstore::{
    Bundle, BundleContent, Envelope, KeyMaterial, PrivateKey, ProvenanceFacts, PublicKey, SimpleSigning, Statement, TrustedKeys,
};

/// A key that signed nothing.
fn trusted() -> &'static TrustedKeys {
    static KEYS: OnceLock<TrustedKeys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let key = PrivateKey::generate().expect("random numbers");
        TrustedKeys::new(vec![key.public().clone()])
    })
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let digest = Digest::of(data);
    if let Ok(bundle) = Bundle::read(data) {
        if matches!(bundle.material, KeyMaterial::Key { .. }) {
            assert_eq!(Bundle::read(&bundle.write()).expect("it was read"), bundle);
        }
        assert!(trusted().verify_bundle(&bundle, &digest, Some(data)).is_err());
        if let BundleContent::Envelope(envelope) = &bundle.content {
            let _statement = Statement::read(&envelope.payload);
        }
    }
    if let Ok(envelope) = Envelope::read(data) {
        assert!(trusted().verify_envelope(&envelope, &digest).is_err());
    }
    if let Ok(statement) = Statement::read(data) {
        assert_eq!(Statement::read(&statement.write()).expect("it was read"), statement);
        let _facts = ProvenanceFacts::read(&statement.predicate);
        let _shown = statement.digests();
    }
    if let Ok(payload) = SimpleSigning::read(data) {
        assert_eq!(SimpleSigning::read(&payload.write()).expect("it was read"), payload);
    }
    assert!(trusted().verify_simple(data, data, &digest).is_err());
    if let Ok(key) = PublicKey::from_pem(data) {
        assert_eq!(PublicKey::from_pem(key.pem().as_bytes()).expect("it was read"), key);
        assert!(!key.verifies(b"", data));
    }
    let _is_one = PrivateKey::is_one(data);
});
