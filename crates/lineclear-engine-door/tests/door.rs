//! What one job can do through its door, with the real clients and the real engine.

mod support;

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use lineclear_backend::Credentials;
use lineclear_engine_door::{Doors, View};
use lineclear_event::ImageDeed;
use lineclear_oci::Routes;
use lineclear_testkit::images::{busybox, docker};
use support::{Job, With, left, settings, until};

/// Something on the machine that is not the job's; removed at the end of the test.
struct Theirs(Vec<&'static str>, String);

impl Theirs {
    fn new(kind: &[&'static str], make: &[&str], name: String) -> Self {
        docker(make);
        Self(kind.to_vec(), name)
    }

    fn is_there(&self) -> bool {
        let inspect = std::process::Command::new("docker").args([self.0[0], "inspect", &self.1]).output();
        inspect.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        let _told_by_the_next_test = std::process::Command::new("docker").args(&self.0).arg(&self.1).output();
    }
}

#[test]
fn nothing_but_its_own_is_seen_and_removed() {
    let tag = format!("door-theirs-{}", std::process::id());
    let container = format!("{tag}-c");
    let theirs = [
        Theirs::new(
            &["container", "rm", "-f"],
            &["run", "-d", "--init", "--name", &container, busybox(), "sleep", "300"],
            container.clone(),
        ),
        Theirs::new(&["network", "rm"], &["network", "create", &tag], tag.clone()),
        Theirs::new(&["volume", "rm"], &["volume", "create", &tag], tag.clone()),
        Theirs::new(&["image", "rm"], &["tag", busybox(), &format!("{tag}:1")], format!("{tag}:1")),
    ];
    let mut job = Job::open();
    job.docker(&["run", "-d", "--init", "--name", "mine", busybox(), "sleep", "300"]);
    job.docker(&["create", "--name", "stopped", busybox(), "true"]);
    job.docker(&["network", "create", "mine"]);
    job.docker(&["volume", "create", "mine"]);

    assert_eq!(job.docker(&["ps", "--format", "{{.Names}}"]), "mine");
    assert!(
        !job.docker(&["ps", "-aq", "--no-trunc"])
            .contains(&docker(&["inspect", "-f", "{{.Id}}", &container]).trim().to_owned())
    );
    let networks = job.docker(&["network", "ls", "--format", "{{.Name}}"]);
    let mut networks: Vec<&str> = networks.lines().collect();
    networks.sort_unstable();
    assert_eq!(networks, ["bridge", "host", "mine", "none"]);
    assert_eq!(job.docker(&["volume", "ls", "-q"]), "mine");
    let usage = job.docker(&["system", "df", "-v"]);
    assert!(usage.contains("stopped") && !usage.contains(&container), "{usage}");
    for args in [
        ["kill", &container].as_slice(),
        &["exec", &container, "true"],
        &["logs", &container],
        &["inspect", &container],
    ] {
        let refused = job.docker_fails(args).to_lowercase();
        assert!(refused.contains("no such container") || refused.contains("no such object"), "{refused}");
    }
    assert!(job.docker_fails(&["network", "rm", &tag]).contains("not found"));
    assert!(job.docker_fails(&["volume", "rm", &tag]).contains("no such volume"));
    assert!(job.docker_fails(&["run", "--rm", "--network", &tag, busybox(), "true"]).contains("not found"));
    assert!(job.docker_fails(&["rmi", "-f", &format!("{tag}:1")]).contains("neither made nor tagged it"));
    // Whoever is on the default network is not told.
    assert!(!job.docker(&["network", "inspect", "bridge"]).contains(&container));

    let ids = job.docker(&["ps", "-aq"]);
    let ids: Vec<&str> = ids.lines().collect();
    assert_eq!(ids.len(), 2);
    job.docker(&[&["rm", "-f"], ids.as_slice()].concat());
    let pruned = job.docker(&["system", "prune", "-af", "--volumes"]);
    assert!(pruned.contains("mine"), "{pruned}");
    job.docker(&["container", "prune", "-f"]);
    job.docker(&["image", "prune", "-af"]);
    job.docker(&["builder", "prune", "-af"]);
    assert_eq!(job.docker(&["network", "ls", "-q", "--filter", "type=custom"]), "");
    assert!(theirs.iter().all(Theirs::is_there), "what is not the job's is as it was");
    job.close();
    assert_eq!(left(&job.id), "");
}

#[test]
fn a_shared_machine_is_seen_and_not_changed() {
    let name = format!("door-shared-{}", std::process::id());
    let theirs = Theirs::new(
        &["container", "rm", "-f"],
        &["run", "-d", "--init", "--name", &name, busybox(), "sleep", "300"],
        name.clone(),
    );
    let mut settings = settings();
    settings.view = View::Shared;
    let mut job = Job::with(settings, With::default());
    assert!(job.docker(&["ps", "--format", "{{.Names}}"]).contains(&name));
    job.docker(&["inspect", &name]);
    assert!(job.docker_fails(&["kill", &name]).contains("No such container"));
    assert!(theirs.is_there());
    job.close();
}

#[test]
fn streams_go_both_ways_and_end_one_by_one() {
    let mut job = Job::open();
    job.docker(&["run", "-d", "--init", "--name", "it", busybox(), "sleep", "300"]);
    // What is sent ends before what comes back: `wc` answers when its input has ended.
    for args in [["run", "-i", "--rm", busybox(), "wc", "-c"].as_slice(), &["exec", "-i", "it", "wc", "-c"]] {
        let mut child = job
            .command("docker")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("docker starts");
        let mut input = child.stdin.take().expect("a pipe");
        for _ in 0..64 {
            input.write_all(&[b'x'; 64 * 1024]).expect("it is read");
        }
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), (64 * 64 * 1024).to_string(), "{args:?}");
    }
    // Both streams, kept apart, and the exit code.
    let output = job.try_docker(&["exec", "it", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!(
        (output.stdout.as_slice(), output.stderr.as_slice(), output.status.code()),
        (&b"out\n"[..], &b"err\n"[..], Some(7))
    );
    // A terminal.
    let terminal = job
        .command("script")
        .args(["-qec", "docker exec -it it sh -c 'test -t 0 && echo terminal'", "/dev/null"])
        .output();
    assert!(String::from_utf8_lossy(&terminal.expect("script starts").stdout).contains("terminal"));
    // Files, in and out.
    let big = vec![7_u8; 3 << 20];
    std::fs::write(job.work().join("file"), &big).expect("a file");
    job.docker(&["cp", "file", "it:/file"]);
    job.docker(&["cp", "it:/file", "back"]);
    assert_eq!(std::fs::read(job.work().join("back")).expect("a file"), big);
    // A log that is followed ends with its container.
    let follow =
        job.command("docker").args(["logs", "-f", "it"]).stdout(Stdio::piped()).spawn().expect("docker starts");
    job.docker(&["kill", "it"]);
    assert!(follow.wait_with_output().expect("it ends").status.success());
    assert_eq!(job.docker(&["wait", "it"]), "137");
    job.close();
    assert_eq!(left(&job.id), "");
}

#[test]
fn events_are_those_of_the_job() {
    let (mut one, mut two) = (Job::open(), Job::open());
    let mut events = one.command("docker");
    events.args(["events", "--format", "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}"]);
    let mut child = events.stdout(Stdio::piped()).spawn().expect("docker starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    // It is there when its first event is: until then events are made.
    let (tell, told) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stdout.read(&mut buffer) {
            tell.send(String::from_utf8_lossy(&buffer[..read]).into_owned()).expect("the test listens");
        }
    });
    let mut seen = String::new();
    until("events come", || {
        two.docker(&["network", "create", "theirs"]);
        two.docker(&["network", "rm", "theirs"]);
        two.docker(&["run", "--rm", "--name", "theirs", busybox(), "true"]);
        one.docker(&["network", "create", "mine"]);
        one.docker(&["network", "rm", "mine"]);
        one.docker(&["run", "--rm", "--name", "mine", busybox(), "true"]);
        seen.extend(told.try_iter());
        seen.contains("container die mine") && seen.contains("network create mine")
    });
    assert!(!seen.contains("theirs") && !seen.contains("LC-"), "{seen}");
    // A client that hangs up is forgotten, and so is what it asked for.
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    reader.join().expect("it reads to the end");
    one.close();
    two.close();
}

#[test]
fn images_are_built_saved_loaded_and_removed() {
    let mut job = Job::open();
    let tag = format!("door-built-{}:1", std::process::id());
    let dockerfile = format!("FROM {}\nRUN echo {tag} > /made\nHEALTHCHECK CMD true\nUSER worker\n", busybox());
    std::fs::write(job.work().join("Dockerfile"), dockerfile).expect("a file");
    // A context that does not fit into any buffer.
    std::fs::write(job.work().join("large"), vec![1; 24 << 20]).expect("a file");
    for kit in ["0", "1"] {
        let build = job
            .command("docker")
            .args(["build", "-q", "-t", &tag, "."])
            .env("DOCKER_BUILDKIT", kit)
            .output()
            .expect("docker starts");
        assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
        assert_eq!(job.docker(&["run", "--rm", &tag, "cat", "/made"]), tag);
        // The image has none of the job's labels: whoever uses it later is not this job.
        assert!(!docker(&["image", "inspect", &tag]).contains("org.lineclear"), "{kit}");
        job.docker(&["save", "-o", "saved.tar", &tag]);
        job.docker(&["rmi", &tag]);
        job.docker(&["load", "-q", "-i", "saved.tar"]);
        job.docker(&["rmi", &tag]);
    }
    let built = job.images.0.lock().expect("no test panics with it").clone();
    let built = built.iter().find(|fact| fact.deed == ImageDeed::Built).expect("the builder tells");
    let config = built.config.as_ref().expect("it was looked at");
    assert_eq!(
        (built.names.as_slice(), config.user.as_str(), config.health_check.as_deref()),
        ([tag.clone()].as_slice(), "worker", Some("true"))
    );
    // An image of a container is not swept with it.
    job.docker(&["create", "--name", "c", busybox(), "true"]);
    job.docker(&["commit", "c", &tag]);
    assert!(
        docker(&["image", "inspect", "-f", "{{index .Config.Labels \"org.lineclear.job\"}}|", &tag]).starts_with('|')
    );
    assert!(job.docker(&["image", "prune", "-af"]).contains(&tag));
    job.close();
    assert_eq!(left(&job.id), "");
}

#[test]
fn a_name_that_two_jobs_give_means_each_its_own_image() {
    let (mut one, mut two) = (Job::open(), Job::open());
    let tag = format!("door-same-{}:latest", std::process::id());
    for (job, text) in [(&one, "one"), (&two, "two")] {
        std::fs::write(job.work().join("Dockerfile"), format!("FROM {}\nRUN echo {text} > /made\n", busybox()))
            .expect("a file");
        let build = job
            .command("docker")
            .args(["build", "-q", "-t", &tag, "."])
            .env("DOCKER_BUILDKIT", "0")
            .output()
            .expect("docker starts");
        assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    }
    assert_eq!(one.docker(&["run", "--rm", &tag, "cat", "/made"]), "one");
    assert_eq!(two.docker(&["run", "--rm", &tag, "cat", "/made"]), "two");
    // The name is the other's by now: it is not taken from it.
    one.docker(&["rmi", &tag]);
    assert_eq!(two.docker(&["run", "--rm", &tag, "cat", "/made"]), "two");
    one.docker(&["image", "prune", "-af"]);
    two.docker(&["rmi", &tag]);
    one.close();
    two.close();
}

#[test]
fn mapped_names_are_pushed_to_and_pulled_from_where_they_are_kept() {
    let registry = lineclear_testkit::images::registry();
    let mut routes = Routes::default();
    routes.add(&format!("ghcr.io={}/ghcr.io", registry.address())).expect("it is a route");
    let mut settings = settings();
    settings.routes = routes;
    let doors = Doors::new(settings);
    let login =
        || With { registry: Some(Credentials { username: "job".into(), password: "token".into() }), ..With::default() };
    let (mut one, mut two) = (Job::of(&doors, login()), Job::of(&doors, login()));
    let name = format!("ghcr.io/owner/door-{}:1", std::process::id());
    let dockerfile = format!("FROM {}\nRUN echo {name} > /made\n", busybox());
    std::fs::write(one.work().join("Dockerfile"), dockerfile).expect("a file");
    let build = one
        .command("docker")
        .args(["build", "-q", "-t", &name, "."])
        .env("DOCKER_BUILDKIT", "0")
        .output()
        .expect("docker starts");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));

    one.docker(&["login", "-u", "someone", "-p", "token", "ghcr.io"]);
    let pushed = one.docker(&["push", &name]);
    assert!(pushed.contains("digest: sha256:") && !pushed.contains(registry.address()), "{pushed}");
    let fact = one.images.0.lock().expect("no test panics with it").last().cloned().expect("a push is told");
    assert_eq!((fact.deed, fact.names.as_slice()), (ImageDeed::Pushed, [name.clone()].as_slice()));
    assert!(pushed.contains(&fact.digest), "{pushed}");
    let repository = name.rsplit_once(':').expect("it has a tag").0;
    assert!(registry.data().join("docker/registry/v2/repositories").join(repository).is_dir());
    // The name it was kept under for the push is gone.
    assert!(!docker(&["images", "--format", "{{.Repository}}"]).contains(registry.address()));
    one.docker(&["rmi", &name]);

    let pulled = two.docker(&["pull", &name]);
    assert!(pulled.contains(&fact.digest), "{pulled}");
    assert_eq!(two.docker(&["run", "--rm", &name, "cat", "/made"]), name);
    // The digest that it was pulled by is known under the name that it was asked for.
    let digest = two.docker(&["image", "inspect", "--format", "{{index .RepoDigests 0}}", &name]);
    assert_eq!(digest, format!("{repository}@{}", fact.digest));
    assert!(two.docker(&["images", "--digests", repository]).contains(&fact.digest));
    assert!(!docker(&["images", "--format", "{{.Repository}}"]).contains(registry.address()));
    two.docker(&["rmi", &name]);
    // By its digest, which cannot be given another name.
    let pinned = format!("{repository}@{}", fact.digest);
    two.docker(&["pull", "-q", &pinned]);
    assert_eq!(two.docker(&["run", "--rm", &pinned, "cat", "/made"]), name);
    docker(&["rmi", "-f", &format!("{}/{pinned}", registry.address())]);
    // What was never pushed is looked for where its name says.
    assert!(!one.docker_fails(&["push", "ghcr.io/owner/never:1"]).contains("127.0.0.1"));
    one.close();
    two.close();
}

