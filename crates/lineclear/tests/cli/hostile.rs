//! Bad input and faults: a clear error, nothing lost, no hang.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lineclear_testkit::{Repository, Run, Started, processes_with, within};

const MINIMAL: &str = "on: push\njobs: { a: { runs-on: linux, steps: [ { run: echo } ] } }\n";

/// A job with a step `s` of that script, and one after it.
fn steps(script: &str) -> String {
    let script: String = script.lines().map(|line| format!("          {line}\n")).collect();
    format!(
        "on: push\njobs:\n  a:\n    runs-on: linux\n    steps:\n      - id: s\n        run: |\n{script}      \
         - if: always()\n        run: echo after\n"
    )
}

/// The largest memory that a process has had, in bytes; nothing once it is gone.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// Runs a script with its output thrown away: exit code, and the most memory it took.
fn run_quietly(repository: &Repository) -> (Option<i32>, u64) {
    let mut command = repository.lineclear(&["run", "--format", "plain"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let mut most = 0;
    let status = loop {
        most = most.max(peak(child.id()).unwrap_or_default());
        if let Some(status) = child.try_wait().expect("it can be asked") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    (status.code(), most)
}

#[test]
fn a_line_of_a_gigabyte_costs_no_memory() {
    let repository = Repository::with("line", &steps("head -c 1073741824 /dev/zero | tr '\\0' x\necho; echo the end"));
    let (exit, most) = run_quietly(&repository);
    assert_eq!(exit, Some(0));
    assert!(most < 256 << 20, "{} MiB", most >> 20);
}

#[test]
fn floods_on_both_streams_are_kept_in_order_and_cost_no_memory() {
    let script = "seq 1 400000 & seq -f 'error %.0f' 1 400000 >&2\nwait";
    let repository = Repository::with("flood", &steps(script));
    let (exit, most) = run_quietly(&repository);
    assert_eq!(exit, Some(0));
    assert!(most < 256 << 20, "{} MiB", most >> 20);
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0);
    let log = run.log("a");
    let numbers: Vec<u32> = log.iter().filter_map(|line| line.parse().ok()).collect();
    assert!(numbers.len() == 400_000 && numbers.is_sorted(), "{} lines", numbers.len());
    assert_eq!(log.iter().filter(|line| line.starts_with("error ")).count(), 400_000);
}

#[test]
fn a_step_that_closes_its_streams_is_waited_for() {
    let repository = Repository::with("closed", &steps("exec >&- 2>&- <&-\nsleep 1\ntouch done\nexit 4"));
    let run = repository.run(&[]);
    assert_eq!(run.exit, 1);
    assert_eq!(run.step("a", "s").expect("it ended")["exit_code"], 4, "{}", run.transcript());
}

#[test]
fn daemons_end_with_the_job_however_they_hide() {
    let mark = format!("lineclear-daemon-{}", std::process::id());
    let script = format!(
        "export MARK={mark}
setsid nohup bash -c 'trap \"\" TERM INT HUP; sleep 500' > /dev/null 2>&1 < /dev/null &
(setsid bash -c '(setsid sleep 501 &) ; exit 0' > /dev/null 2>&1 &)
python3 -c 'import os,time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.closerange(0,3)
time.sleep(502)' &
wait $!
sleep 0.3"
    );
    let repository = Repository::with("daemons", &steps(&script));
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(within(Duration::from_secs(60), || processes_with(&mark).is_empty()), "{:?}", processes_with(&mark));
    assert!(
        run.events("annotation")
            .any(|event| event["message"].as_str().is_some_and(|text| text.contains("outlived its step")))
    );
}

#[test]
fn a_step_that_ignores_signals_is_killed_in_time() {
    let workflow = steps("trap '' INT TERM HUP\nwhile :; do sleep 0.1; done")
        .replace("      - id: s\n", "      - id: s\n        timeout-minutes: 0.01\n");
    let repository = Repository::with("ignores", &workflow);
    let run = repository.run(&[]);
    assert_eq!(run.exit, 1);
    let step = run.step("a", "s").expect("it ended");
    assert_eq!(step["outcome"], "failure", "{}", run.transcript());
    let took = step["duration_ms"].as_u64().unwrap_or_default();
    assert!((10_000..20_000).contains(&took), "{took} ms");
    assert!(run.log("a").iter().any(|line| line == "after"));
}

#[test]
fn a_step_that_removes_or_locks_its_folders_leaves_nothing() {
    for script in [
        "rm -rf \"$GITHUB_WORKSPACE\" \"$RUNNER_TEMP\"",
        "mkdir -p a/b/c && touch a/b/c/d && chmod 000 a/b/c a/b a",
        "d=x; for i in $(seq 300); do mkdir $d && cd $d; done; touch deep",
        "mkfifo pipe; ln -s / root; ln -s loop loop",
        "python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind(\"s\")'",
    ] {
        let repository = Repository::with("folders", &steps(script).replace("echo after", "'true'"));
        let run = repository.run(&[]);
        assert!(run.exit == 0 || run.exit == 1, "{script}: {}", run.transcript());
        assert!(
            run.events("job_finished").count() == 1 && repository.job_folders().is_empty(),
            "{script}: {:?}",
            repository.job_folders()
        );
    }
}

#[test]
fn odd_files_in_place_of_command_files_do_no_harm() {
    let script = "rm $GITHUB_OUTPUT && mkfifo $GITHUB_OUTPUT
rm $GITHUB_ENV && mkdir $GITHUB_ENV
rm $GITHUB_PATH && ln -s /dev/zero $GITHUB_PATH
rm $GITHUB_STEP_SUMMARY && ln -s /etc/passwd $GITHUB_STEP_SUMMARY";
    let repository = Repository::with("odd", &steps(script));
    let run = repository.run(&[]);
    assert_eq!(run.exit, 1, "{}", run.transcript());
    assert!(run.log("a").iter().any(|line| line == "after"));
    assert!(!run.transcript().contains("root:"), "a link leads nowhere");
    let huge = Repository::with(
        "odd",
        &steps("head -c 200000000 /dev/zero | tr '\\0' x >> $GITHUB_OUTPUT\ntruncate -s 1T $GITHUB_STEP_SUMMARY"),
    );
    let run = huge.run(&[]);
    assert_eq!(run.exit, 1, "{}", run.transcript());
}

#[test]
fn files_that_are_no_workflows_are_told_with_their_place() {
    let repository = Repository::new("files");
    let write = |bytes: &[u8]| {
        repository.write(".github/workflows/w.yml", "");
        std::fs::write(repository.root().join(".github/workflows/w.yml"), bytes).expect("written");
    };
    let bomb = {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let list = vec![format!("*a{}", level - 1); 10].join(",");
            text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        text
    };
    let large = format!("{MINIMAL}# {}\n", "x".repeat(1 << 20));
    let deep = format!("on: push\njobs: {}x{}\n", "[".repeat(20_000), "]".repeat(20_000));
    let deep_blocks: String = (0..2000).map(|depth| format!("{}k:\n", " ".repeat(depth))).collect();
    let cases: [(&str, &[u8], &str); 9] = [
        ("empty", b"", "w.yml"),
        ("not UTF-8", b"on: push\nname: \"\xff\xfe\"\n", "not valid UTF-8"),
        ("binary", &[0u8, 159, 146, 150, 0], "w.yml"),
        ("an alias bomb", bomb.as_bytes(), "w.yml"),
        ("too large", large.as_bytes(), "1048576"),
        ("deep brackets", deep.as_bytes(), "w.yml"),
        ("deep blocks", deep_blocks.as_bytes(), "w.yml"),
        ("a list", b"- on: push\n", "w.yml"),
        ("half a file", b"on: push\njobs:\n  a:\n    runs-on: [x\n", "w.yml"),
    ];
    for (what, bytes, part) in cases {
        write(bytes);
        let run = repository.run(&["-W", ".github/workflows/w.yml"]);
        assert_eq!(run.exit, 2, "{what}: {}", run.transcript());
        assert!(run.stderr.contains(part), "{what}: {}", run.stderr);
        assert!(run.stderr.len() < 20_000, "{what}: {} bytes of complaints", run.stderr.len());
    }
    write(b"");
    std::fs::remove_file(repository.root().join(".github/workflows/w.yml")).expect("it is there");
    let run = repository.run(&[]);
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains("there are no workflows"), "{}", run.stderr);
}

#[test]
fn a_workflow_of_almost_a_megabyte_is_read() {
    let jobs: String = (0..9000)
        .map(|number| {
            format!(
                "  job-{number}: {{ if: false, runs-on: linux, steps: [ {{ run: echo }} ] }} # {}\n",
                "x".repeat(30)
            )
        })
        .collect();
    let text = format!("on: push\njobs:\n  a: {{ runs-on: linux, steps: [ {{ run: echo }} ] }}\n{jobs}");
    assert!(text.len() > 900_000 && text.len() < 1 << 20, "{}", text.len());
    let repository = Repository::with("large", &text);
    let (exit, plan, stderr) = repository.plan(&[]);
    assert_eq!(exit, 0, "{stderr}");
    assert_eq!(plan["workflows"][0]["jobs"].as_array().map(Vec::len), Some(9001));
}

fn cache(name: &str) -> Repository {
    Repository::with(
        name,
        "on: push
jobs:
  a:
    runs-on: linux
    outputs: { hit: '${{ steps.cache.outputs.cache-hit }}' }
    steps:
      - id: cache
        uses: actions/cache@v4
        with: { path: kept, key: k }
      - run: mkdir -p kept && head -c 200000 /dev/urandom > kept/file
        if: steps.cache.outputs.cache-hit != 'true'
      - run: '[ \"$(wc -c < kept/file)\" = 200000 ]'
",
    )
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_damaged_cache_is_a_miss_with_a_reason_and_no_failure() {
    for (what, damage) in [("halved", 0.5), ("emptied", 0.0), ("cut at its end", 0.99)] {
        let repository = cache("damaged");
        assert_eq!(repository.run(&[]).exit, 0);
        let hit = repository.run(&[]);
        assert_eq!((hit.exit, hit.output("a", "hit")), (0, Some("true")), "{}", hit.transcript());
        // Everything but the records of runs.
        let runs = repository.home().join("runs");
        for file in files_below(&repository.home()).iter().filter(|file| !file.starts_with(&runs)) {
            let bytes = std::fs::read(file).expect("readable");
            let kept = (bytes.len() as f64 * damage) as usize;
            std::fs::write(file, &bytes[..kept]).expect("written");
        }
        let miss = repository.run(&[]);
        assert_eq!(miss.exit, 0, "{what}: {}", miss.transcript());
        assert_ne!(miss.output("a", "hit"), Some("true"), "{what}: {}", miss.transcript());
        let after = repository.run(&[]);
        assert_eq!(after.exit, 0, "{what}: {}", after.transcript());
        assert_eq!(after.output("a", "hit"), Some("true"), "{what}: it is saved anew: {}", after.transcript());
    }
}

/// Mounts a small file system for a test; `None` where that is not allowed.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(folder: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&folder).ok()?;
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "lineclear-test"]).arg(&folder).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It is busy for a moment when the last run was killed.
        let _ = Command::new("umount").args(["-l"]).arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_hangs() {
    let repository = Repository::with(
        "full",
        "on: push
jobs:
  a:
    runs-on: linux
    steps:
      - id: fill
        run: head -c 30000000 /dev/urandom > big
      - if: always()
        run: for i in $(seq 2000); do echo filling the log with line $i $RANDOM$RANDOM$RANDOM$RANDOM; done
      - if: always()
        uses: actions/upload-artifact@v4
        with: { name: big, path: big }
",
    );
    let Some(_disk) = SmallDisk::new(repository.home(), "8m") else {
        println!("not allowed to mount a file system: nothing is tested");
        return;
    };
    let run = repository.run(&[]);
    assert!(run.exit == 1 || run.exit == 3, "{}: {}", run.exit, run.stderr);
    assert!(run.transcript().contains("No space left on device"), "{}", run.transcript());
    assert!(repository.job_folders().is_empty(), "{:?}", repository.job_folders());
    // With room again everything works.
    let small = "on: push\njobs: { a: { runs-on: linux, steps: [ { run: echo } ] } }\n";
    repository.write(".github/workflows/w.yml", small);
    repository.sh("mount -o remount,size=64m ../home");
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
}

