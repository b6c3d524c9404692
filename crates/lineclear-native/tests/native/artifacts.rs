//! Artifacts: upload in one job, download in another.

use lineclear_event::{AnnotationLevel, RunId};

use crate::bench::{Bench, Done};

/// Lists what is below a folder.
const LIST: &str = "\n- run: 'echo \"found=$(cd down && find . -type f | sort | tr \"\\n\" \" \")\"'";

fn upload(inputs: &str) -> String {
    format!("- id: up\n  uses: actions/upload-artifact@v4\n  with:\n{}", lines(inputs))
}

fn download(version: &str, inputs: &str) -> String {
    format!("- id: down\n  uses: actions/download-artifact@{version}\n  with:\n    path: down\n{}{LIST}", lines(inputs))
}

fn lines(inputs: &str) -> String {
    inputs.lines().map(|line| format!("    {line}\n")).collect::<String>().trim_end().to_owned()
}

fn tree() -> Bench {
    Bench::new(&[
        ("reports/junit.xml", "<j/>"),
        ("reports/coverage.xml", "<c/>"),
        ("reports/htmlcov/index.html", "<h/>"),
        ("reports/htmlcov/.buildinfo", "b"),
        ("dist/app.whl", "wheel"),
        (".hidden/secret", "s"),
    ])
}

fn found(done: Done) -> String {
    done.succeeded().value("found").to_owned()
}

/// S2-17 and S0-10: what one job uploads, another downloads by its name.
#[test]
fn what_is_uploaded_is_downloaded_in_another_job() {
    let bench = tree();
    let steps = upload("name: reports\npath: reports/");
    let show = "\n- run: 'echo \"out=${{ steps.up.outputs.artifact-id }} ${{ steps.up.outputs.artifact-digest }} ${{ steps.up.outputs.artifact-url }}\"'";
    let done = bench.job(&format!("{steps}{show}")).succeeded();
    let out: Vec<&str> = done.value("out").split(' ').collect();
    assert!(out[0].parse::<u64>().is_ok() && out[1].len() == 64, "{out:?}");
    assert_eq!(out[2], format!("https://github.com/octo/App/actions/runs/42/artifacts/{}", out[0]));
    done.says(&[
        "With the provided path, there will be 3 files uploaded",
        "Artifact reports has been successfully uploaded! Final size is 12 bytes. Artifact ID is",
    ]);

    let done = bench
        .job(&format!(
            "{}\n- run: 'echo \"path=${{{{ steps.down.outputs.download-path }}}}\"'",
            download("v4", "name: reports")
        ))
        .succeeded();
    assert!(done.value("path").ends_with("/App/App/down"));
    assert_eq!(found(done), "./coverage.xml ./htmlcov/index.html ./junit.xml ");
    bench
        .job(&download("v4", "name: missing"))
        .failed()
        .says(&["Unable to download artifact(s): Artifact not found for name: missing. Run 42 has `reports`"]);
}

/// S1-93: several paths in a block, with the least common ancestor as root.
#[test]
fn several_paths_keep_their_common_folder() {
    let bench = tree();
    bench
        .job(&upload("name: a\npath: |\n  reports/junit.xml\n  dist/*.whl\n  !reports/coverage.xml"))
        .succeeded()
        .says(&[
            "Multiple search paths detected. Calculating the least common ancestor of all paths",
            "there will be 2 files uploaded",
        ]);
    assert_eq!(found(bench.job(&download("v4", "name: a"))), "./dist/app.whl ./reports/junit.xml ");
    bench.job(&upload("name: b\npath: |\n  reports/htmlcov\n  reports/*.xml")).succeeded();
    assert_eq!(found(bench.job(&download("v4", "name: b"))), "./coverage.xml ./htmlcov/index.html ./junit.xml ");
    bench.job(&upload("name: c\npath: reports/htmlcov/index.html")).succeeded();
    assert_eq!(found(bench.job(&download("v4", "name: c"))), "./index.html ", "one file lies at the top");
}

#[test]
fn hidden_files_are_uploaded_only_when_asked_for() {
    let bench = tree();
    bench
        .job(&upload("name: a\npath: .hidden"))
        .succeeded()
        .says(&["No files were found with the provided path: .hidden"]);
    bench.job(&upload("name: a\npath: .hidden\ninclude-hidden-files: true")).succeeded();
    assert_eq!(found(bench.job(&download("v4", "name: a"))), "./secret ");
}

