use super::*;

fn patterns(lines: &str) -> GlobPatterns {
    GlobPatterns::parse(&[lines.to_owned()]).unwrap()
}

/// The pattern, files that it matches, and files that it does not.
#[test]
fn files_are_matched_as_the_toolkit_matches_them() {
    for (lines, yes, no) in [
        ("a.txt", &["a.txt"][..], &["b/a.txt", "a.txt2", "A.txt"][..]),
        ("*.txt", &["a.txt", ".txt", ".hidden.txt"], &["b/a.txt", "a.tx"]),
        ("**/*.txt", &["a.txt", "b/a.txt", "b/.c/d.txt"], &["a.md"]),
        ("**", &["a", "a/b/.c"], &[]),
        (".", &["a", "a/b/.c"], &[]),
        ("./a", &["a", "a/b"], &["b"]),
        ("a/**/b", &["a/b", "a/x/b", "a/x/y/b", "a/b/c"], &["a", "b", "ab"]),
        ("a/**", &["a", "a/b", "a/b/c"], &["b", "ab"]),
        ("a/*", &["a/b", "a/.b", "a/b/c/d"], &["a", "b"]),
        ("a/*/c", &["a/b/c", "a/b/c/d"], &["a/c", "a/b/b/c"]),
        ("dir", &["dir", "dir/x", "dir/.x/y"], &["dirx", "x/dir"]),
        ("dir/", &["dir/x", "dir/x/y"], &["dir"]),
        ("?.c", &["a.c", "é.c"], &[".c", "ab.c"]),
        ("[a-c]x", &["ax", "cx"], &["dx", "x", "-x"]),
        ("[!a-c]x", &["dx", "Ax"], &["ax", "x"]),
        ("[^a]", &["b"], &["a"]),
        ("[]a]", &["]", "a"], &["b"]),
        ("[a-]", &["a", "-"], &["b"]),
        ("[z-a]", &["[z-a]"], &["m"]),
        ("[ab", &["[ab"], &["a"]),
        ("[[]x]", &["[x]"], &["x"]),
        ("x[", &["x["], &["x"]),
        ("[a-c]x[!0-9]", &["bxy"], &["bx5", "dxy"]),
        // A set of one character is how a wildcard is written that means itself.
        ("a[*]b", &["a*b"], &["axb"]),
        // Only a `]` right behind the `[` is one of the set: the rest is any character, then `a]`.
        ("[!]a]", &["xa]", "]a]"], &["x", "a]"]),
        ("a**b", &["ab", "axxb"], &["a/b"]),
        ("*a*b*", &["ab", "xaxbx", "aabb"], &["ba", "axc"]),
        (r"\*", &["*"], &["a"]),
        (r"a\?b", &["a?b"], &["axb"]),
        ("a//b", &["a/b"], &["a"]),
        ("+(a|b)", &["+(a|b)"], &["a"]),
        ("**/**/x", &["x", "a/x"], &["y"]),
        // Names with spaces around them cannot be meant: a line is trimmed.
        ("  a  ", &["a"], &[" a "]),
    ] {
        let patterns = patterns(lines);
        for path in yes {
            assert!(patterns.matches(path, false), "{lines} should match {path}");
        }
        for path in no {
            assert!(!patterns.matches(path, false), "{lines} should not match {path}");
        }
    }
}

#[test]
fn trap_32_hidden_files_count_and_braces_are_literal() {
    let hidden = patterns("**/*.json");
    assert!(hidden.matches(".config/.x.json", false));
    let braces = patterns("*.{js,ts}\n{a,b}");
    assert!(!braces.matches("a.js", false) && !braces.matches("a", false));
    assert!(braces.matches("a.{js,ts}", false) && braces.matches("{a,b}", false));
}

#[test]
fn the_last_pattern_that_matches_decides() {
    let patterns = patterns("# all but logs\n**\n\n!**/*.log\nkeep/important.log\n!! double.log");
    assert!(patterns.matches("a/b", false));
    assert!(!patterns.matches("a/b.log", false));
    assert!(patterns.matches("keep/important.log", false));
    assert!(patterns.matches("double.log", false));
    assert!(!GlobPatterns::parse(&["!a".into()]).unwrap().matches("b", false));
    let again = GlobPatterns::parse(&["**".into(), "!node_modules".into(), "node_modules/keep".into()]).unwrap();
    assert!(!again.matches("node_modules/a", false) && again.matches("node_modules/keep", false));
}

