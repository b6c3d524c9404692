//! A repository's settings, as far as a copy may have them.

use std::path::Path;

use super::{GitDirError, Source};

/// One setting: `section.subsection.name = value`. `None` where only the name stands, which means true.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting {
    section: String,
    subsection: Option<String>,
    name: String,
    value: Option<String>,
}

/// The settings of one repository, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    settings: Vec<Setting>,
}

/// Settings of `core` that describe the repository and the file system. Others name programs (`fsmonitor`, `sshCommand`,
/// `hooksPath`, `editor`), or places that are the original's own (`worktree`).
const CORE: [&str; 14] = [
    "repositoryformatversion",
    "filemode",
    "ignorecase",
    "precomposeunicode",
    "protecthfs",
    "protectntfs",
    "symlinks",
    "autocrlf",
    "eol",
    "safecrlf",
    "quotepath",
    "abbrev",
    "sparsecheckout",
    "sparsecheckoutcone",
];

impl Config {
    pub(super) fn read(source: &Source) -> Result<Self, GitDirError> {
        let mut config = Self::parse(&String::from_utf8_lossy(&source.read_optional(&source.common.join("config"))?));
        if config.last("extensions", "worktreeconfig").is_some_and(|value| is_true(value.value.as_deref())) {
            let own = source.read_optional(&source.git.join("config.worktree"))?;
            config.settings.extend(Self::parse(&String::from_utf8_lossy(&own)).settings);
        }
        Ok(config)
    }

    fn last(&self, section: &str, name: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|s| s.section == section && s.subsection.is_none() && s.name == name)
    }

    /// Whether references are kept in files, which is how they are read here. Another way is git's own to read.
    pub(super) fn has_refs_in_files(&self) -> bool {
        let storage = self.last("extensions", "refstorage").and_then(|setting| setting.value.as_deref());
        storage.is_none_or(|storage| storage == "files" || storage.starts_with("files:"))
    }

    /// The text of the copy's settings.
    pub(super) fn write(&self, source: &Source, with_index: bool) -> String {
        let mut text = String::new();
        let mut header = String::new();
        let version = self.settings.iter().any(|s| s.section == "core" && s.name == "repositoryformatversion");
        let mut kept: Vec<Setting> = self.settings.iter().filter_map(|setting| allowed(setting, source)).collect();
        if !version {
            kept.insert(0, setting("core", "repositoryformatversion", "0"));
        }
        kept.push(setting("core", "bare", "false"));
        kept.push(setting("core", "logallrefupdates", "true"));
        if with_index {
            // The copies have the times and sizes that the index knows, and nothing else of what it knows about the originals'
            // files: compared by all, every file would be read again.
            kept.push(setting("core", "checkstat", "minimal"));
            kept.push(setting("core", "trustctime", "false"));
        }
        // A collection of garbage in the background would outlive its step.
        kept.push(setting("gc", "auto", "0"));
        for setting in &kept {
            let next = match &setting.subsection {
                Some(subsection) => format!("[{} {}]\n", setting.section, quoted(subsection)),
                None => format!("[{}]\n", setting.section),
            };
            if header != next {
                text.push_str(&next);
                header = next;
            }
            match &setting.value {
                Some(value) => text.push_str(&format!("\t{} = {}\n", setting.name, quoted(value))),
                None => text.push_str(&format!("\t{}\n", setting.name)),
            }
        }
        text
    }

    /// Reads the text of a settings file. What is not understood is left out: git itself is the judge of it.
    ///
    /// # Source
    /// git-config(1), "Syntax".
    fn parse(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
        let mut settings = Vec::new();
        let (mut section, mut subsection) = (String::new(), None);
        while let Some(&c) = chars.peek() {
            match c {
                '[' => (section, subsection) = header(&mut chars),
                '#' | ';' => while chars.next_if(|&c| c != '\n').is_some() {},
                c if c.is_ascii_alphabetic() => {
                    let mut name = String::new();
                    while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '-') {
                        name.push(c.to_ascii_lowercase());
                    }
                    while chars.next_if(|&c| c == ' ' || c == '\t').is_some() {}
                    let value = chars.next_if_eq(&'=').map(|_| value(&mut chars));
                    settings.push(Setting { section: section.clone(), subsection: subsection.clone(), name, value });
                }
                _ => {
                    chars.next();
                }
            }
        }
        Self { settings }
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// `[section]`, `[section "Subsection"]` or the old `[section.subsection]`.
fn header(chars: &mut Chars<'_>) -> (String, Option<String>) {
    chars.next();
    let mut section = String::new();
    while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
        section.push(c.to_ascii_lowercase());
    }
    while chars.next_if(|&c| c == ' ' || c == '\t').is_some() {}
    let mut subsection = None;
    if chars.next_if_eq(&'"').is_some() {
        let mut name = String::new();
        while let Some(c) = chars.next_if(|&c| c != '"' && c != '\n') {
            match c {
                '\\' => name.extend(chars.next()),
                c => name.push(c),
            }
        }
        subsection = Some(name);
    } else if let Some((first, rest)) = section.split_once('.') {
        subsection = Some(rest.to_owned());
        section = first.to_owned();
    }
    while chars.next_if(|&c| c != ']' && c != '\n').is_some() {}
    chars.next_if_eq(&']');
    (section, subsection)
}

