//! What a preset stands for: the keys that it fills in where the file says nothing.
//!
//! [`Policy::expanded`] is the policy that everything goes by. It needs the names of the checks that the workflows produce; who knows the
//! workflows gives them.

use lineclear_source::{Diagnostic, Spanned};

use crate::gate::{Context, Gate, RequiredCheck, Scan};
use crate::preset::{Preset, PresetPolicy};
use crate::{Image, Policy, SbomFormat};

/// The gate that a preset speaks of.
pub const PRESET_GATE: &str = "main";

/// A check that the workflows produce for pull requests or pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedCheck {
    /// `CI / test`: of a matrix, the name that all legs share. Where only a run tells the whole name, what is known of it with `…` for the
    /// rest.
    pub name: String,
    /// Whether only a run tells the whole name: a gate cannot ask for it.
    pub is_open: bool,
    /// Whether it runs for pull requests.
    pub on_pull_requests: bool,
    /// Whether it runs for pushes of branches.
    pub on_pushes: bool,
}

/// What a check is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckClass {
    /// It publishes, deploys or releases: no proof of anything before.
    Delivery,
    /// It looks for vulnerabilities.
    Security,
    /// A short test of the whole.
    Smoke,
    /// A long test of the whole.
    EndToEnd,
    /// It builds the images without publishing them.
    DockerBuild,
    /// Linters, types, unit tests, the build.
    Quality,
    /// Nothing in its name says.
    Other,
}

/// The words by which a check's name tells its class. The first class that has one of the name's words is the check's.
const CLASS_WORDS: &[(CheckClass, &[&str])] = &[
    (
        CheckClass::Delivery,
        &["publish", "deploy", "deployment", "release", "promote", "push", "rollback", "notify", "pages"],
    ),
    (CheckClass::Security, &["security", "scan", "codeql", "bandit", "audit", "trivy", "grype", "secrets", "licenses"]),
    (CheckClass::Smoke, &["smoke"]),
    (CheckClass::EndToEnd, &["e2e", "end-to-end", "acceptance", "playwright", "cypress", "browser"]),
    (CheckClass::DockerBuild, &["docker", "dockerfile", "image", "images", "container", "containers"]),
    (
        CheckClass::Quality,
        &[
            "quality",
            "lint",
            "linting",
            "format",
            "formatting",
            "fmt",
            "style",
            "test",
            "tests",
            "testing",
            "unit",
            "integration",
            "pytest",
            "jest",
            "vitest",
            "typecheck",
            "types",
            "typing",
            "mypy",
            "ruff",
            "eslint",
            "clippy",
            "check",
            "checks",
            "analysis",
            "pre-commit",
            "build",
            "compile",
        ],
    ),
];

impl CheckClass {
    /// By the words of a name: what is neither a letter nor a digit parts them.
    pub fn of(name: &str) -> Self {
        let letters = name.chars().map(|char| if char.is_alphanumeric() { char.to_ascii_lowercase() } else { '-' });
        let parted: String = std::iter::once('-').chain(letters).chain(['-']).collect();
        let has = |words: &[&str]| words.iter().any(|word| parted.contains(&format!("-{word}-")));
        CLASS_WORDS.iter().find(|(_, words)| has(words)).map_or(Self::Other, |(class, _)| *class)
    }
}

/// One of the groups of checks that a preset asks for.
struct Group<'p> {
    /// The key of `[preset]`.
    key: &'static str,
    what: &'static str,
    class: CheckClass,
    named: &'p [Spanned<String>],
}

impl Policy {
    /// The policy with what its preset stands for, and what is wrong with that.
    ///
    /// Keys that the file has win over those of the preset, one by one. Without a preset it is the policy as it was read. A preset that
    /// finds no check of a group that it asks for is an error with the code `preset-without-check`, and its gate stays closed. A check that it
    /// would ask for, if its name were known before a run, is a warning with the same code.
    pub fn expanded(&self, offered: &[OfferedCheck]) -> (Self, Vec<Diagnostic>) {
        let mut policy = self.clone();
        let mut problems = Vec::new();
        let Some(preset) = &self.preset else { return (policy, problems) };
        let gate = match policy.gates.iter().position(|gate| gate.name.value == PRESET_GATE) {
            Some(at) => policy.gates.remove(at),
            None => Gate::empty(Spanned::new(PRESET_GATE.to_owned(), preset.preset.span)),
        };
        let mut gate = filled(gate, preset, offered, &mut problems);
        if let Some(scan) = &mut gate.scan {
            scan.fill_in(policy.scan.block.as_ref());
        }
        policy.gates.insert(0, gate);
        policy.images.iter_mut().for_each(|image| fill_image(image, preset));
        (policy, problems)
    }
}