#[test]
fn a_container_in_the_job_reaches_the_same_door() {
    let mut job = Job::open();
    std::fs::write(job.work().join("here"), "from the workspace").expect("a file");
    job.docker(&[
        "run",
        "-d",
        "--init",
        "--name",
        "outer",
        "-v",
        "/var/run/docker.sock:/var/run/docker.sock",
        busybox(),
        "sleep",
        "300",
    ]);
    let source = job.docker(&["inspect", "-f", "{{range .Mounts}}{{.Source}}{{end}}", "outer"]);
    assert_eq!(source, job.socket().display().to_string());
    job.docker(&["exec", "outer", "test", "-S", "/var/run/docker.sock"]);
    // A container that Lineclear made for the job, with the workspace elsewhere: what steps in it call `/__w` is the machine's folder.
    let name = format!("door-room-{}", std::process::id());
    let room = Theirs::new(
        &["container", "rm", "-f"],
        &[
            "run",
            "-d",
            "--init",
            "--name",
            &name,
            "--label",
            &format!("org.lineclear.job={}", job.id),
            "-v",
            &format!("{}:/var/run/docker.sock", job.socket().display()),
            "-v",
            &format!("{}:/__w", job.work().display()),
            busybox(),
            "sleep",
            "300",
        ],
        name.clone(),
    );
    assert_eq!(
        job.docker(&["run", "--rm", "-v", "/__w:/inner", busybox(), "cat", "/inner/here"]),
        "from the workspace"
    );
    // It is the job's, too, and stays when the door removes what was made through it.
    assert!(job.docker(&["ps", "--format", "{{.Names}}"]).contains(&name));
    job.close();
    assert!(room.is_there());
}

