//! Where in the sources a failure's text points.

/// The place that a failure tells: `path:line`, as compilers, tracebacks and stacks write it. Places in libraries are passed over.
///
/// Of a Python traceback it is the last place, of every other text the first.
pub(crate) fn in_text(text: &str) -> Option<(String, u32)> {
    let mut found: Option<(String, u32)> = None;
    for line in text.lines().take(400) {
        let Some(place) = in_line(line) else { continue };
        let is_python = place.0.ends_with(".py");
        found = Some(place);
        if !is_python {
            break;
        }
    }
    found
}

fn in_line(line: &str) -> Option<(String, u32)> {
    let breaks = |c: char| c.is_whitespace() || "()[]<>\"'`,;|".contains(c);
    line.split(breaks).find_map(|word| {
        let word = word.strip_prefix("file://").unwrap_or(word);
        let (path, rest) = word.match_indices(':').find_map(|(at, _)| {
            let (path, rest) = (&word[..at], &word[at + 1..]);
            rest.starts_with(|c: char| c.is_ascii_digit()).then_some((path, rest))
        })?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u32 = rest[..digits].parse().ok().filter(|number| *number > 0)?;
        (is_source(path) && !is_library(path)).then(|| (path.to_owned(), number))
    })
}

/// Whether a word is the path of a source file: it has an extension of letters, and no letter is odd.
fn is_source(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let is_extension = (1..=5).contains(&extension.len())
        && extension.starts_with(|c: char| c.is_ascii_alphabetic())
        && extension.chars().all(|c| c.is_ascii_alphanumeric());
    !stem.is_empty() && is_extension && !path.contains("//") && !path.contains('=')
}

fn is_library(path: &str) -> bool {
    ["node_modules/", "site-packages/", "node:internal", "/rustc/", "/lib/python", "internal/process"]
        .iter()
        .any(|part| path.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, u32)>) {
        assert_eq!(in_text(text), expected.map(|(path, line)| (path.to_owned(), line)), "{text}");
    }

    #[test]
    fn places_are_found_in_the_texts_of_many_tools() {
        check(
            "def test_a():\n>   assert f()\n\ntests/test_a.py:4: \n_ _ _\nsrc/a.py:12: AssertionError",
            Some(("src/a.py", 12)),
        );
        check(
            "Error: x\n    at f (/w/node_modules/jest/a.js:1:2)\n    at Object.<anonymous> (/w/test/a.test.js:7:11)\n    at g (/w/test/b.js:1:1)",
            Some(("/w/test/a.test.js", 7)),
        );
        check("\tat com.acme.ATest.fails(ATest.java:21)", Some(("ATest.java", 21)));
        check("a_test.go:9: expected 3", Some(("a_test.go", 9)));
        check("src/a.cc:31\nExpected: 1", Some(("src/a.cc", 31)));
        check("file:///w/a.mjs:3:4", Some(("/w/a.mjs", 3)));
        check("panicked at src/lib.rs:10:5:", Some(("src/lib.rs", 10)));
        check("http://localhost.local:8080/x at 12:30 in v1.2:3 and x=a.b:4", None);
    }
}
