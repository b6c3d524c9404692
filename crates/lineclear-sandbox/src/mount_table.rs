//! What is mounted where, as this process sees it.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    id: u32,
    parent: u32,
    /// What of its file system is seen.
    pub(crate) root: PathBuf,
    pub(crate) at: PathBuf,
    /// Of the mount itself: `rw,nosuid,relatime`.
    pub(crate) options: String,
    pub(crate) kind: String,
    /// Of the file system.
    pub(crate) super_options: String,
}

impl Mount {
    pub(crate) fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|own| own == option)
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.has("ro")
    }
}

/// All mounts that a path leads to, in the order in which they were made.
pub(crate) fn read() -> io::Result<Vec<Mount>> {
    Ok(visible(parse(&fs::read("/proc/self/mountinfo")?)))
}

/// Leaves out mounts that lie below another one which was put over them later: their paths lead to something else.
fn visible(mounts: Vec<Mount>) -> Vec<Mount> {
    let by_id: HashMap<u32, &Mount> = mounts.iter().map(|mount| (mount.id, mount)).collect();
    let is_hidden = |mount: &Mount| {
        let mut chain = HashSet::from([mount.id]);
        let mut above = mount;
        while let Some(parent) = by_id.get(&above.parent).filter(|parent| chain.insert(parent.id)) {
            above = parent;
        }
        let covers = |other: &&Mount| {
            !chain.contains(&other.id) && chain.contains(&other.parent) && mount.at.starts_with(&other.at)
        };
        mounts.iter().any(|other| covers(&other))
    };
    let hidden: Vec<bool> = mounts.iter().map(is_hidden).collect();
    mounts.into_iter().zip(hidden).filter(|(_, hidden)| !hidden).map(|(mount, _)| mount).collect()
}

/// # Source
/// `proc(5)`, `/proc/pid/mountinfo`.
fn parse(text: &[u8]) -> Vec<Mount> {
    text.split(|&byte| byte == b'\n').filter_map(line).collect()
}

fn line(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|&byte| byte == b' ');
    let id = text(words.next()?).parse().ok()?;
    let parent = text(words.next()?).parse().ok()?;
    let root = path(words.nth(1)?);
    let at = path(words.next()?);
    let options = text(words.next()?);
    // Optional fields end with a dash.
    words.find(|word| *word == b"-")?;
    let kind = text(words.next()?);
    let super_options = text(words.nth(1)?);
    Some(Mount { id, parent, root, at, options, kind, super_options })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// White space and backslashes stand as `\ooo`.
fn path(bytes: &[u8]) -> PathBuf {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|digits| first == b'\\' && digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        match digits {
            Some(digits) => {
                out.push(digits.iter().fold(0_u8, |number, digit| number.wrapping_mul(8).wrapping_add(digit - b'0')));
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in a namespace of processes that has a `/proc` of its own over the old one.
    #[test]
    fn what_lies_below_a_later_mount_is_not_seen() {
        let text = b"20 1 8:1 / / rw - ext4 /dev/a rw\n\
            21 20 0:5 / /proc rw - proc proc rw\n\
            22 21 0:6 / /proc/sys/fs/binfmt_misc rw - binfmt_misc binfmt_misc rw\n\
            23 20 0:7 / /run rw - tmpfs tmpfs rw\n\
            24 23 0:8 / /run/lock rw - tmpfs tmpfs rw\n\
            25 21 0:9 / /proc rw - proc proc rw\n";
        let seen: Vec<u32> = visible(parse(text)).iter().map(|mount| mount.id).collect();
        assert_eq!(seen, [20, 23, 24, 25]);
    }

    #[test]
    fn a_line_is_read_with_and_without_optional_fields() {
        let text = b"36 35 98:0 /mnt1 /a\\040b rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n\
            37 35 0:5 / /c ro - cgroup cgroup rw,memory\n";
        let mounts = parse(text);
        assert_eq!(mounts.len(), 2);
        assert_eq!((mounts[0].root.as_path(), mounts[0].at.as_path()), ("/mnt1".as_ref(), "/a b".as_ref()));
        assert!(mounts[0].has("noatime") && !mounts[0].is_read_only());
        assert_eq!((mounts[1].kind.as_str(), mounts[1].super_options.as_str()), ("cgroup", "rw,memory"));
        assert!(mounts[1].is_read_only());
    }

    #[test]
    fn what_is_no_line_is_passed_over() {
        assert_eq!(parse(b"\n1 2 3\n36 35 98:0 / /x rw - \n"), []);
    }
}
