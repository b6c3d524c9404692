//! `preset`: what a gate asks for where the file says nothing else.

use lineclear_source::Spanned;
use toml::de::DeValue;

use crate::table::{Entry, Findings, Table};

/// `preset = "balanced"`, or `[preset]` with the names of the checks that it is about.
#[derive(Clone, Debug)]
pub struct PresetPolicy {
    /// Which one.
    pub preset: Spanned<Preset>,
    /// The checks that are named.
    pub checks: PresetChecks,
}

/// The checks that `[preset]` names. An empty list means that they are found by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresetChecks {
    /// `quality`: the quality checks.
    pub quality: Vec<Spanned<String>>,
    /// `smoke`: the smoke tests.
    pub smoke: Vec<Spanned<String>>,
    /// `docker-build`: those that build the images without publishing them.
    pub docker_build: Vec<Spanned<String>>,
}

/// How strict a gate is that the file says nothing of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// Images are published when every quality check has succeeded.
    PublishOnly,
    /// Exactly the quality checks, the smoke tests and the build check of the images.
    Balanced,
    /// All of that and every other check, scanned, signed and attested.
    Strict,
}

const PRESETS: &[(&str, Preset)] =
    &[("publish-only", Preset::PublishOnly), ("balanced", Preset::Balanced), ("strict", Preset::Strict)];

impl Preset {
    /// All of them, the loosest first.
    pub const ALL: &'static [Self] = &[Self::PublishOnly, Self::Balanced, Self::Strict];

    /// As the file calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PublishOnly => "publish-only",
            Self::Balanced => "balanced",
            Self::Strict => "strict",
        }
    }
}

impl PresetPolicy {
    pub(crate) fn read(root: &Table<'_>, entry: Entry<'_>, findings: &mut Findings<'_>) -> Option<Self> {
        let (preset, checks) = match entry.value {
            DeValue::String(_) => (root.of_choice(entry, PRESETS, findings), PresetChecks::default()),
            DeValue::Table(_) => {
                let mut table = root.of_table(entry, findings)?;
                let name = table.require("name", findings);
                let preset = name.and_then(|name| table.of_choice(name, PRESETS, findings));
                let checks = PresetChecks {
                    quality: table.strings("quality", findings),
                    smoke: table.strings("smoke", findings),
                    docker_build: table.strings("docker-build", findings),
                };
                table.finish(findings);
                (preset, checks)
            }
            _ => return root.wrong_type(entry, "the name of a preset, or a table with its `name`", findings),
        };
        Some(Self { preset: preset?, checks })
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;

    use super::*;
    use crate::Policy;

    #[test]
    fn a_preset_is_a_name_or_a_table_with_one() {
        for (text, preset) in [
            ("preset = 'balanced'", Preset::Balanced),
            ("[preset]\nname = 'strict'\nquality = ['CI / lint']", Preset::Strict),
        ] {
            let (policy, findings) = Policy::read(&Source::new("lineclear.toml", text));
            assert_eq!(findings, []);
            assert_eq!(policy.preset.map(|read| read.preset.value), Some(preset));
        }
    }

    #[test]
    fn a_preset_that_there_is_not_is_said_with_those_that_there_are() {
        for (text, message) in [
            ("preset = 'balance'", "`balance` is not a value of `preset`; did you mean `balanced`?"),
            ("preset = 1", "`preset` has to be the name of a preset, or a table with its `name`, not a whole number"),
            ("[preset]\nsmoke = ['CI / smoke']", "`preset` has no `name`"),
            ("[preset]\nname = 'strict'\nsmok = []", "`smok` is not a key of `preset`; did you mean `smoke`?"),
        ] {
            let (_, findings) = Policy::read(&Source::new("lineclear.toml", text));
            let lines: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
            assert_eq!(lines, [message]);
        }
    }
}
