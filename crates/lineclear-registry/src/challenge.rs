//! What a registry asks for: the `WWW-Authenticate` header.
//!
//! # Source
//! RFC 9110, section 11; the distribution project's token authentication.

/// How a registry wants to know who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token from another server.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// The challenges of a header, in order; those of other schemes are left out.
pub(crate) fn challenges(header: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut rest = header.trim();
    while !rest.is_empty() {
        let end = rest.find([' ', ',']).unwrap_or(rest.len());
        let (scheme, after) = rest.split_at(end);
        let (parameters, after) = parameters(after);
        rest = after.trim_start_matches([' ', ',', '\t']);
        let value = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        if scheme.eq_ignore_ascii_case("basic") {
            found.push(Challenge::Basic);
        } else if scheme.eq_ignore_ascii_case("bearer")
            && let Some(realm) = value("realm")
        {
            found.push(Challenge::Bearer { realm, service: value("service"), scope: value("scope") });
        }
    }
    found
}

/// The `name=value` pairs at the beginning of a text, and what follows them.
fn parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut pairs = Vec::new();
    let mut rest = text;
    loop {
        let start = rest.trim_start_matches([' ', ',', '\t']);
        let name_end =
            start.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(start.len());
        let (name, after) = start.split_at(name_end);
        let Some(after) = after.trim_start().strip_prefix('=').map(str::trim_start) else { return (pairs, rest) };
        if name.is_empty() {
            return (pairs, "");
        }
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let end = after.find([',', ' ']).unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
        };
        pairs.push((name.to_ascii_lowercase(), value));
        rest = after;
    }
}

/// A quoted text after its first quote, and what follows its last.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        };
        for (header, expected) in [
            (
                r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull,push""#,
                vec![bearer("https://auth.example/token", Some("r.example"), Some("repository:a/b:pull,push"))],
            ),
            (r#"Basic realm="Registry Realm""#, vec![Challenge::Basic]),
            ("basic", vec![Challenge::Basic]),
            (
                r#"Negotiate, Basic realm=x, bearer realm = "a \"b\"" , service=s"#,
                vec![Challenge::Basic, bearer("a \"b\"", Some("s"), None)],
            ),
            ("Bearer service=\"no realm\"", vec![]),
            ("", vec![]),
            ("Bearer realm=\"never closed", vec![bearer("never closed", None, None)]),
        ] {
            assert_eq!(challenges(header), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_reading_panic_or_hang(header in ".{0,120}") {
            let _ = challenges(&header);
        }

        #[test]
        fn nor_one_that_looks_like_a_challenge(header in "(Bearer|Basic|[a-z]{1,4}|[ ,=\"\\\\]|realm=|service=\"x\"){0,20}") {
            let _ = challenges(&header);
        }
    }
}
