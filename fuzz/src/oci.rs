//! Any bytes are read as a name of an image, a manifest, an index, a configuration, an error of a registry: without a panic, and what is
//! read as a name is written and read the same.
#![no_main]

use lineclear_oci::{AnyManifest, Digest, ImageConfig, MediaType, Platform, Reference, RegistryErrors, Routes};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for announced in [None, Some(&MediaType::OciIndex), Some(&MediaType::DockerManifest)] {
        if let Ok(manifest) = AnyManifest::read(data.to_vec(), announced) {
            assert_eq!(manifest.raw(), data, "bytes are kept as they came");
            assert!(manifest.digest().is_of(data));
            let again = AnyManifest::read(data.to_vec(), Some(manifest.media_type())).expect("it was read");
            assert_eq!(again, manifest);
        }
    }
    let _config = ImageConfig::read(data);
    let _errors = RegistryErrors::read(data).to_string();
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Reference::parse(text) {
        Ok(reference) => {
            assert_eq!(Reference::parse(&reference.to_string()).as_ref(), Ok(&reference));
            assert_eq!(Reference::parse(&reference.familiar()).as_ref(), Ok(&reference));
        }
        Err(error) => {
            assert!(error.at <= text.len(), "{error}");
            let _shown = error.to_string();
        }
    }
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(digest.as_str(), text);
    }
    if let Ok(platform) = Platform::parse(text) {
        assert_eq!(platform, platform.normalised());
        assert_eq!(Platform::parse(&platform.to_string()).as_ref(), Ok(&platform));
    }
    let mut routes = Routes::default();
    if routes.add(text).is_ok() {
        let _shown = routes.to_string();
    }
});
