//! Snippets and what is read in them.
//!
//! A line for each command: what it stands in, its words by their pieces, what follows.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use lineclear_shell::{Connector, Language, Part, Quoting, RedirectKind, Script, Word};

fn written(word: &Word) -> String {
    let mut text = String::new();
    for part in &word.parts {
        let piece = match part {
            Part::Literal { text, .. } => text.replace('\n', "\\n"),
            Part::Variable { name, .. } => format!("<${name}>"),
            Part::Substitution { .. } => "<()>".to_owned(),
            Part::Arithmetic { .. } => "<(())>".to_owned(),
            Part::Expression { .. } => "<{{}}>".to_owned(),
        };
        match part.quoting() {
            Quoting::None => text.push_str(&piece),
            Quoting::Single => write!(text, "'{piece}'").expect("text takes everything"),
            Quoting::Double => write!(text, "\"{piece}\"").expect("text takes everything"),
        }
    }
    text
}

fn outline(text: &str, language: Language) -> String {
    let script = Script::read(text, language);
    let mut lines = String::new();
    for (index, command) in script.commands.iter().enumerate() {
        let mut line = format!("{index}");
        if let Some(holder) = command.inside {
            let _ = write!(line, " in {holder}");
        }
        if let Some(from) = command.reads_from {
            let _ = write!(line, " from {from}");
        }
        let groups: Vec<String> = script.groups_of(index).map(|group| format!("{:?}", group.kind)).collect();
        if !groups.is_empty() {
            let _ = write!(line, " {}", groups.join("/"));
        }
        if command.is_condition {
            line.push_str(" condition");
        }
        line.push(':');
        for assignment in &command.assignments {
            let _ = write!(line, " {}={}", assignment.name, written(&assignment.value));
        }
        for word in &command.words {
            let _ = write!(line, " {}", written(word));
        }
        for redirect in script.redirects_of(index) {
            let sign = match redirect.kind {
                RedirectKind::Read => "<",
                RedirectKind::Write => ">",
                RedirectKind::Append => ">>",
                RedirectKind::Duplicate => ">&",
                RedirectKind::HereDocument if redirect.is_open => "<<(open)",
                RedirectKind::HereDocument => "<<",
                RedirectKind::HereString => "<<<",
            };
            let descriptor = redirect.descriptor.map(|number| number.to_string()).unwrap_or_default();
            let _ = write!(line, "  {descriptor}{sign}{}", written(&redirect.target));
        }
        match command.connector {
            Connector::End => {}
            Connector::And => line.push_str(" &&"),
            Connector::Or => line.push_str(" ||"),
            Connector::Pipe => line.push_str(" |"),
            Connector::Background => line.push_str(" &"),
        }
        let _ = writeln!(lines, "{line}");
    }
    lines
}

fn check_posix(text: &str, expected: Expect) {
    expected.assert_eq(&outline(text, Language::Posix));
}

fn check_power_shell(text: &str, expected: Expect) {
    expected.assert_eq(&outline(text, Language::PowerShell));
}

fn check_cmd(text: &str, expected: Expect) {
    expected.assert_eq(&outline(text, Language::Cmd));
}