fn filled(mut gate: Gate, preset: &PresetPolicy, offered: &[OfferedCheck], problems: &mut Vec<Diagnostic>) -> Gate {
    let span = preset.preset.span;
    if !gate.has_require {
        gate.require = required(preset, offered, problems);
    }
    if gate.supplementary.is_empty() && preset.preset.value != Preset::Strict {
        let is_shown = |check: &&OfferedCheck| {
            !check.is_open
                && CheckClass::of(&check.name) == CheckClass::EndToEnd
                && gate.require.iter().all(|required| required.check.value != check.name)
        };
        let shown = offered.iter().filter(is_shown);
        gate.supplementary = shown.map(|check| Spanned::new(check.name.clone(), span)).collect();
    }
    if preset.preset.value == Preset::Strict {
        for key in [&mut gate.sbom, &mut gate.signature, &mut gate.provenance] {
            key.get_or_insert(Spanned::new(true, span));
        }
        gate.scan.get_or_insert(Scan { block: Vec::new(), budget: None, span });
    }
    gate
}

fn required(preset: &PresetPolicy, offered: &[OfferedCheck], problems: &mut Vec<Diagnostic>) -> Vec<RequiredCheck> {
    let checks = &preset.checks;
    let quality = Group { key: "quality", what: "quality checks", class: CheckClass::Quality, named: &checks.quality };
    let smoke = Group { key: "smoke", what: "a smoke test", class: CheckClass::Smoke, named: &checks.smoke };
    let docker_build = Group {
        key: "docker-build",
        what: "a check that builds the images",
        class: CheckClass::DockerBuild,
        named: &checks.docker_build,
    };
    let groups = match preset.preset.value {
        Preset::PublishOnly => vec![quality],
        Preset::Balanced | Preset::Strict => vec![quality, smoke, docker_build],
    };
    let mut required: Vec<RequiredCheck> = Vec::new();
    for group in &groups {
        let found = group.checks(preset, offered);
        if found.is_empty() {
            problems.push(group.problem(preset, offered));
            // Whoever asks the gate all the same finds it closed, and reads why.
            required.push(group.missing(preset));
        }
        // A check may be named in two groups: it is required once.
        for check in found {
            if required.iter().all(|other| other.check.value != check.check.value) {
                required.push(check);
            }
        }
    }
    let is_strict = preset.preset.value == Preset::Strict;
    let all = offered.iter().filter(|check| is_strict && CheckClass::of(&check.name) != CheckClass::Delivery);
    for check in all.clone().filter(|check| !check.is_open) {
        if required.iter().all(|other| other.check.value != check.name) {
            required.push(check.required(preset));
        }
    }
    let of_groups = groups.iter().filter(|group| group.named.is_empty()).flat_map(|group| group.of_class(offered));
    let mut told: Vec<&str> = Vec::new();
    for check in of_groups.chain(all).filter(|check| check.is_open) {
        // The name of another check is that one's.
        let is_anothers = |name: &str| offered.iter().any(|other| !other.is_open && other.name == name);
        let names = required.iter().map(|other| other.check.value.as_str());
        let is_asked_for = names.filter(|name| !is_anothers(name)).any(|name| check.may_be(name));
        if !is_asked_for && !told.contains(&check.name.as_str()) {
            told.push(&check.name);
            problems.push(check.unasked(preset));
        }
    }
    required
}