#[test]
fn what_happens_without_files_is_up_to_the_workflow() {
    let bench = tree();
    let message = "No files were found with the provided path: missing/. No artifacts will be uploaded.";
    let done = bench.job(&upload("path: missing/")).succeeded();
    assert_eq!(done.annotations, [(AnnotationLevel::Warning, message.to_owned())]);
    let done = bench.job(&upload("path: missing/\nif-no-files-found: ignore")).succeeded().says(&[message]);
    assert!(done.annotations.is_empty());
    bench.job(&upload("path: missing/\nif-no-files-found: error")).failed().says(&[message]);
    bench
        .job(&upload("path: missing/\nif-no-files-found: maybe"))
        .failed()
        .says(&["Available options: warn,error,ignore"]);
    bench.job("- uses: actions/upload-artifact@v4").failed().says(&["Input required and not supplied: path"]);
}

#[test]
fn a_name_is_taken_once_unless_it_is_overwritten() {
    let bench = tree();
    let steps = upload("path: dist");
    bench.job(&steps).succeeded().says(&["Artifact artifact has been successfully uploaded"]);
    bench
        .job(&steps)
        .failed()
        .says(&["an artifact named `artifact` already exists in this run; set `overwrite: true`"]);
    bench.job(&upload("path: reports\noverwrite: true")).succeeded();
    assert_eq!(found(bench.job(&download("v4", "name: artifact"))), "./coverage.xml ./htmlcov/index.html ./junit.xml ");
    bench.job(&upload("name: a/b\npath: dist")).failed().says(&["the artifact name `a/b` contains a forward slash"]);
}

#[test]
fn numbers_are_checked_before_anything_is_looked_for() {
    let bench = tree();
    bench.job(&upload("path: missing\nretention-days: soon")).failed().says(&["Invalid retention-days"]);
    bench
        .job(&upload("path: missing\ncompression-level: 10"))
        .failed()
        .says(&["Invalid compression-level: `10`. Valid values are 0-9"]);
    bench.job(&upload("path: dist\nretention-days: 5\ncompression-level: 0")).succeeded();
}

#[test]
fn a_single_file_can_be_kept_as_it_is() {
    let bench = tree();
    bench
        .job(&upload("name: other\npath: dist/app.whl\narchive: false"))
        .succeeded()
        .says(&["Artifact app.whl has been"]);
    assert_eq!(found(bench.job(&download("v4", "name: app.whl"))), "./app.whl ");
    bench
        .job(&upload("path: reports\narchive: false"))
        .failed()
        .says(&["When 'archive' is set to false, only a single file can be uploaded. Found 3 files to upload."]);
}

#[test]
fn many_artifacts_get_a_folder_each_or_share_one() {
    let bench = Bench::new(&[]);
    let make = |name: &str| {
        format!("- run: 'mkdir -p o; echo {name} > o/{name}.txt'\n{}", upload(&format!("name: {name}\npath: o")))
    };
    for name in ["cov-1", "cov-2", "log"] {
        bench.job(&make(name)).succeeded();
    }
    let all = bench
        .job(&download("v4", ""))
        .succeeded()
        .says(&["downloading all artifacts", "Total of 3 artifact(s) downloaded"]);
    assert_eq!(found(all), "./cov-1/cov-1.txt ./cov-2/cov-2.txt ./log/log.txt ");
    assert_eq!(found(bench.job(&download("v4", "pattern: cov-*\nmerge-multiple: true"))), "./cov-1.txt ./cov-2.txt ");
    assert_eq!(found(bench.job(&download("v4", "pattern: '{cov-1,log}'"))), "./cov-1/cov-1.txt ./log/log.txt ");
    // A single one of several ways is flat from version 5 on.
    assert_eq!(found(bench.job(&download("v4", "pattern: l*"))), "./log/log.txt ");
    assert_eq!(found(bench.job(&download("v5", "pattern: l*"))), "./log.txt ");
    assert_eq!(found(bench.job(&download("0123456789012345678901234567890123456789", "pattern: l*"))), "./log.txt ");
    let none = bench
        .job("- uses: actions/download-artifact@v4\n  with: { pattern: x* }")
        .succeeded()
        .says(&["Total of 0 artifact(s)"]);
    assert!(none.annotations[0].1.contains("there are `cov-1`, `cov-2`, `log`"));
}

