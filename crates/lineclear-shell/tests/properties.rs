//! What holds for every text.

use std::ops::Range;

use lineclear_shell::{Language, Part, Script, Word};
use proptest::prelude::*;

fn within(text: &str, span: &Range<usize>) {
    assert!(span.start <= span.end && text.get(span.clone()).is_some(), "{span:?} is no place in {text:?}");
}

fn check_word(text: &str, word: &Word) {
    within(text, &word.span);
    let mut last = word.span.start;
    let mut outer = word.span.start;
    for part in &word.parts {
        let span = part.span();
        within(text, &span);
        assert!(
            word.span.start <= span.start && span.end <= word.span.end,
            "{part:?} is outside of {word:?} in {text:?}"
        );
        assert!(last <= span.start, "{part:?} is out of order in {word:?} in {text:?}");
        last = span.start;
        if !matches!(part, Part::Literal { .. }) {
            assert!(text.get(span.clone()).is_some_and(|written| !written.is_empty()), "{part:?} in {text:?}");
        }
        outer = outer.max(span.end);
    }
}

fn check(text: &str, language: Language) {
    let script = Script::read(text, language);
    let mut begins = 0;
    for (index, command) in script.commands.iter().enumerate() {
        within(text, &command.span);
        assert!(command.reads_from.is_none_or(|from| from < index), "{text:?}");
        assert!(command.inside.is_none_or(|holder| holder < index), "{text:?}");
        assert!(command.group.is_none_or(|group| group < script.groups.len()), "{text:?}");
        assert!(begins <= command.span.start, "command {index} is out of order in {text:?}");
        begins = command.span.start;
        let mut last = command.span.start;
        for word in &command.words {
            check_word(text, word);
            assert!(last <= word.span.start, "{word:?} is out of order in {text:?}");
            assert!(word.span.end <= command.span.end, "{text:?}");
            last = word.span.end;
        }
        for assignment in &command.assignments {
            within(text, &assignment.span);
            check_word(text, &assignment.value);
        }
        for redirect in &command.redirects {
            within(text, &redirect.span);
            check_word(text, &redirect.target);
        }
        let _ = command.program();
        assert!(script.groups_of(index).count() <= script.groups.len());
    }
    for (index, group) in script.groups.iter().enumerate() {
        within(text, &group.span);
        assert!(group.parent.is_none_or(|parent| parent < index), "{text:?}");
        assert!(script.commands.get(group.commands.clone()).is_some(), "{text:?}");
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        " ",
        " ",
        " ",
        "\n",
        "\n",
        "\t",
        "\r\n",
        "a",
        "echo",
        "x=1",
        "é",
        "\u{1F600}",
        "'",
        "\"",
        "\\",
        "`",
        "$",
        "$x",
        "${",
        "${x:-",
        "}",
        "$(",
        ")",
        "$((",
        "))",
        "(",
        "((",
        "<(",
        "<",
        ">",
        ">>",
        "2>&1",
        "<<EOF",
        "<<-'EOF'",
        "EOF",
        "<<<",
        "|",
        "||",
        "&",
        "&&",
        ";",
        ";;",
        "{",
        "{ ",
        "if ",
        "then ",
        "else ",
        "fi",
        "for ",
        "in ",
        "do ",
        "done",
        "while ",
        "case ",
        "esac",
        "function ",
        "f()",
        "[[ ",
        " ]]",
        "=~",
        "!",
        "#",
        "${{ ",
        "}}",
        "${{ a }}",
        "bash -c ",
        "a=(",
        "$'",
        "@'\n",
        "\n'@",
        "@\"\n",
        "\n\"@",
        "@{",
        "$env:X",
        "<#",
        "#>",
        "%x%",
        "%",
        "^",
        "rem ",
        "foreach ",
        "^\n",
        "`\n",
        "$x = ",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn places_fit_any_text_of_meaningful_pieces(pieces in proptest::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        for language in [Language::Posix, Language::PowerShell, Language::Cmd] {
            check(&text, language);
        }
    }

    #[test]
    fn places_fit_any_text(text in "\\PC{0,60}") {
        for language in [Language::Posix, Language::PowerShell, Language::Cmd] {
            check(&text, language);
        }
    }

    #[test]
    fn what_is_written_one_behind_the_other_is_read_one_behind_the_other(
        words in proptest::collection::vec("[a-z./-]{1,6}|'[ |;a-z]{0,5}'|\"[ |;a-z]{0,5}\"", 1..8)
    ) {
        // A first word that is no keyword and no assignment.
        let text = format!("run {}", words.join(" "));
        let script = Script::read(&text, Language::Posix);
        let found: Vec<&str> = script.commands.iter().flat_map(|command| &command.words).map(|word| &text[word.span.clone()]).collect();
        prop_assert_eq!(found.join(" "), text.clone());
        let twice = Script::read(&format!("{text}\n{text}"), Language::Posix);
        prop_assert_eq!(twice.commands.len(), 2 * script.commands.len());
    }
}

#[test]
fn hostile_texts_take_no_time() {
    let pieces = [
        "$(",
        "$((",
        "((",
        "(",
        "{ ",
        "if ",
        "${x:-",
        "${{",
        "`",
        "\"",
        "'",
        "\"$(",
        "<<A ",
        "<<A\n",
        "case x in ",
        "for ((",
        "for ((\n",
        "f() ",
        "a=(",
        "[[ ",
        "! ",
        "a|",
        "a&&",
        "bash -c '",
        "@{",
        "@(",
        "@'\n",
        "$x = ",
        "<#",
        "{",
        "%a:",
        "a\n",
        "\\",
        "> ",
        "$(cat <<A\n",
        "{ a; } >",
        "`${{",
    ];
    for piece in pieces {
        let text = piece.repeat(40_000);
        for language in [Language::Posix, Language::PowerShell, Language::Cmd] {
            let start = std::time::Instant::now();
            let script = Script::read(&text, language);
            drop(script);
            let taken = start.elapsed();
            assert!(taken.as_secs() < 10, "{piece:?} took {taken:?} as {language:?}");
        }
    }
}

#[test]
fn a_pipe_behind_nothing_reads_from_nothing() {
    check("^\n|a", Language::Cmd);
    check("|a", Language::PowerShell);
    check("| a | b", Language::Posix);
}
