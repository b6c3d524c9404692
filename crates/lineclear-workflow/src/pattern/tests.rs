//! What patterns match, and what is none.

use proptest::prelude::*;

use lineclear_source::{Span, Spanned};

use super::*;
use crate::Patterns;

fn matches(pattern: &str, name: &str) -> bool {
    FilterPattern::parse(pattern).expect("the test's pattern is valid").matches(name)
}

fn set(ignore: bool, patterns: &[&str]) -> PatternSet {
    let list = patterns.iter().map(|text| Spanned::new((*text).to_owned(), Span::default())).collect();
    PatternSet::new(&Patterns { ignore, list, span: Span::default() }).0
}

#[test]
fn patterns_match_as_the_cheat_sheet_says() {
    for (pattern, yes, no) in [
        ("feature/*", "feature/my-branch", "feature/beta-a/my-branch"),
        ("feature/**", "feature/beta-a/my-branch", "features/x"),
        ("main", "main", "mainline"),
        ("**", "all/the/branches", ""),
        ("*", "main", "a/b"),
        ("*feature", "ver-10-feature", "feature-x"),
        ("v2*", "v2.0", "v1.0"),
        ("v[12].[0-9]+.[0-9]+", "v1.10.1", "v3.1.1"),
        ("*.js", "app.js", "js/app.js"),
        ("**.js", "src/js/app.js", "app.jsx"),
        ("docs/*", "docs/README.md", "docs/a/b.md"),
        ("docs/**", "docs/mona/octocat.txt", "docs"),
        ("docs/**/*.md", "docs/README.md", "docs/README.mdx"),
        ("docs/**/*.md", "docs/a/markdown/file.md", "other/docs/a.md"),
        ("**/docs/**", "dir/docs/my-file.txt", "dir/mydocs/my-file.txt"),
        ("**/docs/**", "docs/hello.md", "docs"),
        ("**/README.md", "js/README.md", "js/OREADME.md"),
        ("**/*src/**", "my-src/code/js/app.js", "src2/app.js"),
        ("**/*src/**", "a/src/app.js", "a/srcs/app.js"),
        ("**/*-post.md", "path/his-post.md", "path/post.md"),
        ("**/migrate-*.sql", "db/sept/migrate-v1.sql", "db/migrate.sql"),
        ("*.jsx?", "page.js", "page.jsxx"),
        ("*.jsx?", "page.jsx", "page.j"),
        ("a/**/b", "a/b", "ab"),
        ("a/**/b", "a/x/y/b", "a/xb"),
        ("a**b", "a/x/b", "a/x/c"),
        ("**/**/x", "x", "yx"),
        ("**/**/x", "a/b/x", "a/b/x/"),
    ] {
        if !yes.is_empty() {
            assert!(matches(pattern, yes), "{pattern} should match {yes}");
        }
        if !no.is_empty() {
            assert!(!matches(pattern, no), "{pattern} should not match {no}");
        }
    }
}

#[test]
fn trap_93_question_mark_and_plus_act_on_the_character_before() {
    assert!(matches("colou?r", "color") && matches("colou?r", "colour"));
    assert!(!matches("colou?r", "colouur") && !matches("a?", "ab"));
    assert!(matches("ab+", "abbb") && !matches("ab+", "a"));
    assert!(matches("v[0-9]+", "v42") && !matches("v[0-9]+", "v"));
    assert!(matches("é+t", "éét"), "characters, not bytes, are repeated");
}

#[test]
fn trap_93_double_star_slash_matches_the_root_too() {
    assert!(matches("**/x", "x") && matches("**/x", "a/b/x") && !matches("**/x", "ax"));
}

#[test]
fn trap_93_the_last_matching_pattern_decides() {
    let list = set(false, &["releases/**", "!releases/**-alpha", "releases/10-alpha"]);
    assert_eq!(list.decide("releases/10"), Some((true, 0)));
    assert_eq!(list.decide("releases/9-alpha"), Some((false, 1)));
    assert_eq!(list.decide("releases/10-alpha"), Some((true, 2)));
    assert_eq!(list.decide("main"), None);
    let other_order = set(false, &["!releases/**-alpha", "releases/**"]);
    assert!(other_order.includes("releases/9-alpha"));
}

