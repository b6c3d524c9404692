//! What jobs told the forge, or would have told it, and what they were not allowed to: for the end of a run.

use lineclear_event::{Fact, JobKey};
use lineclear_forge::{need, segments};
use lineclear_source::Style;

use super::markdown;

/// Lines of one text; what is longer is cut, and says so.
const MAX_LINES: usize = 60;

/// Whether somebody could read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The embedded forge kept it.
    Embedded,
    /// A real forge has it.
    Remote,
}

/// The text for the end of a run; empty where no job changed anything and nothing was refused.
///
/// `calls` are the run's facts in their order; facts of other kinds are passed over. Of what a job wrote several times (a comment
/// that it edited, a status that went from pending to success) only the last is shown.
///
/// `from_fork` says that the jobs are of a fork's pull request, for which no line of `permissions:` lets more through.
pub(crate) fn posted(calls: &[(JobKey, Fact)], reach: Reach, from_fork: bool, style: Style) -> String {
    let calls: Vec<Call> = calls.iter().filter_map(Call::of).collect();
    let mut out = String::new();
    let done: Vec<&Call> = calls.iter().filter(|call| call.changes() && (200..300).contains(&call.status)).collect();
    if !done.is_empty() {
        let head = match reach {
            Reach::Embedded => "Would have been posted",
            Reach::Remote => "Posted",
        };
        out.push_str(&format!("{}\n", style.bold(head)));
        out.push_str(&blocks(&done, style));
        out.push('\n');
    }
    let failed: Vec<&Call> =
        calls.iter().filter(|call| call.changes() && call.status >= 300 && call.status != 403).collect();
    if !failed.is_empty() {
        out.push_str(&format!("{}\n", style.bold("Not taken by the forge")));
        for call in failed {
            let what = call.title().unwrap_or_else(|| call.named());
            out.push_str(&format!("  {} {}: {what} (status {})\n", style.red("✗"), call.job, call.status));
        }
        out.push('\n');
    }
    let refused: Vec<&Call> = calls.iter().filter(|call| call.status == 403).collect();
    let refused = refusals(&refused, from_fork, style);
    if !refused.is_empty() {
        out.push_str(&format!("{}\n{refused}\n", style.bold("Refused by the jobs' permissions")));
    }
    out
}

/// A call of the forge's API.
struct Call<'f> {
    job: &'f str,
    method: &'f str,
    path: &'f str,
    status: u16,
    shown: String,
}

impl<'f> Call<'f> {
    fn of((job, fact): &'f (JobKey, Fact)) -> Option<Self> {
        let Fact::ForgeCall { method, path, status, shown } = fact else { return None };
        let shown = shown.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
        Some(Self { job: job.as_str(), method, path, status: *status, shown })
    }

    fn changes(&self) -> bool {
        !matches!(self.method, "GET" | "HEAD")
    }

    /// Below the repository, decoded; the whole path where it is of none.
    fn below(&self) -> String {
        match segments(self.path).as_deref() {
            Some([repos, _, _, below @ ..]) if repos == "repos" => below.join("/"),
            Some(all) => format!("/{}", all.join("/")),
            None => self.path.chars().filter(|c| !c.is_control()).take(200).collect(),
        }
    }

    fn named(&self) -> String {
        format!("{} {}", self.method, self.below())
    }

    /// The first line of what it shows, without its marks.
    fn title(&self) -> Option<String> {
        // A masked secret is three asterisks, which are no mark; control characters are not in `shown`.
        let first = self.shown.lines().next()?.replace("***", "\0").replace("**", "").replace('\0', "***");
        (!first.trim().is_empty()).then_some(first)
    }

    /// What it is about: two calls with the same key show the same thing, the later one as it is.
    fn key(&self) -> Option<(&'f str, String)> {
        let title = self.title()?;
        let below = self.below();
        let parts: Vec<&str> = below.split('/').collect();
        let about = match (self.method, parts.as_slice()) {
            ("POST", ["statuses", _]) | (_, ["check-runs", ..]) => {
                title.rsplit_once(": ").map_or(title.clone(), |(name, _)| name.to_owned())
            }
            ("PATCH" | "PUT", _) => format!("{} {below}", self.method),
            _ => return None,
        };
        Some((self.job, about))
    }
}

fn blocks(calls: &[&Call], style: Style) -> String {
    let mut out = String::new();
    let mut unread: Vec<(String, usize)> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let Some(title) = call.title() else {
            let named = call.named();
            match unread.iter_mut().find(|(known, _)| *known == named) {
                Some((_, count)) => *count += 1,
                None => unread.push((named, 1)),
            }
            continue;
        };
        let key = call.key();
        if key.is_some() && calls[index + 1..].iter().any(|later| later.key() == key) {
            continue;
        }
        out.push_str(&format!("  {} {}\n", style.bold(&title), style.dim(&format!("({})", call.job))));
        out.push_str(&text(&call.shown, style));
    }
    if !unread.is_empty() {
        let list: Vec<String> = unread
            .iter()
            .map(|(named, count)| if *count > 1 { format!("{named} ({count} times)") } else { named.clone() })
            .collect();
        out.push_str(&format!("  {}\n", style.dim(&format!("also: {}", list.join(", ")))));
    }
    out
}

