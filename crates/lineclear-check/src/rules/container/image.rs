//! Names of images taken apart.

/// `registry/repository:tag@digest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image<'t> {
    /// With its registry, without tag and digest.
    pub(super) repository: &'t str,
    /// Behind the colon.
    pub(super) tag: Option<&'t str>,
    /// Behind the `@`.
    pub(super) digest: Option<&'t str>,
}

impl<'t> Image<'t> {
    pub(super) fn read(text: &'t str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let from = name.rfind('/').map_or(0, |slash| slash + 1);
        let colon = name.get(from..).and_then(|last| last.find(':')).map(|colon| from + colon);
        let (repository, tag) = match colon {
            Some(colon) => (name.get(..colon).unwrap_or(name), name.get(colon + 1..)),
            None => (name, None),
        };
        Self { repository, tag, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts() {
        let check = |text: &str, repository: &str, tag: Option<&str>, digest: Option<&str>| {
            let image = Image::read(text);
            assert_eq!((image.repository, image.tag, image.digest), (repository, tag, digest), "{text}");
        };
        check("nginx", "nginx", None, None);
        check("host:5000/a/nginx", "host:5000/a/nginx", None, None);
        check("host:5000/a/nginx:1@sha256:0", "host:5000/a/nginx", Some("1"), Some("sha256:0"));
    }
}
