//! What actions take and give.
//!
//! The facts are text (`data/actions.txt`, whose head says its form) that is searched when it is asked: nothing is read before, and of
//! nothing but the versions that are asked for.

use std::sync::OnceLock;

use crate::Version;
use crate::blocks::{Block, Blocks, blocks};

const ACTIONS: Blocks = blocks!(include_str!("../data/actions.txt"));

/// What one major version of an action takes and gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionFacts {
    /// `owner/repo` or `owner/repo/path`, in lower case.
    pub name: &'static str,
    /// What runs it; `None` where the versions in question differ.
    pub runtime: Option<Runtime>,
    /// The inputs by name, in lower case.
    pub inputs: Vec<InputFacts>,
    /// The outputs by name, in lower case.
    pub outputs: Vec<&'static str>,
    /// Whether it gives outputs whose names cannot be known before (`paths-filter`).
    pub has_dynamic_outputs: bool,
    /// Whether it takes inputs of any name.
    pub takes_any_input: bool,
}

impl ActionFacts {
    /// The input of this name, in whatever case.
    pub fn input(&self, name: &str) -> Option<&InputFacts> {
        self.inputs.iter().find(|input| input.name.eq_ignore_ascii_case(name))
    }
}

/// One input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputFacts {
    /// Lower case.
    pub name: &'static str,
    /// Required, and without a default.
    pub is_required: bool,
    /// Deprecated, and the input to use instead; empty where no other takes its place.
    pub deprecation: Option<&'static str>,
}

/// What runs an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// JavaScript, made for this version of Node.
    Node(u8),
    /// Steps.
    Composite,
    /// A container.
    Docker,
    /// A part of the runner.
    BuiltIn,
}

/// The facts of `owner/repo[/path]` at `reference`, in whatever case.
///
/// A tag that says a version gives what is known of its major version. A branch or commit may be any version: its facts are what no
/// version contradicts, so an input is known if one version has it, and required if all require it.
/// `None` for actions and versions that nothing is known of.
pub fn action(name: &str, reference: &str) -> Option<&'static ActionFacts> {
    let block = ACTIONS.find(name)?;
    let made = made(block)?;
    let major = Version::of(reference).map(|version| version.major).filter(|_| made.majors.is_some());
    let (at, wanted) = match (major, &made.majors) {
        (Some(major), Some(majors)) => (majors.iter().position(|one| *one == major)?, Some(major)),
        _ => (made.facts.len().checked_sub(1)?, None),
    };
    let facts = made.facts.get(at)?;
    Some(facts.get_or_init(|| read(block, made.versions, wanted)))
}

/// The facts of an action, each made when it is first asked for.
struct Made {
    versions: Versions,
    /// The major versions; `None` where the references of an action are no versions.
    majors: Option<Vec<u32>>,
    /// Of each major version, and last of what may be any.
    facts: Vec<OnceLock<ActionFacts>>,
}

fn made(block: Block) -> Option<&'static Made> {
    static MADE: OnceLock<Vec<OnceLock<Option<Made>>>> = OnceLock::new();
    let all = MADE.get_or_init(|| (0..ACTIONS.count()).map(|_| OnceLock::new()).collect());
    let make = || {
        let versions = Versions::of(block.body)?;
        let majors = (!versions.is_any()).then(|| versions.majors().map(|(major, _)| major).collect::<Vec<_>>());
        let facts = (0..=majors.as_ref().map_or(0, Vec::len)).map(|_| OnceLock::new()).collect();
        Some(Made { versions, majors, facts })
    };
    all.get(block.index)?.get_or_init(make).as_ref()
}

/// Reads the lines of a block that hold for the version `wanted`, or for all versions.
fn read(block: Block, versions: Versions, wanted: Option<u32>) -> ActionFacts {
    let mut facts = ActionFacts {
        name: block.name,
        runtime: match wanted {
            Some(major) => versions.runtime(major).flatten(),
            None => versions.common_runtime(),
        },
        inputs: Vec::new(),
        outputs: Vec::new(),
        has_dynamic_outputs: false,
        takes_any_input: false,
    };
    for line in block.body.lines().skip(1) {
        let Some((sign, rest)) = line.split_at_checked(1) else { continue };
        let (rest, other) = rest.split_once(" | ").unwrap_or((rest, ""));
        let (name, range) = rest.split_once(' ').unwrap_or((rest, ""));
        let holds = range.is_empty() || wanted.is_none_or(|major| contains(range, major));
        if !holds {
            continue;
        }
        // Of a commit nothing is sure that some version does not say.
        let is_sure = wanted.is_some() || range.is_empty();
        match (sign, name) {
            ("+", "*") => facts.takes_any_input = true,
            (">", "*") => facts.has_dynamic_outputs = true,
            (">", name) => facts.outputs.push(name),
            (sign, name) => {
                let input = InputFacts {
                    name,
                    is_required: sign == "!" && is_sure,
                    deprecation: (sign == "-" && is_sure).then_some(other),
                };
                match facts.inputs.last_mut() {
                    // Lines of one name are neighbours.
                    Some(last) if last.name == name => {
                        *last = InputFacts { is_required: false, deprecation: None, name }
                    }
                    _ => facts.inputs.push(input),
                }
            }
        }
    }
    facts
}

