use expect_test::{Expect, expect};
use lineclear_source::{Diagnostic, Source, Span};

use crate::outline::{outline, outline_within};
use crate::{Limits, Node, Parsed, ScalarStyle, parse};

#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&outline(text));
}

fn read(text: &str) -> Parsed {
    parse(&Source::new("t.yml", text), &Limits::default())
}

fn root(text: &str) -> Node {
    read(text).tree.and_then(|tree| tree.root).expect("the text has a value")
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| &*diagnostic.code).collect()
}

#[test]
fn a_document_becomes_a_tree_in_file_order() {
    check(
        "on: push\njobs:\n  b: {needs: [a, 'c'], n: 1.5}\n  a:\n  - true\n  -\n  - |\n    x\n     y\n",
        expect![[r#"
            mapping of 2
              on:
                "push"
              jobs:
                mapping of 2
                  b:
                    mapping of 2
                      needs:
                        sequence of 2
                          "a"
                          "c"
                      n:
                        1.5
                  a:
                    sequence of 3
                      true
                      null
                      "x\n y\n"
        "#]],
    );
}

#[test]
fn a_text_without_value_is_an_empty_tree_and_no_fault() {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "\u{feff}", "  \t\n"] {
        assert_eq!(outline(text), "empty\n", "{text:?}");
    }
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_change_nothing() {
    let text = "a: 1\nb: |\n  x\n\n  y\nc: >\n  x\n  y\nd: \"x\n  y\"\ne: x\n  y\nf:\n- 1\n";
    let expected = outline(text);
    assert!(expected.starts_with("mapping of 6"), "{expected}");
    assert_eq!(outline(&text.replace('\n', "\r\n")), expected);
    assert_eq!(outline(&format!("\u{feff}{text}")), expected);
}

#[test]
fn spans_are_those_of_what_was_written() {
    let text = "é: 'ü'\nk: \"ä\\n\"\nl: &a !!str x\nm:\n- *a\n- [b, {c: d}]\nn: >- # note\n\n  ö\n  p\n\n\nq: # r\nt: |\nu: {v: , w}\nx:\n-\n-  # y\n";
    let source = Source::new("t.yml", text);
    let mut found = String::new();
    walk(&root(text), &mut |node, depth| {
        found.push_str(&format!("{}{:?}\n", "  ".repeat(depth), source.slice(node.span())));
        if node.span().is_empty() {
            found.push_str(&format!("{}at {}\n", "  ".repeat(depth), source.position(node.span().start)));
        }
    });
    expect![[r#"
        "é: 'ü'\nk: \"ä\\n\"\nl: &a !!str x\nm:\n- *a\n- [b, {c: d}]\nn: >- # note\n\n  ö\n  p\n\n\nq: # r\nt: |\nu: {v: , w}\nx:\n-\n-"
          "'ü'"
          "\"ä\\n\""
          "x"
          "- *a\n- [b, {c: d}]"
            "x"
            "[b, {c: d}]"
              "b"
              "{c: d}"
                "d"
          ">- # note\n\n  ö\n  p"
          ""
          at 13:3
          "|"
          "{v: , w}"
            ""
            at 15:7
            ""
            at 15:11
          "-\n-"
            ""
            at 17:2
            ""
            at 18:2
    "#]]
    .assert_eq(&found);
}

fn walk(node: &Node, visit: &mut dyn FnMut(&Node, usize)) {
    fn inner(node: &Node, depth: usize, visit: &mut dyn FnMut(&Node, usize)) {
        visit(node, depth);
        match node {
            Node::Scalar(_) => {}
            Node::Sequence { items, .. } => items.iter().for_each(|item| inner(item, depth + 1, visit)),
            Node::Mapping { entries, .. } => entries.iter().for_each(|entry| inner(&entry.value, depth + 1, visit)),
        }
    }
    inner(node, 0, visit);
}

#[test]
fn trap_94_a_key_is_the_same_in_upper_and_lower_case() {
    check(
        "jobs:\n  Build: 1\n  test: 2\n  bUILD: 3\nÄ: 1\nä: 2\nß: 1\nSS: 2\n'test': 1\n\"\\x74est\": 2\n",
        expect![[r#"
            mapping of 5
              jobs:
                mapping of 2
                  Build:
                    1
                  test:
                    2
              Ä:
                1
              ß:
                1
              SS:
                2
              test:
                1
            error[duplicate-key]: the key `bUILD` is already defined as `Build`: upper and lower case make no difference
             --> t.yml:4:3
              |
            2 |   Build: 1
              |   ----- first defined here
            3 |   test: 2
            4 |   bUILD: 3
              |   ^^^^^
              |
              = help: remove one of the two, or join their values
            error[duplicate-key]: the key `ä` is already defined as `Ä`: upper and lower case make no difference
             --> t.yml:6:1
              |
            5 | Ä: 1
              | - first defined here
            6 | ä: 2
              | ^
              |
              = help: remove one of the two, or join their values
            error[duplicate-key]: the key `test` is already defined
              --> t.yml:10:1
               |
             9 | 'test': 1
               | ------ first defined here
            10 | "\x74est": 2
               | ^^^^^^^^^
               |
               = help: remove one of the two, or join their values
        "#]],
    );
}

#[test]
fn keys_that_hold_expressions_are_not_compared() {
    assert_eq!(codes(&read("${{ insert }}: 1\n${{ insert }}: 2\n").diagnostics), [""; 0]);
}

#[test]
fn a_mapping_of_many_keys_finds_each_duplicate_at_once() {
    let mut text: String = (0..20_000).map(|n| format!("key{n}: {n}\n")).collect();
    text.push_str("KEY7: again\nkey19999: again\n");
    let parsed = read(&text);
    let first: Vec<_> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.labels[0].span).collect();
    let source = Source::new("t.yml", text.as_str());
    let first: Vec<_> = first.into_iter().map(|span| source.slice(span)).collect();
    assert_eq!(first, ["key7", "key19999"]);
}

#[test]
fn trap_95_anchors_are_accepted_and_merge_keys_are_not() {
    check(
        "a: &env {X: 1}\nb: *env\nc:\n  <<: *env\n  Y: 2\n\"<<\": text\n",
        expect![[r#"
            mapping of 4
              a:
                mapping of 1
                  X:
                    1
              b:
                mapping of 1
                  X:
                    1
              c:
                mapping of 1
                  Y:
                    2
              <<:
                "text"
            error[merge-key]: GitHub does not support YAML's merge key `<<`
             --> t.yml:4:3
              |
            4 |   <<: *env
              |   ^^
              |
              = help: use the alias for a whole value (`env: *name`), or write the keys out
        "#]],
    );
}

#[test]
fn an_alias_shares_what_it_names_and_the_later_anchor_counts() {
    let text = "- &a [1]\n- *a\n- &a [2]\n- *a\n- &k key\n- {*k : 1}\n";
    let tree = read(text).tree.expect("no fault of syntax");
    let Some(Node::Sequence { items, .. }) = &tree.root else { panic!("a sequence") };
    assert_eq!((items[1].span(), items[3].span()), (items[0].span(), items[2].span()));
    let (Node::Sequence { items: one, .. }, Node::Sequence { items: other, .. }) = (&items[0], &items[1]) else {
        panic!("two sequences")
    };
    assert!(std::sync::Arc::ptr_eq(one, other));
    assert!(items[5].get("key").is_some());
    let source = Source::new("t.yml", text);
    let anchors: Vec<_> =
        tree.anchors.iter().map(|a| (a.name.as_str(), source.slice(a.span), source.slice(a.node))).collect();
    assert_eq!(anchors, [("a", "&a", "[1]"), ("a", "&a", "[2]"), ("k", "&k", "key")]);
    let aliases: Vec<_> = tree.aliases.iter().map(|alias| (source.slice(alias.span), alias.anchor)).collect();
    assert_eq!(aliases, [("*a", 0), ("*a", 1), ("*k", 2)]);
}

#[test]
fn aliases_that_lead_nowhere_are_reported_and_stand_as_null() {
    check(
        "default: &default {a: 1}\nb: *defualt\nc: &c [1, *c]\npaths: [*.js, **/x]\nlater: *later\nx: &later 1\n*no : 1\n",
        expect![[r#"
            mapping of 6
              default:
                mapping of 1
                  a:
                    1
              b:
                null
              c:
                sequence of 2
                  1
                  null
              paths:
                sequence of 2
                  null
                  null
              later:
                null
              x:
                1
            error[undefined-anchor]: no anchor `&defualt` comes before this alias; did you mean `*default`?
             --> t.yml:2:4
              |
            2 | b: *defualt
              |    ^^^^^^^^
            error[recursive-anchor]: `*c` stands inside the very value it names, which would never end
             --> t.yml:3:11
              |
            3 | c: &c [1, *c]
              |    --     ^^
              |    |
              |    the value begins here
              |
              = help: write out the part that is meant
            error[undefined-anchor]: no anchor `&.js` comes before this alias
             --> t.yml:4:9
              |
            4 | paths: [*.js, **/x]
              |         ^^^^
              |
              = help: a pattern that starts with `*` must be quoted: '*.js'
            error[undefined-anchor]: no anchor `&*/x` comes before this alias
             --> t.yml:4:15
              |
            4 | paths: [*.js, **/x]
              |               ^^^^
              |
              = help: a pattern that starts with `*` must be quoted: '**/x'
            error[undefined-anchor]: no anchor `&later` comes before this alias
             --> t.yml:5:8
              |
            5 | later: *later
              |        ^^^^^^
            error[undefined-anchor]: no anchor `&no` comes before this alias
             --> t.yml:7:1
              |
            7 | *no : 1
              | ^^^
        "#]],
    );
}

#[test]
fn a_second_document_is_refused_and_the_first_is_read() {
    check(
        "a: 1\n---\nb: [\n",
        expect![[r#"
            no tree
            error[multiple-documents]: a second YAML document starts here, and a file may hold only one
             --> t.yml:2:1
              |
            2 | ---
              | ^^^
              |
              = help: remove the `---`, or move what follows into a file of its own
            error[yaml-syntax]: this `[` is never closed
             --> t.yml:3:4
              |
            3 | b: [
              |    ^
              |
              = help: add `]` where it ends; quote the value if it is meant to start with `[`
        "#]],
    );
    assert_eq!(outline("--- # start\na: 1\n...\n# end\n"), "mapping of 1\n  a:\n    1\n");
    assert_eq!(codes(&read("a: 1\n---\n").diagnostics), ["multiple-documents"]);
}

#[test]
fn a_key_that_is_no_scalar_is_left_out() {
    check(
        "? [a, b]\n: 1\nc: 2\nd: {{ x }}\n? {e: f}\n: 3\n? g\n",
        expect![[r#"
            mapping of 3
              c:
                2
              d:
                mapping of 0
              g:
                null
            error[complex-key]: a sequence cannot be a key
             --> t.yml:1:3
              |
            1 | ? [a, b]
              |   ^^^^^^
              |
              = help: write the key as text
            error[complex-key]: a mapping cannot be a key
             --> t.yml:4:5
              |
            4 | d: {{ x }}
              |     ^^^^^
              |
              = help: an expression is written `${{ … }}`, and where YAML begins with `{` it must be quoted
            error[complex-key]: a mapping cannot be a key
             --> t.yml:5:3
              |
            5 | ? {e: f}
              |   ^^^^^^
              |
              = help: write the key as text
        "#]],
    );
}

#[test]
fn tags_that_github_knows_decide_what_a_scalar_is() {
    assert_eq!(
        outline("[!!str 1, !!int 0x10, !!float 1, !!bool true, !!null '', !<tag:yaml.org,2002:str> true, !!str]\n")
            .lines()
            .next(),
        Some("sequence of 7")
    );
    check(
        "a: !!str 1\nb: !!int 0o17\nc: !!float 1\nd: !!bool TRUE\ne: !!null\nf: !<tag:yaml.org,2002:int> 4\ng: !!str\nh: !!seq [1]\ni: !!map {}\n",
        expect![[r#"
            mapping of 9
              a:
                "1"
              b:
                15
              c:
                1
              d:
                true
              e:
                null
              f:
                4
              g:
                ""
              h:
                sequence of 1
                  1
              i:
                mapping of 0
        "#]],
    );
}

#[test]
fn tags_and_numbers_that_github_refuses_are_reported() {
    check(
        "a: !!timestamp 2022-10-26\nb: !!float test\nc: !!int \"300\"\nd: 0xFFFFFFFFF\nif: !cancelled() && 'x'\ng: !Ref [1]\nh: !!null x\ni: !!bool yes\n",
        expect![[r#"
            mapping of 8
              a:
                "2022-10-26"
              b:
                "test"
              c:
                "300"
              d:
                "0xFFFFFFFFF"
              if:
                "x"
              g:
                sequence of 1
                  1
              h:
                "x"
              i:
                "yes"
            error[unknown-tag]: `!!timestamp` is a tag that GitHub does not know
             --> t.yml:1:4
              |
            1 | a: !!timestamp 2022-10-26
              |    ^^^^^^^^^^^
              |
              = help: the tags are `!!str`, `!!int`, `!!float`, `!!bool` and `!!null`
            error[tag-mismatch]: `test` is not what `!!float` says: expected a decimal number, `.inf` or `.nan`
             --> t.yml:2:12
              |
            2 | b: !!float test
              |            ^^^^
              |
              = help: remove the tag, or change the value
            error[tag-mismatch]: the tag `!!int` may only stand before a value without quotes and on one line
             --> t.yml:3:10
              |
            3 | c: !!int "300"
              |          ^^^^^
              |
              = help: remove the tag, or write the value without quotes
            error[number-too-large]: `0xFFFFFFFFF` does not fit into 32 bits
             --> t.yml:4:4
              |
            4 | d: 0xFFFFFFFFF
              |    ^^^^^^^^^^^
              |
              = help: write the number in decimal, or quote it if it is meant as text
            error[unknown-tag]: `!cancelled()` is a tag that GitHub does not know
             --> t.yml:5:5
              |
            5 | if: !cancelled() && 'x'
              |     ^^^^^^^^^^^^
              |
              = help: a value that starts with `!` must be quoted: '!cancelled() && ''x'''
            warning[unknown-tag]: the tag `!Ref` means nothing before a sequence
             --> t.yml:6:4
              |
            6 | g: !Ref [1]
              |    ^^^^
              |
              = help: remove the tag
            error[tag-mismatch]: `x` is not what `!!null` says: expected `null`, `~` or nothing
             --> t.yml:7:11
              |
            7 | h: !!null x
              |           ^
              |
              = help: remove the tag, or change the value
            error[tag-mismatch]: `yes` is not what `!!bool` says: expected `true` or `false`
             --> t.yml:8:11
              |
            8 | i: !!bool yes
              |           ^^^
              |
              = help: remove the tag, or change the value
        "#]],
    );
}

#[test]
fn comments_are_found_with_their_places() {
    let text = "# é\na: 'x # no' # yes\nb: | # head\n  # no\n  x\nc: [1, # in\n  d#no]\n# last";
    let tree = read(text).tree.expect("no fault of syntax");
    let source = Source::new("t.yml", text);
    let comments: Vec<_> = tree.comments(text).into_iter().map(|span| source.slice(span)).collect();
    assert_eq!(comments, ["# é", "# yes", "# head", "# in", "# last"]);
}

#[test]
fn a_long_header_of_comments_is_no_fault() {
    let text = format!("{}a: 1\n{}b:\n{}  - 1\n", "# c\n".repeat(500), "# d\n".repeat(500), "# e\n".repeat(500));
    assert_eq!(codes(&read(&text).diagnostics), [""; 0]);
}

// Limits.

#[test]
fn a_file_over_the_size_limit_is_refused() {
    let limits = Limits { bytes: 10, ..Limits::default() };
    let expected = expect![[r#"
        no tree
        error[file-too-large]: the file is larger than 10 bytes: it has 11
        --> t.yml
         = help: split it: jobs can move into a reusable workflow, long scripts into files of their own
    "#]];
    expected.assert_eq(&outline_within("a: 12345678", &limits));
    assert!(outline_within("a: 1234567", &limits).starts_with("mapping"));
}

#[test]
fn the_limits_of_a_workflow_are_those_of_github() {
    assert_eq!(Limits::default(), Limits { bytes: 1_048_576, depth: 50, nodes: 1_000_000 });
}

#[test]
fn fifty_levels_are_read_and_the_next_is_refused() {
    let flow = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let block = |levels: usize| format!("{}x\n", "- ".repeat(levels));
    let indented = |levels: usize| (0..levels).map(|level| format!("{}k:\n", " ".repeat(level))).collect::<String>();
    for text in [flow(50), block(50), indented(50)] {
        assert_eq!(codes(&read(&text).diagnostics), [""; 0]);
    }
    for (text, column) in [(flow(51), "1:51"), (block(51), "1:101"), (indented(51), "51:51")] {
        let parsed = read(&text);
        assert!(parsed.tree.is_none());
        assert_eq!(codes(&parsed.diagnostics), ["too-deep"]);
        let span = parsed.diagnostics[0].span.expect("a place");
        assert_eq!(Source::new("t.yml", text.as_str()).position(span.start).to_string(), column);
    }
}

#[test]
fn depth_counts_with_aliases_followed() {
    let limits = Limits { depth: 4, ..Limits::default() };
    assert!(outline_within("a: &a [[1]]\nb: [*a]\n", &limits).starts_with("mapping"));
    let expected = expect![[r#"
        no tree
        error[too-deep]: more than 4 levels of sequences and mappings inside each other
         --> t.yml:2:6
          |
        2 | b: [[*a]]
          |      ^
          |
          = help: what an alias names counts where the alias stands
    "#]];
    expected.assert_eq(&outline_within("a: &a [[1]]\nb: [[*a]]\n", &limits));
}

#[test]
fn hostile_nesting_meets_the_limit_and_not_the_stack() {
    let texts = [
        "[".repeat(100_000),
        "{".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        "[{a: ".repeat(100_000),
        "!!seq [".repeat(100_000),
        (0..1_300).map(|level| format!("{}k:\n", " ".repeat(level))).collect(),
    ];
    for text in texts {
        let parsed = read(&text);
        assert!(parsed.tree.is_none());
        assert_eq!(codes(&parsed.diagnostics), ["too-deep"], "{}", &text[..10]);
    }
}

#[test]
fn a_bomb_of_aliases_is_counted_and_not_expanded() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    let parsed = read(&text);
    assert!(parsed.tree.is_none());
    assert_eq!(codes(&parsed.diagnostics), ["too-many-values"]);
    assert_eq!(
        parsed.diagnostics[0].message,
        "the file has more than 1000000 values, counted with every alias followed"
    );
}

#[test]
fn values_are_counted_up_to_the_limit() {
    let limits = Limits { nodes: 5, ..Limits::default() };
    assert!(outline_within("- a\n- b\n- c\n- d\n", &limits).starts_with("sequence of 4"));
    assert!(outline_within("- a\n- b\n- c\n- d\n- e\n", &limits).starts_with("no tree\nerror[too-many-values]"));
    assert!(outline_within("- &a [b]\n- *a\n", &limits).starts_with("sequence of 2"));
    assert!(outline_within("- &a [b]\n- *a\n- c\n", &limits).starts_with("no tree\nerror[too-many-values]"));
}

#[test]
fn findings_before_a_fault_of_syntax_are_reported_with_it() {
    assert_eq!(codes(&read("a: 1\na: 2\n<<: 3\nb: [\n").diagnostics), ["duplicate-key", "merge-key", "yaml-syntax"]);
}

#[test]
fn a_file_of_faults_only_has_its_first_hundred_shown() {
    let text = format!("- &a0 x\n{}", (0..3_000).map(|n| format!("- &anchor{n} x\n- *no{n}\n")).collect::<String>());
    let parsed = read(&text);
    assert_eq!(parsed.diagnostics.len(), 101);
    let last = parsed.diagnostics.last().map(|diagnostic| diagnostic.message.as_str()).expect("there are findings");
    assert!(last.ends_with("more faults of YAML in this file are not shown"), "{last}");
}

#[test]
fn a_node_answers_what_it_is() {
    let node = root("a: [1, text, true, ~]\nb: {}\n");
    let items = node.get("a").and_then(Node::as_sequence).expect("a sequence");
    let kinds: Vec<_> = items.iter().map(Node::kind).collect();
    assert_eq!(kinds, ["a number", "a string", "a boolean", "null"]);
    assert!(items[3].is_null() && !items[0].is_null());
    assert_eq!(
        (node.kind(), node.get("b").map(Node::kind), node.get("A").is_none()),
        ("a mapping", Some("a mapping"), true)
    );
    let entries = node.as_mapping().expect("a mapping");
    assert_eq!(entries[0].span(), Span::new(0, 21));
    assert_eq!(items[0].as_scalar().map(|scalar| scalar.style), Some(ScalarStyle::Plain));
}
