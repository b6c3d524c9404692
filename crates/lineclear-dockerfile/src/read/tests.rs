use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use lineclear_source::{Source, Style, render};
use proptest::prelude::*;

use crate::{Base, Dockerfile, Healthcheck, InstructionKind, Scope};

/// The model in a few words a line, then the findings.
fn outline(text: &str) -> String {
    let source = Source::new("Dockerfile", text);
    let (file, findings) = Dockerfile::read(&source);
    let mut lines = String::new();
    for directive in &file.directives {
        lines.push_str(&format!("# {}={}\n", directive.name, directive.value));
    }
    for stage in &file.stages {
        lines.push_str(&format!("stage {} {:?} {:?}\n", stage.title(), stage.from.base, stage.from.expanded));
        for instruction in &stage.instructions {
            let what = match &instruction.kind {
                InstructionKind::Run(run) => format!("run {:?}", run.script().map(|script| script.as_str())),
                InstructionKind::Cmd(line) | InstructionKind::Entrypoint(line) => match &line.exec {
                    Some(exec) => format!("exec {:?}", exec.arguments.iter().map(|(one, _)| one).collect::<Vec<_>>()),
                    None => format!("shell {:?}", line.text.as_str()),
                },
                InstructionKind::Env(pairs) | InstructionKind::Label(pairs) => {
                    pairs.iter().map(|pair| format!("{}={} ", pair.name.raw(), pair.value.raw())).collect()
                }
                InstructionKind::Copy(transfer) | InstructionKind::Add(transfer) => format!(
                    "{:?} to {:?} from {:?}",
                    transfer.sources.iter().map(crate::Word::raw).collect::<Vec<_>>(),
                    transfer.destination.raw(),
                    transfer.from.as_ref().map(crate::Word::raw)
                ),
                InstructionKind::Healthcheck(Healthcheck::Off) => "no check".to_owned(),
                InstructionKind::OnBuild(inner) => format!("on build {}", inner.keyword.raw()),
                InstructionKind::Unreadable => "?".to_owned(),
                _ => instruction.text.as_str().to_owned(),
            };
            lines.push_str(&format!("  {} {what}\n", instruction.keyword.raw()));
        }
    }
    for finding in &findings {
        lines.push_str(&render(finding, &source, Style::Plain));
    }
    lines
}

#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&outline(text));
}

