//! Paths of calls: what both the guard and a forge read, so that they cannot read it differently.

use percent_encoding::percent_decode_str;

/// The longest path that is read.
const MAX_PATH_LENGTH: usize = 8 * 1024;

/// The segments of a call's path, decoded. One slash at the end counts for nothing.
///
/// `None` for what no client sends and what the two ends of a call might understand differently: an empty segment, `.` or `..`
/// (also encoded, also behind an encoded slash), a control character, a backslash, a query, what is no UTF-8.
pub fn segments(path: &str) -> Option<Vec<String>> {
    if path.len() > MAX_PATH_LENGTH || path.contains(['?', '#', '\\']) {
        return None;
    }
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').map(segment).collect()
}

fn segment(encoded: &str) -> Option<String> {
    let decoded = percent_decode_str(encoded).decode_utf8().ok()?.into_owned();
    let sound = !decoded.is_empty()
        && !decoded.chars().any(|character| character.is_control() || character == '\\')
        && !decoded.split('/').any(|part| matches!(part, "." | ".."));
    sound.then_some(decoded)
}

/// Whether `segments` fit `pattern`: `*` is one segment, `**` one or more (at most one of these in a pattern).
pub(crate) fn fits(pattern: &str, segments: &[String]) -> bool {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let one = |(part, segment): (&&str, &String)| *part == "*" || *part == segment;
    match parts.iter().position(|part| *part == "**") {
        None => parts.len() == segments.len() && parts.iter().zip(segments).all(one),
        Some(wide) => {
            let behind = parts.len() - wide - 1;
            segments.len() >= parts.len()
                && parts[..wide].iter().zip(segments).all(one)
                && parts[wide + 1..].iter().zip(&segments[segments.len() - behind..]).all(one)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Vec<String> {
        segments(path).unwrap_or_else(|| panic!("{path} is a path"))
    }

    #[test]
    fn a_path_is_read_into_decoded_segments() {
        assert_eq!(read("/repos/o/r/git/ref/heads%2Fmain"), ["repos", "o", "r", "git", "ref", "heads/main"]);
        assert_eq!(read("/repos/o/r/contents/"), ["repos", "o", "r", "contents"]);
        assert_eq!(read("/repos/o/r/labels/good%20first%20issue"), ["repos", "o", "r", "labels", "good first issue"]);
        assert_eq!(read("/"), Vec::<String>::new());
    }

    #[test]
    fn what_two_readers_could_take_differently_is_refused() {
        for path in [
            "",
            "repos",
            "//",
            "/a//b",
            "/a/../b",
            "/a/./b",
            "/a/%2e%2E/b",
            "/a/x%2f..%2fb",
            "/a/%00",
            "/a/%0a",
            "/a/%ff",
            "/a\\b",
            "/a/%5c",
            "/a?b",
            "/a#b",
        ] {
            assert_eq!(segments(path), None, "{path}");
        }
        assert_eq!(segments(&format!("/{}", "a/".repeat(8192))), None);
    }

    #[test]
    fn a_pattern_fits_whole_paths() {
        for (pattern, path, expected) in [
            ("issues/*", "/issues/7", true),
            ("issues/*", "/issues", false),
            ("issues/*", "/issues/7/comments", false),
            ("contents/**", "/contents/a/b/c", true),
            ("contents/**", "/contents", false),
            ("commits/**/status", "/commits/heads/main/status", true),
            ("commits/**/status", "/commits/status", false),
        ] {
            assert_eq!(fits(pattern, &read(path)), expected, "{pattern} {path}");
        }
    }
}