#[test]
fn a_list_of_only_negative_patterns_lets_nothing_pass() {
    let list = set(false, &["!docs/**"]);
    assert!(!list.includes("src/a") && !list.includes("docs/a"));
    assert!(!list.any_included(&["src/a", "docs/a"].into_iter().collect()));
}

#[test]
fn trap_99_an_ignore_list_stops_only_when_every_name_is_ignored() {
    let list = set(true, &["docs/**", "**.md", "!docs/api.md"]);
    assert!(!list.any_included(&["docs/x", "README.md"].into_iter().collect()));
    let names: Names<'_> = ["docs/x", "src/a.rs"].into_iter().collect();
    assert_eq!(list.first_included(&names), Some("src/a.rs"));
    assert!(list.includes("docs/api.md"), "`!` takes a name out of the ignored ones");
}

#[test]
fn a_backslash_escapes_special_characters_and_is_otherwise_itself() {
    assert!(matches(r"a\*", "a*") && !matches(r"a\*", "ab"));
    assert!(matches(r"\!x", "!x") && matches(r"a\b", r"a\b") && matches(r"a\\+", r"a\\"));
    assert!(!FilterPattern::parse(r"\!x").expect("valid").is_negative());
}

#[test]
fn what_is_no_pattern_is_refused_with_its_place() {
    let fault = |text: &str| {
        let error = FilterPattern::parse(text).expect_err("the test's pattern is invalid");
        format!("{}..{} {error}", error.span.start, error.span.end)
    };
    assert_eq!(fault(""), "0..0 the pattern is empty");
    assert_eq!(fault("!"), "0..1 a pattern must follow `!`");
    assert_eq!(fault("+a"), "0..1 `+` repeats the character before it, and there is none to repeat");
    assert_eq!(fault("!a*?"), "3..4 `?` repeats the character before it, and there is none to repeat");
    assert_eq!(fault("v[0-9"), "1..5 `[` has no closing `]`");
    assert_eq!(fault("v[]"), "1..3 `[]` lists no character");
    assert_eq!(fault("v[0-]"), "2..4 the range has no last character");
    assert_eq!(fault("v[9-0]"), "2..5 the range `9-0` runs backwards");
    assert_eq!(fault("a\nb"), "1..2 a pattern holds no line break");
}

#[test]
fn a_pattern_made_to_be_slow_is_not() {
    let pattern = "a?".repeat(500) + &"**/*a".repeat(200) + "[b]";
    let name = "a".repeat(5_000);
    assert!(!matches(&pattern, &name));
}

proptest! {
    /// The prepared test may only ever save work.
    #[test]
    fn prepared_names_decide_as_plain_ones(
        patterns in prop::collection::vec("!?[ab/]{0,3}(\\*{0,2}/?[ab]?){0,3}[ab.]{0,4}[ab]", 1..5),
        names in prop::collection::vec("[ab./]{0,12}", 0..20),
        ignore: bool,
    ) {
        let texts: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let list = set(ignore, &texts);
        let plain = names.iter().map(String::as_str).find(|name| list.includes(name));
        prop_assert_eq!(list.first_included(&names.iter().map(String::as_str).collect()), plain);
    }

    #[test]
    fn no_text_makes_the_reader_or_the_matcher_panic(pattern: String, name: String) {
        if let Ok(pattern) = FilterPattern::parse(&pattern) {
            pattern.matches(&name);
        }
    }

    /// The matcher with bits agrees with the plain one.
    #[test]
    fn bits_agree_with_the_plain_matcher(
        pattern in "[ab/é]{0,2}(\\*{1,2}/?|[ab/é][?+]?|\\[ab\\]\\+?){1,6}[ab/]{0,2}", name in "[ab/é]{0,10}",
    ) {
        if let Ok(pieces) = parse_pieces(&pattern) {
            prop_assert_eq!(Bits::new(&pieces).fits(&name), fits(&pieces, &name));
            prop_assert_eq!(matches(&pattern, &name), fits(&pieces, &name));
        }
    }

    /// The shapes with a short cut agree with the general matcher.
    #[test]
    fn short_cuts_agree_with_the_general_matcher(pattern in "[ab/]{0,2}(\\*|\\*\\*|\\*\\*/|\\*\\*/\\*)[ab/]{0,2}", name in "[ab/]{0,8}") {
        let pieces = parse_pieces(&pattern).expect("this shape is valid");
        prop_assert_eq!(matches(&pattern, &name), fits(&pieces, &name));
    }
}
