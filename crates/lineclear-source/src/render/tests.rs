use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, diagnostic: &Diagnostic, expected: Expect) {
    expected.assert_eq(&render(diagnostic, &Source::new("dir/a.yml", text), Style::Plain));
}

fn fault(start: usize, end: usize) -> Diagnostic {
    Diagnostic::error("some-rule", "what is wrong").at(Span::new(start, end))
}

#[test]
fn a_finding_shows_place_line_labels_and_help() {
    check(
        "on: push\njobs:\n  é: 1\n  É: 2\n",
        &fault(27 - 1, 29 - 1).label(Span::new(17, 19), "first defined here").help("remove one").help("or rename it"),
        expect![[r#"
            error[some-rule]: what is wrong
             --> dir/a.yml:4:3
              |
            3 |   é: 1
              |   - first defined here
            4 |   É: 2
              |   ^^
              |
              = help: remove one
              = help: or rename it
        "#]],
    );
}

#[test]
fn severities_have_their_words() {
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let text = render(&Diagnostic::new(severity, "rule", "words"), &Source::new("a", ""), Style::Plain);
        assert!(text.starts_with(&format!("{}[rule]: words", format!("{severity:?}").to_lowercase())), "{text}");
    }
}

#[test]
fn a_finding_of_the_whole_file_names_it() {
    check(
        "a: 1\n",
        &Diagnostic::warning("empty-file", "nothing here").help("write something"),
        expect![[r#"
        warning[empty-file]: nothing here
        --> dir/a.yml
         = help: write something
    "#]],
    );
}

#[test]
fn a_label_at_the_place_itself_is_written_beside_it() {
    check(
        "a: b\n",
        &fault(3, 4).label(Span::new(3, 4), "this one"),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:4
          |
        1 | a: b
          |    ^ this one
    "#]],
    );
}

#[test]
fn empty_spans_and_the_end_of_the_text_have_a_mark() {
    check(
        "a:\n",
        &fault(2, 2),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:3
          |
        1 | a:
          |   ^
    "#]],
    );
    check(
        "a: 1\n",
        &fault(5, 5),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:2:1
          |
        2 |
          | ^
    "#]],
    );
    check(
        "a: 1",
        &fault(4, 4),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:5
          |
        1 | a: 1
          |     ^
    "#]],
    );
    check(
        "",
        &fault(0, 0),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:1
          |
        1 |
          | ^
    "#]],
    );
    check(
        "a: 1\n\nb: 2\n",
        &fault(5, 5),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:2:1
          |
        2 |
          | ^
    "#]],
    );
    check(
        "a: 1\n",
        &fault(700, 900),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:2:1
          |
        2 |
          | ^
    "#]],
    );
}

#[test]
fn line_ends_of_windows_and_tabs_do_not_move_the_mark() {
    check(
        "a: 1\r\n\tb: é2\r\nc: 3\r\n",
        &fault(10, 13),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:2:5
          |
        2 |     b: é2
          |        ^^
    "#]],
    );
    check(
        "a: 1\r\nb: 2\r\n",
        &fault(3, 6),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:4
          |
        1 | a: 1
          |    ^
    "#]],
    );
}

#[test]
fn a_span_over_few_lines_is_drawn_and_one_over_many_is_shown_at_its_start() {
    check(
        "a: |\n  b\n  c\nd: 1\n",
        &fault(3, 12),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:4
          |
        1 |   a: |
          |  ____^
        2 | |   b
        3 | |   c
          | |___^
    "#]],
    );
    let many = format!("a: |\n{}", "  line\n".repeat(30));
    check(
        &many,
        &fault(3, many.len()),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:4
          |
        1 | a: |
          |    ^
    "#]],
    );
}

#[test]
fn a_span_inside_a_character_is_widened_to_it() {
    check(
        "a: éü\n",
        &fault(4, 6),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:4
          |
        1 | a: éü
          |    ^^
    "#]],
    );
}

#[test]
fn wide_characters_keep_the_mark_below_its_text() {
    check(
        "名前: \"値\" x\n",
        &fault(14, 15),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:9
          |
        1 | 名前: "値" x
          |            ^
    "#]],
    );
}

#[test]
fn of_a_very_long_line_the_part_around_the_mark_is_shown() {
    let line = format!("run: {}HERE{}\n", "é".repeat(300_000), "y".repeat(300_000));
    check(
        &line,
        &fault(600_005, 600_009).label(Span::new(0, 3), "far away"),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:300006
          |
        1 | …ééééééééééééééééééééééééééééééHEREyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
          |  - far away                    ^^^^
    "#]],
    );
    check(
        &line,
        &fault(0, 3),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:1
          |
        1 | run: ééééééééééééééééééééééééééééé…
          | ^^^
    "#]],
    );
    check(
        &line,
        &fault(5, 600_005),
        expect![[r#"
        error[some-rule]: what is wrong
         --> dir/a.yml:1:6
          |
        1 | run: éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé…
          |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]],
    );
}

#[test]
fn marks_far_apart_are_shown_apart() {
    let text: String = (1..=200).map(|number| format!("key{number}: 1\n")).collect();
    let last = text.find("key199").unwrap();
    check(
        &text,
        &fault(last, last + 6).label(Span::new(0, 4), "first defined here"),
        expect![[r#"
        error[some-rule]: what is wrong
           --> dir/a.yml:199:1
            |
        199 | key199: 1
            | ^^^^^^
            |
           ::: dir/a.yml:1:1
            |
          1 | key1: 1
            | ---- first defined here
    "#]],
    );
}

#[test]
fn what_could_control_the_terminal_is_made_visible() {
    let diagnostic = Diagnostic::error("rule", "bad \u{1b}[31m name\nnext").at(Span::new(0, 1)).help("a\u{7}b");
    let text = render(&diagnostic, &Source::new("x\u{1b}]0;y.yml", "\u{1b}[2Jx\n"), Style::Plain);
    assert!(!text.contains(['\u{1b}', '\u{7}']), "{text}");
    assert!(text.starts_with("error[rule]: bad \\u{1b}[31m name\\nnext\n"), "{text}");
}

#[test]
fn colours_are_there_on_request_only() {
    let source = Source::new("a.yml", "a: 1\n");
    assert!(!render(&fault(0, 1), &source, Style::Plain).contains('\u{1b}'));
    let coloured = render(&fault(0, 1), &source, Style::Coloured);
    assert!(coloured.contains("\u{1b}[1m\u{1b}[91merror[some-rule]") || coloured.contains("\u{1b}["), "{coloured:?}");
}

proptest! {
    #[test]
    fn any_text_and_any_spans_are_rendered(
        text in "[a-zé名\t\r\n\u{1b}\u{301}\u{200b} :]{0,300}",
        spans in proptest::collection::vec((0_usize..320, 0_usize..320), 1..5),
        long in 0_usize..2,
    ) {
        let text = text.replace('z', &"z".repeat(1 + long * 300));
        let mut diagnostic = fault(spans[0].0, spans[0].1);
        for &(start, end) in &spans[1..] {
            diagnostic = diagnostic.label(Span::new(start, end), "label");
        }
        let source = Source::new("a.yml", text);
        for style in [Style::Plain, Style::Coloured] {
            let shown = render(&diagnostic, &source, style);
            let place = format!("a.yml:{}", source.position(diagnostic.span.unwrap().start));
            prop_assert!(style == Style::Coloured || shown.contains(&place), "{} is not in\n{}", place, shown);
        }
    }
}
