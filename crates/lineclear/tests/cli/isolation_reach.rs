//! What built-in actions touch in isolated jobs: no more than the steps of the job may, whatever inputs and links name.

use std::fs;
use std::path::{Path, PathBuf};

use lineclear_testkit::{Repository, Run};

/// A folder of the machine that no job has anything to do with, with a file in it.
fn folder_of_the_machine(repository: &Repository) -> PathBuf {
    let folder = repository.beside("machine");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("secret"), "of the machine").expect("a file");
    folder
}

fn run(repository: &Repository, home: &Path, args: &[&str]) -> Run {
    let mut command = repository.lineclear(&[&["run", "--format", "json"], args].concat());
    command.env("HOME", home);
    Run::of(command)
}

/// Each of `steps` (its `uses` and `with`) is to fail in an isolated job, for being out of reach.
fn all_are_refused(name: &str, steps: &[(&str, &str)]) {
    let mut workflow = "
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: |
          mkdir -p sub/below; echo own > sub/own
          ln -s MACHINE/secret file
          ln -s MACHINE sub/folder
          ln -s ../../file sub/below/second
      - { uses: actions/upload-artifact@v4, with: { name: own, path: sub/own } }
"
    .to_owned();
    for (number, (uses, with)) in steps.iter().enumerate() {
        workflow.push_str(&format!(
            "      - {{ id: s{number}, continue-on-error: true, uses: {uses}, with: {{ {with} }} }}
      - run: test ${{{{ steps.s{number}.outcome }}}} = failure # {with}
"
        ));
    }
    let repository = Repository::new(name);
    let machine = folder_of_the_machine(&repository);
    let workflow = workflow.replace("MACHINE", &machine.to_string_lossy());
    repository.write(".github/workflows/w.yml", &workflow);
    repository.commit("first");
    let before = fs::read_dir(&machine).expect("it is there").count();
    let ran = run(&repository, &repository.beside("person"), &["--isolate=strict"]);
    let text = ran.transcript();
    assert_eq!(ran.exit, 0, "{text}");
    assert!(text.matches("is out of reach in this isolated job").count() >= steps.len(), "{text}");
    assert!(text.contains("--no-native-actions") && text.contains("input `path`"), "what to do is said: {text}");
    assert_eq!(fs::read_dir(&machine).expect("it is there").count(), before, "nothing was written there");
}

#[test]
fn an_upload_takes_no_file_of_the_machine_by_its_path_or_through_links() {
    all_are_refused(
        "reach-upload",
        &[
            ("actions/upload-artifact@v4", "name: a, path: MACHINE/secret"),
            ("actions/upload-artifact@v4", "name: b, path: MACHINE/*"),
            ("actions/upload-artifact@v4", "name: c, path: file"),
            ("actions/upload-artifact@v4", "name: d, path: sub/folder/secret"),
            ("actions/upload-artifact@v4", "name: e, path: 'sub/**/secret'"),
            ("actions/upload-artifact@v4", "name: f, path: sub/below"),
            ("actions/upload-artifact@v4", "name: g, path: '~/notes'"),
            ("actions/upload-artifact@v4", "name: h, path: /etc/shadow"),
        ],
    );
}

#[test]
fn a_download_writes_to_no_folder_of_the_machine() {
    all_are_refused(
        "reach-download",
        &[
            ("actions/download-artifact@v4", "name: own, path: MACHINE"),
            ("actions/download-artifact@v4", "name: own, path: MACHINE/new"),
            ("actions/download-artifact@v4", "name: own, path: sub/folder"),
            ("actions/download-artifact@v4", "name: own, path: sub/folder/new"),
            ("actions/download-artifact@v4", "name: own, path: '~/new'"),
            ("actions/download-artifact@v4", "name: own, path: sub/../../../../../../../../tmp/x"),
        ],
    );
}

#[test]
fn a_cache_keeps_nothing_of_the_machine() {
    all_are_refused(
        "reach-cache",
        &[
            ("actions/cache@v4", "key: a, path: MACHINE/secret"),
            ("actions/cache@v4", "key: b, path: file"),
            ("actions/cache/restore@v4", "key: c, path: 'sub/folder/*'"),
        ],
    );
}

const RESTORES: &str = "
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - { uses: actions/cache@v4, continue-on-error: true, with: { key: machine, path: MACHINE } }
      - { uses: actions/cache@v4, id: home, with: { key: home, path: ~/kept } }
      - run: echo hit=${{ steps.home.outputs.cache-hit }}.
";

/// What a job that was not isolated has kept from elsewhere is put back there for no isolated one.
#[test]
fn a_cache_of_other_places_is_restored_for_jobs_that_are_not_isolated_alone() {
    let repository = Repository::new("reach-restore");
    let machine = folder_of_the_machine(&repository);
    repository.write(".github/workflows/w.yml", &RESTORES.replace("MACHINE", &machine.to_string_lossy()));
    repository.commit("first");
    let home = repository.beside("person");
    let kept = home.join("kept");
    fs::create_dir_all(&kept).expect("a folder");
    fs::write(kept.join("file"), "of the person").expect("a file");
    let saved = run(&repository, &home, &[]);
    assert_eq!(saved.exit, 0, "{}", saved.transcript());
    fs::remove_dir_all(&kept).expect("it was there");
    fs::remove_dir_all(&machine).expect("it was there");

    let isolated = run(&repository, &home, &["--isolate=strict"]);
    let text = isolated.transcript();
    assert_eq!(isolated.exit, 0, "{text}");
    assert!(!kept.exists() && !machine.exists(), "{text}");
    assert!(text.contains("of your home folder the steps see a layer of their own"), "it is said: {text}");
    assert!(text.contains("hit=false.") || text.contains("hit=."), "it counts as a miss: {text}");

    let open = run(&repository, &home, &[]);
    assert_eq!(open.exit, 0, "{}", open.transcript());
    assert!(kept.join("file").exists() && machine.join("secret").exists(), "{}", open.transcript());
}

#[test]
fn hash_files_reads_nothing_that_links_lead_out_to() {
    let workflow = "
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: |
          mkdir sub; echo own > sub/own; ln -s sub/own inside
          ln -s MACHINE/secret file
          ln -s MACHINE sub/folder
      - run: test -n \"${{ hashFiles('sub/own', 'inside') }}\"
      - { id: link, continue-on-error: true, run: \"echo hash=${{ hashFiles('file') }}.\" }
      - { id: folder, continue-on-error: true, run: \"echo hash=${{ hashFiles('--follow-symbolic-links', 'sub/**') }}.\" }
      - run: test ${{ steps.link.outcome }}-${{ steps.folder.outcome }} = failure-failure
";
    let repository = Repository::new("reach-hash");
    let machine = folder_of_the_machine(&repository);
    repository.write(".github/workflows/w.yml", &workflow.replace("MACHINE", &machine.to_string_lossy()));
    repository.commit("first");
    let ran = run(&repository, &repository.beside("person"), &["--isolate=strict"]);
    assert_eq!(ran.exit, 0, "{}", ran.transcript());
    assert!(ran.transcript().contains("hashFiles: `"), "{}", ran.transcript());
}
