//! What was found, for the record and for the report.

use std::sync::Arc;

use lineclear_event::{AnnotationLevel, Fact, Findings, ScanStatement};
use lineclear_reports::markdown;
use lineclear_runner::native::{Call, NativeError};
use lineclear_sbom::Inventory;
use lineclear_vulnerability::{Database, Hit, Scan, scan};

use super::Vulnerabilities;
use super::taken::Taken;

/// How many findings the summary shows.
const SHOWN: usize = 20;

/// What was looked through, with what was found.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) all: Vec<(Inventory, Scan)>,
    pub(super) is_image: bool,
}

/// Looks everything up and tells the record of all of it.
pub(super) fn look(call: &mut Call<'_>, taken: Taken, known: &Arc<dyn Vulnerabilities>) -> Result<Looked, NativeError> {
    let database: Arc<Database> = known.database().map_err(NativeError)?;
    let ignores = known.ignores();
    let mut all = Vec::new();
    for inventory in taken.inventories {
        let scan = scan(&inventory, &database, &ignores)
            .map_err(|error| NativeError(format!("the database of vulnerabilities: {error}")))?;
        all.push((inventory, scan));
    }
    let mut facts = Vec::new();
    for (inventory, scan) in &all {
        let digest = inventory.subject.digest.clone().filter(|_| taken.is_by_digest);
        facts.push(findings(scan.statement(), &inventory.subject.name, digest));
    }
    if let Some(index) = &taken.index {
        let name = all.first().map_or("", |(inventory, _)| inventory.subject.name.as_str());
        let whole = Scan::together(all.iter().map(|(_, scan)| scan)).statement();
        facts.push(findings(whole, name, Some(index.to_string())));
    }
    tell(call, facts);
    let looked = Looked { all, is_image: taken.is_image };
    for gap in looked.gaps() {
        call.effects.annotate(AnnotationLevel::Warning, &format!("not looked up: {gap}"));
    }
    // Of an image that is a gap, or somebody's word.
    for (inventory, scan) in &looked.all {
        if inventory.packages.is_empty() && scan.gaps.is_empty() && scan.ignored.is_empty() {
            let message = format!("nothing was recognised in `{}`: no package was looked up", inventory.subject.name);
            call.effects.annotate(AnnotationLevel::Warning, &message);
        }
    }
    if let Some(newest) = database.newest() {
        call.effects.log(&format!("Newest record of the database: {newest}"));
    }
    Ok(looked)
}

/// The summary names what was looked at; of an image the record does not: whatever looks at that digest again has the newer word.
fn tell(call: &mut Call<'_>, facts: Vec<Findings>) {
    let shown: Vec<Fact> = facts.iter().map(|found| Fact::Findings(Box::new(found.clone()))).collect();
    let summary = markdown(&shown);
    if !summary.is_empty() {
        call.effects.summary(&summary);
    }
    for mut found in facts {
        if found.digest.is_some() {
            found.name.clear();
        }
        call.effects.fact(Fact::Findings(Box::new(found)));
    }
}

fn findings(statement: ScanStatement, name: &str, digest: Option<String>) -> Findings {
    let line = |found: &lineclear_event::Finding| {
        let parts = [&found.place, &found.id, &found.title].map(String::as_str);
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
    };
    Findings {
        name: name.to_owned(),
        tool: statement.tool,
        first: statement.found.iter().take(SHOWN).map(line).collect(),
        counts: statement.counts,
        found: statement.found,
        ignored: statement.ignored,
        ignored_until: statement.ignored_until,
        digest,
        database: statement.database,
        unreadable: statement.unreadable,
        ..Findings::default()
    }
}

impl Looked {
    /// What could not be looked up, each once.
    pub(super) fn gaps(&self) -> Vec<String> {
        let mut gaps: Vec<String> = self.all.iter().flat_map(|(_, scan)| scan.gaps.iter().cloned()).collect();
        gaps.sort();
        gaps.dedup();
        gaps
    }

    /// Leaves out of the report what is not wanted in it.
    pub(super) fn retain(&mut self, mut wanted: impl FnMut(&Hit) -> bool) {
        for (_, scan) in &mut self.all {
            scan.hits.retain(&mut wanted);
        }
    }

    pub(super) fn hits(&self) -> impl Iterator<Item = &Hit> {
        self.all.iter().flat_map(|(_, scan)| &scan.hits)
    }
}
