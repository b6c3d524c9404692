//! How an expression stands in a script for a POSIX shell: whether a variable in its place is only data to the command that takes it.

use std::ops::Range;

use lineclear_shell::{Command, Part, Quoting, Redirect, RedirectKind, Script, Word};

/// What may be said of a variable in the expression's place. A worse one comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Another interpreter reads the text, it is meant to be several words, or it cannot be told.
    Unsure,
    /// The shell reads it no more as code; whether the command is content with one word is for somebody to see.
    Read,
    /// The command takes it as data, and as one word.
    Plain,
}

/// How the expression at `range`, with its braces, stands in the script.
pub(super) fn standing(script: &Script, raw: &str, range: &Range<usize>) -> Standing {
    let line = raw.get(..range.start).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    // What a backslash does to quotes and `$` depends on where it stands.
    if line.ends_with('$') || ["\\\"", "\\'", "\\$", "\\`", "\\\\"].iter().any(|escape| line.contains(escape)) {
        return Standing::Unsure;
    }
    let mut found: Option<Standing> = None;
    let mut add = |one: Standing| found = Some(found.map_or(one, |before| before.min(one)));
    for (index, command) in script.commands.iter().enumerate() {
        for (at, word) in command.words.iter().enumerate() {
            if let Some(quoting) = quoting_in(word, range) {
                add(in_word(command, at, word, quoting, raw).min(around(script, index)).min(exported(script, word)));
            }
        }
        for assignment in &command.assignments {
            if quoting_in(&assignment.value, range).is_some() {
                // The words of an array may be meant to be many.
                let is_array = raw.get(assignment.value.span.clone()).is_some_and(|text| text.starts_with('('));
                add(if is_array { Standing::Unsure } else { assigned(script, &assignment.name) });
                add(around(script, index));
            }
        }
        for redirect in &command.redirects {
            if let Some(quoting) = quoting_in(&redirect.target, range) {
                add(in_redirect(command, redirect, quoting).min(around(script, index)));
            }
        }
    }
    for group in &script.groups {
        for redirect in &group.redirects {
            if quoting_in(&redirect.target, range).is_some() {
                let commands = script.commands.get(group.commands.clone()).unwrap_or_default();
                add(if commands.iter().any(is_interpreter) { Standing::Unsure } else { Standing::Read });
            }
        }
    }
    found.unwrap_or(Standing::Unsure)
}

/// How the expression is quoted in the word; none if it is not there, or inside of another piece.
fn quoting_in(word: &Word, range: &Range<usize>) -> Option<Quoting> {
    let of_part = |part: &Part| match part {
        Part::Expression { quoting, span } if span == range => Some(*quoting),
        _ => None,
    };
    let is_nested = word.parts.iter().any(|part| {
        let span = part.span();
        span != *range && span.start <= range.start && range.end <= span.end
    });
    word.parts.iter().find_map(of_part).filter(|_| !is_nested)
}

fn in_word(command: &Command, at: usize, word: &Word, quoting: Quoting, raw: &str) -> Standing {
    let Some((program, arguments)) = command.program() else { return Standing::Unsure };
    let first = command.words.len() - arguments.len().min(command.words.len());
    let is_bare = quoting == Quoting::None;
    if at < first {
        // The program's own name, and what stands before it.
        return if is_bare || at + 1 == first { Standing::Unsure } else { Standing::Read };
    }
    if is_interpreter(command) || matches!(program, "for" | "select" | "((" | "let") {
        return Standing::Unsure;
    }
    let beside = |step: isize| {
        at.checked_add_signed(step).and_then(|at| command.words.get(at)).map_or("", |word| word.text.as_str())
    };
    match program {
        "echo" => Standing::Plain,
        "case" => Standing::Plain,
        "[[" => {
            let is_number = |text: &str| matches!(text, "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" | "-v");
            if is_number(beside(-1)) || is_number(beside(1)) {
                // Both sides are evaluated, with what an index of an array holds.
                Standing::Unsure
            } else if is_bare && matches!(beside(-1), "=" | "==" | "!=" | "=~") {
                // A pattern in quotes is none.
                Standing::Read
            } else {
                Standing::Plain
            }
        }
        "export" | "local" | "readonly" => {
            let has_name = word.text.find("${{").and_then(|before| word.text.get(..before));
            if arguments.iter().any(|word| word.text.starts_with('-'))
                || has_name.is_none_or(|name| !name.contains('='))
            {
                Standing::Read
            } else if raw.get(word.span.clone()).is_some_and(|text| text.contains("=(")) {
                Standing::Unsure
            } else {
                Standing::Plain
            }
        }
        "gh" if matches!(beside(-1), "-q" | "--jq" | "-t" | "--template" | "-F" | "-f")
            && (!matches!(beside(-1), "-F" | "-f") || word.text.starts_with("query="))
            || word.text.starts_with("--jq=") =>
        {
            Standing::Unsure
        }
        "test" | "[" if beside(-1) == "-v" => Standing::Unsure,
        _ if is_bare => Standing::Read,
        "printf" if beside(-1) == "-v" => Standing::Unsure,
        "printf" | "test" | "[" | "git" | "gh" | "curl" | "wget" | "npm" | "pnpm" | "yarn" | "pip" | "pip3" | "cd"
        | "mkdir" | "cp" | "mv" | "rm" | "ls" | "cat" | "touch" | "grep" | "cargo" | "go" | "tar" | "zip" | "unzip"
        | "basename" | "dirname" => Standing::Plain,
        _ => Standing::Read,
    }
}

