//! Jobs that this machine cannot run as they are meant. They are refused before anything runs, never run as something else.

use lineclear_event::{JobSpec, WorkflowOrigin};
use lineclear_workflow::{Container, Job, JobKind, StepKind, StepsJob};

use crate::context::{architecture, operating_system};
use crate::ports::RunnerSettings;

/// Why `job` cannot run on this machine, and the way out; `None` when it can.
pub fn refusal(spec: &JobSpec, job: &Job, settings: &RunnerSettings) -> Option<String> {
    if let JobKind::Call(_) = &job.kind {
        return Some(format!("job `{}` calls a workflow: it has no steps to run", spec.id));
    }
    if let Some(label) = spec.runs_on.iter().find(|label| !stands_for(label, settings)) {
        return Some(label_refusal(&spec.id, label));
    }
    None
}

/// The same for a job whose workflow was not read yet. A file that cannot be read is no reason here: the job itself says so.
pub fn refusal_of(spec: &JobSpec, settings: &RunnerSettings) -> Option<String> {
    let read = settings.readings.workflow(&file_name(&spec.file), &spec.text);
    refusal(spec, read.model.as_ref()?.job(&spec.id)?, settings)
}

/// Whether a job will run in a container as far as its file says it for sure: the image is written out, or stands for a label.
pub(crate) fn is_in_container(spec: &JobSpec, job: &StepsJob, settings: &RunnerSettings) -> bool {
    let is_written_out = |container: &Container| {
        let image = container.image.raw();
        !image.trim().is_empty() && !image.contains("${{")
    };
    let stands_for_image =
        |label: &String| settings.label_images.iter().any(|(known, _)| known.eq_ignore_ascii_case(label));
    job.container.as_ref().map_or_else(|| spec.runs_on.iter().any(stands_for_image), is_written_out)
}

/// Whether scripts of a job on the machine itself speak of containers: then it may open ports of the machine by them. Scripts in files
/// are not looked into.
pub fn speaks_of_containers(spec: &JobSpec, settings: &RunnerSettings) -> bool {
    const WORDS: [&str; 3] = ["docker", "podman", "compose"];
    let read = settings.readings.workflow(&file_name(&spec.file), &spec.text);
    let job = read.model.as_ref().and_then(|workflow| workflow.job(&spec.id));
    let Some(JobKind::Steps(job)) = job.map(|job| &job.kind) else { return false };
    if is_in_container(spec, job, settings) {
        return false;
    }
    job.steps.iter().any(|step| match &step.kind {
        StepKind::Run { script, .. } => WORDS.iter().any(|word| script.raw().contains(word)),
        _ => false,
    })
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
    let images = settings.label_images.iter().map(|(label, _)| label);
    if settings.host_labels.iter().chain(images).any(|known| known.eq_ignore_ascii_case(label)) {
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
         machine stands for, or name an image for it"
    )
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
