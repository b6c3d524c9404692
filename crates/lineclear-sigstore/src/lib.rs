//! Signatures and attestations, as Sigstore bundles and as cosign keeps them: made, read and verified.
