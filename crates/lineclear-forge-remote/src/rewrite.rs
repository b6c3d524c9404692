//! Addresses in answers: those of the forge's API become ones below the address that jobs know, so that clients stay inside.

use serde_json::Value;

use crate::address::Addresses;

/// Nested deeper than this, nothing is rewritten; serde_json reads no deeper either.
const MAX_DEPTH: usize = 128;

/// `url` below `local` where it is one of the API's or of its uploads.
pub(crate) fn rewritten(url: &str, addresses: &Addresses, local: &str) -> Option<String> {
    [&addresses.uploads, &addresses.api].into_iter().find_map(|base| {
        let rest = url.strip_prefix(base.as_str())?;
        (rest.is_empty() || rest.starts_with(['/', '?', '{'])).then(|| format!("{local}{rest}"))
    })
}

/// Rewrites the values of `url` and `…_url`, at any depth; no other text is touched.
pub(crate) fn rewrite_body(value: &mut Value, addresses: &Addresses, local: &str) {
    walk(value, addresses, local, 0);
}

fn walk(value: &mut Value, addresses: &Addresses, local: &str, depth: usize) {
    match value {
        Value::Object(fields) if depth < MAX_DEPTH => {
            for (name, value) in fields {
                match value {
                    Value::String(url) if name == "url" || name.ends_with("_url") => {
                        if let Some(new) = rewritten(url, addresses, local) {
                            *url = new;
                        }
                    }
                    other => walk(other, addresses, local, depth + 1),
                }
            }
        }
        Value::Array(items) if depth < MAX_DEPTH => {
            items.iter_mut().for_each(|item| walk(item, addresses, local, depth + 1));
        }
        _ => {}
    }
}

/// A `Link` header: `<https://api.github.com/repositories/1/issues?page=2>; rel="next", …`.
///
/// GitHub names the repository by its number there, which a job's `permissions:` do not know: `asked`, the path of the call,
/// gives its name.
pub(crate) fn rewrite_link(link: &str, asked: &str, addresses: &Addresses, local: &str) -> String {
    let part = |part: &str| {
        let Some((url, rest)) = part.trim().strip_prefix('<').and_then(|part| part.split_once('>')) else {
            return part.trim().to_owned();
        };
        let url = rewritten(url, addresses, local).map_or_else(|| url.to_owned(), |url| named(&url, asked, local));
        format!("<{url}>{rest}")
    };
    link.split(", ").map(part).collect::<Vec<_>>().join(", ")
}

/// `…/repositories/1/issues` as `…/repos/o/r/issues`.
fn named(url: &str, asked: &str, local: &str) -> String {
    let numbered = || {
        let rest = url.strip_prefix(local)?.strip_prefix("/repositories/")?;
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let mut parts = asked.strip_prefix("/repos/")?.splitn(3, '/');
        let (owner, name) = (parts.next()?, parts.next()?);
        Some(format!("{local}/repos/{owner}/{name}{rest}"))
    };
    numbered().unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ForgeKind;

    const LOCAL: &str = "http://127.0.0.1:4711/api/v3";

    #[test]
    fn addresses_of_the_api_are_rewritten_and_no_other_text() {
        let addresses = Addresses::of(ForgeKind::GitHub, "https://github.com").expect("an address");
        let mut body = json!([{
            "url": "https://api.github.com/repos/o/r/releases/1",
            "upload_url": "https://uploads.github.com/repos/o/r/releases/1/assets{?name,label}",
            "html_url": "https://github.com/o/r/releases/1",
            "body": "https://api.github.com/repos/o/r",
            "author": { "followers_url": "https://api.github.com/users/u/followers", "url": 7 },
            "evil_url": "https://api.github.com.evil.org/x",
        }]);
        rewrite_body(&mut body, &addresses, LOCAL);
        let expected = json!([{
            "url": format!("{LOCAL}/repos/o/r/releases/1"),
            "upload_url": format!("{LOCAL}/repos/o/r/releases/1/assets{{?name,label}}"),
            "html_url": "https://github.com/o/r/releases/1",
            "body": "https://api.github.com/repos/o/r",
            "author": { "followers_url": format!("{LOCAL}/users/u/followers"), "url": 7 },
            "evil_url": "https://api.github.com.evil.org/x",
        }]);
        assert_eq!(body, expected);
        let link = "<https://api.github.com/repositories/1/issues?page=2>; rel=\"next\", <https://api.github.com/x?page=9>; rel=\"last\"";
        let expected = format!("<{LOCAL}/repos/o/r/issues?page=2>; rel=\"next\", <{LOCAL}/x?page=9>; rel=\"last\"");
        assert_eq!(rewrite_link(link, "/repos/o/r/issues", &addresses, LOCAL), expected);
    }
}