fn in_redirect(command: &Command, redirect: &Redirect, quoting: Quoting) -> Standing {
    let is_text = matches!(redirect.kind, RedirectKind::HereDocument | RedirectKind::HereString);
    let program = command.program().map(|(program, _)| program);
    if is_text && program.is_none_or(|program| is_language(program) || is_remote(program)) || is_interpreter(command) {
        return Standing::Unsure;
    }
    let writes = |one: &&Redirect| matches!(one.kind, RedirectKind::Write | RedirectKind::Append);
    if !is_text {
        return Standing::Read;
    }
    let is_file = |text: &str| !text.starts_with("$GITHUB_") && !text.starts_with("${GITHUB_");
    if command.redirects.iter().filter(writes).any(|one| is_file(&one.target.text)) {
        // Nobody knows who reads the file.
        return Standing::Unsure;
    }
    let is_bare_string = redirect.kind == RedirectKind::HereString && quoting == Quoting::None;
    match program {
        Some("cat" | "grep" | "read" | "gh" | "git" | "wc" | "base64" | "tr" | "cut") if !is_bare_string => {
            Standing::Plain
        }
        Some("tee") => Standing::Unsure,
        _ => Standing::Read,
    }
}

/// What becomes of the command's output, and of the word that the command stands in.
fn around(script: &Script, index: usize) -> Standing {
    let mut result = Standing::Plain;
    let mut at = index;
    // Commands stand in others that come before them: this ends.
    for _ in 0..script.commands.len() {
        result = result.min(written(script, at)).min(piped(script, at));
        let Some(outer) = script.commands.get(at).and_then(|command| command.inside).filter(|outer| *outer < at) else {
            break;
        };
        let Some(holder) = script.commands.get(outer) else { break };
        if is_interpreter(holder) || holder.words.first().is_some_and(|word| word.span.end > at_start(script, at)) {
            return Standing::Unsure;
        }
        for assignment in &holder.assignments {
            result = result.min(assigned(script, &assignment.name));
        }
        at = outer;
    }
    result
}

fn at_start(script: &Script, at: usize) -> usize {
    script.commands.get(at).map_or(usize::MAX, |command| command.span.start)
}

/// Where the output of the command is written.
fn written(script: &Script, index: usize) -> Standing {
    let standing = |redirect: &Redirect| {
        let target = redirect.target.text.as_str();
        let is_data = [".txt", ".md", ".json", ".log", ".csv"].iter().any(|ending| target.ends_with(ending));
        if is_data || target.starts_with("/dev/") || target.starts_with("$GITHUB_") || target.starts_with("${GITHUB_") {
            Standing::Plain
        } else if target.contains('.') && !target.ends_with(".yml") && !target.ends_with(".yaml") {
            // A script, a program's source, what is sourced later.
            Standing::Unsure
        } else {
            Standing::Read
        }
    };
    script
        .redirects_of(index)
        .filter(|redirect| matches!(redirect.kind, RedirectKind::Write | RedirectKind::Append))
        .map(standing)
        .min()
        .unwrap_or(Standing::Plain)
}

