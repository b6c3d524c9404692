//! CA certificates of this machine in containers.

use std::path::Path;

use crate::mounts::Mount;

/// Where distributions have theirs.
const PLACES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",             // SUSE
    "/etc/ssl/cert.pem",                  // Alpine's OpenSSL
];

/// What tools that bring certificates of their own go by.
pub(crate) const VARIABLES: [&str; 7] = [
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
];

pub(crate) fn mounts(bundle: &Path) -> Vec<Mount> {
    PLACES.iter().map(|place| Mount::new(bundle, place).read_only()).collect()
}

/// Variables that point there, without those that are set already.
pub(crate) fn env(has: impl Fn(&str) -> bool) -> Vec<String> {
    VARIABLES.iter().filter(|name| !has(name)).map(|name| format!("{name}={}", PLACES[0])).collect()
}