#[test]
fn folders_that_are_not_the_jobs_are_not_mounted() {
    let (home, mut settings) = (tempfile::tempdir().expect("a folder"), settings());
    settings.protected = vec![home.path().to_owned()];
    let mut job = Job::with(settings, With::default());
    std::os::unix::fs::symlink(home.path(), job.work().join("link")).expect("a link");
    for path in [home.path().to_owned(), job.work().join("link"), home.path().join("new")] {
        let refused = job.docker_fails(&["run", "--rm", "-v", &format!("{}:/x", path.display()), busybox(), "true"]);
        assert!(refused.contains("belongs to Lineclear or to another job"), "{refused}");
    }
    job.close();
    let mut job = Job::with(support::settings(), With { is_confined: true, ..With::default() });
    let refused = job.docker_fails(&["run", "--rm", "--privileged", busybox(), "true"]);
    assert!(refused.contains("kept from the machine"), "{refused}");
    // Not even its own folders: a link may stand in the place of one by the time the container starts.
    let own = format!("{}:/x", job.work().display());
    let refused = job.docker_fails(&["create", "-v", &own, busybox(), "true"]);
    assert!(refused.contains("cannot be mounted"), "{refused}");
    job.close();
}

/// An interface of the machine, and addresses of others, are no part of a job's network.
#[test]
fn networks_of_a_job_leave_the_machines_network_alone() {
    let mut job = Job::open();
    let refused = job.docker_fails(&["network", "create", "-o", "com.docker.network.bridge.name=docker0", "n"]);
    assert!(refused.contains("com.docker.network.bridge.name"), "{refused}");
    let refused = job.docker_fails(&["network", "create", "--subnet", "203.0.113.0/24", "n"]);
    assert!(refused.contains("203.0.113.0/24"), "{refused}");
    job.docker(&["network", "create", "-o", "com.docker.network.driver.mtu=1400", "n"]);
    job.close();
}