#[test]
fn a_pattern_with_a_slash_at_its_end_matches_folders_and_what_is_below() {
    let included = patterns("dir/");
    assert!(included.matches("dir", true) && !included.matches("dir", false) && included.matches("dir/x", false));
    let excluded = patterns("**\n!dir/");
    assert!(!excluded.matches("dir", true) && excluded.matches("dir", false) && !excluded.matches("dir/x", false));
}

#[test]
fn a_walk_goes_only_where_something_can_match() {
    let patterns = patterns("src/**/*.rs\ndocs/*.md\n!src/generated/**\n!target");
    for (folder, expected) in [
        ("", true),
        ("src", true),
        ("src/a/b", true),
        ("src/generated", false),
        ("src/generated/x", false),
        ("docs", true),
        // What is below a folder called `x.md` is meant, too.
        ("docs/x.md", true),
        ("docs/x", false),
        ("target", false),
    ] {
        assert_eq!(patterns.may_match_inside(folder), expected, "{folder}");
    }
    let again = super::GlobPatterns::parse(&["**\n!a/**\na/keep/*".into()]).unwrap();
    assert!(again.may_match_inside("a") && again.may_match_inside("a/keep") && !again.may_match_inside("a/other"));
}

#[test]
fn a_walk_begins_at_the_fixed_part_of_each_pattern() {
    assert_eq!(patterns("src/**/*.rs\ndocs/a.md\nsrc/x/y\n!other/**").search_roots(), ["src", "docs/a.md"]);
    assert_eq!(patterns("**/x\na").search_roots(), [""]);
    assert_eq!(patterns("a/[b]/c*").search_roots(), ["a/b"]);
    assert!(patterns("!a").search_roots().is_empty());
    let absolute = GlobPatterns::parse_at("/work/[x] y", None, &["a/*".into(), "/tmp/b".into(), "/*".into()]).unwrap();
    assert_eq!(absolute.search_roots(), ["/"]);
    let absolute = GlobPatterns::parse_at("/work/[x] y", None, &["a/*\n/tmp/b".into()]).unwrap();
    assert_eq!(absolute.search_roots(), ["/work/[x] y/a", "/tmp/b"]);
    assert!(absolute.may_match_inside("/work/[x] y/a/z") && !absolute.may_match_inside("/work/[x] y/b"));
}

#[test]
fn absolute_paths_are_matched_from_the_root() {
    let patterns = GlobPatterns::parse_at("/work/[x]", Some("/home/me"), &["*.c\n/tmp/**\n~/n".into()]).unwrap();
    for (path, expected) in [
        ("/work/[x]/a.c", true),
        ("/work/x/a.c", false),
        ("/tmp/y/z", true),
        ("/home/me/n/deep", true),
        ("/home/you/n", false),
    ] {
        assert_eq!(patterns.matches(path, false), expected, "{path}");
    }
    let whole = GlobPatterns::parse_at("/w", None, &[".".into()]).unwrap();
    assert!(whole.matches("/w/a", false) && whole.matches("/w", true) && !whole.matches("/v", true));
}

#[test]
fn what_is_no_pattern_is_refused() {
    let parse = |text: &str| GlobPatterns::parse(&[text.to_owned()]).map(|_| ()).unwrap_err();
    assert_eq!(parse("a/../b").to_string(), "Invalid pattern 'a/../b'. Relative pathing '.' and '..' is not allowed.");
    assert_eq!(parse("../x"), GlobError::Relative("../x".into()));
    assert_eq!(parse("a/./b"), GlobError::Relative("a/./b".into()));
    assert_eq!(parse("!"), GlobError::Empty("!".into()));
    assert_eq!(parse("/etc/passwd"), GlobError::Absolute("/etc/passwd".into()));
    assert_eq!(parse("~/x"), GlobError::NoHome("~/x".into()));
    assert!(GlobPatterns::parse(&["# only\n\n".into()]).unwrap().is_empty());
}

#[test]
fn hostile_patterns_take_no_hostile_time() {
    let stars = format!("{}b", "*a".repeat(500));
    assert!(!patterns(&stars).matches(&"a".repeat(5000), false));
    let folders = format!("{}b", "**/a/".repeat(100));
    assert!(!patterns(&folders).matches(&"a/".repeat(1000), false));
}
