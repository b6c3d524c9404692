//! The target of a request: version, path and query, decoded once and written anew.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::HttpError;

/// What stands in a path as it is.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');
/// What stands in a query as it is.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `/v1.41/containers/create?name=db`, taken apart.
///
/// The engine matches decoded paths, so `%2F` is a slash here too. Of a query parameter that is there twice it takes the first, as
/// [`Target::get`] does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// `1.41`
    pub(crate) version: Option<String>,
    pub(crate) path: Vec<String>,
    query: Vec<(String, String)>,
}

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Self, HttpError> {
        let bad = |problem| HttpError::Target { target: text.chars().take(200).collect(), problem };
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let path = path.strip_prefix('/').ok_or_else(|| bad("it does not begin with `/`"))?;
        let decoded = decode(path).ok_or_else(|| bad("it is not UTF-8"))?;
        let mut segments: Vec<String> = decoded.split('/').map(str::to_owned).collect();
        if segments.len() == 1 && segments[0].is_empty() {
            segments.clear();
        }
        // The engine would clean such a path, and then see another one than was looked at here.
        if segments.iter().any(|segment| segment.is_empty() || segment == "." || segment == "..") {
            return Err(bad("it has an empty part, or `.` or `..`"));
        }
        if segments.iter().any(|segment| segment.chars().any(char::is_control)) {
            return Err(bad("it has control characters"));
        }
        let is_version = |text: &str| {
            text.strip_prefix('v')
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
        };
        let version = match segments.first() {
            Some(first) if is_version(first) => Some(segments.remove(0)[1..].to_owned()),
            _ => None,
        };
        let mut target = Self { version, path: segments, query: Vec::new() };
        // A parameter with `;` is no parameter for the engine.
        for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decode(&key.replace('+', " ")).zip(decode(&value.replace('+', " ")));
            let (key, value) = decoded.ok_or_else(|| bad("its query is not UTF-8"))?;
            target.query.push((key, value));
        }
        Ok(target)
    }

    /// A target of our own. `path` has no characters that need encoding but those between its slashes.
    pub(crate) fn of(path: &str) -> Self {
        Self {
            version: None,
            path: path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            query: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    /// The first value of this parameter.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may be there several times.
    pub(crate) fn all<'t>(&'t self, key: &'t str) -> impl Iterator<Item = &'t str> {
        self.query.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<String>) {
        self.remove(key);
        self.query.push((key.to_owned(), value.into()));
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.query.retain(|(name, _)| name != key);
    }

    /// Whether the version asked for is at least 1.`minor`; a request without one means the engine's own.
    pub(crate) fn is_at_least(&self, minor: u32) -> bool {
        let Some(version) = &self.version else { return true };
        let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (1, minor)
    }

    pub(crate) fn write(&self) -> String {
        let mut text = String::new();
        if let Some(version) = &self.version {
            text.push_str("/v");
            text.push_str(version);
        }
        for segment in &self.path {
            text.push('/');
            text.extend(utf8_percent_encode(segment, IN_PATH));
        }
        if text.is_empty() {
            text.push('/');
        }
        for (at, (key, value)) in self.query.iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.extend(utf8_percent_encode(key, IN_QUERY));
            text.push('=');
            text.extend(utf8_percent_encode(value, IN_QUERY));
        }
        text
    }
}

fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_target_is_decoded_before_it_is_looked_at() {
        let target = Target::parse("/v1.41/images/ghcr.io%2Fo%2Fapp/push?tag=a%26b&tag=c&x=1;y=2").expect("it is one");
        assert_eq!(target.path, ["images", "ghcr.io", "o", "app", "push"]);
        assert_eq!((target.get("tag"), target.get("x")), (Some("a&b"), None));
        assert!(target.is_at_least(41) && !target.is_at_least(42));
    }

    #[test]
    fn a_path_that_would_be_cleaned_is_refused() {
        for path in [
            "/containers/../images",
            "/containers//json",
            "/containers/%2e%2e/x",
            "containers",
            "http://x/",
            "/a\u{1}",
            "/%00",
            "/%ff",
        ] {
            assert!(Target::parse(path).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(path in prop::collection::vec("[^/\\p{C}]{1,8}", 1..4), value in "\\PC{0,12}") {
            prop_assume!(path.iter().all(|part| part != "." && part != ".."));
            let target = Target { version: Some("1.41".into()), path, query: vec![("name".into(), value)] };
            prop_assert_eq!(Target::parse(&target.write()).expect("it was written"), target);
        }
    }
}
