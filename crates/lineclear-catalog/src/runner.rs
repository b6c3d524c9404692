//! The machines that GitHub offers: their labels, and how long they are there.
//!
//! Taken from the list of images and the announcements in `actions/runner-images` (September 2026).

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Any distribution.
    Linux,
    /// Client or server.
    Windows,
    /// On Intel or Apple processors.
    MacOs,
}

impl Platform {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
        }
    }
}

/// A label that a machine of GitHub's has, or had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostedLabel {
    /// In lower case, as the documentation has it.
    pub label: &'static str,
    /// What runs there.
    pub platform: Platform,
    /// How long it is there.
    pub end: LabelEnd,
}

/// How long a label is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelEnd {
    /// Nothing is announced.
    Open,
    /// It goes on this day (`2027-04-17`).
    Announced {
        /// The day.
        on: &'static str,
        /// What takes its place.
        successor: &'static str,
    },
    /// The day is so close, or so lately past, that jobs fail now or will in weeks.
    Due {
        /// The day.
        on: &'static str,
        /// What takes its place.
        successor: &'static str,
    },
    /// It went: no job starts there.
    Gone {
        /// The day.
        since: &'static str,
        /// What takes its place.
        successor: &'static str,
    },
}

const fn open(label: &'static str, platform: Platform) -> HostedLabel {
    HostedLabel { label, platform, end: LabelEnd::Open }
}

const fn announced(label: &'static str, platform: Platform, on: &'static str, successor: &'static str) -> HostedLabel {
    HostedLabel { label, platform, end: LabelEnd::Announced { on, successor } }
}

const fn due(label: &'static str, platform: Platform, on: &'static str, successor: &'static str) -> HostedLabel {
    HostedLabel { label, platform, end: LabelEnd::Due { on, successor } }
}

const fn gone(label: &'static str, platform: Platform, since: &'static str, successor: &'static str) -> HostedLabel {
    HostedLabel { label, platform, end: LabelEnd::Gone { since, successor } }
}

use Platform::{Linux, MacOs, Windows};

/// The labels in use first: a suggestion takes the first of those that are equally near.
const HOSTED: &[HostedLabel] = &[
    open("ubuntu-latest", Linux),
    open("ubuntu-26.04", Linux),
    open("ubuntu-26.04-arm", Linux),
    open("ubuntu-24.04", Linux),
    open("ubuntu-24.04-arm", Linux),
    open("ubuntu-slim", Linux),
    open("windows-latest", Windows),
    open("windows-2025", Windows),
    open("windows-2025-vs2026", Windows),
    open("windows-2022", Windows),
    open("windows-11-arm", Windows),
    open("windows-11-vs2026-arm", Windows),
    open("macos-latest", MacOs),
    open("macos-latest-large", MacOs),
    open("macos-latest-xlarge", MacOs),
    open("macos-26", MacOs),
    open("macos-26-intel", MacOs),
    open("macos-26-large", MacOs),
    open("macos-26-xlarge", MacOs),
    open("macos-15", MacOs),
    open("macos-15-intel", MacOs),
    open("macos-15-large", MacOs),
    open("macos-15-xlarge", MacOs),
    open("ubuntu-latest-4-cores", Linux),
    open("ubuntu-latest-8-cores", Linux),
    open("ubuntu-latest-16-cores", Linux),
    open("windows-latest-8-cores", Windows),
    announced("ubuntu-22.04", Linux, "2027-04-17", "ubuntu-24.04"),
    announced("ubuntu-22.04-arm", Linux, "2027-04-17", "ubuntu-24.04-arm"),
    due("macos-14", MacOs, "2026-11-02", "macos-15"),
    due("macos-14-large", MacOs, "2026-11-02", "macos-15-large"),
    due("macos-14-xlarge", MacOs, "2026-11-02", "macos-15-xlarge"),
    gone("ubuntu-20.04", Linux, "2025-04-15", "ubuntu-24.04"),
    gone("ubuntu-18.04", Linux, "2023-04-03", "ubuntu-24.04"),
    gone("ubuntu-16.04", Linux, "2021-09-20", "ubuntu-24.04"),
    gone("windows-2019", Windows, "2025-06-30", "windows-2022"),
    gone("windows-2016", Windows, "2022-04-01", "windows-2022"),
    gone("macos-13", MacOs, "2025-12-08", "macos-15-intel"),
    gone("macos-13-large", MacOs, "2025-12-08", "macos-15-large"),
    gone("macos-13-xlarge", MacOs, "2025-12-08", "macos-15-xlarge"),
    gone("macos-13.0", MacOs, "2025-12-08", "macos-15-intel"),
    gone("macos-13-xl", MacOs, "2025-12-08", "macos-15-xlarge"),
    gone("macos-latest-xl", MacOs, "2025-12-08", "macos-latest-xlarge"),
    gone("macos-12", MacOs, "2024-12-03", "macos-15-intel"),
    gone("macos-12-large", MacOs, "2024-12-03", "macos-15-large"),
    gone("macos-12-xl", MacOs, "2024-12-03", "macos-15-large"),
    gone("macos-12.0", MacOs, "2024-12-03", "macos-15-intel"),
    gone("macos-11", MacOs, "2024-06-28", "macos-15-intel"),
    gone("macos-11.0", MacOs, "2024-06-28", "macos-15-intel"),
    gone("macos-10.15", MacOs, "2023-03-31", "macos-15-intel"),
];

/// What is known of a label of GitHub's machines. Labels ignore case.
pub fn hosted_label(label: &str) -> Option<&'static HostedLabel> {
    HOSTED.iter().find(|known| known.label.eq_ignore_ascii_case(label))
}

/// The labels that jobs can be started on today.
pub fn hosted_labels() -> impl Iterator<Item = &'static str> {
    HOSTED.iter().filter(|known| !matches!(known.end, LabelEnd::Gone { .. })).map(|known| known.label)
}

/// The platform that a label stands for: one of GitHub's, or one that every runner of one's own has (`linux`, `windows`, `macos`).
pub fn platform(label: &str) -> Option<Platform> {
    match label {
        _ if label.eq_ignore_ascii_case("linux") => Some(Linux),
        _ if label.eq_ignore_ascii_case("windows") => Some(Windows),
        _ if label.eq_ignore_ascii_case("macos") => Some(MacOs),
        _ => hosted_label(label).map(|known| known.platform),
    }
}

/// Whether every runner of one's own has a label like this, by its system, its processor, or by being one.
pub fn is_self_hosted_label(label: &str) -> bool {
    ["self-hosted", "linux", "windows", "macos", "x64", "arm", "arm64"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_there_once_and_every_successor_is_in_use() {
        for (at, known) in HOSTED.iter().enumerate() {
            assert!(HOSTED[at + 1..].iter().all(|other| other.label != known.label), "{}", known.label);
            if let LabelEnd::Announced { successor, .. }
            | LabelEnd::Due { successor, .. }
            | LabelEnd::Gone { successor, .. } = known.end
            {
                let successor = hosted_label(successor).expect("a successor is known");
                assert_eq!((successor.end, successor.platform), (LabelEnd::Open, known.platform), "{}", known.label);
            }
        }
    }

    #[test]
    fn labels_ignore_case() {
        assert_eq!(platform("macOS-latest"), Some(MacOs));
        assert_eq!(platform("Linux"), Some(Linux));
        assert_eq!(platform("gpu"), None);
        assert!(is_self_hosted_label("Self-Hosted") && !is_self_hosted_label("ubuntu-latest"));
    }
}
