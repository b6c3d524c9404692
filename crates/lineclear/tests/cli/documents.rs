//! What the documents say is proven is proven: every test and trap they name exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lineclear_testkit::examples;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push_str(&String::from_utf8_lossy(&std::fs::read(&path).expect("readable")));
        }
    }
}

/// Names of all functions of the workspace.
fn functions() -> BTreeSet<String> {
    let mut text = String::new();
    sources(&project().join("crates"), &mut text);
    let named =
        text.lines().filter_map(|line| line.trim().strip_prefix("fn ").or(line.trim().strip_prefix("async fn ")));
    named.filter_map(|rest| rest.split(['(', '<']).next()).map(str::to_owned).collect()
}

/// Numbers of all traps that have a file.
fn traps() -> BTreeSet<u32> {
    let names = std::fs::read_dir(examples().join("traps")).expect("the traps are there").flatten();
    names.filter_map(|entry| entry.file_name().to_string_lossy().get(..3)?.parse().ok()).collect()
}

/// Whether a workflow of an example, or of one of its pipelines, has this job: `example/job`, `example/pipeline/job`.
fn is_job(name: &str) -> bool {
    let (folder, job) = match *name.split('/').collect::<Vec<_>>() {
        [example, job] => (examples().join(example), job),
        [example, pipeline, job] => (examples().join(example).join("pipelines").join(pipeline), job),
        _ => return false,
    };
    let Ok(workflows) = std::fs::read_dir(folder.join(".github/workflows")) else { return false };
    let mut texts = workflows.flatten().filter_map(|file| std::fs::read_to_string(file.path()).ok());
    texts.any(|text| text.contains(&format!("\n  {job}:\n")))
}

/// Whether the campaign against the gate has this part.
fn is_part(name: &str) -> bool {
    let attacks = std::fs::read_to_string(project().join("xtask/src/campaign/attacks.rs")).expect("the attacks");
    ["merges", "interleavings"].contains(&name) || attacks.contains(&format!("name: \"{name}\","))
}

/// What the last column of a document's tables names that is not there.
fn unproven(document: &str) -> Vec<String> {
    let text = std::fs::read_to_string(project().join(document)).expect("the document is there");
    let (functions, traps) = (functions(), traps());
    let rows =
        text.lines().filter(|line| line.starts_with('|') && !line.starts_with("|--") && !line.ends_with("| Test |"));
    let mut wrong = Vec::new();
    for row in rows {
        let proof = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
        for one in proof.split(", ") {
            let holds = match one.split_once(' ') {
                Some(("trap", number)) => number.parse().is_ok_and(|number: u32| traps.contains(&number)),
                // The page of a rule is a test.
                Some(("rule", id)) => {
                    project().join("docs/rules").join(format!("{}.md", id.trim_matches('`'))).is_file()
                }
                // A job of an example's workflow, as `taskboard/smoke`: `cargo xtask examples` runs it.
                Some(("example", name)) => is_job(name.trim_matches('`')),
                // A part of the campaign, which `cargo xtask campaign` plays.
                Some(("campaign", name)) => is_part(name.trim_matches('`')),
                _ => functions.contains(one.trim_matches('`')),
            };
            if !holds {
                wrong.push(format!("{document}: `{one}` in {row}"));
            }
        }
    }
    wrong
}

#[test]
fn every_row_of_the_documents_is_tied_to_a_test() {
    let wrong = [unproven("docs/compatibility.md"), unproven("docs/requirements.md")].concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The traps that show where there is more than one branch, run or client, or an image: at the services, the action, the store and the
/// engine.
const ELSEWHERE: [(u32, &str); 15] = [
    (12, "trap_12_variables_have_paths_of_the_container_and_expressions_those_of_the_machine"),
    (77, "trap_77_the_arguments_of_a_docker_step_are_kept_together_by_double_quotes"),
    (79, "trap_79_a_service_is_awaited_and_reached_by_its_port_and_by_its_name"),
    (80, "trap_80_an_unhealthy_service_fails_its_job_and_shows_its_log"),
    (81, "trap_81_each_client_uploads_and_another_job_of_the_run_downloads"),
    (82, "trap_82_a_results_url_with_a_path_works"),
    (83, "trap_83_blocks_come_in_any_order_and_twice_and_the_list_decides"),
    (84, "trap_84_a_raw_file_keeps_its_type_and_name_and_is_not_unpacked"),
    (85, "trap_85_numbers_come_as_text_or_number_and_names_in_both_spellings"),
    (86, "trap_86_a_branch_sees_its_own_and_the_default_branch_and_nothing_else"),
    (88, "trap_88_a_second_save_is_refused_softly"),
    (89, "trap_89_one_results_url_serves_artifacts_and_caches"),
    (90, "trap_90_the_go_client_reads_parts_and_sends_numbers"),
    (91, "trap_91_a_token_reaches_its_own_run_and_job_only_and_ends_with_the_job"),
    (92, "trap_92_an_address_is_good_for_one_blob_one_action_and_some_time"),
];

#[test]
fn every_trap_has_a_file_or_a_test() {
    let (traps, functions) = (traps(), functions());
    let is_proven = |number: &u32| {
        traps.contains(number)
            || ELSEWHERE.iter().any(|(elsewhere, name)| elsewhere == number && functions.contains(*name))
    };
    let missing: Vec<u32> = (1..=104).filter(|number| !is_proven(number)).collect();
    assert!(missing.is_empty(), "nothing proves {missing:?}");
}
