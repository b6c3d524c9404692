//! What a person reads for the faults that are made most often, and for each kind once.

use expect_test::{Expect, expect};

use crate::outline::outline;

#[track_caller]
fn check(text: &str, expected: Expect) {
    let found = outline(text);
    let found = found.strip_prefix("no tree\n").unwrap_or_else(|| panic!("it was read: {found}"));
    expected.assert_eq(found);
}

#[test]
fn a_colon_inside_a_value() {
    check(
        "run: echo a: b\n",
        expect![[r#"
        error[yaml-syntax]: a colon before a space or the end of the line ends a key, and here it stands inside a value
         --> t.yml:1:12
          |
        1 | run: echo a: b
          |      ------^
          |      |
          |      the value begins here
          |
          = help: quote the value: `run: 'echo a: b'`
    "#]],
    );
    check(
        "- name: \"x\": y\n",
        expect![[r#"
        error[yaml-syntax]: a colon before a space or the end of the line ends a key, and here it stands inside a value
         --> t.yml:1:12
          |
        1 | - name: "x": y
          |         ---^
          |         |
          |         the value begins here
          |
          = help: quote the value as a whole, or write it as a block after `|`
    "#]],
    );
    check(
        "if: ${{ x }}: y\n",
        expect![[r#"
        error[yaml-syntax]: a colon before a space or the end of the line ends a key, and here it stands inside a value
         --> t.yml:1:13
          |
        1 | if: ${{ x }}: y
          |     --------^
          |     |
          |     the value begins here
          |
          = help: quote the value: `if: '${{ x }}: y'`
    "#]],
    );
    check(
        "run: foo:\n",
        expect![[r#"
        error[yaml-syntax]: a colon before a space or the end of the line ends a key, and here it stands inside a value
         --> t.yml:1:9
          |
        1 | run: foo:
          |      ---^
          |      |
          |      the value begins here
          |
          = help: quote the value: `run: 'foo:'`
    "#]],
    );
}

#[test]
fn a_key_without_colon_or_without_space_after_it() {
    check(
        "jobs:\n  build\n    runs-on: x\n",
        expect![[r#"
        error[yaml-syntax]: a colon is missing after `build`
         --> t.yml:2:3
          |
        2 |   build
          |   ^^^^^
          |
          = help: write `build:`
    "#]],
    );
    check(
        "a:b\nc: d\n",
        expect![[r#"
        error[yaml-syntax]: a space is missing after this colon
         --> t.yml:1:2
          |
        1 | a:b
          |  ^
          |
          = help: write `a: b`
    "#]],
    );
    check(
        "steps:\n- run: x\n  name y\n",
        expect![[r#"
        error[yaml-syntax]: expected a key with a colon here
         --> t.yml:3:3
          |
        3 |   name y
          |   ^^^^^^
          |
          = help: end the key with a colon; indent text that goes on from the line above more than its key
    "#]],
    );
    check(
        "steps:\n- run: x\n  name:y\n  z: 1\n",
        expect![[r#"
        error[yaml-syntax]: a space is missing after this colon
         --> t.yml:3:7
          |
        3 |   name:y
          |       ^
          |
          = help: write `name: y`
    "#]],
    );
    check(
        "\"a\":b\n",
        expect![[r#"
        error[yaml-syntax]: a space is missing after this colon
         --> t.yml:1:4
          |
        1 | "a":b
          |    ^
    "#]],
    );
    check(
        "some words here\nkey: value\n",
        expect![[r#"
        error[yaml-syntax]: this text is neither a key nor a list item
         --> t.yml:1:1
          |
        1 | some words here
          | ^^^^^^^^^^^^^^^
        2 | key: value
          | ---------- so this line cannot follow it
          |
          = help: end a key with a colon; begin a list item with `- `; put text that goes on under a key, after `|`
    "#]],
    );
}

#[test]
fn lines_that_are_indented_wrongly() {
    check(
        "a:\n    b: c\n  d: e\n",
        expect![[r#"
        error[yaml-syntax]: this line is indented by 2 spaces, which fits nothing above it
         --> t.yml:3:3
          |
        3 |   d: e
          |   ^^^^
          |
          = help: indent it by 0 or 4 spaces, like what it belongs to
          = help: indent with spaces, and what belongs together by the same number
    "#]],
    );
    check(
        "name: x\n  on: push\n",
        expect![[r#"
            error[yaml-syntax]: the value of `name` is complete, so no key can stand below it
             --> t.yml:2:3
              |
            1 | name: x
              | ------- the value stands here
            2 |   on: push
              |   ^^^^^^^^
              |
              = help: begin this line without spaces, like `name`, if it is a key beside it
        "#]],
    );
    check(
        "steps:\n  - name: a\n  run: b\n",
        expect![[r#"
        error[yaml-syntax]: expected a list item, which begins with `- `
         --> t.yml:3:3
          |
        2 |   - name: a
          |     ------- the item above begins here
        3 |   run: b
          |   ^^^^^^
          |
          = help: to belong to that item, indent this line by 4 spaces
          = help: to end the list, indent this line by less than 2 spaces
    "#]],
    );
    check(
        "steps:\n  - name: a\n   run: b\n",
        expect![[r#"
        error[yaml-syntax]: expected a list item, which begins with `- `
         --> t.yml:3:4
          |
        2 |   - name: a
          |     ------- the item above begins here
        3 |    run: b
          |    ^^^^^^
          |
          = help: to belong to that item, indent this line by 4 spaces
          = help: to end the list, indent this line by less than 2 spaces
    "#]],
    );
    check(
        "- a\nb: c\n",
        expect![[r#"
        error[yaml-syntax]: expected a list item, which begins with `- `
         --> t.yml:2:1
          |
        1 | - a
          |   - the item above begins here
        2 | b: c
          | ^^^^
          |
          = help: to belong to that item, indent this line by 2 spaces
    "#]],
    );
    check(
        "a: b\n- c\n",
        expect![[r#"
        error[yaml-syntax]: a list item stands here, where a key was expected
         --> t.yml:2:1
          |
        2 | - c
          | ^
          |
          = help: a list stands under its key: `key:` on a line of its own, the items below it
    "#]],
    );
    check(
        "on: push\njobs:\n build:\n  steps:\n  - run: x\n   - run: y\n",
        expect![[r#"
            error[yaml-syntax]: a list item stands here, where a key was expected
             --> t.yml:6:4
              |
            5 |   - run: x
              |   - an item above
            6 |    - run: y
              |    ^
              |
              = help: to belong to the same list, indent it by 2 spaces
        "#]],
    );
    check(
        "run: |\n    a\n   b\n",
        expect![[r#"
        error[yaml-syntax]: this line is indented by 3 spaces, which fits nothing above it
         --> t.yml:3:4
          |
        3 |    b
          |    ^
          |
          = help: indent it by 0 or 4 spaces, like what it belongs to
          = help: indent with spaces, and what belongs together by the same number
    "#]],
    );
    check(
        "run: |4\n  a\n",
        expect![[r#"
        error[yaml-syntax]: this line is indented less than the block's header says
         --> t.yml:2:3
          |
        2 |   a
          |   ^
          |
          = help: indent every line of the block at least as far as its number says, or leave the number out
    "#]],
    );
    check(
        "a: - b\n",
        expect![[r#"
        error[yaml-syntax]: a list item cannot begin on the line of its key
         --> t.yml:1:4
          |
        1 | a: - b
          |    ^
          |
          = help: move it to the next line, or quote the value if `-` is meant as text
    "#]],
    );
}

#[test]
fn tabs() {
    check(
        "a:\n\tb: c\n",
        expect![[r#"
        error[yaml-syntax]: this line is indented with a tab, and YAML allows only spaces
         --> t.yml:2:1
          |
        2 |     b: c
          | ^^^^
          |
          = help: replace each tab by spaces, two for each level being usual
    "#]],
    );
    check(
        "a:\n  b: c\n\td: e\n",
        expect![[r#"
        error[yaml-syntax]: this line is indented with a tab, and YAML allows only spaces
         --> t.yml:3:1
          |
        3 |     d: e
          | ^^^^
          |
          = help: replace each tab by spaces, two for each level being usual
    "#]],
    );
    check(
        "run: |\n\tx\n",
        expect![[r#"
        error[yaml-syntax]: this line is indented with a tab, and YAML allows only spaces
         --> t.yml:2:1
          |
        2 |     x
          | ^^^^
          |
          = help: replace each tab by spaces, two for each level being usual
    "#]],
    );
    check(
        "-\t- a\n",
        expect![[r#"
        error[yaml-syntax]: a tab cannot stand here, where its width would matter
         --> t.yml:1:2
          |
        1 | -    - a
          |  ^^^^
          |
          = help: replace the tab by a space
    "#]],
    );
}

#[test]
fn quotes() {
    check(
        "a: \"x\nb: c\n",
        expect![[r#"
        error[yaml-syntax]: this `"` is never closed
         --> t.yml:1:4
          |
        1 | a: "x
          |    ^
          |
          = help: inside double quotes a double quote is written `\"`
    "#]],
    );
    check(
        "a: 'it's'\n",
        expect![[r#"
        error[yaml-syntax]: a quoted value ends before this, and nothing may follow it
         --> t.yml:1:8
          |
        1 | a: 'it's'
          |    ----^^
          |    |
          |    the quoted value
          |
          = help: inside single quotes a single quote is written twice: `''`
    "#]],
    );
    check(
        "run: \"foo\" && bar\n",
        expect![[r#"
        error[yaml-syntax]: a quoted value ends before this, and nothing may follow it
         --> t.yml:1:12
          |
        1 | run: "foo" && bar
          |      ----- ^^^^^^
          |      |
          |      the quoted value
          |
          = help: quote the value as a whole: '"foo" && bar'
    "#]],
    );
    check(
        "a: \"x\nb: \"y\"\nc: 1\n",
        expect![[r#"
        error[yaml-syntax]: a quoted value ends before this, and nothing may follow it
         --> t.yml:2:5
          |
        1 | a: "x
          |    - the quote was opened here
        2 | b: "y"
          |     ^^
          |
          = help: if it was meant to end on the line where it began, close it there with `"`
    "#]],
    );
    check(
        "a: \"\\d+\"\n",
        expect![[r#"
        error[yaml-syntax]: `\d` means nothing inside double quotes
         --> t.yml:1:5
          |
        1 | a: "\d+"
          |     ^^
          |
          = help: write a backslash as `\\`, or use single quotes, inside which it stands for itself
    "#]],
    );
    check(
        "a: \"é\\u12\"\n",
        expect![[r#"
        error[yaml-syntax]: `\u12` is not a character
         --> t.yml:1:6
          |
        1 | a: "é\u12"
          |      ^^^^
          |
          = help: expected `\x` with 2, `\u` with 4 or `\U` with 8 hexadecimal digits that name a character
    "#]],
    );
    check(
        "a: \"\\uD83Dx\"\n",
        expect![[r#"
        error[yaml-syntax]: `\uD83D` is not a character
         --> t.yml:1:5
          |
        1 | a: "\uD83Dx"
          |     ^^^^^^
          |
          = help: expected `\x` with 2, `\u` with 4 or `\U` with 8 hexadecimal digits that name a character
    "#]],
    );
    check(
        "a: \"\\uD83D\\u0041\"\n",
        expect![[r#"
        error[yaml-syntax]: `\uD83D` is not a character
         --> t.yml:1:5
          |
        1 | a: "\uD83D\u0041"
          |     ^^^^^^
          |
          = help: expected `\x` with 2, `\u` with 4 or `\U` with 8 hexadecimal digits that name a character
    "#]],
    );
    check(
        "a: \"\\U00110000\"\n",
        expect![[r#"
        error[yaml-syntax]: `\U00110000` is not a character
         --> t.yml:1:5
          |
        1 | a: "\U00110000"
          |     ^^^^^^^^^^
          |
          = help: expected `\x` with 2, `\u` with 4 or `\U` with 8 hexadecimal digits that name a character
    "#]],
    );
    check(
        "\"a\n b\": c\n",
        expect![[r#"
        error[yaml-syntax]: a quoted value ends before this, and nothing may follow it
         --> t.yml:2:4
          |
        1 | "a
          | - the quote was opened here
        2 |  b": c
          |    ^^^
          |
          = help: if it was meant to end on the line where it began, close it there with `"`
    "#]],
    );
    check(
        "a: \"b\n--- c\"\n",
        expect![[r#"
            error[yaml-syntax]: this quote is still open at a line that starts with `---` or `...`
             --> t.yml:1:4
              |
            1 | a: "b
              |    ^
              |
              = help: close the quote before that line, or indent the line
        "#]],
    );
}

#[test]
fn brackets() {
    check(
        "a: [b, c\nd: e\n",
        expect![[r#"
        error[yaml-syntax]: a colon cannot stand here; expected `,` or `]`
         --> t.yml:2:2
          |
        1 | a: [b, c
          |    - opened here and not closed
        2 | d: e
          |  ^
    "#]],
    );
    check(
        "a: {b: c\nd: e\n",
        expect![[r#"
        error[yaml-syntax]: expected `,` or `}` here
         --> t.yml:2:2
          |
        1 | a: {b: c
          |    - opened here and not closed
        2 | d: e
          |  ^^^
    "#]],
    );
    check(
        "a: [b}\n",
        expect![[r#"
        error[yaml-syntax]: this `[` is closed with `}`
         --> t.yml:1:4
          |
        1 | a: [b}
          |    ^
          |
          = help: close it with `]`
    "#]],
    );
    check(
        "a: ]\n",
        expect![[r#"
        error[yaml-syntax]: this `]` closes nothing
         --> t.yml:1:4
          |
        1 | a: ]
          |    ^
          |
          = help: remove it, or quote the value if it is meant as text
    "#]],
    );
    check(
        "a: [,b]\n",
        expect![[r#"
            error[yaml-syntax]: expected a value before `,`
             --> t.yml:1:5
              |
            1 | a: [,b]
              |     ^
        "#]],
    );
    check(
        "a: [b,,c]\n",
        expect![[r#"
            error[yaml-syntax]: expected a value before `,`
             --> t.yml:1:7
              |
            1 | a: [b,,c]
              |       ^
        "#]],
    );
    check(
        "a: [- b]\n",
        expect![[r#"
        error[yaml-syntax]: a list item with `-` cannot stand inside brackets
         --> t.yml:1:5
          |
        1 | a: [- b]
          |     ^
          |
          = help: separate the items with commas: `[one, two]`
    "#]],
    );
    check(
        "a: [-, b]\n",
        expect![[r#"
        error[yaml-syntax]: a list item with `-` cannot stand inside brackets
         --> t.yml:1:5
          |
        1 | a: [-, b]
          |     ^
          |
          = help: separate the items with commas: `[one, two]`
    "#]],
    );
    check(
        "a: {b: c\n",
        expect![[r#"
        error[yaml-syntax]: this `{` is never closed
         --> t.yml:1:4
          |
        1 | a: {b: c
          |    ^
          |
          = help: add `}` where it ends; quote the value if it is meant to start with `{`
    "#]],
    );
    check(
        "a: [\"b\" \"c\"]\n",
        expect![[r#"
            error[yaml-syntax]: expected `,` or `]` here
             --> t.yml:1:9
              |
            1 | a: ["b" "c"]
              |    -    ^^^^
              |    |
              |    opened here and not closed
        "#]],
    );
}

#[test]
fn values_that_start_with_a_sign() {
    check(
        "a: @x y\n",
        expect![[r#"
        error[yaml-syntax]: a value cannot start with `@`
         --> t.yml:1:4
          |
        1 | a: @x y
          |    ^
          |
          = help: quote the value: '@x y'
    "#]],
    );
    check(
        "a: `x`\n",
        expect![[r#"
            error[yaml-syntax]: a value cannot start with a backtick
             --> t.yml:1:4
              |
            1 | a: `x`
              |    ^
              |
              = help: quote the value: '`x`'
        "#]],
    );
    check(
        "a: %x\n",
        expect![[r#"
        error[yaml-syntax]: a value cannot start with `%`
         --> t.yml:1:4
          |
        1 | a: %x
          |    ^
          |
          = help: quote the value: '%x'
    "#]],
    );
    check(
        "a: b\n%x\n",
        expect![[r#"
        error[yaml-syntax]: a value cannot start with `%`
         --> t.yml:2:1
          |
        2 | %x
          | ^
          |
          = help: if it belongs to the value above, indent it; otherwise quote it: '%x'
    "#]],
    );
    check(
        "a: *\n",
        expect![[r#"
        error[yaml-syntax]: `*` at the start of a value begins an alias, and no name follows
         --> t.yml:1:4
          |
        1 | a: *
          |    ^
          |
          = help: if it is meant as text, quote the value: '*'
    "#]],
    );
    check(
        "a: & b\n",
        expect![[r#"
            error[yaml-syntax]: `&` at the start of a value begins an anchor, and no name follows
             --> t.yml:1:4
              |
            1 | a: & b
              |    ^
              |
              = help: if it is meant as text, quote the value: '& b'
        "#]],
    );
    check(
        "a: !x!y b\n",
        expect![[r#"
        error[yaml-syntax]: `!x!y` at the start of a value is read as a tag, and is none
         --> t.yml:1:4
          |
        1 | a: !x!y b
          |    ^^^^
          |
          = help: a value that starts with `!` must be quoted: '!x!y b'
    "#]],
    );
    check(
        "a: ,b\n",
        expect![[r#"
        error[yaml-syntax]: a value cannot start with a comma
         --> t.yml:1:4
          |
        1 | a: ,b
          |    ^
          |
          = help: quote the value
    "#]],
    );
    check(
        "a: | x\n",
        expect![[r#"
        error[yaml-syntax]: after `|` only `-`, `+` and a digit from 1 to 9 may stand on this line
         --> t.yml:1:4
          |
        1 | a: | x
          |    ^^^
          |
          = help: begin the text on the next line, indented more than its key
          = help: if the value is meant to start with `|`, quote it
    "#]],
    );
    check(
        "a: >0\n",
        expect![[r#"
        error[yaml-syntax]: after `>` only `-`, `+` and a digit from 1 to 9 may stand on this line
         --> t.yml:1:4
          |
        1 | a: >0
          |    ^^
          |
          = help: begin the text on the next line, indented more than its key
          = help: if the value is meant to start with `>`, quote it
    "#]],
    );
    check(
        "a: ? b\n",
        expect![[r#"
            error[yaml-syntax]: a value cannot start with `?` and a space
             --> t.yml:1:4
              |
            1 | a: ? b
              |    ^^^
              |
              = help: quote the value
        "#]],
    );
}

#[test]
fn characters_that_yaml_does_not_allow() {
    check(
        "a: b\u{1}c\n",
        expect![[r#"
        error[yaml-syntax]: the character U+0001 is not allowed in YAML
         --> t.yml:1:5
          |
        1 | a: b␁c
          |     ^
          |
          = help: remove it, or write it as `\u0001` inside double quotes
    "#]],
    );
    check(
        "a: |\n  b\n  é\0\n",
        expect![[r#"
        error[yaml-syntax]: the character U+0000 is not allowed in YAML
         --> t.yml:3:4
          |
        3 |   é␀
          |    ^
          |
          = help: remove it, or write it as `\u0000` inside double quotes
    "#]],
    );
    check(
        "a: b\n\u{feff}c: d\n",
        expect![[r#"
        error[yaml-syntax]: a byte order mark may stand only at the very start of a file
         --> t.yml:2:1
          |
        2 | ﻿c: d
          | ^
          |
          = help: remove this invisible character: it often comes from joining files
    "#]],
    );
}

#[test]
fn comments_directives_and_what_follows_the_end() {
    check(
        "a: x # c\n  y\n",
        expect![[r#"
        error[yaml-syntax]: a comment cannot stand inside a value that goes on in the next line
         --> t.yml:1:6
          |
        1 | a: x # c
          |      ^^^
          |
          = help: move the comment above the value, or write the value as a block after `>`
    "#]],
    );
    check(
        "%YAML 3.0\n---\na: b\n",
        expect![[r#"
        error[yaml-syntax]: this directive is not one that YAML knows
         --> t.yml:1:1
          |
        1 | %YAML 3.0
          | ^^^^^^^^^
          |
          = help: a workflow needs no line that starts with `%`: remove it
    "#]],
    );
    check(
        "a: b\n... c\n",
        expect![[r#"
        error[yaml-syntax]: the document ended before this
         --> t.yml:2:5
          |
        2 | ... c
          |     ^
          |
          = help: a file is one mapping: put what follows under a key of it, or remove it
    "#]],
    );
    check(
        "[a]\nb: c\n",
        expect![[r#"
        error[yaml-syntax]: the document ended before this
         --> t.yml:2:1
          |
        2 | b: c
          | ^^^^
          |
          = help: a file is one mapping: put what follows under a key of it, or remove it
    "#]],
    );
}

#[test]
fn of_a_long_line_the_part_around_the_fault_is_shown() {
    check(
        &format!("a: {} b: {}\n", "é".repeat(3000), "y".repeat(3000)),
        expect![[r#"
            error[yaml-syntax]: a colon before a space or the end of the line ends a key, and here it stands inside a value
             --> t.yml:1:3006
              |
            1 | …ééééééééééééééééééééééééééééé b: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
              |  -------------------------------^
              |  |
              |  the value begins here
              |
              = help: quote the value: `a: 'ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé…'`
        "#]],
    );
}
