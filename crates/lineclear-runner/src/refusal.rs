//! Jobs that this machine cannot run as they are meant. They are refused before anything runs, never run as something else.

use lineclear_event::{JobSpec, WorkflowOrigin};
use lineclear_workflow::{Container, Job, JobKind, Text};

use crate::context::{architecture, as_planned, operating_system};
use crate::ports::RunnerSettings;

/// Why `job` cannot run on this machine, and the way out; `None` when it can.
pub fn refusal(spec: &JobSpec, job: &Job, settings: &RunnerSettings) -> Option<String> {
    let JobKind::Steps(steps) = &job.kind else {
        return Some(format!("job `{}` calls a workflow: it has no steps to run", spec.id));
    };
    if let Some(label) = spec.runs_on.iter().find(|label| !stands_for(label, settings)) {
        return Some(label_refusal(&spec.id, label));
    }
    if let Some(container) = &steps.container
        && let Some(image) = image(container, spec)
    {
        return Some(format!(
            "job `{}` runs in the container `{image}`, which needs a container engine; this runner starts steps directly on the \
             machine: remove `container:` to run the job here, with the tools that this machine has",
            spec.id
        ));
    }
    let service = steps.services.iter().find_map(|service| Some((&service.id.value, image(&service.container, spec)?)));
    if let Some((id, image)) = service {
        return Some(format!(
            "job `{}` needs the service `{id}` (`{image}`), which needs a container engine; this runner starts steps directly on \
             the machine: start the service yourself, give its address to the job, and remove it from `services:`",
            spec.id
        ));
    }
    None
}

/// The same for a job whose workflow was not read yet. A file that cannot be read is no reason here: the job itself says so.
pub fn refusal_of(spec: &JobSpec, settings: &RunnerSettings) -> Option<String> {
    let read = settings.readings.workflow(&file_name(&spec.file), &spec.text);
    refusal(spec, read.model.as_ref()?.job(&spec.id)?, settings)
}

/// What a workflow file is called in messages.
pub(crate) fn file_name(file: &WorkflowOrigin) -> String {
    match file {
        WorkflowOrigin::Local { path } => path.clone(),
        WorkflowOrigin::Remote { owner, repo, path, reference } => format!("{owner}/{repo}/{path}@{reference}"),
    }
}

/// Whether this machine is what `label` asks for.
///
/// The labels of GitHub's own Linux machines count for a Linux machine of the same processor: that is what running locally means.
fn stands_for(label: &str, settings: &RunnerSettings) -> bool {
    if settings.host_labels.iter().any(|known| known.eq_ignore_ascii_case(label)) {
        return true;
    }
    let label = label.to_ascii_lowercase();
    let (system, processor) = (operating_system().to_ascii_lowercase(), architecture().to_ascii_lowercase());
    if label == "self-hosted" || label == system || label == processor {
        return true;
    }
    let hosted = match system.as_str() {
        "linux" => label.starts_with("ubuntu-"),
        "macos" => label.starts_with("macos-"),
        _ => label.starts_with("windows-"),
    };
    let is_arm = label.ends_with("-arm") || label.ends_with("-arm64");
    // GitHub's macOS machines are ARM without saying so.
    hosted && (system == "macos" || is_arm == (processor == "arm64"))
}

fn label_refusal(job: &str, label: &str) -> String {
    let lower = label.to_ascii_lowercase();
    let is = format!("this machine is {} {}", operating_system(), architecture());
    if lower.starts_with("windows") || lower.starts_with("macos") {
        return format!(
            "job `{job}` runs on `{label}`, and {is}: run it on a machine of that kind, or leave it out of this run by choosing other jobs"
        );
    }
    format!(
        "job `{job}` runs on a machine labelled `{label}`, and {is}: if it may run here, add `{label}` to the labels that this \
         machine stands for"
    )
}

/// The image of a container; one that is empty after evaluation means no container. An image that cannot be evaluated yet is
/// named as it is written.
fn image(container: &Container, spec: &JobSpec) -> Option<String> {
    let text: &Text = &container.image;
    let scope = as_planned(&spec.contexts);
    let image = text.template.evaluate_text(&scope).unwrap_or_else(|_| text.raw().to_owned());
    Some(image).filter(|image| !image.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_this_kind_of_machine_count_and_others_do_not() {
        let mut settings = RunnerSettings::default();
        for label in ["ubuntu-latest", "Ubuntu-24.04", "self-hosted", "linux", "Linux"] {
            assert_eq!(
                stands_for(label, &settings),
                operating_system() == "Linux"
                    && (architecture() == "X64" || !label.to_lowercase().starts_with("ubuntu")),
                "{label}"
            );
        }
        assert!(stands_for(architecture(), &settings));
        for label in ["windows-latest", "gpu"] {
            assert!(!stands_for(label, &settings), "{label}");
        }
        settings.host_labels.push("GPU".into());
        assert!(stands_for("gpu", &settings));
        assert!(
            label_refusal("build", "windows-latest")
                .starts_with("job `build` runs on `windows-latest`, and this machine is")
        );
    }
}
