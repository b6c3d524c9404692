use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Heard {
    log: String,
    said: Vec<Said>,
}

impl Ear for Heard {
    fn said(&mut self, said: Said) {
        self.log.push_str(&format!("<{said:?}>\n"));
        self.said.push(said);
    }

    fn lines(&mut self, masked: &[u8]) {
        assert!(masked.ends_with(b"\n"), "lines are complete");
        self.log.push_str(std::str::from_utf8(masked).expect("lines are text"));
    }
}

fn listen(settings: InterpreterSettings, pieces: &[(usize, &[u8])]) -> Heard {
    let mut interpreter = Interpreter::new(settings, SharedMasker::default(), Arc::default());
    let mut heard = Heard::default();
    for (stream, bytes) in pieces {
        interpreter.feed(*stream, bytes, &mut heard);
    }
    interpreter.finish(&mut heard);
    heard
}

fn check(output: &str, expected: Expect) {
    expected.assert_eq(&listen(InterpreterSettings::default(), &[(0, output.as_bytes())]).log);
}

#[test]
fn ordinary_lines_pass_unchanged() {
    check(
        "a\n\nb::c\nstd::fs ##no\nlast",
        expect![[r#"
        a

        b::c
        std::fs ##no
        last
    "#]],
    );
}

#[test]
fn carriage_returns_end_lines() {
    check(
        "10%\r20%\r\ndone\r\n",
        expect![[r#"
        10%
        20%
        done
    "#]],
    );
    let heard = listen(InterpreterSettings::default(), &[(0, b"a\r"), (0, b"\nb\r"), (0, b"c")]);
    assert_eq!(heard.log, "a\nb\nc\n");
}

#[test]
fn trap_16_set_env_fails_the_step_and_set_output_works_with_a_warning() {
    check(
        "::set-output name=a::1\n::set-output name=b::2\n",
        expect![[r###"
        ##[warning]The `set-output` command is deprecated and will be disabled soon. Please upgrade to using Environment Files: write to the file that $GITHUB_OUTPUT names.
        <Annotation(Note { origin: Command, level: Warning, message: "The `set-output` command is deprecated and will be disabled soon. Please upgrade to using Environment Files: write to the file that $GITHUB_OUTPUT names.", title: None, file: None, line: None, end_line: None, column: None, end_column: None })>
        <SetOutput { name: "a", value: "1" }>
        <SetOutput { name: "b", value: "2" }>
    "###]],
    );
    let heard = listen(InterpreterSettings::default(), &[(0, b"::set-env name=A::1\n")]);
    assert!(matches!(heard.said.last(), Some(Said::Failed(why)) if why.contains("`set-env` command is disabled")));
    let insecure = InterpreterSettings { insecure_commands: true, ..Default::default() };
    let heard = listen(insecure, &[(0, b"::set-env name=A::1\n::add-path::/x\n::set-env name=node_options::x\n")]);
    assert_eq!(heard.said[0], Said::SetEnv { name: "A".into(), value: "1".into() });
    assert_eq!(heard.said[1], Said::AddPath("/x".into()));
    assert!(matches!(heard.said.last(), Some(Said::Failed(why)) if why.contains("NODE_OPTIONS")));
}

#[test]
fn trap_23_stop_commands_checks_its_token_and_masks_still_apply() {
    check(
        "::add-mask::hunter2\n::stop-commands::quiet\n::warning::hunter2\n::QUIET::\n::notice::back\n",
        expect![[r###"
        ::stop-commands::quiet
        ::warning::***
        ::QUIET::
        ##[notice]back
        <Annotation(Note { origin: Command, level: Notice, message: "back", title: None, file: None, line: None, end_line: None, column: None, end_column: None })>
    "###]],
    );
    for token in ["", "warning", "pause-logging"] {
        let heard = listen(InterpreterSettings::default(), &[(0, format!("::stop-commands::{token}\n").as_bytes())]);
        assert!(matches!(heard.said.last(), Some(Said::Failed(_))), "{token}");
    }
    let heard = listen(InterpreterSettings::default(), &[(0, b"::stop-commands::long-token\nlong-token\n")]);
    assert_eq!(heard.log, "::stop-commands::long-token\n***\n");
}

#[test]
fn trap_26_commands_on_both_streams_are_understood_line_by_line() {
    let pieces: [(usize, &[u8]); 4] = [(0, b"half "), (1, b"::notice::from std"), (0, b"line\n"), (1, b"err\n")];
    let heard = listen(InterpreterSettings::default(), &pieces);
    assert!(heard.log.starts_with("half line\n##[notice]from stderr\n"), "{}", heard.log);
}

#[test]
fn trap_27_an_old_command_stands_anywhere_and_a_new_one_only_at_the_start() {
    check(
        "x ##[warning]w\nx ::warning::w\n\t::notice::n\n##[section]s\n",
        expect![[r###"
        ##[warning]w
        <Annotation(Note { origin: Command, level: Warning, message: "w", title: None, file: None, line: None, end_line: None, column: None, end_column: None })>
        x ::warning::w
        ##[notice]n
        <Annotation(Note { origin: Command, level: Notice, message: "n", title: None, file: None, line: None, end_line: None, column: None, end_column: None })>
        ##[section]s
    "###]],
    );
}

#[test]
fn trap_28_at_most_ten_annotations_of_a_kind() {
    let heard = listen(InterpreterSettings::default(), &[(0, "::error::x\n".repeat(12).as_bytes())]);
    assert_eq!(heard.said.len(), 10);
    assert_eq!(heard.log.matches("##[error]x").count(), 12);
}

#[test]
fn groups_and_debug_lines() {
    check(
        "::group::Install\n::debug::hidden\n::endgroup::\n::echo::on\n::set-output name=a::1\n",
        expect![[r###"
        ##[group]Install
        ##[endgroup]
        ::set-output name=a::1
        ##[warning]The `set-output` command is deprecated and will be disabled soon. Please upgrade to using Environment Files: write to the file that $GITHUB_OUTPUT names.
        <Annotation(Note { origin: Command, level: Warning, message: "The `set-output` command is deprecated and will be disabled soon. Please upgrade to using Environment Files: write to the file that $GITHUB_OUTPUT names.", title: None, file: None, line: None, end_line: None, column: None, end_column: None })>
        <SetOutput { name: "a", value: "1" }>
    "###]],
    );
    let debug = InterpreterSettings { debug: true, ..Default::default() };
    assert_eq!(listen(debug, &[(0, b"::debug::seen\n")]).log, "##[debug]seen\n");
}

#[test]
fn a_mask_holds_from_the_next_line_on_and_in_annotations() {
    let heard = listen(
        InterpreterSettings::default(),
        &[(0, b"x s3cr3t\n::add-mask::s3cr3t\nx s3cr3t\n::error title=s3cr3t::a s3cr3t\n")],
    );
    assert!(heard.log.starts_with("x s3cr3t\nx ***\n##[error]a ***\n"), "{}", heard.log);
    assert!(!heard.log[20..].contains("s3cr3t"));
}

#[test]
fn a_secret_across_the_cut_of_an_annotation_is_not_shown() {
    let long = "x".repeat(4090);
    let heard = listen(
        InterpreterSettings::default(),
        &[(0, format!("::add-mask::hunter2-secret\n::error::{long}hunter2-secret\n").as_bytes())],
    );
    let [Said::Annotation(note)] = &heard.said[..] else { panic!("one annotation") };
    assert_eq!(note.message, format!("{long}***"));
}

#[test]
fn matchers_see_every_ordinary_line() {
    let matchers: Arc<Mutex<Matchers>> = Arc::default();
    let json = r#"{"problemMatcher":[{"owner":"m","pattern":[{"regexp":"^E (.*)$","message":1}]}]}"#;
    matchers.lock().expect("not poisoned").add(json).expect("valid");
    let mut interpreter = Interpreter::new(InterpreterSettings::default(), SharedMasker::default(), matchers);
    let mut heard = Heard::default();
    interpreter.feed(0, b"a\nE wrong\nb\n::remove-matcher owner=m::\nE later\n", &mut heard);
    interpreter.finish(&mut heard);
    assert_eq!(heard.said.len(), 1);
    assert!(heard.log.starts_with("a\nE wrong\n<Annotation"), "{}", heard.log);
}

/// Adds the problem matcher that a command names, as the runner does.
struct Adding {
    matchers: Arc<Mutex<Matchers>>,
    annotations: usize,
}

impl Ear for Adding {
    fn lines(&mut self, _: &[u8]) {}

    fn said(&mut self, said: Said) {
        match said {
            Said::AddMatcher(json) => self.matchers.lock().expect("not poisoned").add(&json).expect("valid"),
            Said::Annotation(_) => self.annotations += 1,
            _ => {}
        }
    }
}

#[test]
fn a_matcher_sees_the_lines_after_its_own_command_in_the_same_chunk() {
    let matchers: Arc<Mutex<Matchers>> = Arc::default();
    let mut ear = Adding { matchers: Arc::clone(&matchers), annotations: 0 };
    let mut interpreter = Interpreter::new(InterpreterSettings::default(), SharedMasker::default(), matchers);
    let json = r#"{"problemMatcher":[{"owner":"m","pattern":[{"regexp":"^E (.*)$","message":1}]}]}"#;
    let text = format!("E before\n::add-matcher::{json}\nE one\nE two\n::remove-matcher owner=m::\nE later\n");
    interpreter.feed(0, text.as_bytes(), &mut ear);
    assert_eq!(ear.annotations, 2);
}

#[test]
fn invalid_utf_8_is_shown_as_replacement_characters() {
    let heard = listen(InterpreterSettings::default(), &[(0, b"a\xFFb\n\xC3")]);
    assert_eq!(heard.log, "a\u{fffd}b\n\u{fffd}\n");
}

#[test]
fn a_line_without_end_is_shown_in_pieces_and_kept_masked() {
    let mut interpreter = Interpreter::new(InterpreterSettings::default(), SharedMasker::default(), Arc::default());
    let mut heard = Heard::default();
    interpreter.shared.add("hunter2-secret");
    let piece = "0123456789hunter2-secretä".repeat(4001);
    for _ in 0..100 {
        interpreter.feed(0, piece.as_bytes(), &mut heard);
        assert!(interpreter.streams[0].pending.capacity() < 4 * LONGEST_LINE);
    }
    interpreter.finish(&mut heard);
    assert_eq!(heard.log.replace('\n', ""), "0123456789***ä".repeat(400_100));
}

proptest! {
    #[test]
    fn chunk_borders_change_nothing(
        lines in proptest::collection::vec("(::warning::|::group::|##\\[error\\]|::add-mask::|::set-output name=x::|)[a-zé:%# \\r]{0,12}", 0..12),
        cuts in proptest::collection::vec(0_usize..200, 0..8),
    ) {
        let text = lines.join("\n");
        let whole = listen(InterpreterSettings::default(), &[(0, text.as_bytes())]).log;
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<(usize, &[u8])> = cuts.windows(2).map(|pair| (0, &text.as_bytes()[pair[0]..pair[1]])).collect();
        prop_assert_eq!(listen(InterpreterSettings::default(), &pieces).log, whole);
    }

    #[test]
    fn no_secret_is_shown_whatever_the_chunks(
        secret in "[A-Za-z0-9+/&'\"]{8,20}",
        texts in proptest::collection::vec("[a-z ]{0,10}", 1..6),
        size in 1_usize..40,
    ) {
        let mut interpreter = Interpreter::new(InterpreterSettings::default(), SharedMasker::default(), Arc::default());
        interpreter.shared.add(&secret);
        let forms = crate::encoding::all(&secret);
        let output: String = texts.iter().zip(forms.iter().cycle()).map(|(text, form)| format!("{text}{form}\n")).collect();
        let mut heard = Heard::default();
        for piece in output.as_bytes().chunks(size) {
            interpreter.feed(0, piece, &mut heard);
        }
        interpreter.finish(&mut heard);
        prop_assert!(!heard.log.contains(&secret), "{}", heard.log);
    }

    #[test]
    fn any_bytes_are_understood_without_a_panic(pieces in proptest::collection::vec((0_usize..3, proptest::collection::vec(any::<u8>(), 0..60)), 0..8)) {
        let pieces: Vec<(usize, &[u8])> = pieces.iter().map(|(stream, bytes)| (*stream, &**bytes)).collect();
        listen(InterpreterSettings::default(), &pieces);
    }
}