/// What stands below the title, as a terminal shows it.
fn text(shown: &str, style: Style) -> String {
    let body = shown.split_once('\n').map_or("", |(_, body)| body);
    // Marks by which actions find their own comments; nobody sees them on a forge either.
    let hidden = |line: &&str| line.trim_start().starts_with("<!--") && line.trim_end().ends_with("-->");
    let body: Vec<&str> = body.lines().filter(|line| !hidden(line)).collect();
    let rendered = markdown::render(body.join("\n").trim_matches('\n'), style);
    let lines: Vec<&str> = rendered.trim_end().lines().collect();
    let mut out = String::new();
    for line in lines.iter().take(MAX_LINES) {
        out.push_str(format!("    {line}").trim_end());
        out.push('\n');
    }
    if lines.len() > MAX_LINES {
        out.push_str(&format!("    … {} more lines\n", lines.len() - MAX_LINES));
    }
    out
}

/// One entry for each thing that a job was refused, with what to add.
fn refusals(calls: &[&Call], from_fork: bool, style: Style) -> String {
    let mut entries: Vec<(&str, String, Option<&str>, usize)> = Vec::new();
    for call in calls {
        let method = if call.method == "HEAD" { "GET" } else { call.method };
        let (named, lacking) = (call.named(), need(method, &below_as_sent(call.path)));
        // A question that no job's token is answered: clients ask it to learn that, and go on.
        if lacking.is_none() && method == "GET" {
            continue;
        }
        match entries.iter_mut().find(|(job, known, ..)| *job == call.job && *known == named) {
            Some((.., count)) => *count += 1,
            None => entries.push((call.job, named, lacking, 1)),
        }
    }
    let mut out = String::new();
    for (job, named, lacking, count) in entries {
        let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
        out.push_str(&format!("  {} {job}: {named}{times}\n", style.red("✗")));
        match lacking {
            Some(need) if from_fork && need.contains("write") => out.push_str(&format!(
                "    the job's token lacks {}: the pull request is of a fork, whose jobs may only read\n",
                in_words(need)
            )),
            Some(need) => {
                out.push_str(&format!("    the job's token lacks {}; add to its `permissions:`\n", in_words(need)));
                let first = need.split("; ").next().unwrap_or_default();
                first.split(',').for_each(|one| out.push_str(&format!("      {}\n", style.cyan(&line(one)))));
            }
            None => out.push_str(
                "    no permission lets a job's token do this; it needs a token of its own, kept as a secret\n",
            ),
        }
    }
    out
}

fn below_as_sent(path: &str) -> String {
    let mut parts = path.splitn(5, '/');
    match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(""), Some("repos"), Some(_), Some(_), below) => format!("/{}", below.unwrap_or_default()),
        _ => String::new(),
    }
}

/// `issues=write; pull_requests=write` as "`issues: write` or `pull-requests: write`".
fn in_words(need: &str) -> String {
    let way = |way: &str| way.split(',').map(|one| format!("`{}`", line(one))).collect::<Vec<_>>().join(" and ");
    need.split("; ").map(way).collect::<Vec<_>>().join(" or ")
}