/// Who reads the output of the command through pipes.
fn piped(script: &Script, index: usize) -> Standing {
    let mut writer = index;
    let mut result = Standing::Plain;
    for (at, command) in script.commands.iter().enumerate().skip(index + 1) {
        if command.reads_from != Some(writer) {
            continue;
        }
        writer = at;
        let program = command.program().map_or("", |(program, _)| program);
        let has_starter = command.words.iter().any(|word| matches!(word.text.as_str(), "xargs" | "parallel"));
        if is_language(program) || is_remote(program) || is_interpreter(command) && !is_filter(program) || has_starter {
            return Standing::Unsure;
        }
        let writes_file = program == "tee"
            && command.words.iter().skip(1).any(|word| !word.text.starts_with('-') && !word.text.contains("GITHUB_"));
        result = result.min(if writes_file { Standing::Unsure } else { written(script, at) });
    }
    result
}

/// What `export NAME=…` does to the rest of the script.
fn exported(script: &Script, word: &Word) -> Standing {
    match word.text.split_once('=') {
        Some((name, _)) if !name.contains(['$', '-', ' ']) => assigned(script, name),
        _ => Standing::Plain,
    }
}

/// Whether a variable with the text is handed to an interpreter, or called, somewhere in the script.
fn assigned(script: &Script, name: &str) -> Standing {
    let is_read = script.commands.iter().any(|command| {
        let is_called = command.program_word().is_some_and(|word| word.has_variable(name));
        let is_fed = || {
            command.words.iter().any(|word| word.has_variable(name))
                || command.redirects.iter().any(|redirect| redirect.target.has_variable(name))
        };
        is_called || is_interpreter(command) && is_fed()
    });
    if is_read { Standing::Unsure } else { Standing::Plain }
}