#[test]
fn stages_build_upon_each_other() {
    check(
        "# syntax=docker/dockerfile:1\n# a comment\nARG V=3.12\nARG B\nFROM --platform=$BUILDPLATFORM python:${V}-slim AS base\nenv A=1 B=\"two words\" \\\n  C=3\nFROM base as Test\nRun pytest\nFROM scratch\nCOPY --from=BASE /a /b ./c/\nFROM $B\nCMD [\"a\", \"b\"]\nONBUILD RUN x\nHEALTHCHECK NONE\n",
        expect![[r#"
            # syntax=docker/dockerfile:1
            stage base Image Some("python:3.12-slim")
              env A=1 B="two words" C=3 
            stage Test Stage(0) Some("base")
              Run run Some("pytest")
            stage scratch Scratch Some("scratch")
              COPY ["/a", "/b"] to "./c/" from Some("BASE")
            stage $B Image None
              CMD exec ["a", "b"]
              ONBUILD on build RUN
              HEALTHCHECK no check
        "#]],
    );
}

#[test]
fn lines_are_joined_and_lead_back() {
    let text = "FROM a\nRUN one \\\n  # why\n  two \\  \n\n  three\\\\\nRUN `\n";
    check(
        text,
        expect![[r#"
            stage a Image Some("a")
              RUN run Some("one   two   three\\\\")
              RUN run Some("`")
            warning[dockerfile-syntax]: an empty line inside of a continued instruction: builders are to refuse it one day
             --> Dockerfile:5:1
              |
            5 |
              | ^
              |
              = help: remove the line, or begin it with `#`
        "#]],
    );
    let source = Source::new("Dockerfile", text);
    let (file, _) = Dockerfile::read(&source);
    let InstructionKind::Run(run) = &file.stages[0].instructions[0].kind else { panic!("it is a run") };
    let at = run.command.text.as_str().find("two").expect("it is there");
    assert_eq!(source.slice(run.command.text.span_of(at..at + 3)), "two");
    assert_eq!(file.comments.len(), 1);
}

#[test]
fn here_documents_are_scripts_and_files() {
    check(
        "FROM a\nRUN <<EOF\nset -e\nmake # no comment of the file\nEOF\nRUN <<-'A B'  cat\n\tx\n\tA B\nCOPY <<one <<two /to/\n1\none\n2\ntwo\nRUN python3 <<EOF\nprint(1)\nEOF\nRUN <<X\n#!/usr/bin/env python3\nX\nRUN cat <<< x && echo $((1 <<2))\n",
        expect![[r#"
            stage a Image Some("a")
              RUN run Some("set -e\nmake # no comment of the file\n")
              RUN run None
              COPY ["<<one", "<<two"] to "/to/" from None
              RUN run Some("python3 <<EOF")
              RUN run None
              RUN run Some("cat <<< x && echo $((1 <<2))")
            error[dockerfile-syntax]: the here-document `2))` never ends
              --> Dockerfile:20:28
               |
            20 | RUN cat <<< x && echo $((1 <<2))
               |                            ^^^^^
               |
               = help: end it with a line that is `2))` and nothing else, without white space around
        "#]],
    );
}

#[test]
fn a_windows_file_has_another_escape() {
    check(
        "# escape=`\r\nFROM a\r\nCOPY C:\\a `\r\n  C:\\b\\\r\nRUN dir\r\n",
        expect![[r#"
            # escape=`
            stage a Image Some("a")
              COPY ["C:\\a"] to "C:\\b\\" from None
              RUN run Some("dir")
        "#]],
    );
}

#[test]
fn faults_are_told_all_at_once() {
    check(
        "RUN x\nFORM a\nFROM a b c\nCOPPY . .\nCOPY --form=x . .\nCOPY a\nENV A=1 B\nCMD ['a']\nRUN [ -f x ] && y\nSHELL bash\nHEALTHCHECK --interval=30 CMD x\nEXPOSE 80:80\nRUN --mount=type=cahce,target=/x y\nLABEL a=${b\nONBUILD FROM x\nUSER\n",
        expect![[r#"
            stage a Image Some("a")
              COPY ["."] to "." from None
              COPY ?
              ENV A=1 
              CMD shell "['a']"
              RUN run Some("[ -f x ] && y")
              SHELL ?
              HEALTHCHECK CMD x
              EXPOSE 80:80
              RUN run Some("y")
              LABEL a=${b 
              ONBUILD on build FROM
              USER ?
            error[dockerfile-syntax]: `RUN` stands before the first `FROM`
             --> Dockerfile:1:1
              |
            1 | RUN x
              | ^^^
              |
              = help: only `ARG` may stand there: begin the stage with `FROM` first
            error[dockerfile-syntax]: `FORM` is no instruction; did you mean `FROM`?
             --> Dockerfile:2:1
              |
            2 | FORM a
              | ^^^^
            error[dockerfile-syntax]: behind the image comes `AS name` or nothing
             --> Dockerfile:3:8
              |
            3 | FROM a b c
              |        ^^^
              |
              = help: write `FROM image AS name`
            error[dockerfile-syntax]: `COPPY` is no instruction; did you mean `COPY`?
             --> Dockerfile:4:1
              |
            4 | COPPY . .
              | ^^^^^
            error[dockerfile-syntax]: `--form` is no flag of `COPY`; did you mean `--from`?
             --> Dockerfile:5:6
              |
            5 | COPY --form=x . .
              |      ^^^^^^^^
            error[dockerfile-syntax]: `COPY` needs at least one source and a destination
             --> Dockerfile:6:6
              |
            6 | COPY a
              |      ^
              |
              = help: write `COPY a ./`
            error[dockerfile-syntax]: `B` has no `=`: each word of `ENV` is `name=value`
             --> Dockerfile:7:9
              |
            7 | ENV A=1 B
              |         ^
              |
              = help: a value with spaces is written in quotes
            error[dockerfile-syntax]: this is not a JSON array, so a shell gets all of it as a command: strings need double quotes
             --> Dockerfile:8:6
              |
            8 | CMD ['a']
              |      ^
              |
              = help: write `CMD ["program", "argument"]`
            error[dockerfile-syntax]: `SHELL` needs a JSON array: it does not begin with `[`
              --> Dockerfile:10:7
               |
            10 | SHELL bash
               |       ^
               |
               = help: write `SHELL ["/bin/bash", "-o", "pipefail", "-c"]`
            error[dockerfile-syntax]: `30` is no duration: write it with its unit, `30s` or `1m30s`
              --> Dockerfile:11:24
               |
            11 | HEALTHCHECK --interval=30 CMD x
               |                        ^^
            error[dockerfile-syntax]: `80:80` is no port
              --> Dockerfile:12:8
               |
            12 | EXPOSE 80:80
               |        ^^^^^
               |
               = help: write `8080`, `8080/udp` or `8000-8010`
            error[dockerfile-syntax]: there is no mount of type `cahce`; did you mean `cache`?
              --> Dockerfile:13:18
               |
            13 | RUN --mount=type=cahce,target=/x y
               |                  ^^^^^
               |
               = help: the types are `bind`, `cache`, `tmpfs`, `secret` and `ssh`
            error[dockerfile-syntax]: a `${` is never closed
              --> Dockerfile:14:9
               |
            14 | LABEL a=${b
               |         ^^
            error[dockerfile-syntax]: `FROM` cannot stand behind `ONBUILD`
              --> Dockerfile:15:9
               |
            15 | ONBUILD FROM x
               |         ^^^^
            error[dockerfile-syntax]: `USER` needs a user
              --> Dockerfile:16:1
               |
            16 | USER
               | ^^^^
        "#]],
    );
}

#[test]
fn a_file_needs_a_stage() {
    check(
        "# nothing\n",
        expect![[r#"
        error[dockerfile-syntax]: the file has no `FROM`: there is nothing to build
        --> Dockerfile
         = help: begin with the image to build upon: `FROM image:version`
    "#]],
    );
}

#[test]
fn scopes_follow_the_stages() {
    let text = "ARG V=1\nFROM a AS one\nARG V\nENV W=$V-x\nFROM one\nARG U=${W}y\nENV W=z\nRUN x\n";
    let (file, findings) = Dockerfile::read(&Source::new("Dockerfile", text));
    assert_eq!(findings, []);
    let given = BTreeMap::new();
    let scope = Scope::at(&file, &file.stages[1], 3, &given);
    assert_eq!((scope.get("V"), scope.get("W"), scope.get("U")), (Some("1"), Some("z"), Some("1-xy")));
    let given = BTreeMap::from([("V".to_owned(), "2".to_owned())]);
    assert_eq!(Scope::at(&file, &file.stages[1], 0, &given).get("W"), Some("2-x"));
    assert_eq!(file.needed_by(&file.stages[1]), [true, true]);
    assert_eq!(file.stages[1].from.base, Base::Stage(0));
}

#[test]
fn values_that_double_end_in_time() {
    let mut text = "ARG A0=xxxxxxxx\n".to_owned();
    for index in 1..200 {
        text.push_str(&format!("ARG A{index}=$A{0}$A{0}\n", index - 1));
    }
    text.push_str(&"FROM $A199\n".repeat(1000));
    outline(&text);
}

proptest! {
    #[test]
    fn any_text_is_read(text in "((FROM|RUN|COPY|ENV|ARG|CMD|HEALTHCHECK|ONBUILD|SHELL|#|--from=|--mount=type=|<<-?EOF|EOF|\\$\\{|[ \\n\\\\\"'\\[\\],=:é{}$a-b/]){0,8}[ \\n]?){0,8}") {
        outline(&text);
    }

    #[test]
    fn any_characters_are_read(text in any::<String>()) {
        outline(&text);
    }
}
