//! Stacks of compose files through doors, with the real `docker compose` and the real engine.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use lineclear_testkit::images::busybox;
use support::{Job, Loopback, With, left, settings, until};

/// A stack as people write them: names of its own, fixed ports, named volumes, health, profiles.
fn stack() -> String {
    let image = busybox();
    format!(
        r#"
name: teststack
services:
  db:
    image: {image}
    container_name: test-db
    command: ["sh", "-c", "echo database >> /data/kept; cp /data/kept /www/; exec httpd -f -v -p 5432 -h /www"]
    init: true
    ports: ["5433:5432"]
    volumes: ["data:/data", "/www"]
    healthcheck: {{ test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:5432/kept"], interval: 1s, retries: 20 }}
    networks: [backend]
  migrate:
    image: {image}
    command: ["wget", "-q", "-O", "-", "http://test-db:5432/kept"]
    depends_on: {{ db: {{ condition: service_healthy }} }}
    networks: [backend]
  web:
    image: {image}
    command: ["httpd", "-f", "-p", "80", "-h", "/etc"]
    init: true
    ports: ["127.0.0.1:8001:80"]
    depends_on: {{ migrate: {{ condition: service_completed_successfully }} }}
    networks: [backend, default]
  celery:
    image: {image}
    profiles: [celery]
    command: ["sleep", "100"]
    init: true
volumes: {{ data: {{}} }}
networks: {{ backend: {{ internal: false }} }}
"#
    )
}

fn up(loopback: &Arc<Loopback>, run: u64) -> Job {
    let job = Job::with(settings(), With { network: Some(Arc::clone(loopback)), run, ..With::default() });
    std::fs::write(job.work().join("compose.yaml"), stack()).expect("a file");
    job.docker(&["compose", "up", "-d", "--quiet-pull", "db", "migrate", "web"]);
    job
}

fn get(loopback: &Loopback, port: u16, path: &str) -> String {
    try_get(loopback, port, path).expect("it answers")
}

fn try_get(loopback: &Loopback, port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((loopback.0, port))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

// S4-47, S3-8, S4-10
#[test]
fn two_runs_of_one_compose_file_at_once_do_not_meet() {
    let (one, two) = (Loopback::new(), Loopback::new());
    let (mut first, mut second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| up(&one, 1));
        let second = scope.spawn(|| up(&two, 2));
        (first.join().expect("it comes up"), second.join().expect("it comes up"))
    });
    for (job, loopback) in [(&first, &one), (&second, &two)] {
        // Names are those of the file, in every answer.
        let names = job.docker(&["ps", "-a", "--format", "{{.Names}}"]);
        let mut names: Vec<&str> = names.lines().collect();
        names.sort_unstable();
        assert_eq!(names, ["test-db", "teststack-migrate-1", "teststack-web-1"]);
        assert_eq!(
            job.docker(&["volume", "ls", "--format", "{{.Name}}", "--filter", "name=^teststack_data$"]),
            "teststack_data"
        );
        assert_eq!(
            job.docker(&["network", "ls", "--format", "{{.Name}}", "--filter", "name=teststack_backend"]),
            "teststack_backend"
        );
        assert_eq!(job.docker(&["compose", "port", "db", "5432"]), "0.0.0.0:5433");
        assert_eq!(job.docker(&["compose", "port", "web", "80"]), "127.0.0.1:8001");
        let ps = job.docker(&["compose", "ps", "--format", "json"]);
        assert!(ps.contains("\"PublishedPort\":5433") && !ps.contains("LC-") && !ps.contains("org.lineclear"), "{ps}");
        assert!(job.docker(&["inspect", "test-db"]).contains("\"HostPort\": \"5433\""));
        // Each finds its own stack at the fixed ports, with what it wrote itself.
        assert!(get(loopback, 5433, "/kept").ends_with("\r\n\r\ndatabase\n"));
        assert!(get(loopback, 8001, "/passwd").contains("root:x:0"));
        // By `depends_on`, the name of the container resolved, too.
        assert!(job.docker(&["compose", "logs", "--no-log-prefix", "migrate"]).ends_with("database"));
        assert_eq!(
            job.docker(&["compose", "exec", "-T", "web", "wget", "-q", "-O", "-", "http://db:5432/kept"]),
            "database"
        );
        assert_eq!(job.docker(&["compose", "run", "--rm", "-T", "celery", "echo", "ran"]), "ran");
    }
    // The same again changes nothing.
    let again = first.try_docker(&["compose", "up", "-d", "db"]);
    let again = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.contains("Running") && !again.contains("Recreate"), "{again}");
    // A profile is off until it is asked for (S4-46).
    first.docker(&["compose", "--profile", "celery", "up", "-d", "--wait", "--no-deps", "celery"]);
    assert!(first.docker(&["compose", "ps", "--services"]).contains("celery"));
    // What is taken down is gone, of this job alone.
    first.docker(&["compose", "--profile", "celery", "down", "-v", "-t", "1"]);
    assert_eq!(first.docker(&["ps", "-aq"]), "");
    assert!(TcpStream::connect((one.0, 5433)).is_err(), "the port closed with its container");
    assert!(get(&two, 5433, "/kept").contains("database"));
    assert_eq!(first.close(), "");
    let told = second.close();
    assert!(told.contains("# Container test-db (") && told.contains("): running, healthy"), "{told}");
    assert!(told.contains("exited with 0"), "{told}");
    assert_eq!((left(&first.id), left(&second.id)), (String::new(), String::new()));
}