#[test]
fn words_and_quotes() {
    check_posix(
        r#"echo a'b c'"d $e"\ f "" '' $'x\ty' "a\"b" # note"#,
        expect![[r#"
        0: echo a'b c'"d ""<$e>" f "" '' 'x	y' "a"b"
    "#]],
    );
    check_posix(
        "A=1 B='x y' C= run\nD=$(date) E+=x\nF=(a \"b c\" # note\n $d)\nlocal -a g=(h i)",
        expect![[r#"
        0: A=1 B='x y' C= run
        1: D=<()> E=x
        2 in 1: date
        3: F=a"b c"<$d>
        4: local -a g=hi
    "#]],
    );
    check_posix(
        "a \\\n  b\nc\\\nd",
        expect![[r#"
        0: a b
        1: cd
    "#]],
    );
}

#[test]
fn expansions() {
    check_posix(
        r#"echo ${a:-$b} "${c:-"${d}"}" ${e%%/*} ${#f[@]} ${!g} $1 $@ "$?" $ a$"#,
        expect![[r#"
        0: echo <$a><$b> "<$c>""<$d>" <$e> <$f> <$g> <$1> <$@> "<$?>" $ a$
    "#]],
    );
    check_posix(
        "echo $(a \"$(b 'c)')\" | d) `e \\`f\\`` $((1 + $x * (2))) $( (g) ) <(h)",
        expect![[r#"
        0: echo <()> <()> <(())>"<$x>" <()> <()>
        1 in 0: a "<()>" |
        2 in 1: b 'c)'
        3 in 0 from 1: d
        4 in 0: e `f`
        5 in 0 Subshell: g
        6 in 0: h
    "#]],
    );
    check_posix(
        "for ((i = 0; i < $n; i++)); do a; done; ((x++)); (( y > 1 )) && b",
        expect![[r#"
        0 Loop: for <(())>"<$n>"
        1 Loop: a
        2: <(())>
        3 condition: <(())> &&
        4: b
    "#]],
    );
}

#[test]
fn expressions_are_opaque() {
    check_posix(
        "echo ${{ a || 'b; }}' }} '${{ x == 'y' }}' \"${{ z }}\" pre${{ w }}post # ${{ 'c\n' }}\nnext",
        expect![[r#"
        0: echo <{{}}> '<{{}}>' "<{{}}>" pre<{{}}>post
        1: next
    "#]],
    );
    check_posix(
        "cat <<'EOF'\n${{ a }} $b\nEOF\n${{ c }}/bin/run ${{ open",
        expect![[r#"
        0: cat  <<'<{{}}>'' $b\n'
        1: <{{}}>/bin/run <$>
    "#]],
    );
}

#[test]
fn here_documents() {
    check_posix(
        "cat <<A > out <<-'B'\na $x\nA\n\tb $y\n\tB\nnext",
        expect![[r#"
        0: cat  <<"a ""<$x>""\n"  >out  <<'	b $y\n'
        1: next
    "#]],
    );
    check_posix(
        "x=$(cat <<E\nit's (\nE\n)\ncat <<< \"$y\" <<\\Z\n$z\nZ\nrun <<OPEN\nrest",
        expect![[r#"
        0: x=<()>
        1 in 0: cat  <<"it's (\n"
        2: cat  <<<"<$y>"  <<'$z\n'
        3: run  <<(open)"rest"
    "#]],
    );
    check_posix(
        "x=$(cat <<E\na\nE)\nnext",
        expect![[r#"
        0: x=<()>
        1 in 0: cat  <<"a\n"
        2: next
    "#]],
    );
    check_posix(
        "while read -r l; do echo \"$l\"; done <<E\n${a}\nE\nnext",
        expect![[r#"
        0 Loop condition: read -r l  <<"<$a>""\n"
        1 Loop: echo "<$l>"  <<"<$a>""\n"
        2: next
    "#]],
    );
}

#[test]
fn pipelines_and_lists() {
    check_posix(
        "a | b |& c && d || e & f; g",
        expect![[r#"
        0 condition: a |
        1 from 0 condition: b |
        2 from 1 condition: c &&
        3 condition: d ||
        4: e &
        5: f
        6: g
    "#]],
    );
    check_posix(
        "! a | b\nif ! c; then d; elif e && f; then g; else h; fi | i",
        expect![[r#"
        0 condition: a |
        1 from 0 condition: b
        2 Condition condition: c
        3 Condition: d
        4 Condition condition: e &&
        5 Condition condition: f
        6 Condition: g
        7 Condition: h |
        8 from 7: i
    "#]],
    );
    check_posix(
        "{ a; b; } >> \"$OUT\" 2>&1 || c\n( d; e ) &\n{ f\n} | { g; h | i; }",
        expect![[r#"
        0 Block condition: a  >>"<$OUT>"  2>&1
        1 Block condition: b  >>"<$OUT>"  2>&1 ||
        2: c
        3 Subshell: d
        4 Subshell: e &
        5 Block: f |
        6 from 5 Block: g
        7 from 5 Block: h |
        8 from 7 Block: i
    "#]],
    );
    check_posix(
        "a 2>err >&2 >|x &>y &>>z 3< in <&- n>m {fd}>k",
        expect![[r#"
        0: a n  2>err  >&2  >x  >y  >>z  3<in  >&-  >m  >k
    "#]],
    );
}

#[test]
fn compound_commands() {
    check_posix(
        "for f in *.txt $(ls); do\n  a \"$f\"\ndone\nfor x; do b; done\nselect y in 1; do c; done",
        expect![[r#"
        0 Loop: for f in *.txt <()>
        1 in 0 Loop: ls
        2 Loop: a "<$f>"
        3 Loop: for x
        4 Loop: b
        5 Loop: select y in 1
        6 Loop: c
    "#]],
    );
    check_posix(
        "while read l; do a; done < f\nuntil b; do sleep 1; done",
        expect![[r#"
        0 Loop condition: read l  <f
        1 Loop: a  <f
        2 Loop condition: b
        3 Loop: sleep 1
    "#]],
    );
    check_posix(
        "case \"$x\" in\n  a|b) c ;;\n  (d*) e; f ;&\n  *) g\nesac\nh",
        expect![[r#"
        0 Condition: case "<$x>" in
        1 Condition: c
        2 Condition: e
        3 Condition: f
        4 Condition: g
        5: h
    "#]],
    );
    check_posix(
        "f() { a; }\nfunction g {\n b\n}\nfunction h() ( c )\nf && g",
        expect![[r#"
        0 Block/Function: a
        1 Block/Function: b
        2 Subshell/Function: c
        3 condition: f &&
        4: g
    "#]],
    );
    check_posix(
        "[[ $a == b* && ( -f c || $d =~ ^(x|y)z$ ) ]] && e\n[[ -n $(f) ]]",
        expect![[r#"
        0 condition: [[ <$a> == b* && ( -f c || <$d> =~ ^(x|y)z$ ) ]] &&
        1: e
        2: [[ -n <()> ]]
        3 in 2: f
    "#]],
    );
}

#[test]
fn scripts_in_quotes() {
    check_posix(
        "sudo bash -euc 'a | b; c \"$d\"' x\nsh -c \"e $f\"\nbash -c \"$(curl x)\"",
        expect![[r#"
        0: sudo bash -euc 'a | b; c "$d"' x
        1 in 0: a |
        2 in 0 from 1: b
        3 in 0: c "<$d>"
        4: sh -c "e ""<$f>"
        5 in 4: e <$f>
        6: bash -c "<()>"
        7 in 6: curl x
    "#]],
    );
}

#[test]
fn what_is_broken_ends_somewhere() {
    check_posix(
        "a)\nb }\ndone\nfi; c\n;; d\nif x\ne",
        expect![[r#"
        0: a
        1: b }
        2: c
        3: d
        4 Condition condition: x
        5 Condition condition: e
    "#]],
    );
    check_posix(
        "echo \"open\nb",
        expect![[r#"
        0: echo "open\nb"
    "#]],
    );
    check_posix(
        "a ( b ) c\n$(",
        expect![[r#"
        0: a
        1 Subshell: b
        2: c
        3: <()>
    "#]],
    );
}

#[test]
fn power_shell() {
    check_power_shell(
        "Write-Host \"a $b `\"c`\" $env:D\" 'e''f' -g:$h # note\necho \"x=$y\" >> $env:GITHUB_OUTPUT",
        expect![[r#"
        0: Write-Host "a ""<$b>"" "c" ""<$D>" 'e'f' -g:<$h>
        1: echo "x=""<$y>"  >><$GITHUB_OUTPUT>
    "#]],
    );
    check_power_shell(
        "iex (irm https://a/b)\niex ((New-Object Net.WebClient).DownloadString('https://c'))\nirm d | iex",
        expect![[r#"
        0: iex <()>
        1 in 0: irm https://a/b
        2: iex <()>
        3 in 2: <()>.DownloadString<()>
        4 in 3: New-Object Net.WebClient
        5 in 3: 'https://c'
        6: irm d |
        7 from 6: iex
    "#]],
    );
    check_power_shell(
        "$x = curl d | iex\n$env:E = \"f $g\"\n$h += 'i'",
        expect![[r#"
        0: x=<()>
        1 in 0: curl d |
        2 in 0 from 1: iex
        3: E="f ""<$g>"
        4: h='i'
    "#]],
    );
    check_power_shell(
        "if ($a -eq 'b') { c; d } else { e }\nforeach ($f in $g) {\n  h $f\n}\nfunction i($j) { k }",
        expect![[r#"
        0 condition: <$a> -eq 'b'
        1 Condition: c
        2 Condition: d
        3 Condition: e
        4 condition: <$f> in <$g>
        5 Loop: h <$f>
        6 condition: <$j>
        7 Function: k
    "#]],
    );
    check_power_shell(
        "a `\n  b && c || d; & \"e\" f\nGet-X | ForEach-Object { g $_ } 2>&1 > out",
        expect![[r#"
        0 condition: a b &&
        1 condition: c ||
        2: d
        3: & "e" f
        4: Get-X |
        5 from 4: ForEach-Object <()>  2>&1  >out
        6 in 5 Block: g <$_>
    "#]],
    );
    check_power_shell(
        "$t = @\"\nit's $a\n\"@\n@'\n$b ${{ c }}\n'@ | d\n@{ a = 1; b = $c }",
        expect![[r#"
        0: t="it's ""<$a>"
        1: '$b ''<{{}}>' |
        2 from 1: d
        3: <()>
        4 in 3: a = 1
        5 in 3: b = <$c>
    "#]],
    );
    check_power_shell(
        "try { a } catch [E] { b } finally { c }\n<# note\n#> \"$a: ${b} $(d e)\"",
        expect![[r#"
        0 Block: a
        1 Block: b
        2 Block: c
        3: "<$a>"": ""<$b>"" ""<()>"
        4 in 3: d e
    "#]],
    );
}

#[test]
fn cmd() {
    check_cmd(
        "@echo off\nrem note\nset X=%Y% & echo x=\"a b\" >> %GITHUB_OUTPUT%\nif exist f (a && b) else (c || d)\n:: note",
        expect![[r#"
        0: echo off
        1: set X=<$Y>
        2: echo x="a b"  >><$GITHUB_OUTPUT>
        3: if exist f
        4 condition: a &&
        5: b
        6 condition: c ||
        7: d
    "#]],
    );
    check_cmd(
        "for %%i in (a b) do echo %%i | find \"x\" ^\n  > y 2>&1\necho ${{ a }} ^& b !c!",
        expect![[r#"
        0: for %%i in
        1: a b
        2: do echo %%i |
        3 from 2: find "x"  >y  2>&1
        4: echo <{{}}> & b <$c>
    "#]],
    );
}

#[test]
fn programs() {
    let cases = [
        ("curl x", "curl x"),
        ("/usr/bin/curl x", "curl x"),
        ("sudo -E -u root A=b curl x", "curl x"),
        ("sudo --user=root -- curl x", "curl x"),
        ("env -i -u A B=c nice -n 5 time -p curl x", "curl x"),
        ("timeout -k 5 10m curl x", "curl x"),
        ("nohup stdbuf -oL curl x", "curl x"),
        ("xargs -0 -n1 -P 4 -I{} curl x", "curl x"),
        ("xargs -I {} curl x", "curl x"),
        ("command -v curl", "command -v curl"),
        ("command curl x", "curl x"),
        ("exec -a b curl x", "curl x"),
        ("$SUDO apt-get install y", "apt-get install y"),
        ("retry -t 3 -- curl x", "curl x"),
        ("retry 3 curl x", "curl x"),
        ("xvfb-run -a --server-args=-s curl x", "curl x"),
        ("xargs", "xargs"),
        ("sudo", "sudo"),
        ("timeout 5", "timeout 5"),
        ("'curl' x", "curl x"),
        ("${{ env.DIR }}/bin/curl x", "curl x"),
        ("${{ a / b }} x", "${{ a / b }} x"),
        ("curl.exe x", "curl x"),
        (". ./env.sh", ". ./env.sh"),
    ];
    for (text, expected) in cases {
        let script = Script::read(text, Language::Posix);
        let (program, arguments) = script.commands[0].program().expect("there is a program");
        let words: Vec<&str> =
            std::iter::once(program).chain(arguments.iter().map(|word| word.text.as_str())).collect();
        assert_eq!(words.join(" "), expected, "of {text:?}");
        let word = script.commands[0].program_word().expect("there is a program");
        assert!(word.text.contains(program), "of {text:?}");
    }
}
