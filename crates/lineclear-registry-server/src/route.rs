//! Which path is what.
//!
//! ```text
//! /v2/                                  whether there is a registry, and one may use it
//! /v2/_catalog                          the repositories
//! /v2/<name>/tags/list                  the tags
//! /v2/<name>/blobs/<digest>             a blob
//! /v2/<name>/blobs/uploads/             begins an upload
//! /v2/<name>/blobs/uploads/<id>         an upload that is going on
//! /v2/<name>/manifests/<tag or digest>  a manifest
//! /v2/<name>/referrers/<digest>         what has a manifest as its subject
//! ```
//! A name may have the words of the paths in it, so they are looked for from the end.

use lineclear_oci::RepositoryName;
use percent_encoding::percent_decode_str;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Version,
    Catalog,
    Tags(RepositoryName),
    Blob(RepositoryName, String),
    Uploads(RepositoryName),
    Upload(RepositoryName, String),
    Manifest(RepositoryName, String),
    Referrers(RepositoryName, String),
    /// The name is none, with the reason.
    BadName(String),
    None,
}

impl Route {
    pub(crate) fn of(path: &str) -> Self {
        let Ok(path) = percent_decode_str(path).decode_utf8() else { return Self::None };
        let rest = match path.strip_prefix("/v2") {
            Some("" | "/") => return Self::Version,
            Some(rest) => rest.strip_prefix('/').unwrap_or_default(),
            None => return Self::None,
        };
        if rest == "_catalog" {
            return Self::Catalog;
        }
        let named = |name: &str, make: &dyn Fn(RepositoryName) -> Self| match RepositoryName::parse(name) {
            Ok(name) => make(name),
            Err(error) => Self::BadName(error.to_string()),
        };
        // From the end: the last part, what stands before it, and what before that.
        let Some((before, last)) = rest.rsplit_once('/') else { return Self::None };
        if let Some(name) = before.strip_suffix("/blobs/uploads") {
            return match last {
                "" => named(name, &Self::Uploads),
                id => named(name, &|name| Self::Upload(name, id.to_owned())),
            };
        }
        let Some((name, kind)) = before.rsplit_once('/') else { return Self::None };
        match (kind, last) {
            (_, "") => Self::None,
            ("blobs", "uploads") => named(name, &Self::Uploads),
            ("blobs", digest) => named(name, &|name| Self::Blob(name, digest.to_owned())),
            ("manifests", reference) => named(name, &|name| Self::Manifest(name, reference.to_owned())),
            ("referrers", digest) => named(name, &|name| Self::Referrers(name, digest.to_owned())),
            ("tags", "list") => named(name, &Self::Tags),
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart_from_the_end() {
        let name = |text: &str| RepositoryName::parse(text).expect("a name");
        for (path, route) in [
            ("/v2/", Route::Version),
            ("/v2", Route::Version),
            ("/v2/_catalog", Route::Catalog),
            ("/v2/a/tags/list", Route::Tags(name("a"))),
            ("/v2/a/b/blobs/x", Route::Blob(name("a/b"), "x".into())),
            ("/v2/a/blobs/sha256%3Aab", Route::Blob(name("a"), "sha256:ab".into())),
            ("/v2/a/blobs/uploads/", Route::Uploads(name("a"))),
            ("/v2/a/blobs/uploads", Route::Uploads(name("a"))),
            ("/v2/a/blobs/uploads/7", Route::Upload(name("a"), "7".into())),
            ("/v2/blobs/uploads/manifests/1", Route::Manifest(name("blobs/uploads"), "1".into())),
            ("/v2/manifests/tags/list", Route::Tags(name("manifests"))),
            ("/v2/a/referrers/x", Route::Referrers(name("a"), "x".into())),
            ("/v2/a/manifests/", Route::None),
            ("/v2/a", Route::None),
            ("/v2x/", Route::None),
            ("/", Route::None),
            ("/v2/%ff/tags/list", Route::None),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
        for path in ["/v2/A/tags/list", "/v2/a//blobs/x", "/v2/../a/blobs/x", "/v2/a%2f..%2fb/manifests/1"] {
            assert!(matches!(Route::of(path), Route::BadName(_)), "{path}");
        }
    }
}