// S4-45
#[test]
fn an_overlay_changes_what_its_base_says() {
    let mut job = Job::open();
    let base = format!(
        "services:\n  app:\n    image: {}\n    command: [sleep, '60']\n    init: true\n    environment: {{ STAGE: base }}\n",
        busybox()
    );
    let overlay = "services:\n  app:\n    environment: { STAGE: staging }\n    volumes: ['./conf:/conf:ro']\n";
    std::fs::write(job.work().join("compose.yml"), base).expect("a file");
    std::fs::write(job.work().join("compose.staging.yml"), overlay).expect("a file");
    std::fs::create_dir(job.work().join("conf")).expect("a folder");
    std::fs::write(job.work().join("conf/a"), "from the workspace").expect("a file");
    let files = ["compose", "-f", "compose.yml", "-f", "compose.staging.yml"];
    let compose = |args: &[&str]| job.docker(&files.iter().chain(args).copied().collect::<Vec<_>>());
    compose(&["up", "-d", "--wait"]);
    assert_eq!(compose(&["exec", "-T", "app", "sh", "-c", "echo $STAGE; cat /conf/a"]), "staging\nfrom the workspace");
    compose(&["up", "-d", "--force-recreate", "-t", "0"]);
    compose(&["restart", "-t", "0"]);
    job.close();
    assert_eq!(left(&job.id), "");
}

// S4-55
#[test]
fn networks_of_two_jobs_and_internal_ones_stay_apart() {
    let (mut one, mut two) = (Job::open(), Job::open());
    let image = busybox();
    for job in [&one, &two] {
        job.docker(&["network", "create", "--internal", "backend"]);
        job.docker(&[
            "run",
            "-d",
            "--init",
            "--name",
            "db",
            "--network",
            "backend",
            image,
            "httpd",
            "-f",
            "-p",
            "80",
            "-h",
            "/etc",
        ]);
    }
    // The name is found in each, and is another container in each.
    let address =
        |job: &Job| job.docker(&["inspect", "-f", "{{(index .NetworkSettings.Networks \"backend\").IPAddress}}", "db"]);
    let (first, second) = (address(&one), address(&two));
    assert_ne!(first, second);
    for (job, own, other) in [(&one, &first, &second), (&two, &second, &first)] {
        // Under an init, so that the time-out's signal is not ignored.
        let fetch = |from: &str| {
            let url = format!("http://{from}/passwd");
            job.try_docker(&[
                "run",
                "--rm",
                "--init",
                "--network",
                "backend",
                image,
                "timeout",
                "3",
                "wget",
                "-q",
                "-O",
                "-",
                &url,
            ])
            .status
            .success()
        };
        until("its own server listens", || fetch(own));
        assert!(fetch("db"));
        assert!(!fetch(other), "{other} is the other job's");
    }
    one.close();
    two.close();
    assert_eq!((left(&one.id), left(&two.id)), (String::new(), String::new()));
}

#[test]
fn a_port_that_is_taken_is_told_with_who_has_it_and_what_to_do() {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        free.local_addr().expect("it has one").port()
    };
    let (one, two) = (Job::with(settings(), With { run: 41, ..With::default() }), Job::open());
    let publish = format!("127.0.0.1:{port}:80");
    let run = ["run", "-d", "--init", "-p", &publish, busybox(), "sleep", "60"];
    one.docker(&run);
    let refused = two.docker_fails(&run);
    assert!(
        refused.contains(&format!("port {port} of this machine is taken by a container of Lineclear's run 41")),
        "{refused}"
    );
    assert!(refused.contains("--network private"), "{refused}");
    let refused = one.docker_fails(&run);
    assert!(refused.contains("of this very job"), "{refused}");
    drop((one, two));
}

#[test]
fn a_port_follows_its_container_through_end_and_restart() {
    let loopback = Loopback::new();
    let mut job = Job::with(settings(), With { network: Some(Arc::clone(&loopback)), ..With::default() });
    job.docker(&[
        "run",
        "-d",
        "--init",
        "--name",
        "web",
        "-p",
        "7001-7009:80",
        "-p",
        "81",
        busybox(),
        "httpd",
        "-f",
        "-p",
        "80",
        "-h",
        "/etc",
    ]);
    // The port is open before the server in the container listens.
    let answers = || try_get(&loopback, 7001, "/passwd").is_ok_and(|page| page.contains("root"));
    until("the server answers", answers);
    assert!(job.docker(&["port", "web", "81"]).starts_with("0.0.0.0:"));
    // A second one takes the next port of the range, and one port alone is refused as the engine refuses it.
    job.docker(&["run", "-d", "--init", "--name", "next", "-p", "7001-7009:80", busybox(), "sleep", "60"]);
    assert_eq!(job.docker(&["port", "next", "80"]), "0.0.0.0:7002");
    let refused = job.docker_fails(&["run", "-d", "--init", "-p", "7001:80", busybox(), "sleep", "60"]);
    assert!(refused.contains("port is already allocated"), "{refused}");
    // It ends by itself: nobody asks the door for it.
    job.docker(&["exec", "web", "kill", "1"]);
    until("the port closed", || TcpStream::connect((loopback.0, 7001)).is_err());
    job.docker(&["start", "web"]);
    until("the server answers again", answers);
    job.docker(&["restart", "-t", "0", "web"]);
    until("the server answers again", answers);
    job.close();
    assert!(TcpStream::connect((loopback.0, 7001)).is_err());
    assert_eq!(left(&job.id), "");
}

#[test]
fn a_subnet_that_is_taken_is_told_with_who_has_it() {
    let (one, two) = (Job::with(settings(), With { run: 43, ..With::default() }), Job::open());
    let low = std::process::id() % 250;
    let create = ["network", "create", "--subnet", &format!("10.213.{low}.0/28"), "fixed"];
    one.docker(&create);
    let refused = two.docker_fails(&create);
    assert!(
        refused.contains("is used by a network of Lineclear's run 43") && refused.contains("Leave `ipam` out"),
        "{refused}"
    );
    drop((one, two));
}
