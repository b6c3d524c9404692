//! git's configuration, read from its files: starting git for three values would cost more than everything else.

use std::path::{Path, PathBuf};

/// The values that an event needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// `user`, `remote`; in lower case.
    section: String,
    /// `origin` of `[remote "origin"]`.
    subsection: String,
    /// In lower case.
    key: String,
    value: String,
}

impl Config {
    /// Reads the machine's, the user's and the repository's file, in that order. Files that are included are not followed.
    pub(super) fn read(common_dir: Option<&Path>) -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = variable("HOME");
        let mut files = Vec::new();
        if variable("GIT_CONFIG_NOSYSTEM").is_none() {
            files.push(variable("GIT_CONFIG_SYSTEM").unwrap_or_else(|| "/etc/gitconfig".into()));
        }
        match variable("GIT_CONFIG_GLOBAL") {
            Some(file) => files.push(file),
            None => {
                let folder = variable("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
                files.extend(folder.map(|folder| folder.join("git/config")));
                files.extend(home.map(|home| home.join(".gitconfig")));
            }
        }
        files.extend(common_dir.map(|folder| folder.join("config")));
        let mut config = Self::default();
        for file in files {
            if let Ok(text) = std::fs::read(&file) {
                config.add(&String::from_utf8_lossy(&text));
            }
        }
        config
    }

    /// The last value of `section.key`.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&str> {
        let mut entries = self.entries.iter().rev();
        let entry = entries.find(|entry| entry.section == section && entry.subsection.is_empty() && entry.key == key);
        entry.map(|entry| entry.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The URL of `origin` or, without one, of the first remote.
    pub(super) fn remote_url(&self) -> Option<&str> {
        let urls = || self.entries.iter().filter(|entry| entry.section == "remote" && entry.key == "url");
        let origin = urls().find(|entry| entry.subsection == "origin");
        origin.or_else(|| urls().next()).map(|entry| entry.value.as_str())
    }

    fn add(&mut self, text: &str) {
        let (mut section, mut subsection) = (String::new(), String::new());
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let mut line = line.trim_start();
            if let Some(header) = line.strip_prefix('[') {
                let Some((name, rest)) = read_header(header) else { continue };
                (section, subsection) = name;
                line = rest.trim_start();
            }
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let (key, value) = match line.split_once('=') {
                Some((key, value)) => (key, read_value(value, &mut lines)),
                // A key alone is a boolean that is true.
                None => (line, "true".to_owned()),
            };
            self.entries.push(Entry {
                section: section.clone(),
                subsection: subsection.clone(),
                key: key.trim().to_ascii_lowercase(),
                value,
            });
        }
    }
}

/// `remote "origin"]` with what follows it.
fn read_header(text: &str) -> Option<((String, String), &str)> {
    let mut chars = text.char_indices();
    let (mut name, mut subsection, mut quoted) = (String::new(), String::new(), false);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => subsection.extend(chars.next().map(|(_, c)| c)),
            ']' if !quoted => {
                // The old form `[section.subsection]`.
                if let (Some((section, sub)), true) = (name.split_once('.'), subsection.is_empty()) {
                    return Some(((section.to_ascii_lowercase(), sub.to_owned()), text.get(at + 1..)?));
                }
                return Some(((name.to_ascii_lowercase(), subsection), text.get(at + 1..)?));
            }
            c if quoted => subsection.push(c),
            c if c.is_whitespace() => {}
            c => name.push(c),
        }
    }
    None
}

/// A value: quotes, escapes, comments and lines that go on in the next.
fn read_value<'a>(first: &'a str, lines: &mut impl Iterator<Item = &'a str>) -> String {
    let mut value = String::new();
    let mut kept = 0;
    let mut quoted = false;
    let mut line = first.trim_start();
    loop {
        let mut goes_on = false;
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => quoted = !quoted,
                '#' | ';' if !quoted => break,
                '\\' => match chars.next() {
                    Some('n') => value.push('\n'),
                    Some('t') => value.push('\t'),
                    Some('b') => value.push('\u{8}'),
                    Some(c) => value.push(c),
                    None => goes_on = true,
                },
                c => value.push(c),
            }
            if quoted || !c.is_whitespace() {
                kept = value.len();
            }
        }
        match if goes_on { lines.next() } else { None } {
            Some(next) => line = next,
            None => break,
        }
    }
    value.truncate(kept);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let mut config = Config::default();
        config.add(text);
        config
    }

    #[test]
    fn values_are_read_as_git_reads_them() {
        let config = config(
            "# a comment\n[user]\n\tName = \"Mona  Lisa\" ; the octocat\n\temail=mona@x # y\n[init] defaultBranch = trunk\n\
             [core]\n  bare\n[user]\n  signature = a \\\n  b\n",
        );
        assert_eq!(config.get("user", "name"), Some("Mona  Lisa"));
        assert_eq!(config.get("user", "email"), Some("mona@x"));
        assert_eq!(config.get("init", "defaultbranch"), Some("trunk"));
        assert_eq!(config.get("core", "bare"), Some("true"));
        assert_eq!(config.get("user", "signature"), Some("a   b"));
        assert_eq!(config.get("user", "nothing"), None);
    }

    #[test]
    fn the_last_value_wins_and_origin_is_preferred() {
        let config = config(
            "[user]\nname = a\n[user]\nname = b\n[remote \"fork\"]\nurl = f\n[remote \"origin\"]\nurl = o\n[branch \"x\"]\nurl = z\n",
        );
        assert_eq!(config.get("user", "name"), Some("b"));
        assert_eq!(config.remote_url(), Some("o"));
    }

    #[test]
    fn a_broken_file_gives_what_can_be_read() {
        assert_eq!(config("[user\nname = a\n[user]\nname = \"b\\").get("user", "name"), Some("b"));
    }
}