/// The rest of a line, and of those that it continues on.
fn value(chars: &mut Chars<'_>) -> String {
    while chars.next_if(|&c| c == ' ' || c == '\t').is_some() {}
    let mut value = String::new();
    let (mut in_quotes, mut kept) = (false, 0);
    while let Some(c) = chars.next_if(|&c| c != '\n') {
        match c {
            '"' => {
                in_quotes = !in_quotes;
                kept = value.len();
                continue;
            }
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('b') => drop(value.pop()),
                Some('\n') | None => continue,
                Some(other) => value.push(other),
            },
            '#' | ';' if !in_quotes => {
                while chars.next_if(|&c| c != '\n').is_some() {}
                break;
            }
            c => {
                value.push(c);
                if !in_quotes && (c == ' ' || c == '\t') {
                    continue; // Blank at the end is no part of the value.
                }
            }
        }
        kept = value.len();
    }
    value.truncate(kept.min(value.len()));
    value
}

fn setting(section: &str, name: &str, value: &str) -> Setting {
    Setting { section: section.into(), subsection: None, name: name.into(), value: Some(value.into()) }
}

fn is_true(value: Option<&str>) -> bool {
    value.is_none_or(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "1"))
}

/// The setting as the copy may have it.
fn allowed(setting: &Setting, source: &Source) -> Option<Setting> {
    let name = setting.name.as_str();
    let of_one = setting.subsection.is_some();
    let kept = match setting.section.as_str() {
        "core" => CORE.contains(&name),
        // How references are stored is the copy's own choice, and its settings are in one file.
        "extensions" => !matches!(name, "refstorage" | "worktreeconfig" | "relativeworktrees"),
        "remote" => of_one && matches!(name, "url" | "fetch" | "tagopt" | "promisor" | "partialclonefilter"),
        "branch" => of_one && matches!(name, "remote" | "merge" | "rebase"),
        "submodule" => of_one && matches!(name, "url" | "active"),
        "lfs" => name == "repositoryformatversion",
        "index" => name == "sparse",
        "init" => name == "defaultbranch",
        _ => false,
    };
    let mut setting = kept.then(|| setting.clone())?;
    if name == "url" {
        setting.value = setting.value.map(|url| clean_url(&url, &source.root));
    }
    Some(setting)
}

/// An address without credentials; a relative path as seen from the original.
fn clean_url(url: &str, root: &Path) -> String {
    if url.starts_with("./") || url.starts_with("../") {
        return root.join(url).to_string_lossy().into_owned();
    }
    let lower = url.to_ascii_lowercase();
    match url.split_once("://") {
        Some((scheme, rest)) if lower.starts_with("http") || lower.starts_with("ftp") => {
            let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        // `ssh://git@host` names an account, and a password there would be no use to ssh.
        _ => url.to_owned(),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source { root: "/here".into(), git: "/here/.git".into(), common: "/here/.git".into() }
    }

    fn read(text: &str) -> Vec<(String, Option<String>)> {
        let name = |s: &Setting| match &s.subsection {
            Some(sub) => format!("{}.{sub}.{}", s.section, s.name),
            None => format!("{}.{}", s.section, s.name),
        };
        Config::parse(text).settings.iter().map(|s| (name(s), s.value.clone())).collect()
    }

    #[test]
    fn settings_are_read_as_git_reads_them() {
        let text = "; comment\n[core]\n\tBare = false # no\n\tfilemode\n[Remote \"a \\\"b\\\" C\"] url = \"x # y\" z  ; w\n\
                    [branch.Main]\nmerge=refs/\\\nheads/x\n\tempty =\n[broken\nk = v\\tw";
        let expected = [
            ("core.bare", Some("false")),
            ("core.filemode", None),
            ("remote.a \"b\" C.url", Some("x # y z")),
            ("branch.main.merge", Some("refs/heads/x")),
            ("branch.main.empty", Some("")),
            ("broken.k", Some("v\tw")),
        ];
        assert_eq!(read(text), expected.map(|(name, value)| (name.to_owned(), value.map(str::to_owned))));
    }

    #[test]
    fn no_text_makes_the_reader_fail() {
        for text in [
            "[",
            "[a",
            "[a \"",
            "[a \"\\",
            "a",
            "a =",
            "a = \"",
            "a = \\",
            "]",
            "=",
            "\u{feff}[a]b",
            "a = \\b\\b",
            "\"\"",
        ] {
            let _ = read(text);
        }
    }

    #[test]
    fn credentials_and_programs_stay_behind() {
        let text = "[core]\n\tfsmonitor = evil\n\thooksPath = /x\n\tsshCommand = ssh -i key\n\tworktree = /elsewhere\n\
                    [http \"https://github.com/\"]\n\textraheader = AUTHORIZATION: basic secret\n[credential]\n\thelper = store\n\
                    [url \"https://secret@github.com/\"]\n\tinsteadOf = https://github.com/\n[include]\n\tpath = secret\n\
                    [remote \"origin\"]\n\turl = https://user:secret@github.com/o/r.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\
                    [remote \"up\"]\n\turl = ../up.git\n[filter \"x\"]\n\tclean = evil\n[alias]\n\tst = !evil\n";
        let written = Config::parse(text).write(&source(), true);
        for word in ["secret", "evil", "ssh -i", "/elsewhere", "credential", "include"] {
            assert!(!written.contains(word), "{word} came over:\n{written}");
        }
        assert!(written.contains("url = \"https://github.com/o/r.git\""), "{written}");
        assert!(written.contains("url = \"/here/../up.git\""), "{written}");
    }

    #[test]
    fn what_is_written_is_read_the_same() {
        let text = "[remote \"we \\\\ird\\\"\"]\n\turl = \" spaced # \\\"x\\\" \"\n\tfetch = +refs/a:b\n";
        let config = Config::parse(text);
        let again = Config::parse(&config.write(&source(), false));
        assert!(config.settings.iter().all(|setting| again.settings.contains(setting)), "{again:?}");
    }
}
