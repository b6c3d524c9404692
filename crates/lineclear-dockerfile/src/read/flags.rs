//! `--name=value` before an instruction's arguments.

use lineclear_source::suggest;

use super::words::next_quoted;
use super::{Findings, list};
use crate::{Flag, Mount, Text, Word};

/// The flags of an instruction; those that need no value come second.
fn known(keyword: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match keyword {
        "FROM" => (&["platform"], &[]),
        "RUN" => (&["mount", "network", "security", "device"], &[]),
        "COPY" => (&["from", "chown", "chmod", "exclude"], &["link", "parents"]),
        "ADD" => (&["chown", "chmod", "checksum", "exclude"], &["link", "keep-git-dir", "unpack"]),
        "HEALTHCHECK" => (&["interval", "timeout", "start-period", "start-interval", "retries"], &[]),
        _ => (&[], &[]),
    }
}

/// The flags at the head of `text`, and the rest.
pub(super) fn take(keyword: &str, text: &Text, escape: char, findings: &mut Findings) -> (Vec<Flag>, Text) {
    let mut flags = Vec::new();
    let whole = text.as_str();
    let mut at = 0;
    while let Some(range) = next_quoted(whole, at, escape) {
        let Some(word) = whole.get(range.clone()).and_then(|word| word.strip_prefix("--")) else { break };
        at = range.end;
        if word.is_empty() {
            break;
        }
        let name_start = range.start + 2;
        let name_end = word.find('=').map_or(range.end, |equals| name_start + equals);
        let flag = Flag {
            name: Word { text: text.slice(name_start..name_end) },
            value: (name_end < range.end).then(|| Word { text: text.slice(name_end + 1..range.end) }),
            span: text.span_of(range),
        };
        check(keyword, &flag, findings);
        flags.push(flag);
    }
    (flags, text.slice(at..whole.len()).trimmed())
}

fn check(keyword: &str, flag: &Flag, findings: &mut Findings) {
    let (valued, switches) = known(keyword);
    let name = flag.name.raw();
    if valued.contains(&name) {
        if flag.value.as_ref().is_none_or(|value| value.raw().is_empty()) {
            findings.error(flag.span, format!("`--{name}` needs a value")).help(format!("write `--{name}=…`"));
        }
    } else if !switches.contains(&name) {
        let all = || valued.iter().chain(switches).copied();
        let near = suggest(name, all()).map(|near| format!("; did you mean `--{near}`?")).unwrap_or_default();
        let finding = findings.error(flag.span, format!("`--{name}` is no flag of `{keyword}`{near}"));
        if all().next().is_none() {
            finding.help(format!(
                "`{keyword}` has no flags: to pass it to the program, use the form `[\"program\", \"--flag\"]`"
            ));
        } else if near.is_empty() {
            finding.help(format!("the flags are {}", list(all().map(|flag| format!("--{flag}")))));
        }
    }
}

const MOUNT_KINDS: [&str; 5] = ["bind", "cache", "tmpfs", "secret", "ssh"];

const MOUNT_OPTIONS: [&str; 20] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "id",
    "sharing",
    "required",
    "mode",
    "uid",
    "gid",
    "size",
    "env",
    "target-env",
];

/// The mounts among the flags of `RUN`.
pub(super) fn mounts(flags: &[Flag], findings: &mut Findings) -> Vec<Mount> {
    let mount = |flag: &Flag| {
        let value = flag.value.as_ref().filter(|_| flag.name.raw() == "mount")?;
        let mut options = Vec::new();
        let mut kind = "bind".to_owned();
        let mut at = 0;
        for part in value.raw().split(',') {
            let text = value.text.slice(at..at + part.len());
            at += part.len() + 1;
            let (name, setting) = match part.find('=') {
                Some(equals) => (text.slice(0..equals), Some(Word { text: text.slice(equals + 1..part.len()) })),
                None => (text, None),
            };
            let name = Word { text: name };
            if name.raw() == "type" {
                kind = setting.as_ref().map(|word| word.raw().to_ascii_lowercase()).unwrap_or_default();
                check_kind(&kind, setting.as_ref().unwrap_or(&name), findings);
            } else if !MOUNT_OPTIONS.contains(&name.raw()) && !name.has_variable() {
                let near = suggest(name.raw(), MOUNT_OPTIONS);
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                findings.error(name.span(), format!("`{}` is no option of a mount{near}", name.raw()));
            }
            options.push((name, setting));
        }
        Some(Mount { kind, options, span: flag.span })
    };
    flags.iter().filter_map(mount).collect()
}

fn check_kind(kind: &str, word: &Word, findings: &mut Findings) {
    if MOUNT_KINDS.contains(&kind) || word.has_variable() {
        return;
    }
    let near = suggest(kind, MOUNT_KINDS).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    findings
        .error(word.span(), format!("there is no mount of type `{kind}`{near}"))
        .help(format!("the types are {}", list(MOUNT_KINDS.iter())));
}