#[test]
fn what_ignores_signals_and_what_has_no_name_is_removed() {
    let mut job = Job::open();
    let stubborn = [
        "run",
        "-d",
        "--restart",
        "always",
        busybox(),
        "sh",
        "-c",
        "trap '' TERM INT; echo started; while :; do sleep 1; done",
    ];
    job.docker(&stubborn);
    // An image with a volume of its own, which the engine names: `rm` without `-v` would leave it.
    let tag = format!("door-volume-{}:1", std::process::id());
    std::fs::write(job.work().join("Dockerfile"), format!("FROM {}\nVOLUME /var/data\n", busybox())).expect("a file");
    let build = job
        .command("docker")
        .args(["build", "-q", "-t", &tag, "."])
        .env("DOCKER_BUILDKIT", "0")
        .output()
        .expect("docker starts");
    assert!(build.status.success());
    job.docker(&["run", "-d", "--name", "v", "-v", "/other", &tag, "true"]);
    assert_eq!(job.docker(&["inspect", "-f", "{{len .Mounts}} {{.HostConfig.Mounts}}", "v"]), "2 []");
    job.docker(&["wait", "v"]);
    job.docker(&["rm", "v"]);
    assert_eq!(job.docker(&["volume", "ls", "-q"]).lines().count(), 2);
    let told = job.close();
    assert!(told.contains(": running") && told.contains("started"), "{told}");
    assert_eq!(left(&job.id), "");
    docker(&["rmi", &tag]);
}

