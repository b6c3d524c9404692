//! `[gate.NAME]`: what has to be proven of a commit or digest before it moves.

use std::time::Duration;

use lineclear_source::{Span, Spanned};

use crate::table::{Entry, Findings, Table};

/// `[gate.NAME]`.
#[derive(Clone, Debug)]
pub struct Gate {
    /// As images and environments name it.
    pub name: Spanned<String>,
    /// `require`: checks that have to succeed.
    pub require: Vec<RequiredCheck>,
    /// Whether `require` is there: an empty list of one's own is no invitation to a preset.
    pub has_require: bool,
    /// `supplementary`: checks that are shown and never block.
    pub supplementary: Vec<Spanned<String>>,
    /// `skipped`: what a required check counts as that was skipped by its own conditions.
    pub skipped: Option<Spanned<Skipped>>,
    /// `coverage`
    pub coverage: Option<Coverage>,
    /// `scan`
    pub scan: Option<Scan>,
    /// `sbom`: whether a list of what is inside has to be there.
    pub sbom: Option<Spanned<bool>>,
    /// `signature`: whether the digest has to be signed.
    pub signature: Option<Spanned<bool>>,
    /// `provenance`: whether it has to be attested where the digest was built, and from what.
    pub provenance: Option<Spanned<bool>>,
    /// `fresh-for`: evidence older than this does not count.
    pub fresh_for: Option<Spanned<Duration>>,
    /// `statements`: what people have to state, each by its name: `security-review`.
    pub statements: Vec<Spanned<String>>,
}

/// One entry of `require`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredCheck {
    /// `Workflow / job`, by the names that the forge shows.
    pub check: Spanned<String>,
    /// `on`: where it is required; everywhere, if it is not set.
    pub on: Option<Spanned<Context>>,
}

/// Where a check is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// On pull requests only.
    PullRequest,
    /// On pushes only.
    Push,
}

/// What a skipped check counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Skipped {
    /// As proven: it was not needed.
    Pass,
    /// As not proven.
    Fail,
}

/// `coverage` of a gate.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// `min`: per cent of the lines.
    pub min: Option<Spanned<f64>>,
    /// `ratchet`: whether it may not sink below what was reached before.
    pub ratchet: Option<Spanned<bool>>,
    /// The key.
    pub span: Span,
}

/// `scan` of a gate.
#[derive(Clone, Debug)]
pub struct Scan {
    /// `block`: severities that count. Where the gate names none, those of `[scan]`, and where that names none, `critical` and `high`: there
    /// are always some.
    pub block: Vec<Spanned<VulnerabilitySeverity>>,
    /// `budget`: how many findings of these severities are accepted; none, if it is not set.
    pub budget: Option<Spanned<u32>>,
    /// The key.
    pub span: Span,
}

/// How bad a vulnerability is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the scanners' own")]
pub enum VulnerabilitySeverity {
    /// Nobody says how bad it is: where it counts, it counts as what blocks.
    Unknown,
    Low,
    Medium,
    High,
    Critical,
}

const SEVERITIES: &[(&str, VulnerabilitySeverity)] = &[
    ("unknown", VulnerabilitySeverity::Unknown),
    ("low", VulnerabilitySeverity::Low),
    ("medium", VulnerabilitySeverity::Medium),
    ("high", VulnerabilitySeverity::High),
    ("critical", VulnerabilitySeverity::Critical),
];

/// What counts where nobody says what does.
const GRAVE: [VulnerabilitySeverity; 2] = [VulnerabilitySeverity::Critical, VulnerabilitySeverity::High];

/// `block`, of a gate or of `[scan]`. A list of nothing would let every finding pass, whatever else is asked: it is wrong.
pub(crate) fn severities(
    table: &mut Table<'_>,
    findings: &mut Findings<'_>,
) -> Option<Spanned<Vec<Spanned<VulnerabilitySeverity>>>> {
    let block = table.get("block")?;
    if matches!(block.value, toml::de::DeValue::Array(items) if items.is_empty()) {
        let message = "`block` names no severity, so no finding would ever block; leave it out, or write `[\"critical\", \"high\"]`";
        findings.value(block.span, message);
    }
    table.choices("block", SEVERITIES, findings)
}

impl Gate {
    /// A gate that asks for nothing.
    pub(crate) fn empty(name: Spanned<String>) -> Self {
        Self {
            name,
            require: Vec::new(),
            has_require: false,
            supplementary: Vec::new(),
            skipped: None,
            coverage: None,
            scan: None,
            sbom: None,
            signature: None,
            provenance: None,
            fresh_for: None,
            statements: Vec::new(),
        }
    }

    pub(crate) fn read(name: Spanned<String>, mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let gate = Self {
            name,
            has_require: table.has("require"),
            require: require(&mut table, findings),
            supplementary: table.strings("supplementary", findings),
            skipped: table.choice("skipped", &[("pass", Skipped::Pass), ("fail", Skipped::Fail)], findings),
            coverage: table.table("coverage", findings).map(|coverage| Coverage::read(coverage, findings)),
            scan: table.table("scan", findings).map(|scan| Scan::read(scan, findings)),
            sbom: table.boolean("sbom", findings),
            signature: table.boolean("signature", findings),
            provenance: table.boolean("provenance", findings),
            fresh_for: table.duration("fresh-for", findings),
            statements: table.strings("statements", findings),
        };
        table.finish(findings);
        gate
    }
}

fn require(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Vec<RequiredCheck> {
    let Some(entry) = table.get("require") else { return Vec::new() };
    let items = table.items(entry, "a list of checks", findings);
    items.into_iter().filter_map(|item| required_check(table, item, findings)).collect()
}

fn required_check<'t>(table: &Table<'t>, item: Entry<'t>, findings: &mut Findings<'_>) -> Option<RequiredCheck> {
    if let toml::de::DeValue::String(_) = item.value {
        let check = table.of_string(item, findings)?;
        return Some(RequiredCheck { check, on: None });
    }
    let toml::de::DeValue::Table(_) = item.value else {
        return table.wrong_type(item, "a list of strings, or of tables with `check` and `on`", findings);
    };
    let mut table = table.of_table(item, findings)?;
    let check = table.required("check", findings);
    let contexts = [("pull_request", Context::PullRequest), ("push", Context::Push)];
    let on = table.choice("on", &contexts, findings);
    table.finish(findings);
    Some(RequiredCheck { check: check?, on })
}

impl Coverage {
    fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let coverage = Self {
            span: table.span(),
            min: table.number("min", 100.0, findings),
            ratchet: table.boolean("ratchet", findings),
        };
        table.finish(findings);
        coverage
    }
}

impl Scan {
    /// One that names no severity goes by those of `[scan]`.
    pub(crate) fn fill_in(&mut self, of_scans: Option<&Spanned<Vec<Spanned<VulnerabilitySeverity>>>>) {
        if self.block.is_empty() {
            self.block = match of_scans.filter(|block| !block.value.is_empty()) {
                Some(block) => block.value.clone(),
                None => GRAVE.map(|severity| Spanned::new(severity, self.span)).into(),
            };
        }
    }

    fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let block = severities(&mut table, findings).map(|block| block.value).unwrap_or_default();
        let scan = Self { span: table.span(), block, budget: table.count("budget", 0, findings) };
        table.finish(findings);
        scan
    }
}
