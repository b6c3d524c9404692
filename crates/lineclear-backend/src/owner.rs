//! Who made something that outlives a process: a folder, a container, a network.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// A process of Lineclear, named so that nobody else is ever taken for it. What it makes bears its text, so that what a dead
/// process left can be told from what a living one uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its number.
    pub pid: u32,
    /// In clock ticks after boot: numbers are used again.
    pub started: u64,
    /// The boot of the machine.
    pub boot: String,
    /// The namespace in which `pid` is counted: a container counts its own.
    pub pids: u64,
    /// The machine's name, without white space.
    pub host: String,
}

impl Owner {
    /// This process.
    pub fn this() -> Self {
        let pid = std::process::id();
        Self {
            pid,
            started: stat(pid).map_or(0, |stat| stat.started),
            boot: fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().into(),
            pids: fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino()),
            host: fs::read_to_string("/proc/sys/kernel/hostname")
                .unwrap_or_default()
                .trim()
                .replace(char::is_whitespace, "-"),
        }
    }

    /// As a text, for a mark or a label: [`Owner::parse`] reads it back.
    pub fn write(&self) -> String {
        format!("lineclear {} {} {} {} {}", self.pid, self.started, self.boot, self.pids, self.host)
    }

    /// Reads what [`Owner::write`] wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next()? != "lineclear" {
            return None;
        }
        Some(Self {
            pid: words.next()?.parse().ok()?,
            started: words.next()?.parse().ok()?,
            boot: words.next()?.into(),
            pids: words.next()?.parse().ok()?,
            host: words.next()?.into(),
        })
    }

    /// Whether this owner is known to be gone. `here` is the process that asks. Of another machine's, or another namespace's,
    /// processes nothing is known.
    pub fn is_gone(&self, here: &Self) -> bool {
        if self.host != here.host {
            return false; // Another machine shares what bears the mark; its processes cannot be seen.
        }
        if self.boot != here.boot {
            return true;
        }
        self.pids == here.pids && stat(self.pid).is_none_or(|now| now.dead || now.started != self.started)
    }
}

struct Stat {
    dead: bool,
    started: u64,
}

/// Reads `pid (name) state … starttime …`. The name may hold spaces and brackets, so the last bracket counts.
fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let close = text.iter().rposition(|&byte| byte == b')')?;
    let mut fields = std::str::from_utf8(text.get(close + 1..)?).ok()?.split_ascii_whitespace();
    let dead = matches!(fields.next()?, "Z" | "X" | "x");
    // The state is field 3 of the line, the start time field 22.
    Some(Stat { dead, started: fields.nth(18)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_was_written() {
        let here = Owner::this();
        assert_ne!(here.started, 0);
        assert_eq!(Owner::parse(&here.write()), Some(here.clone()));
        assert_eq!(Owner::parse("somebody else"), None);
        assert!(!here.is_gone(&here));
        assert!(Owner { started: here.started + 1, ..here.clone() }.is_gone(&here));
    }
}
