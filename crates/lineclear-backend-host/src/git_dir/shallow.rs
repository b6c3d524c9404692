//! Where a history of limited depth ends.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout, Stdio};

use super::Source;
use crate::git;

/// Questions asked before the answers are read: few enough to fit in a pipe.
const AT_ONCE: usize = 256;

/// The text of `shallow`: the commits, reached from `tips` in `depth` steps, whose parents are hidden.
///
/// A tip is at depth 1. A commit without parents ends history by itself and is not named. Where the repository itself is
/// shallow, its own ends are ends here too.
///
/// # Source
/// git-fetch(1), `--depth`; gitformat-commit-graph and `shallow.c` for the form.
pub(super) fn boundary(source: &Source, tips: &[&str], depth: u32) -> io::Result<Vec<u8>> {
    let ends: HashSet<String> =
        std::fs::read_to_string(source.common.join("shallow")).unwrap_or_default().lines().map(str::to_owned).collect();
    let mut git = git::git(&source.root);
    git.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut git = git.spawn().map_err(|error| git::missing(&error))?;
    let (Some(input), Some(output)) = (git.stdin.take(), git.stdout.take()) else {
        return Err(io::Error::other("git was started without pipes"));
    };
    let result = walk(Batch { input, output: BufReader::new(output) }, tips, depth, &ends);
    // Its input is closed now, which ends it.
    let _ = git.wait();
    let mut text: Vec<u8> = Vec::new();
    for commit in result? {
        text.extend_from_slice(commit.as_bytes());
        text.push(b'\n');
    }
    Ok(text)
}

fn walk(mut batch: Batch, tips: &[&str], depth: u32, ends: &HashSet<String>) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut seen: HashSet<String> = HashSet::new();
    // A tip may be an annotated tag.
    let mut level: Vec<String> = tips.iter().map(|tip| format!("{tip}^{{commit}}")).collect();
    level.sort();
    level.dedup();
    for left in (0..depth.max(1)).rev() {
        let mut next = Vec::new();
        for names in level.chunks(AT_ONCE) {
            for (commit, parents) in batch.parents(names)? {
                if !seen.insert(commit.clone()) {
                    continue;
                }
                if ends.contains(&commit) || (left == 0 && !parents.is_empty()) {
                    found.insert(commit);
                } else {
                    next.extend(parents.into_iter().filter(|parent| !seen.contains(parent)));
                }
            }
        }
        next.sort();
        next.dedup();
        level = next;
        if level.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// A running `git cat-file --batch`.
struct Batch {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Batch {
    /// The commits of these names with their parents. What is no commit is left out.
    fn parents(&mut self, names: &[String]) -> io::Result<Vec<(String, Vec<String>)>> {
        let mut question = names.join("\n");
        question.push('\n');
        self.input.write_all(question.as_bytes())?;
        self.input.flush()?;
        names.iter().filter_map(|_| self.answer().transpose()).collect()
    }

    /// `<object> <kind> <size>\n<content>\n`, or `<name> missing\n`.
    fn answer(&mut self) -> io::Result<Option<(String, Vec<String>)>> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "git ended before it answered"));
        }
        let mut words = line.split_whitespace();
        let (Some(name), Some(kind), Some(size)) = (words.next(), words.next(), words.next()) else { return Ok(None) };
        let Ok(size) = size.parse::<u64>() else { return Ok(None) };
        let mut content = Vec::new();
        (&mut self.output).take(size + 1).read_to_end(&mut content)?;
        if kind != "commit" {
            return Ok(None);
        }
        let parents = content
            .split(|&byte| byte == b'\n')
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.strip_prefix(b"parent "))
            .map(|parent| String::from_utf8_lossy(parent).into_owned())
            .collect();
        Ok(Some((name.to_owned(), parents)))
    }
}
