//! Jobs that are kept from the machine: what the options of `run` mean to steps.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lineclear_testkit::Repository;

const SUITE: &str = "
on: push
jobs:
  smoke:
    runs-on: ubuntu-latest
    steps:
      - id: out
        continue-on-error: true
        run: exec 3<>/dev/tcp/192.0.2.1/80
      - run: test '${{ steps.out.outcome }}' = failure
      - name: the loopback works
        run: |
          perl -MIO::Socket::INET -e '
            my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => \"127.0.0.1\", LocalPort => 5433) or die $!;
            my $client = IO::Socket::INET->new(PeerAddr => \"127.0.0.1\", PeerPort => 5433) or die $!;'
      - name: so does the API
        run: |
          address=${GITHUB_API_URL#http://}; address=${address%%/*}
          exec 3<>/dev/tcp/${address%:*}/${address#*:}
          printf 'GET /api/v3/meta HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' $address >&3
          head -n 1 <&3 | grep HTTP
      - run: echo content > file
      - uses: actions/upload-artifact@v4
        with: { name: one, path: file }
      - uses: actions/cache@v4
        with: { path: file, key: one }
";

/// S0-30: a job can be run without a network, and what it needs of Lineclear itself is there.
#[test]
fn s0_30_a_step_that_calls_out_fails_while_loopback_artifacts_and_caches_work() {
    let repository = Repository::with("isolation", SUITE);
    let run = repository.run(&["--network", "loopback", "--isolate=strict"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let text = run.transcript();
    assert!(text.contains("tried to reach something else"), "it is told: {text}");
    assert!(text.contains("read-only"), "what is enforced is told: {text}");
    assert_eq!(repository.job_folders(), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn the_official_clients_reach_artifacts_and_caches_without_a_network() {
    let workflow = "
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: official/script@v1
        with:
          script: |
            fs.writeFileSync('a.txt', 'hello')
            await new Artifact5().uploadArtifact('made', ['a.txt'], '.')
            await cache4.saveCache(['a.txt'], 'key')
            return (await new Artifact5().getArtifact('made')).artifact.name
        id: client
      - run: test '${{ steps.client.outputs.result }}' = made
";
    let bench = crate::services::Bench::with(workflow);
    bench.passes(&["--isolate=strict"]);
}

#[test]
fn secrets_of_lineclear_and_of_its_user_are_out_of_sight() {
    let workflow = "
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          ls -A \"$PLACE\" | grep -v -x -e work -e tools -e actions && exit 1
          test -z \"$(cat ~/.ssh/id_ed25519 2>/dev/null)\"
          git log -1 --format=%H
          echo made > ~/made; cat ~/made
";
    let repository = Repository::with("hidden", workflow);
    let home = repository.beside("person");
    fs::create_dir_all(home.join(".ssh")).expect("a folder");
    fs::write(home.join(".ssh/id_ed25519"), "very secret").expect("a file");
    let place = format!("PLACE={}", repository.home().display());
    let mut command = repository.lineclear(&["run", "--isolate=strict", "--env", &place, "--format", "json"]);
    command.env("HOME", &home);
    let run = lineclear_testkit::Run::of(command);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(!home.join("made").exists(), "changes of the home folder are the job's own");
}

#[test]
fn a_limit_that_was_hit_is_the_reason_of_the_step() {
    let workflow = "
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: for i in $(seq 1000); do head -c 4000000 /dev/urandom > small-$i; sleep 0.02; done
";
    let repository = Repository::with("limit", workflow);
    let run = repository.run(&["--disk", "20M"]);
    assert_eq!(run.exit, 1, "{}", run.transcript());
    assert!(run.transcript().contains("more than its 20 MiB of disk"), "{}", run.transcript());
}

#[test]
fn what_is_no_network_or_size_is_refused_with_what_is_expected() {
    let repository = Repository::with("usage", SUITE);
    for (args, expected) in [
        (["run", "--network", "lan"], "expected none, loopback, private, host or allow=HOST[:PORT],…"),
        (["run", "--network", "allow=https://a.b"], "it is a URL; expected HOST[:PORT]"),
        (["run", "--memory", "lots"], "expected a number and K, M, G or T"),
    ] {
        let said = repository.say(&args);
        assert_eq!(said.exit, 2, "{}", said.stderr);
        assert!(said.stderr.contains(expected), "{}", said.stderr);
    }
}

/// Whatever ends Lineclear, nothing of an isolated job is left: no process, no namespace, no control group, no folder.
#[test]
fn killed_with_an_isolated_job_it_leaves_nothing() {
    let workflow = "
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: |
          (setsid sleep 98761 > /dev/null 2>&1 &)
          echo ready > /proc/self/fd/1
          sleep 98762
";
    let repository = Repository::with("killed", workflow);
    let mut command = repository.lineclear(&[
        "run",
        "--isolate=strict",
        "--network",
        "private",
        "--memory",
        "1G",
        "--format",
        "json",
    ]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let group = format!("lineclear-{}-", child.id());
    let mark = repository.home().display().to_string();
    wait_until("the step runs", || processes("sleep 98762", &mark) == 1 && processes("sleep 98761", &mark) == 1);
    assert!(!groups(&group).is_empty(), "the job is in a control group");
    let holders = holders(child.id());
    assert_eq!(holders.len(), 1, "one process keeps the namespaces of the one job");
    child.kill().expect("killed");
    child.wait().expect("its end");
    wait_until("nothing is left", || {
        processes("sleep 9876", &mark) == 0
            && holders.iter().all(|pid| has_ended(*pid))
            && groups(&group).is_empty()
            && repository.job_folders().is_empty()
    });
}

/// Children of a process that keep namespaces.
fn holders(parent: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let threads = fs::read_dir(format!("/proc/{parent}/task")).expect("threads").flatten();
    let others = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let mut pids: Vec<u32> = others
        .chain([text])
        .flat_map(|text| text.split_whitespace().flat_map(str::parse).collect::<Vec<u32>>())
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids.retain(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("__sandbox\0hold")
    });
    pids
}

/// A process that has ended and that nobody has asked for its exit code has no command line. Its new parent may never ask.
fn has_ended(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default().is_empty()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        thread::sleep(Duration::from_millis(20));
    }
}

/// How many processes have `words` in their command line, and work below, or were told of, `mark`.
fn processes(words: &str, mark: &str) -> usize {
    let mut count = 0;
    for item in fs::read_dir("/proc").expect("processes").flatten() {
        let read = |name: &str| fs::read(item.path().join(name)).unwrap_or_default();
        let line = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        let environment = String::from_utf8_lossy(&read("environ")).into_owned();
        if line.contains(words) && environment.contains(mark) {
            count += 1;
        }
    }
    count
}

fn groups(prefix: &str) -> Vec<String> {
    let output = Command::new("find").args(["/sys/fs/cgroup", "-type", "d", "-name", &format!("{prefix}*")]).output();
    let text = output.expect("find is there").stdout;
    String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
}