/// Whether the command reads one of its arguments as a program.
fn is_interpreter(command: &Command) -> bool {
    let Some((program, arguments)) = command.program() else { return false };
    if matches!(program, "echo" | "printf" | "[" | "[[" | "test") {
        return false;
    }
    let has = |wanted: &[&str]| arguments.iter().any(|word| wanted.contains(&word.text.as_str()));
    let is_code_option = |text: &str| {
        text.strip_prefix('-').is_some_and(|option| {
            !option.starts_with('-') && option.len() <= 4 && option.contains(['c', 'e', 'p', 'r', 'E', 'C'])
        }) || ["--eval", "--print", "--command", "--execute", "--run", "-Command", "-command", "-EncodedCommand"]
            .iter()
            .any(|option| text.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
    };
    if is_filter(program)
        || is_remote(program)
        || matches!(
            program,
            "eval" | "source" | "." | "trap" | "((" | "let" | "watch" | "expect" | "osascript" | "parallel"
        )
        || matches!(program, "su" | "runuser" | "script" | "chroot" | "nsenter" | "wsl" | "cmd" | "tmux" | "screen")
    {
        return true;
    }
    match program {
        "docker" | "podman" | "nerdctl" | "docker-compose" => has(&["run", "exec"]),
        "kubectl" | "oc" => has(&["run", "exec", "debug"]),
        "find" | "fd" => has(&["-exec", "-execdir", "-ok", "-x", "-X"]),
        "git" => has(&["foreach", "--exec", "-x", "filter-branch", "bisect"]),
        "npm" | "npx" | "pnpm" => has(&["-c", "--call", "--shell-mode"]),
        "gcloud" => has(&["ssh"]),
        "aws" => has(&["ssm", "execute-command"]),
        _ => {
            // Another program may start one, too: `nix develop -c bash -c …`.
            let base = |word: &Word| is_language(word.text.rsplit('/').next().unwrap_or_default());
            let named = command.words.iter().position(base);
            let behind = named.and_then(|at| command.words.get(at + 1..)).unwrap_or_default();
            behind.iter().any(|word| is_code_option(&word.text))
                || matches!(program, "nix" | "nix-shell" | "flox" | "devbox" | "ssh-agent")
        }
    }
}

/// Programs whose first argument is a program of their own; what they read is data.
fn is_filter(program: &str) -> bool {
    matches!(program, "awk" | "gawk" | "mawk" | "sed" | "gsed" | "jq" | "yq" | "gojq")
}

/// Shells and languages: what they read from their input is code.
fn is_language(program: &str) -> bool {
    let name = program.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    matches!(
        name,
        "bash"
            | "sh"
            | "dash"
            | "zsh"
            | "ksh"
            | "ash"
            | "fish"
            | "pwsh"
            | "powershell"
            | "python"
            | "pypy"
            | "node"
            | "nodejs"
            | "deno"
            | "bun"
            | "perl"
            | "ruby"
            | "php"
            | "lua"
            | "Rscript"
            | "tsx"
            | "ts-node"
            | "bc"
            | "dc"
    )
}

/// What runs text on another machine or in a database.
fn is_remote(program: &str) -> bool {
    matches!(
        program,
        "ssh"
            | "sshpass"
            | "psql"
            | "mysql"
            | "mariadb"
            | "sqlite3"
            | "sqlcmd"
            | "mongo"
            | "mongosh"
            | "redis-cli"
            | "clickhouse-client"
            | "sqlplus"
            | "bq"
            | "sftp"
            | "lftp"
            | "ftp"
            | "at"
            | "crontab"
            | "gdb"
    )
}

#[cfg(test)]
mod tests {
    use lineclear_shell::Language;

    use super::*;

    fn check(script: &str, expected: Standing) {
        let start = script.find("${{ x }}").unwrap();
        let read = Script::read(script, Language::Posix);
        assert_eq!(standing(&read, script, &(start..start + 8)), expected, "{script}");
    }

    #[test]
    fn data_of_a_known_command_is_plain() {
        for script in [
            "echo ${{ x }}",
            "echo \"a ${{ x }}\" >> \"$GITHUB_OUTPUT\"",
            "printf '%s' \"${{ x }}\"",
            "A=${{ x }}",
            "export A=${{ x }}",
            "A=\"${{ x }}\" make",
            "[[ ${{ x }} == a ]]",
            "if [ \"${{ x }}\" = a ]; then ls; fi",
            "gh pr comment --body \"${{ x }}\"",
            "curl -d '${{ x }}' https://example.com",
            "git commit -m \"${{ x }}\"",
            "A=$(echo \"${{ x }}\" | tr a b)",
            "echo \"${{ x }}\" | jq -r .a",
            "cat >> $GITHUB_ENV <<EOF\n${{ x }}\nEOF",
        ] {
            check(script, Standing::Plain);
        }
    }

    #[test]
    fn what_an_unknown_command_gets_is_to_be_read() {
        for script in [
            "make ${{ x }}",
            "./deploy \"${{ x }}\"",
            "git push origin ${{ x }}",
            "[ ${{ x }} = a ]",
            "[[ $a == ${{ x }} ]]",
            "python3 tool.py \"${{ x }}\"",
            "docker build -t \"${{ x }}\" .",
            "cd ${{ x }}",
        ] {
            check(script, Standing::Read);
        }
    }

    #[test]
    fn what_is_read_as_code_stays() {
        for script in [
            "eval \"a ${{ x }}\"",
            "bash -c \"a ${{ x }}\"",
            "bash -ec 'a ${{ x }}'",
            "sudo -u me zsh -c \"a ${{ x }}\"",
            "ssh a@b \"${{ x }}\"",
            "docker exec a sh -c \"${{ x }}\"",
            "kubectl exec a -- ls \"${{ x }}\"",
            "node -e \"f('${{ x }}')\"",
            "perl -pe \"s/a/${{ x }}/\" a",
            "ruby -e \"puts '${{ x }}'\"",
            "psql -c \"${{ x }}\"",
            "mysql -e \"${{ x }}\"",
            "awk \"/${{ x }}/\" a",
            "sed -i \"s/a/${{ x }}/\" a",
            "jq \".a = ${{ x }}\" a",
            "echo \"${{ x }}\" | xargs sh -c",
            "echo \"${{ x }}\" | xargs rm",
            "pwsh -Command \"${{ x }}\"",
            "su -c \"${{ x }}\" me",
            "nix develop -c bash -c \"${{ x }}\"",
            "eval \"$(echo ${{ x }})\"",
            "echo \"${{ x }}\" > run.sh",
            "echo \"${{ x }}\" | tee run.sh",
            "echo \"${{ x }}\" | cat | bash",
            "ssh a <<EOF\n${{ x }}\nEOF",
            "python3 - <<EOF\n${{ x }}\nEOF",
            "cat > a <<EOF\n${{ x }}\nEOF",
            "A=\"${{ x }}\"\n$A",
            "export A=\"${{ x }}\"\neval \"$A\"",
            "for a in ${{ x }}; do ls; done",
            "a=(${{ x }})",
            "${{ x }}",
            "./${{ x }}",
            "echo \\\"${{ x }}\\\"",
            "echo $(( ${{ x }} + 1 ))",
            "echo \"${a:-${{ x }}}\"",
            "[[ \"${{ x }}\" -eq 1 ]]",
            "gh api --jq \".${{ x }}\"",
            "gh api graphql -f query=\"${{ x }}\"",
        ] {
            check(script, Standing::Unsure);
        }
    }
}
