//! The file as a whole.

use lineclear_source::{Diagnostic, Source, Span};
use toml::de::DeTable;

use crate::table::{Findings, Table, span_of};
use crate::{
    CheckPolicy, Environment, Gate, Image, Levels, PresetPolicy, RegistryPolicy, RunnerPolicy, ScanPolicy,
    SigningPolicy,
};

/// `lineclear.toml`.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// `preset`
    pub preset: Option<PresetPolicy>,
    /// `[gate.NAME]`, in file order, as are images and environments.
    pub gates: Vec<Gate>,
    /// `[image.NAME]`
    pub images: Vec<Image>,
    /// `[environment.NAME]`
    pub environments: Vec<Environment>,
    /// `[levels]`
    pub levels: Levels,
    /// `[check]`
    pub check: CheckPolicy,
    /// `[runner]`
    pub runner: RunnerPolicy,
    /// `[registry]`
    pub registry: RegistryPolicy,
    /// `[scan]`
    pub scan: ScanPolicy,
    /// `[signing]`
    pub signing: SigningPolicy,
}

impl Policy {
    /// Reads the file's text: all that could be understood, and everything that is wrong with it.
    ///
    /// The findings come in the order of the text, with the codes `policy-syntax`, `policy-unknown-key` and `policy-value`.
    pub fn read(source: &Source) -> (Self, Vec<Diagnostic>) {
        let mut findings = Findings::new(source);
        let text = source.text();
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().map_or(Span::new(text.len(), text.len()), span_of);
            findings.syntax(span, error.message());
        }
        let mut root = Table::new("", document.get_ref(), span_of(document.span()));
        let mut policy = Self::default();
        if let Some(entry) = root.get("preset") {
            policy.preset = PresetPolicy::read(&root, entry, &mut findings);
        }
        for (name, table) in root.named("gate", &mut findings) {
            policy.gates.push(Gate::read(name, table, &mut findings));
        }
        for (name, table) in root.named("image", &mut findings) {
            policy.images.push(Image::read(name, table, &mut findings));
        }
        for (name, table) in root.named("environment", &mut findings) {
            policy.environments.push(Environment::read(name, table, &mut findings));
        }
        if let Some(table) = root.table("levels", &mut findings) {
            policy.levels = Levels::read(table, &mut findings);
        }
        if let Some(table) = root.table("check", &mut findings) {
            policy.check = CheckPolicy::read(table, &mut findings);
        }
        if let Some(table) = root.table("runner", &mut findings) {
            policy.runner = RunnerPolicy::read(table, &mut findings);
        }
        if let Some(table) = root.table("registry", &mut findings) {
            policy.registry = RegistryPolicy::read(table, &mut findings);
        }
        if let Some(table) = root.table("scan", &mut findings) {
            policy.scan = ScanPolicy::read(table, &mut findings);
        }
        if let Some(table) = root.table("signing", &mut findings) {
            policy.signing = SigningPolicy::read(table, &mut findings);
        }
        root.finish(&mut findings);
        policy.fill_in_severities();
        (policy, findings.into_diagnostics())
    }

    /// `block` of `[scan]` is what counts where a gate asks for scans and names no severities: nobody who reads a gate has to know.
    fn fill_in_severities(&mut self) {
        for scan in self.gates.iter_mut().filter_map(|gate| gate.scan.as_mut()) {
            scan.fill_in(self.scan.block.as_ref());
        }
    }

    /// The gate of this name.
    pub fn gate(&self, name: &str) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.name.value == name)
    }

    /// The image of this name.
    pub fn image(&self, name: &str) -> Option<&Image> {
        self.images.iter().find(|image| image.name.value == name)
    }

    /// The environment of this name.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name.value == name)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check_findings(text: &str, expected: &Expect) {
        let source = Source::new("lineclear.toml", text);
        let (_, findings) = Policy::read(&source);
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| {
                let place = source.position(finding.span.unwrap_or_default().start);
                format!("{place} {}: {}", finding.code, finding.message)
            })
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let text = r#"
gates = 1
[gate.main]
requre = ["CI / test"]
require = [1, { check = "CI / e2e", on = "pull-request" }, { on = "push" }]
coverage = { min = 101 }
scan = { block = ["critcal"], budget = -1 }
fresh-for = "7 days"
[image.backend]
repository = "ghcr.io/${ownr}/backend:latest"
tags."main" = ["latest", "sha-{short_sha}"]
sbom = "spdx"
platforms = ["amd64"]
[environment.production]
approvals = { count = 3, by = ["ann", "bob"], not_author = true }
deploy = { kind = "compose_ssh", host = "a" }
health = { url = "example.com", attempts = 0 }
[environment.staging.deploy]
kind = "compose-ssh"
hosts = ["a"]
[levels]
flake-rate = 2
[check]
deny = "warn"
pedantic = "yes"
rules = { missing-timeout = "of" }
[[check.paths]]
rules = { "*" = "off" }
[runner]
engine = "dokcer"
images = { ubuntu-latest = "" }
engine-view = "all"
[runner.isolation]
memory = "2 gigs"
cpus = 0
network = "host"
allow = ["example.org:443"]
"#;
        check_findings(
            text,
            &expect![[r#"
                2:1 policy-unknown-key: `gates` is not a key of `lineclear.toml`; did you mean `gate`?
                4:1 policy-unknown-key: `requre` is not a key of `gate.main`; did you mean `require`?
                5:1 policy-value: `gate.main.require` has no `check`
                5:12 policy-value: `require` has to be a list of strings, or of tables with `check` and `on`, not a whole number
                5:42 policy-value: `pull-request` is not a value of `on`; did you mean `pull_request`?
                6:20 policy-value: `min` has to be a number from 0 to 100
                7:19 policy-value: `critcal` is not a value of `block`; did you mean `critical`?
                7:40 policy-value: `budget` has to be a whole number from 0 on
                8:13 policy-value: `7 days` is not a time: write a number and `s`, `m`, `h` or `d`, as `90s`
                10:14 policy-value: `${ownr}` stands for nothing; did you mean `${owner}`?
                10:14 policy-value: `repository` names a tag or digest: tags are chosen by `tags`
                11:6 policy-value: `main` is not a ref: write `refs/heads/…` or `refs/tags/…`
                11:26 policy-value: `{short_sha}` stands for nothing; did you mean `${short-sha}`?
                12:8 policy-value: `sbom` has to be a list of strings, not a string
                13:14 policy-value: `amd64` is not a platform: write it as `linux/amd64`
                15:23 policy-value: 3 approvals are asked of 2 people: none ever suffices
                15:47 policy-unknown-key: `not_author` is not a key of `environment.production.approvals`; did you mean `not-author`?
                16:19 policy-value: `compose_ssh` is not a value of `kind`; did you mean `compose-ssh`?
                17:18 policy-value: `example.com` is not an address: it begins with `https://` or `http://`
                17:44 policy-value: `attempts` has to be a whole number from 1 on
                18:22 policy-value: `environment.staging.deploy` has no `host`
                20:1 policy-unknown-key: `hosts` is not a key of `environment.staging.deploy`; did you mean `host`?
                22:14 policy-value: `flake-rate` has to be a number from 0 to 1
                24:8 policy-value: `warn` is not a value of `deny`
                25:12 policy-value: `pedantic` has to be `true` or `false`, not a string
                26:29 policy-value: `of` is not a value of `missing-timeout`; did you mean `off`?
                27:9 policy-value: this entry of `check.paths` names no `files`
                30:10 policy-value: `dokcer` is no container engine
                31:28 policy-value: `ubuntu-latest` is empty
                32:15 policy-value: `all` is not a value of `engine-view`
                34:10 policy-value: `2 gigs` is not a size: write a number and `K`, `M`, `G` or `T`, as `512M`
                35:8 policy-value: a job without any processor cannot run
                37:10 policy-value: `allow` adds destinations to the network `loopback`: leave `network` out"#]],
        );
    }

    #[test]
    fn text_that_is_no_toml_is_said_once_a_line_and_the_rest_is_read() {
        check_findings(
            "[check\ndeny = \npedantic = 1\n[gate.a]\nrequire = ['x\n[gate.a]\n",
            &expect![[r#"
            1:7 policy-syntax: this is not TOML: unclosed table, expected `]`
            5:14 policy-syntax: this is not TOML: invalid literal string, expected `'`
            6:1 policy-syntax: this is not TOML: missing comma between array elements, expected `,`"#]],
        );
        check_findings(
            "a = 1\na = 2\n",
            &expect![[r#"
            1:1 policy-unknown-key: `a` is not a key of `lineclear.toml`
            2:1 policy-syntax: this is not TOML: duplicate key"#]],
        );
    }

    #[test]
    fn values_have_their_places() {
        let source = Source::new(
            "lineclear.toml",
            "[gate.main]\nrequire = ['CI / test', { check = 'CI / e2e', on = 'pull_request' }]\n\
             [check]\ndeny = 'warning'\n[check.rules]\nb = 'off'\na = 'error'\n[[check.paths]]\nfiles = ['x/**']\nrules = { '*' = 'info' }\n",
        );
        let (policy, findings) = Policy::read(&source);
        assert_eq!(findings, []);
        let gate = policy.gate("main").unwrap();
        assert_eq!(source.slice(gate.name.span), "main");
        assert_eq!(source.slice(gate.require[1].check.span), "'CI / e2e'");
        let deny = policy.check.deny.unwrap();
        assert_eq!((deny.value, source.slice(deny.span)), (lineclear_source::Severity::Warning, "'warning'"));
        let rules: Vec<&str> = policy.check.rules.iter().map(|(name, _)| source.slice(name.span)).collect();
        assert_eq!(rules, ["b", "a"]);
        assert_eq!(policy.check.paths[0].files[0].value, "x/**");
    }

    #[test]
    fn a_gate_that_names_no_severities_goes_by_those_of_scans() {
        use crate::VulnerabilitySeverity::{Critical, High, Low, Unknown};
        let scans = "[scan]\nblock = ['critical', 'unknown']\n";
        for (scans, gate, severities) in [
            (scans, "{ budget = 1 }", vec![Critical, Unknown]),
            (scans, "{ block = ['low'] }", vec![Low]),
            ("", "{ budget = 4 }", vec![Critical, High]),
            ("[scan]\n", "{}", vec![Critical, High]),
        ] {
            let text = format!("{scans}[gate.main]\nscan = {gate}\n");
            let (policy, findings) = Policy::read(&Source::new("lineclear.toml", text));
            assert_eq!(findings, []);
            let scan = policy.gates[0].scan.as_ref().expect("it asks for one");
            assert_eq!(scan.block.iter().map(|one| one.value).collect::<Vec<_>>(), severities, "{scans}{gate}");
        }
    }

    #[test]
    fn severities_that_are_none_are_wrong_and_let_nothing_pass() {
        for text in ["[gate.main]\nscan = { block = [] }\n", "[scan]\nblock = []\n[gate.main]\nscan = { budget = 1 }\n"]
        {
            let (policy, findings) = Policy::read(&Source::new("lineclear.toml", text));
            let [finding] = findings.as_slice() else { panic!("one finding: {findings:?}") };
            assert!(finding.is_error() && finding.message.starts_with("`block` names no severity"), "{finding:?}");
            assert_eq!(policy.gates[0].scan.as_ref().map(|scan| scan.block.len()), Some(2));
        }
    }

    #[test]
    fn the_examples_of_the_manual_are_right() {
        let manual = include_str!("../../../docs/policy.md");
        let examples: Vec<&str> =
            manual.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert_eq!(examples.len(), 9);
        for example in examples {
            assert_eq!(Policy::read(&Source::new("lineclear.toml", example)).1, []);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[\\[\\]a-e={}\"'.,\\n#$ 0-9éè-]{0,80}") {
            let source = Source::new("lineclear.toml", text.as_str());
            let (policy, _) = Policy::read(&source);
            policy.environment_cycles();
            policy.unreachable_environments();
        }
    }
}
