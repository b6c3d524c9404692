//! The artifacts that steps upload.

use lineclear_catalog::Version;
use lineclear_workflow::{ActionRef, Job, JobKind, StepKind, Text, TextTree};

use crate::{File, UseSite};

/// Whether a step uploads with the artifact service of today, in which a name can be taken only once.
pub(super) fn is_upload(site: &UseSite<'_>) -> bool {
    site.is("actions/upload-artifact") && Version::of(site.version).is_none_or(|version| version.major >= 4)
}

/// Whether the upload may take the place of an earlier one, or is called otherwise than its `name` says.
pub(super) fn may_replace(site: &UseSite<'_>) -> bool {
    let is_off = |input: &str, off: &str| site.input(input).is_none_or(|_| site.literal(input) == Some(off));
    !is_off("overwrite", "false") || !is_off("archive", "true")
}

/// Whether a text is the same in every job of a run.
pub(super) fn is_fixed_for_a_run(text: &Text) -> bool {
    text.template.expressions().iter().all(|expr| {
        expr.root()
            .references()
            .iter()
            .all(|reference| matches!(reference.context, "github" | "inputs" | "needs" | "vars"))
            && !expr.text().contains("hashFiles")
            && !expr.text().contains("github.job")
    })
}

/// Whether a job's matrix is sure to make more than one job of it.
pub(super) fn has_several_jobs(job: &Job) -> bool {
    let Some(TextTree::Mapping(axes)) = job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref()) else {
        return false;
    };
    let is_excluding = axes.value.iter().any(|(name, _)| name.raw() == "exclude");
    let is_long = |tree: &TextTree| matches!(tree, TextTree::Sequence(items) if items.value.len() > 1);
    let has_axis = axes.value.iter().any(|(name, tree)| !matches!(name.raw(), "include" | "exclude") && is_long(tree));
    let only_included = axes.value.iter().all(|(name, tree)| name.raw() == "include" && is_long(tree));
    (has_axis && !is_excluding) || (only_included && !axes.value.is_empty())
}

/// The name of an uploaded artifact, as far as it is written down.
#[derive(Debug)]
pub(super) struct Name<'a> {
    text: &'a str,
    has_expression: bool,
}

impl<'a> Name<'a> {
    /// Of a step that uploads.
    pub(super) fn of(site: &UseSite<'a>) -> Option<Self> {
        let default = if site.is("actions/upload-artifact") {
            "artifact"
        } else if site.is("actions/upload-artifact/merge") {
            "merged-artifacts"
        } else {
            return None;
        };
        if !site.has_all_inputs() || site.input("archive").is_some() {
            return Some(Self { text: "${{ }}", has_expression: true });
        }
        Some(match site.input("name") {
            Some(name) => Self { text: name.raw(), has_expression: name.template.as_literal().is_none() },
            None => Self { text: default, has_expression: false },
        })
    }

    /// The name, if there is no expression in it.
    pub(super) fn whole(&self) -> Option<&str> {
        (!self.has_expression).then_some(self.text)
    }

    /// Whether the name may turn out to be `name`.
    pub(super) fn may_be(&self, name: &str) -> bool {
        if !self.has_expression {
            return self.text.eq_ignore_ascii_case(name);
        }
        let before = self.text.split("${{").next().unwrap_or_default();
        let after = self.text.rsplit("}}").next().unwrap_or_default();
        name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
    }
}

/// Whether artifacts may come from something else than the uploads that the file shows.
pub(super) fn may_come_from_elsewhere(file: &File<'_>) -> bool {
    let is_called = file.workflow().is_none_or(|workflow| workflow.on.get("workflow_call").is_some());
    let calls = || file.jobs().iter().any(|job| matches!(job.kind, JobKind::Call(_)));
    let unknown = || {
        file.uses().iter().any(|site| match &site.uses.value {
            ActionRef::Remote { owner, .. } => {
                let is_official = ["actions", "docker", "github"].iter().any(|known| owner.eq_ignore_ascii_case(known));
                let uploads = [
                    "actions/upload-pages-artifact",
                    "actions/github-script",
                    "docker/build-push-action",
                    "docker/bake-action",
                ];
                uploads.iter().any(|name| site.is(name)) || (!is_official && has_uploads(site))
            }
            ActionRef::Local { .. } | ActionRef::SameRepository { .. } | ActionRef::Docker { .. } => true,
        })
    };
    is_called
        || calls()
        || unknown()
        || file
            .steps()
            .iter()
            .any(|site| matches!(&site.step.kind, StepKind::Run { script, .. } if script.raw().contains("artifact")))
}

/// Whether an action of others may upload: nothing is known of it, or it is known to.
fn has_uploads(site: &UseSite<'_>) -> bool {
    const UPLOADING: &[&str] =
        &["anchore", "super-linter", "r-lib", "ossf", "lycheeverse", "step-security", "goreleaser"];
    let owner = site.name.split('/').next().unwrap_or_default();
    UPLOADING.iter().any(|known| known.eq_ignore_ascii_case(owner))
        || lineclear_catalog::action(&site.name, site.version).is_none()
}