impl Group<'_> {
    fn of_class<'o>(&self, offered: &'o [OfferedCheck]) -> impl Iterator<Item = &'o OfferedCheck> + use<'o> {
        let class = self.class;
        offered.iter().filter(move |check| CheckClass::of(&check.name) == class)
    }

    fn checks(&self, preset: &PresetPolicy, offered: &[OfferedCheck]) -> Vec<RequiredCheck> {
        if self.named.is_empty() {
            let known = self.of_class(offered).filter(|check| !check.is_open);
            return known.map(|check| check.required(preset)).collect();
        }
        let named = |check: &Spanned<String>| {
            let known = offered.iter().find(|offered| offered.name == check.value);
            let on = known.and_then(|known| known.only_on()).map(|on| Spanned::new(on, check.span));
            RequiredCheck { check: check.clone(), on }
        };
        self.named.iter().map(named).collect()
    }

    /// A check that never comes.
    fn missing(&self, preset: &PresetPolicy) -> RequiredCheck {
        let name = format!(
            "{} (the preset `{}` asks for it, and no check is called so)",
            self.what,
            preset.preset.value.as_str()
        );
        RequiredCheck { check: Spanned::new(name, preset.preset.span), on: None }
    }

    fn problem(&self, preset: &PresetPolicy, offered: &[OfferedCheck]) -> Diagnostic {
        let name = preset.preset.value.as_str();
        let message = format!(
            "the preset `{name}` asks for {}, and no check of a pull request or push is called like one",
            self.what
        );
        let words = CLASS_WORDS.iter().find(|(class, _)| *class == self.class).map(|(_, words)| words.join(", "));
        let mut problem = Diagnostic::error("preset-without-check", message).at(preset.preset.span);
        let known = || offered.iter().filter(|check| !check.is_open);
        let example = known().next().map_or("CI / …", |check| check.name.as_str());
        problem.help.push(format!(
            "name it: write `[preset]` with `name = \"{name}\"` and `{} = [\"{example}\"]`, or give `[gate.{PRESET_GATE}]` a `require` of its own",
            self.key
        ));
        problem
            .help
            .push(format!("it would be found by one of these words in its name: {}", words.unwrap_or_default()));
        let all: Vec<String> = known().take(12).map(|check| format!("`{}`", check.name)).collect();
        if !all.is_empty() {
            problem.help.push(format!("the checks that there are: {}", all.join(", ")));
        }
        problem
    }
}

impl OfferedCheck {
    /// Whether the check of this name may be it.
    fn may_be(&self, name: &str) -> bool {
        let Some((first, rest)) = self.name.split_once('…').filter(|_| self.is_open) else {
            return self.name == name;
        };
        let last = rest.rsplit('…').next().unwrap_or_default();
        name.strip_prefix(first).is_some_and(|rest| rest.ends_with(last))
    }

    /// It would be asked for, and nobody knows by which name.
    fn unasked(&self, preset: &PresetPolicy) -> Diagnostic {
        let message = format!(
            "the preset `{}` cannot ask for `{}`: only a run tells its whole name, so it blocks nothing",
            preset.preset.value.as_str(),
            self.name
        );
        let mut problem = Diagnostic::warning("preset-without-check", message).at(preset.preset.span);
        problem.help.push(format!(
            "name the checks of that job that have to succeed under `[preset]`, or give `[gate.{PRESET_GATE}]` a `require` of its own; or give the job a name without an expression"
        ));
        problem
    }

    fn only_on(&self) -> Option<Context> {
        match (self.on_pull_requests, self.on_pushes) {
            (true, false) => Some(Context::PullRequest),
            (false, true) => Some(Context::Push),
            _ => None,
        }
    }

    fn required(&self, preset: &PresetPolicy) -> RequiredCheck {
        let span = preset.preset.span;
        RequiredCheck {
            check: Spanned::new(self.name.clone(), span),
            on: self.only_on().map(|on| Spanned::new(on, span)),
        }
    }
}

