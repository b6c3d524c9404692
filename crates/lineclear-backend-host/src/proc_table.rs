//! What `/proc` tells about processes.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Read;

/// The longest command line that is shown, in characters.
const SHOWN_COMMAND: usize = 120;

/// One line of the process table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) session: u32,
    state: u8,
    /// Clock ticks after boot. With the pid it names a process for good, as pids are used again.
    pub(crate) started: u64,
    name: String,
}

impl Entry {
    /// The process has ended, and only its parent has not asked for its exit status yet.
    pub(crate) fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }

    /// The process is still the one that was seen.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.pid == other.pid && self.started == other.started
    }
}

/// The entry of one process, if there is such a process.
pub(crate) fn entry(pid: u32) -> Option<Entry> {
    let mut text = [0; 1024];
    let mut file = fs::File::open(format!("/proc/{pid}/stat")).ok()?;
    let length = file.read(&mut text).ok()?;
    parse(pid, text.get(..length)?)
}

/// Reads `pid (name) state ppid pgrp session …`. The name may hold spaces and brackets, so the last bracket counts.
fn parse(pid: u32, text: &[u8]) -> Option<Entry> {
    let open = text.iter().position(|&byte| byte == b'(')?;
    let close = text.iter().rposition(|&byte| byte == b')')?;
    let name = String::from_utf8_lossy(text.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(text.get(close + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    // Start time is field 22 of the line; the session was field 6.
    let started = fields.nth(15)?.parse().ok()?;
    Some(Entry { pid, parent, group, session, state, started, name })
}

/// All processes of the machine that this process may see.
pub(crate) fn all() -> Vec<Entry> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    folder
        .filter_map(|item| item.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(entry) // A process may end while the table is read.
        .collect()
}

/// `seeds` and everything below them, by parent links in `table`. `except` and what is reached only through it stays out.
pub(crate) fn with_descendants(table: &[Entry], seeds: impl IntoIterator<Item = u32>, except: u32) -> HashSet<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in table {
        children.entry(entry.parent).or_default().push(entry.pid);
    }
    let mut found = HashSet::new();
    let mut open: Vec<u32> = seeds.into_iter().collect();
    while let Some(pid) = open.pop() {
        if pid != except && pid > 1 && found.insert(pid) {
            open.extend(children.get(&pid).into_iter().flatten());
        }
    }
    found
}

/// The value of a variable in the environment that a process was started with.
///
/// `None` if it is absent, or the environment may not be read: of another user's process, or of one that has ended.
pub(crate) fn variable(pid: u32, name: &str) -> Option<Vec<u8>> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment
        .split(|&byte| byte == 0)
        .find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
        .map(<[u8]>::to_vec)
}

/// The command line, in one line of limited length; the bare name in brackets where there is none, as `ps` shows it.
pub(crate) fn command(entry: &Entry) -> String {
    let line = fs::read(format!("/proc/{}/cmdline", entry.pid)).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    let words: Vec<&str> = line.split('\0').filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return format!("[{}]", entry.name);
    }
    let mut shown: String = words.join(" ").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if let Some((cut, _)) = shown.char_indices().nth(SHOWN_COMMAND) {
        shown.truncate(cut);
        shown.push('…');
    }
    shown
}

/// The ids in `/proc/<pid>/task/<tid>/children`, the cheapest answer to "has this process any children".
pub(crate) fn parse_children(text: &[u8]) -> Vec<u32> {
    text.split(u8::is_ascii_whitespace).filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let line = b"77 (a) b (c) S 5 6 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        let entry = parse(77, line).expect("a line in the form of proc(5)");
        assert_eq!((entry.parent, entry.group, entry.session, entry.started), (5, 6, 7, 4242));
        assert_eq!(entry.name, "a) b (c");
        assert!(!entry.is_dead());
    }

    #[test]
    fn a_line_cut_short_is_no_entry() {
        assert_eq!(parse(1, b"1 (init"), None);
        assert_eq!(parse(1, b"1 (init) S 0 1"), None);
        assert_eq!(parse(1, b""), None);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let me = std::process::id();
        let table = all();
        assert!(table.iter().any(|entry| entry.pid == me));
        assert!(with_descendants(&table, [me], 0).contains(&me));
        assert!(with_descendants(&table, [me], me).is_empty());
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let entry =
            |pid, parent| Entry { pid, parent, group: 0, session: 0, state: b'S', started: 0, name: String::new() };
        assert_eq!(with_descendants(&[entry(5, 6), entry(6, 5)], [5], 0), HashSet::from([5, 6]));
    }
}