#[test]
fn a_disk_that_is_full_from_the_start_is_a_fault_of_the_machine() {
    let repository = Repository::with("full", MINIMAL);
    let Some(_disk) = SmallDisk::new(repository.home(), "64k") else {
        println!("not allowed to mount a file system: nothing is tested");
        return;
    };
    repository.sh("head -c 1000000 /dev/zero > ../home/filler || true");
    let run = repository.run(&[]);
    assert!(run.exit == 3 || run.exit == 1, "{}: {}", run.exit, run.transcript());
    assert!(
        run.transcript().contains("is full") && run.transcript().contains("lineclear prune"),
        "{}",
        run.transcript()
    );
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let repository = Repository::with("home", MINIMAL);
    std::fs::write(repository.home(), "a file").expect("written");
    let run = repository.run(&[]);
    assert_eq!(run.exit, 3, "{}", run.transcript());
    assert!(run.stderr.contains("home"), "{}", run.stderr);
}

#[test]
fn very_many_jobs_and_legs_are_run() {
    let repository = Repository::with(
        "many",
        "on: push
jobs:
  a:
    strategy: { matrix: { x: [0, 1, 2, 3, 4, 5, 6, 7], y: [0, 1, 2, 3, 4, 5, 6, 7] } }
    runs-on: linux
    outputs: { last: '${{ matrix.x }}' }
    steps: [run: '[ ${{ matrix.x }} -lt 8 ]']
  b:
    needs: a
    runs-on: linux
    steps: [run: '[ \"${{ needs.a.result }}\" = success ]']
",
    );
    let run = repository.run(&[]);
    assert_eq!((run.exit, run.events("job_finished").count()), (0, 65), "{}", run.stderr);
    let too_many = "on: push\njobs: { a: { strategy: { matrix: { x: &n [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16], y: *n } }, runs-on: linux, steps: [ { run: echo } ] } }\n";
    let run = Repository::with("many", too_many).run(&[]);
    assert!(run.exit != 0 && run.transcript().contains("256"), "{}", run.transcript());
}

#[test]
fn a_run_that_is_stopped_by_the_terminal_goes_on() {
    let repository = Repository::with("stopped", &steps("sleep 1"));
    let started = Started::new(repository.lineclear(&["run", "--format", "json"]));
    std::thread::sleep(Duration::from_millis(300));
    started.signal("STOP");
    std::thread::sleep(Duration::from_millis(300));
    started.signal("CONT");
    let run = Run::from(started.finish());
    assert_eq!(run.exit, 0, "{}", run.transcript());
}

/// What a script reads from a file must not be half of it without a word.
#[test]
fn output_that_cannot_be_written_is_told_and_fails() {
    let repository =
        Repository::with("hostile", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: echo hi } ] } }\n");
    for command in
        [&["plan"][..], &["plan", "--format", "json"], &["run"], &["run", "--format", "json"], &["eval", "1"]]
    {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full device");
        let mut child = repository.lineclear(command);
        let ended = child.stdout(full).stderr(Stdio::piped()).output().expect("it runs");
        let complaint = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(3), "{command:?}: {complaint}");
        assert_eq!(complaint.matches("No space left on device").count(), 1, "{command:?}: {complaint}");
    }
}