fn fill_image(image: &mut Image, preset: &PresetPolicy) {
    let span = preset.preset.span;
    image.gate.get_or_insert_with(|| Spanned::new(PRESET_GATE.to_owned(), span));
    if preset.preset.value == Preset::Strict {
        image.sign.get_or_insert(Spanned::new(true, span));
        if image.sbom.is_empty() {
            image.sbom = [SbomFormat::Spdx, SbomFormat::CycloneDx].map(|format| Spanned::new(format, span)).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;

    use super::*;

    fn offered(names: &[&str]) -> Vec<OfferedCheck> {
        let offer = |name: &&str| {
            let (name, on) = name.split_once('@').unwrap_or((name, "both"));
            OfferedCheck {
                name: name.to_owned(),
                is_open: name.contains('…'),
                on_pull_requests: on != "push",
                on_pushes: on != "pull_request",
            }
        };
        names.iter().map(offer).collect()
    }

    fn expanded(text: &str, names: &[&str]) -> (Policy, Vec<Diagnostic>) {
        let (policy, findings) = Policy::read(&Source::new("lineclear.toml", text));
        assert_eq!(findings, []);
        policy.expanded(&offered(names))
    }

    fn required(policy: &Policy) -> Vec<String> {
        let gate = policy.gate("main").expect("the preset's gate");
        gate.require
            .iter()
            .map(|required| match required.on.as_ref().map(|on| on.value) {
                None => required.check.value.clone(),
                Some(on) => format!("{} on {on:?}", required.check.value),
            })
            .collect()
    }

    const CI: &[&str] = &[
        "CI / backend-quality",
        "CI / frontend-quality",
        "CI / smoke-e2e",
        "CI / docker-build-check@pull_request",
        "E2E / full",
        "Security / bandit",
        "Publish / push-image@push",
    ];

    // S0-3
    #[test]
    fn balanced_asks_for_exactly_quality_smoke_and_the_build_of_the_images() {
        let (policy, problems) = expanded("preset = 'balanced'", CI);
        assert_eq!(problems, []);
        assert_eq!(
            required(&policy),
            [
                "CI / backend-quality",
                "CI / frontend-quality",
                "CI / smoke-e2e",
                "CI / docker-build-check on PullRequest"
            ]
        );
        let gate = policy.gate("main").expect("it is there");
        let shown: Vec<&str> = gate.supplementary.iter().map(|check| check.value.as_str()).collect();
        assert_eq!(shown, ["E2E / full"]);
        assert!(gate.scan.is_none() && gate.sbom.is_none() && gate.signature.is_none() && gate.provenance.is_none());
    }

    // S0-3
    #[test]
    fn a_preset_that_does_not_find_one_of_its_checks_says_what_to_write() {
        for (gone, key) in [("CI / smoke-e2e", "smoke"), ("CI / docker-build-check@pull_request", "docker-build")] {
            let names: Vec<&str> = CI.iter().copied().filter(|name| *name != gone).collect();
            let (_, problems) = expanded("preset = 'balanced'", &names);
            let [problem] = problems.as_slice() else { panic!("one problem: {problems:?}") };
            assert_eq!(problem.code, "preset-without-check");
            assert!(problem.help[0].contains(&format!("`{key} = [")), "{problem:?}");
        }
    }

    #[test]
    fn a_check_whose_name_only_a_run_tells_is_told_where_it_would_be_asked_for() {
        let open = ["CI / Tests on …", "CI / …", "Publish / image …"];
        let names: Vec<&str> = CI.iter().copied().chain(open).collect();
        for (text, told) in [
            ("preset = 'publish-only'", &open[..1]),
            ("preset = 'strict'", &open[..2]),
            ("[preset]\nname = 'publish-only'\nquality = ['CI / backend-quality']", &[]),
            ("[preset]\nname = 'strict'\nquality = ['CI / Tests on 3.12', 'CI / late']", &[]),
            ("preset = 'strict'\n[gate.main]\nrequire = ['CI / backend-quality']", &[]),
        ] {
            let (policy, problems) = expanded(text, &names);
            assert!(required(&policy).iter().all(|check| !check.contains('…')), "{text}");
            assert!(problems.iter().all(|problem| !problem.is_error()), "{text}: {problems:?}");
            let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            assert_eq!(messages.len(), told.len(), "{text}: {messages:?}");
            assert!(
                messages.iter().zip(told).all(|(message, name)| message.contains(&format!("`{name}`"))),
                "{messages:?}"
            );
        }
        let (policy, problems) = expanded("preset = 'publish-only'", &["CI / Tests on …"]);
        assert!(problems[0].is_error(), "the group is empty: {problems:?}");
        assert_eq!(required(&policy).len(), 1, "and the gate stays closed");
    }

    #[test]
    fn checks_that_are_named_are_those_that_count() {
        let text = "[preset]\nname = 'balanced'\nquality = ['CI / all']\nsmoke = ['CI / quick']\ndocker-build = ['CI / all']\n";
        let (policy, problems) = expanded(text, &["CI / all", "CI / quick@pull_request", "CI / lint"]);
        assert_eq!(problems, []);
        assert_eq!(required(&policy), ["CI / all", "CI / quick on PullRequest"]);
    }

    // S0-18
    #[test]
    fn what_the_file_says_wins_key_by_key() {
        let text = "preset = 'strict'\n[gate.main]\nrequire = []\nsignature = false\n[gate.other]\nsbom = true\n\
                    [image.a]\nrepository = 'r/a'\n[image.b]\nrepository = 'r/b'\ngate = 'other'\nsign = false\nsbom = ['spdx']\n";
        let (policy, problems) = expanded(text, &[]);
        assert_eq!(problems, []);
        assert_eq!(required(&policy), [""; 0]);
        let gate = policy.gate("main").expect("it is there");
        assert_eq!(gate.signature.as_ref().map(|signature| signature.value), Some(false));
        assert_eq!(gate.provenance.as_ref().map(|provenance| provenance.value), Some(true));
        let of = |name: &str| {
            let image = policy.image(name).expect("it is there");
            let gate = image.gate.as_ref().map_or("", |gate| gate.value.as_str());
            (gate.to_owned(), image.sign.as_ref().is_some_and(|sign| sign.value), image.sbom.len())
        };
        assert_eq!(of("a"), ("main".to_owned(), true, 2));
        assert_eq!(of("b"), ("other".to_owned(), false, 1));
    }

    #[test]
    fn strict_asks_for_every_check_that_delivers_nothing() {
        let (policy, problems) = expanded("preset = 'strict'", CI);
        assert_eq!(problems, []);
        assert_eq!(
            required(&policy),
            [
                "CI / backend-quality",
                "CI / frontend-quality",
                "CI / smoke-e2e",
                "CI / docker-build-check on PullRequest",
                "E2E / full",
                "Security / bandit"
            ]
        );
    }

    #[test]
    fn strict_goes_by_the_severities_of_scans() {
        use crate::VulnerabilitySeverity::{Critical, High, Medium};
        for (scans, gate, severities, budget) in [
            ("", "", vec![Critical, High], None),
            ("", "[gate.main]\nscan = { budget = 2 }\n", vec![Critical, High], Some(2)),
            ("[scan]\nblock = ['critical', 'high', 'medium']\n", "", vec![Critical, High, Medium], None),
            ("[scan]\nblock = ['critical']\n", "[gate.main]\nscan = { block = ['medium'] }\n", vec![Medium], None),
        ] {
            let (policy, problems) = expanded(&format!("preset = 'strict'\n{scans}{gate}"), CI);
            assert_eq!(problems, []);
            let scan = policy.gate("main").and_then(|gate| gate.scan.as_ref()).expect("strict asks for one");
            assert_eq!(scan.block.iter().map(|one| one.value).collect::<Vec<_>>(), severities, "{scans}{gate}");
            assert_eq!(scan.budget.as_ref().map(|budget| budget.value), budget);
        }
    }

    #[test]
    fn names_tell_their_class() {
        for (name, class) in [
            ("CI / backend-quality", CheckClass::Quality),
            ("CI / Unit Tests", CheckClass::Quality),
            ("CI / docker-build-check", CheckClass::DockerBuild),
            ("Smoke / test", CheckClass::Smoke),
            ("E2E / smoke", CheckClass::Smoke),
            ("CI / end to end", CheckClass::EndToEnd),
            ("CI / container scan", CheckClass::Security),
            ("Publish / build", CheckClass::Delivery),
            ("CI / latest", CheckClass::Other),
        ] {
            assert_eq!(CheckClass::of(name), class, "{name}");
        }
    }

    #[test]
    fn without_a_preset_nothing_is_filled_in() {
        let (policy, problems) = expanded("[image.a]\nrepository = 'r/a'\n", CI);
        assert_eq!(problems, []);
        assert!(policy.gates.is_empty() && policy.images[0].gate.is_none());
    }
}