#[test]
fn a_door_that_is_dropped_removes_too_while_clients_hang_on_it() {
    let mut job = Job::open();
    job.docker(&["network", "create", "n"]);
    let mut attached = job
        .command("docker")
        .args(["run", "--rm", "--network", "n", busybox(), "sleep", "300"])
        .spawn()
        .expect("docker starts");
    until("it runs", || !job.docker(&["ps", "-q"]).is_empty());
    let id = job.id.clone();
    job.door = None;
    attached.wait().expect("it ends with the door");
    assert_eq!(left(&id), "");
}

/// What a door answers to these bytes.
fn raw(job: &Job, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(job.socket()).expect("the door is open");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is a socket");
    // The door may answer and hang up before it has read all of it.
    let _refused = stream.write_all(bytes);
    let _refused = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn hostile_requests_are_refused_and_the_door_stays_open() {
    let mut job = Job::open();
    let huge = format!("GET /_ping HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(400 * 1024));
    let many = format!("GET /_ping HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(200));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!("POST /containers/create HTTP/1.1\r\nContent-Length: {}\r\n\r\n{deep}", deep.len());
    for (bytes, status) in [
        (huge.as_str(), "431"),
        (&many, "400"),
        (&deep, "400"),
        ("nonsense\r\n\r\n", "400"),
        ("GET /containers/../images/json HTTP/1.1\r\n\r\n", "400"),
        ("GET http://x/_ping HTTP/1.1\r\n\r\n", "400"),
        ("POST /containers/create HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"),
        ("POST /build HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n", "400"),
        ("POST /images/load HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "400"),
        ("POST /containers/create HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n{", "4"),
        ("POST /containers/create HTTP/1.1\r\nContent-Length: 5\r\n\r\n{\"a\":", "400"),
        ("DELETE /containers/%00 HTTP/1.1\r\n\r\n", "400"),
        ("GET /containers/json?filters=nonsense HTTP/1.1\r\n\r\n", "400"),
        ("BREW /coffee HTTP/1.1\r\n\r\n", "404"),
    ] {
        let answer = raw(&job, bytes.as_bytes());
        let first = answer.lines().next().unwrap_or_default();
        // One that says more than it sends is left alone: there is nobody to answer.
        let is_right =
            first.starts_with(&format!("HTTP/1.1 {status}")) || (bytes.contains("99999999999") && first.is_empty());
        assert!(is_right, "{}: {answer}", bytes.chars().take(100).collect::<String>());
    }
    // Parameters in a form would count before those that were looked at.
    let form = "filters=%7B%7D";
    let keep = format!("door-form-{}", std::process::id());
    let theirs = Theirs::new(&["volume", "rm"], &["volume", "create", &keep], keep.clone());
    let prune = format!(
        "POST /volumes/prune HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
        form.len()
    );
    let pruned = raw(&job, prune.as_bytes());
    assert!(pruned.starts_with("HTTP/1.1 200") && theirs.is_there(), "{pruned}");
    // Several on one connection, and one that waits to be told to go on.
    let two = "GET /_ping HTTP/1.1\r\nHost: d\r\n\r\nPOST /volumes/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n\
               Expect: 100-continue\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{\"Name\":\"v\"}";
    let answer = raw(&job, two.as_bytes());
    assert!(answer.contains("OK") && answer.contains("100 Continue") && answer.contains("\"Name\":\"v\""), "{answer}");
    let old = raw(&job, b"GET /volumes HTTP/1.0\r\n\r\n");
    assert!(old.contains("Connection: close") && old.contains("\"Name\":\"v\""), "{old}");
    job.close();
    assert_eq!(left(&job.id), "");
}

#[test]
fn a_machine_without_an_engine_has_no_door() {
    let mut settings = settings();
    settings.engine = lineclear_engine_door::EngineAddress::Unix(PathBuf::from("/nonexistent/engine.sock"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let layout = lineclear_backend::Layout {
        workspace: path.into(),
        temp: path.into(),
        scratch: path.into(),
        actions: path.into(),
        tool_cache: path.into(),
    };
    let request = lineclear_backend::DoorRequest {
        run: lineclear_event::RunId(1),
        job: &lineclear_event::JobKey::new("job"),
        tracking_id: "x",
        folder: path,
        layout: &layout,
        seen: &[],
        is_confined: false,
        network: None,
        registry: None,
        images: None,
    };
    let door = lineclear_backend::EngineDoors::open(&Doors::new(settings), &request);
    assert!(door.expect("it is no fault").is_none());
}

#[test]
fn what_is_large_goes_through_without_being_kept() {
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("it is there");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    };
    let mut job = Job::open();
    let file = std::fs::File::create(job.work().join("large")).expect("a file");
    file.set_len(256 << 20).expect("it is made of nothing");
    job.docker(&["create", "--name", "c", busybox(), "true"]);
    let before = peak();
    job.docker(&["cp", "large", "c:/large"]);
    job.docker(&["cp", "c:/large", "back"]);
    let size = job.docker(&["container", "ls", "-as", "--format", "{{.Size}}", "--filter", "name=^c$"]);
    assert!(size.starts_with("268MB"), "{size}");
    // Other tests of this process run beside it, each with its buffers.
    assert!(peak() < before + 64, "{before} MiB before, {} MiB after", peak());
    job.close();
}