/// The newest major version that is known of `owner/repo[/path]`.
pub(crate) fn newest(name: &str) -> Option<u32> {
    Versions::of(ACTIONS.find(name)?.body)?.majors().map(|(major, _)| major).max()
}

/// What runs this major version, if both are known.
pub(crate) fn runtime(name: &str, major: u32) -> Option<Runtime> {
    Versions::of(ACTIONS.find(name)?.body)?.runtime(major).flatten()
}

/// The names of all actions that facts are known of, sorted.
pub fn known_actions() -> impl Iterator<Item = &'static str> {
    ACTIONS.all().map(|block| block.name)
}

/// The line of a block that lists its versions.
#[derive(Clone, Copy)]
struct Versions(&'static str);

impl Versions {
    fn of(body: &'static str) -> Option<Self> {
        body.lines().next()?.strip_prefix("@ ").map(Self)
    }

    fn is_any(&self) -> bool {
        self.0.starts_with("*:")
    }

    fn majors(&self) -> impl Iterator<Item = (u32, Option<Runtime>)> {
        self.0.split(' ').filter_map(|entry| {
            let (major, runtime) = entry.split_once(':')?;
            Some((major.parse().ok()?, Runtime::of(runtime)))
        })
    }

    /// What runs a version; the outer `None` means that there is no such version.
    fn runtime(&self, major: u32) -> Option<Option<Runtime>> {
        self.majors().find(|&(one, _)| one == major).map(|(_, runtime)| runtime)
    }

    fn common_runtime(&self) -> Option<Runtime> {
        let mut all =
            self.0.split(' ').map(|entry| entry.split_once(':').and_then(|(_, runtime)| Runtime::of(runtime)));
        let first = all.next()?;
        all.all(|one| one == first).then_some(first).flatten()
    }
}

impl Runtime {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "c" => Self::Composite,
            "d" => Self::Docker,
            "p" => Self::BuiltIn,
            _ => Self::Node(text.parse().ok()?),
        })
    }
}

/// Whether `1-3,5,7-` contains a version.
pub(crate) fn contains(ranges: &str, major: u32) -> bool {
    ranges.split(',').any(|range| match range.split_once('-') {
        None => range.parse() == Ok(major),
        Some((first, last)) => {
            first.parse().is_ok_and(|first: u32| first <= major)
                && (last.is_empty() || last.parse().is_ok_and(|last: u32| major <= last))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_has_the_form_that_its_head_describes() {
        let names: Vec<&str> = known_actions().collect();
        assert!(names.len() >= 150, "{}", names.len());
        assert!(names.is_sorted_by(|one, next| one < next));
        for block in ACTIONS.all() {
            assert!(block.name.contains('/') && !block.name.contains(char::is_uppercase), "{}", block.name);
            assert_eq!(ACTIONS.find(block.name).map(|found| found.body), Some(block.body), "{}", block.name);
            let versions = Versions::of(block.body).unwrap_or_else(|| panic!("{} has no versions", block.name));
            assert!(versions.is_any() || versions.majors().count() == versions.0.split(' ').count(), "{}", block.name);
            for line in block.body.lines().skip(1) {
                check_line(block.name, line);
            }
        }
    }

    #[track_caller]
    fn check_line(action: &str, line: &str) {
        assert!(line.starts_with(['+', '!', '-', '>']) && line.len() > 1, "{action}: {line}");
        let rest = line.split(" | ").next().unwrap();
        let mut words = rest[1..].split(' ');
        let name = words.next().unwrap();
        assert_eq!(name, name.to_ascii_lowercase(), "{action}");
        if let Some(range) = words.next() {
            assert!(range.bytes().all(|byte| byte.is_ascii_digit() || b",-".contains(&byte)), "{action}: {line}");
        }
        assert_eq!(words.next(), None, "{action}: {line}");
    }

    #[test]
    fn facts_differ_by_major_version() {
        let facts = action("Actions/Checkout", "v4.1.0").unwrap();
        assert_eq!(facts.runtime, Some(Runtime::Node(20)));
        assert!(facts.input("Fetch-Depth").is_some() && facts.input("depth").is_none());
        assert_eq!(facts.outputs, ["commit", "ref"]);
        assert!(action("actions/checkout", "v99").is_none());
        assert!(action("nobody/nothing", "v1").is_none());
        let cache = action("actions/cache", "v4").unwrap();
        assert!(cache.input("path").unwrap().is_required && cache.input("key").unwrap().is_required);
        assert!(cache.input("save-always").unwrap().deprecation.is_some());
    }

    #[test]
    fn of_a_commit_is_known_what_no_version_contradicts() {
        let facts = action("actions/cache", "5a3ec84eff668545956fd18022155c47e93e2684").unwrap();
        assert_eq!(facts.runtime, None);
        assert!(facts.input("path").unwrap().is_required);
        assert_eq!(facts.input("save-always").unwrap().deprecation, None);
        let status = action("8398a7/action-slack", "main").unwrap();
        assert!(!status.input("status").unwrap().is_required);
    }

    #[test]
    fn references_that_are_no_versions_have_the_same_facts() {
        for reference in ["stable", "1.75", "nightly"] {
            let facts = action("dtolnay/rust-toolchain", reference).unwrap();
            assert!(facts.input("components").is_some(), "{reference}");
        }
    }
}