/// `pull_requests=write` as a line of `permissions:`.
fn line(permission: &str) -> String {
    permission.trim().replace('_', "-").replace('=', ": ")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use lineclear_event::UsedKind;

    use super::*;

    fn call(job: &str, method: &str, below: &str, status: u16, shown: &str) -> (JobKey, Fact) {
        let fact =
            Fact::ForgeCall { method: method.into(), path: format!("/repos/o/r/{below}"), status, shown: shown.into() };
        (JobKey::new(job), fact)
    }

    fn check_posted(calls: &[(JobKey, Fact)], reach: Reach, expected: &Expect) {
        expected.assert_eq(&posted(calls, reach, false, Style::Plain));
    }

    /// S4-54: a line of `permissions:` would not help a fork.
    #[test]
    fn a_fork_is_not_told_to_add_permissions() {
        let calls = [call("test", "POST", "issues", 403, ""), call("test", "GET", "issues", 403, "")];
        expect![[r#"
            Refused by the jobs' permissions
              ✗ test: POST issues
                the job's token lacks `issues: write`: the pull request is of a fork, whose jobs may only read
              ✗ test: GET issues
                the job's token lacks `issues: read`; add to its `permissions:`
                  issues: read

        "#]]
        .assert_eq(&posted(&calls, Reach::Embedded, true, Style::Plain));
    }

    /// S4-67: what was masked reads as masked, beside the marks of a title.
    #[test]
    fn a_masked_value_in_a_title_stays_three_asterisks() {
        let calls = [call("test", "POST", "issues", 201, "**Issue #1: token *** *****\n\nnow ***")];
        check_posted(
            &calls,
            Reach::Embedded,
            &expect![[r#"
            Would have been posted
              Issue #1: token *** *** (test)
                now ***

        "#]],
        );
    }

    /// S2-4, S1-29, S1-110: what a person would have read on the forge.
    #[test]
    fn what_would_have_been_posted_is_shown_as_it_would_be_read() {
        let comment = "**Comment on #7**\n\n<!-- report -->\n## Results\n| tests | passed |\n|---|--:|\n| unit | 12 |\n\n[log](http://x)";
        let release = "**Release v1.0.0, draft**\n\nFirst one.";
        let calls = [
            call("test", "POST", "issues/7/comments", 201, comment),
            call("test", "POST", "issues/7/labels", 200, "**Labels of #7**: `tested`"),
            call(
                "test",
                "POST",
                "statuses/1234567890",
                201,
                "**Status** `lint` of 1234567: failure — 2 errors\nhttp://y",
            ),
            call("release", "POST", "git/blobs", 201, ""),
            call("release", "POST", "git/blobs", 201, ""),
            call("release", "POST", "releases", 201, release),
        ];
        check_posted(
            &calls,
            Reach::Embedded,
            &expect![[r#"
            Would have been posted
              Comment on #7 (test)
                Results
                  tests  passed
                  ─────  ──────
                  unit   12

                [log](http://x)
              Labels of #7: `tested` (test)
              Status `lint` of 1234567: failure — 2 errors (test)
                http://y
              Release v1.0.0, draft (release)
                First one.
              also: POST git/blobs (2 times)

        "#]],
        );
    }

    #[test]
    fn of_what_was_written_several_times_the_last_is_shown() {
        let calls = [
            call("test", "POST", "check-runs", 201, "**Check** `unit`: in_progress"),
            call("test", "POST", "statuses/1234567890", 201, "**Status** `lint` of 1234567: pending"),
            call("other", "POST", "check-runs", 201, "**Check** `unit`: success"),
            call("test", "PATCH", "issues/comments/9", 200, "**Comment on #7 edited**\n\nfirst"),
            call("test", "PATCH", "check-runs/1", 200, "**Check** `unit`: failure\n\n1 failed"),
            call("test", "POST", "statuses/1234567890", 201, "**Status** `lint` of 1234567: success"),
            call("test", "PATCH", "issues/comments/9", 200, "**Comment on #7 edited**\n\nlast"),
        ];
        check_posted(
            &calls,
            Reach::Remote,
            &expect![[r#"
            Posted
              Check `unit`: success (other)
              Check `unit`: failure (test)
                1 failed
              Status `lint` of 1234567: success (test)
              Comment on #7 edited (test)
                last

        "#]],
        );
    }

    #[test]
    fn a_refused_call_names_the_permission_and_the_line_to_add() {
        let calls = [
            call("test", "POST", "issues/7/comments", 403, "**Comment on #7**\n\nhello"),
            call("test", "POST", "issues/7/comments", 403, "**Comment on #7**\n\nhello"),
            call("test", "GET", "issues", 403, ""),
            call("test", "PUT", "contents/.github/workflows/x.yml", 403, ""),
            (
                JobKey::new("test"),
                Fact::ForgeCall { method: "GET".into(), path: "/user".into(), status: 403, shown: String::new() },
            ),
            call("test", "POST", "pulls", 422, "**Pull request: New**\n\nbody"),
        ];
        check_posted(
            &calls,
            Reach::Embedded,
            &expect![[r#"
            Not taken by the forge
              ✗ test: Pull request: New (status 422)

            Refused by the jobs' permissions
              ✗ test: POST issues/7/comments (2 times)
                the job's token lacks `issues: write` or `pull-requests: write`; add to its `permissions:`
                  issues: write
              ✗ test: GET issues
                the job's token lacks `issues: read`; add to its `permissions:`
                  issues: read
              ✗ test: PUT contents/.github/workflows/x.yml
                the job's token lacks `contents: write` and `workflows: write`; add to its `permissions:`
                  contents: write
                  workflows: write

        "#]],
        );
    }

    #[test]
    fn nothing_is_said_where_nothing_was_done() {
        let used = Fact::Used { kind: UsedKind::Tool, name: "node".into(), version: "20".into() };
        let calls = [(JobKey::new("test"), used), call("test", "GET", "issues", 200, "")];
        check_posted(&calls, Reach::Embedded, &expect![[""]]);
    }

    /// A comment's text comes from a job, and must not command the terminal.
    #[test]
    fn no_text_commands_the_terminal_or_fills_it() {
        let long = format!("**Comment on #7**\n\n\u{1b}]0;owned\u{7}\u{1b}[2J{}", "line\n".repeat(100));
        let calls =
            [call("test", "POST", "issues/7/comments", 201, &long), call("test", "POST", "x\u{1b}[2J\r\n", 403, "")];
        let shown = posted(&calls, Reach::Embedded, false, Style::Plain);
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        assert!(shown.contains("… 40 more lines"), "{shown}");
    }
}