#[test]
fn artifacts_are_found_by_their_ids() {
    let bench = tree();
    let show = "\n- run: 'echo \"id=${{ steps.up.outputs.artifact-id }}\"'";
    let one = bench.job(&format!("{}{show}", upload("name: one\npath: dist"))).succeeded().value("id").to_owned();
    let two = bench.job(&format!("{}{show}", upload("name: two\npath: dist"))).succeeded().value("id").to_owned();
    let with = |version: &str, ids: &str| bench.job(&download(version, &format!("artifact-ids: '{ids}'")));
    assert_eq!(found(with("v4", &one)), "./one/app.whl ");
    assert_eq!(found(with("v5", &one)), "./app.whl ");
    assert_eq!(found(with("v5", &format!("{one}, {two}"))), "./one/app.whl ./two/app.whl ");
    let some = with("v5", &format!("{one},999999")).succeeded();
    assert_eq!(
        some.annotations,
        [(AnnotationLevel::Warning, "Could not find the following artifact IDs: 999999".to_owned())]
    );
    with("v5", "999999").failed().says(&["None of the provided artifact IDs were found"]);
    with("v5", "x").failed().says(&["Invalid artifact ID: 'x'. Must be a number."]);
    with("v5", " , ").failed().says(&["No valid artifact IDs provided"]);
    bench.job(&download("v5", "name: one\nartifact-ids: 1")).failed().says(&["cannot be used together"]);
}

#[test]
fn artifacts_of_another_run_are_asked_for_with_a_token() {
    let mut bench = tree();
    bench.job(&upload("name: old\npath: dist")).succeeded();
    bench.run = RunId(43);
    bench.github["run_id"] = "43".into();
    bench.job(&download("v4", "name: old")).failed().says(&["Run 43 has no artifacts"]);
    // Without a token the run's own are meant, as with the real action.
    bench.job(&download("v4", "name: old\nrun-id: 42")).failed();
    assert_eq!(found(bench.job(&download("v4", "name: old\nrun-id: 42\ngithub-token: t"))), "./app.whl ");
    bench
        .job(&download("v4", "name: old\nrun-id: 42\ngithub-token: t\nrepository: other/app"))
        .failed()
        .says(&["the artifacts of other/app are not on this machine"]);
}

#[test]
fn artifacts_are_merged() {
    let bench = Bench::new(&[]);
    let make = |name: &str| {
        format!("- run: 'mkdir -p o; echo {name} > o/{name}.txt'\n{}", upload(&format!("name: {name}\npath: o")))
    };
    for name in ["part-1", "part-2", "log"] {
        bench.job(&make(name)).succeeded();
    }
    let merge = |inputs: &str| bench.job(&format!("- uses: actions/upload-artifact/merge@v4\n  with: {{ {inputs} }}"));
    merge("pattern: x-*").failed().says(&["No artifacts found matching pattern 'x-*'"]);
    merge("name: apart, pattern: 'part-*', separate-directories: true").succeeded();
    assert_eq!(found(bench.job(&download("v4", "name: apart"))), "./part-1/part-1.txt ./part-2/part-2.txt ");
    merge("name: all, pattern: 'part-*', delete-merged: true")
        .succeeded()
        .says(&["The 2 artifact(s) have been deleted"]);
    assert_eq!(found(bench.job(&download("v4", "name: all"))), "./part-1.txt ./part-2.txt ");
    bench.job(&download("v4", "name: part-1")).failed();
    merge("pattern: 'log'").succeeded();
    assert_eq!(found(bench.job(&download("v4", "name: merged-artifacts"))), "./log.txt ");
}

/// S0-31: artifacts for failures only.
#[test]
fn artifacts_of_a_failure_are_kept_only_then() {
    let bench = tree();
    let steps = |command: &str| {
        format!(
            "- run: {command}\n- if: failure()\n  uses: actions/upload-artifact@v4\n  with: {{ name: traces, path: reports }}"
        )
    };
    bench.job(&steps("'true'")).succeeded();
    bench.job(&download("v4", "name: traces")).failed();
    bench.job(&steps("'false'")).failed();
    bench.job(&download("v4", "name: traces")).succeeded();
}
