//! Commit messages that ask for no run.

/// Texts anywhere in the message that suppress pushes and pull requests.
const MARKS: [&str; 5] = ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"];

/// `Err` with the reason if `message` asks that `event` runs nothing.
pub(super) fn check(message: Option<&str>, event: &str) -> Result<(), String> {
    let Some(message) = message else { return Ok(()) };
    if let Some(mark) = MARKS.iter().find(|mark| message.contains(**mark)) {
        return Err(format!("{event}: the head commit's message says `{mark}`"));
    }
    if has_trailer(message) {
        return Err(format!("{event}: the head commit's message ends with `skip-checks: true`"));
    }
    Ok(())
}

/// Whether the last paragraph has the trailer `skip-checks: true`.
fn has_trailer(message: &str) -> bool {
    let is_trailer = |line: &str| {
        let Some((key, value)) = line.split_once(':') else { return false };
        key.trim().eq_ignore_ascii_case("skip-checks") && value.trim() == "true"
    };
    let lines: Vec<_> = message.trim_end().lines().collect();
    let start = lines.iter().rposition(|line| line.trim().is_empty());
    // The subject is no trailer.
    start.is_some_and(|start| lines.iter().skip(start).any(|line| is_trailer(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_and_the_trailer_ask_for_no_run() {
        for message in [
            "Fix [skip ci]",
            "[ci skip] x",
            "x\n\nbody [no ci]",
            "[skip actions]",
            "[actions skip]",
            "Fix\n\n\nskip-checks: true",
            "Fix\n\nbody\n\nSigned-off-by: x\nskip-checks:true\n",
        ] {
            assert!(check(Some(message), "push").is_err(), "{message}");
        }
        for message in
            ["Fix", "skip ci", "skip-checks: true", "Fix\n\nskip-checks: true\n\nmore", "x\n\nskip-checks: no"]
        {
            assert_eq!(check(Some(message), "push"), Ok(()), "{message}");
        }
        assert_eq!(check(None, "push"), Ok(()));
    }
}
