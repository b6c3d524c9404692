//! The commands of a script, roughly: what they call and with which words, whatever the shell.
//!
//! Quotes are taken off and not understood: good enough to see that a script calls `gh pr comment`, and cheap.

/// Calls `found` with the program and the arguments of each command of a script.
pub(crate) fn each_command(script: &str, mut found: impl FnMut(&str, &[&str])) {
    let joined;
    let text = if script.contains("\\\n") || script.contains("`\n") {
        joined = script.replace("\\\n", " ").replace("`\n", " ");
        &joined
    } else {
        script
    };
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        for piece in line.split([';', '|', '&', '(', ')', '`']) {
            let words: Vec<&str> = piece.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
            if let Some((program, arguments)) = program(&words) {
                found(program, arguments);
            }
        }
    }
}

/// The program of a piece of a script and its arguments: what comes before it by way of grammar or wrapping is left out.
fn program<'w, 's>(words: &'w [&'s str]) -> Option<(&'s str, &'w [&'s str])> {
    const BEFORE: &[&str] = &[
        "if", "then", "do", "else", "elif", "while", "until", "!", "{", "time", "sudo", "env", "exec", "command",
        "nohup", "-", "$",
    ];
    let is_assignment = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
    };
    let mut rest = words;
    loop {
        let (&first, behind) = rest.split_first()?;
        if matches!(first, "xargs" | "timeout" | "retry") {
            let at = behind.iter().position(|word| matches!(*word, "gh" | "git" | "curl" | "docker" | "cosign"))?;
            rest = behind.get(at..)?;
        } else if BEFORE.contains(&first) || is_assignment(first) {
            rest = behind;
        } else {
            return Some((first.trim_start_matches("$("), behind));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_behind_what_stands_before_it() {
        assert_eq!(program(&["if", "!", "A=1", "sudo", "gh", "pr"]), Some(("gh", &["pr"][..])));
        assert_eq!(program(&["xargs", "-n1", "gh", "pr"]), Some(("gh", &["pr"][..])));
        assert_eq!(program(&["A=1"]), None);
    }
}
