//! `artifact-name-clash`: two artifacts of one name.

use lineclear_source::Severity;
use lineclear_workflow::Text;

use super::artifact::{has_several_jobs, is_fixed_for_a_run, is_upload, may_replace};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, UseSite, page};

/// Manual and tests: `docs/rules/artifact-name-clash.md`.
#[derive(Debug)]
pub(super) struct ArtifactNameClash;

static META: RuleMeta = RuleMeta {
    id: "artifact-name-clash",
    summary: "two artifacts of one run have the same name",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("artifact-name-clash"),
};

impl Rule for ArtifactNameClash {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let mut seen: Vec<(&str, &UseSite<'_>)> = Vec::new();
        for site in file.uses() {
            let Some(job) = site.site.job else { continue };
            if !is_upload(site) || !site.has_all_inputs() || may_replace(site) {
                continue;
            }
            let name = site.input("name");
            let span = name.map_or(site.uses.span, Text::span);
            let text = name.map_or("artifact", Text::raw);
            if name.is_some_and(|name| !is_fixed_for_a_run(name)) {
                continue;
            }
            if site.site.step.condition.is_none() && has_several_jobs(job) {
                let message =
                    format!("every job of the matrix uploads an artifact called `{text}`: all but the first fail");
                report
                    .at(span, message)
                    .help("put what differs into the name: `${{ matrix.… }}` or `${{ strategy.job-index }}`");
                continue;
            }
            let is_sure = |site: &UseSite<'_>| {
                site.site.step.condition.is_none() && site.site.job.is_some_and(|job| job.condition.is_none())
            };
            if !is_sure(site) {
                continue;
            }
            match seen.iter().find(|(other, _)| *other == text) {
                Some((_, first)) => {
                    let message = format!("an artifact called `{text}` is uploaded before: this one is refused");
                    let first = first.input("name").map_or(first.uses.span, Text::span);
                    report
                        .at(span, message)
                        .label(first, "the first one")
                        .help("give it another name, or set `overwrite: true`");
                }
                None => seen.push((text, site)),
            }
        }
    }
}
