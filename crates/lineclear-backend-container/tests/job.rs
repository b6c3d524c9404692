//! A job's container, its services and Docker actions, on a real engine.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lineclear_backend::{
    ActionContainer, ActionImage, ContainerError, ContainerSpec, Containers, Exit, Happening, ServiceSpec, Signal,
    StartError, Stop, Wake, labels,
};
use lineclear_backend_container::{ContainerSettings, Pull};
use support::{TestJob, Wanted, busybox, containers, engine, finish, import, labelled};

fn spec(image: &str) -> ContainerSpec {
    ContainerSpec { image: image.into(), ..ContainerSpec::default() }
}

fn own(container: ContainerSpec) -> Wanted {
    Wanted { container: Some(container), services: Vec::new(), socket: None }
}

fn service(id: &str, image: &str, command: &str, options: &str) -> ServiceSpec {
    ServiceSpec {
        id: id.into(),
        container: ContainerSpec { options: options.into(), ..spec(image) },
        entrypoint: Some("sh".into()),
        command: Some(command.into()),
    }
}

/// A web server that says its own name.
const SERVER: &str = "-c 'mkdir -p /www; echo I am the server > /www/index.html; httpd -f -p 8080 -h /www'";

#[test]
fn trap_79_services_are_reached_by_name_and_by_their_ports() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let image = busybox(&engine);
    let mut web = service("web", &image, SERVER, "--health-cmd 'wget -qO- localhost:8080' --health-interval 200ms");
    web.container.ports = vec!["8080".into(), "127.0.0.1::9090/udp".into()];
    let wanted = Wanted { services: vec![web], ..own(spec(&image)) };
    let job = TestJob::open("services", &backend, &wanted).unwrap_or_else(|error| panic!("{error:?}"));
    let facts = job.containers().facts().clone();
    let port = &facts.services[0].ports["8080"];
    assert!(port.parse::<u16>().expect("a port as text") > 0);
    assert!(facts.services[0].ports.contains_key("9090"));
    assert!(facts.network.starts_with("github_network_"));
    assert_eq!(facts.container.as_deref().map(str::len), Some(64));

    assert_eq!(job.run("wget -qO- http://web:8080/").stdout, "I am the server\n");
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("the port is open here");
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("asked");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("an answer");
    assert!(said.contains("I am the server"), "{said}");

    let (name, digest) = job.heard.images.lock().expect("images")[0].clone();
    assert!(name == image && digest.starts_with("sha256:"), "{name} {digest}");
    let label = format!("{}={}", labels::JOB, job.tracking_id());
    assert_eq!(labelled(&engine, &label), 3, "two containers and their network");
    assert_eq!(engine.network_members(&facts.network).expect("it is there").len(), 2);
    let told = job.close();
    assert!(told.contains("## Log of service web"), "{told}");
    assert_eq!(labelled(&engine, &label), 0);
    drop(backend);
    assert!(engine.network_members(&facts.network).expect_err("it is gone").is_not_found());
}

#[test]
fn services_start_at_the_same_time() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let image = busybox(&engine);
    let slow = |id: &str| {
        let options = "--health-cmd 'test -e /ready' --health-interval 100ms --health-retries 1000";
        service(id, &image, "-c 'sleep 6; touch /ready; sleep 1000'", options)
    };
    let wanted = Wanted { services: vec![slow("a"), slow("b"), slow("c")], container: None, socket: None };
    let begun = Instant::now();
    let job = TestJob::open("parallel", &backend, &wanted).unwrap_or_else(|error| panic!("{error:?}"));
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(6), "it was waited for");
    assert!(took < Duration::from_millis(17_500), "one after the other would take eighteen seconds: {took:?}");
    assert!(job.containers().room().is_none());
    job.close();
}

#[test]
fn trap_80_an_unhealthy_service_fails_the_job_and_its_log_is_told() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let image = busybox(&engine);
    let options = "--health-cmd 'echo no luck; exit 1' --health-interval 100ms --health-retries 2";
    let sick = service("db", &image, "-c 'echo this is why; sleep 1000'", options);
    // Without a check a service is ready at once.
    let plain = service("plain", &image, "-c 'sleep 1000'", "");
    let wanted = Wanted { services: vec![plain, sick], container: None, socket: None };
    let Err((error, told)) = TestJob::open("unhealthy", &backend, &wanted) else { panic!("it is not healthy") };
    assert!(matches!(&error, ContainerError::Unhealthy { service, .. } if service == "db"), "{error}");
    assert!(error.to_string().contains("no luck"), "{error}");
    assert!(told.contains("## Log of service db\nthis is why"), "{told}");
}

#[test]
fn a_service_that_ends_before_it_is_healthy_is_not_waited_for() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let image = busybox(&engine);
    let options = "--health-cmd true --health-interval 1h";
    let wanted = Wanted {
        services: vec![service("db", &image, "-c 'echo bye; exit 3'", options)],
        container: None,
        socket: None,
    };
    let Err((error, told)) = TestJob::open("ended", &backend, &wanted) else { panic!("it ended") };
    assert!(error.to_string().contains("exit code 3"), "{error}");
    assert!(told.contains("bye"), "{told}");
}

#[test]
fn a_job_that_is_cancelled_does_not_wait_for_a_service_that_never_becomes_healthy() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let image = busybox(&engine);
    let never = service("db", &image, "-c 'sleep 1000'", "--health-cmd false --health-interval 1h");
    let wanted = Wanted { services: vec![never], container: None, socket: None };
    let cancelled = AtomicBool::new(false);
    let begun = Instant::now();
    let opened = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(1500));
            cancelled.store(true, Ordering::Relaxed);
        });
        TestJob::open_until("never", &backend, &wanted, &|| cancelled.load(Ordering::Relaxed)).map(drop)
    });
    assert!(matches!(opened, Err((ContainerError::Cancelled, _))), "{opened:?}");
    assert!(begun.elapsed() < Duration::from_secs(120));
}

#[test]
fn trap_12_the_workspace_has_the_hosted_runners_path_in_a_container() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let job =
        TestJob::open("paths", &backend, &own(spec(&busybox(&engine)))).unwrap_or_else(|error| panic!("{error:?}"));
    let mut command =
        job.command("pwd; echo $GITHUB_WORKSPACE; echo $RUNNER_TEMP; echo $HOME; echo x >> $GITHUB_OUTPUT; id -u");
    let output = job.layout().scratch.join("set_output");
    fs::write(&output, "").expect("a file");
    command.env.push(("GITHUB_WORKSPACE".into(), job.layout().workspace.clone().into()));
    command.env.push(("RUNNER_TEMP".into(), job.layout().temp.clone().into()));
    command.env.push(("GITHUB_OUTPUT".into(), output.clone().into()));
    let end = finish(&mut *job.room().start(&command).expect("it starts"));
    assert_eq!(end.stdout, "/__w/widget/widget\n/__w/widget/widget\n/__w/_temp\n/github/home\n0\n", "{}", end.stderr);
    assert_eq!(fs::read_to_string(output).expect("a file"), "x\n");
    job.close();
}

#[test]
fn a_user_who_is_not_root_can_write_commands() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let plain = ContainerSpec { options: "--user plain".into(), ..spec(&busybox(&engine)) };
    let job = TestJob::open("user", &backend, &own(plain)).unwrap_or_else(|error| panic!("{error:?}"));
    let output = job.layout().scratch.join("set_output");
    fs::write(&output, "").expect("a file");
    fs::set_permissions(&output, fs::Permissions::from_mode(0o600)).expect("as strict masks make it");
    let mut command = job.command("id -u; echo x >> $GITHUB_OUTPUT; touch $HOME/file made /__w/_temp/file");
    command.env.push(("GITHUB_OUTPUT".into(), output.clone().into()));
    let end = finish(&mut *job.room().start(&command).expect("it starts"));
    assert_eq!((end.exit, end.stdout.as_str()), (Exit::Code(0), "1234\n"), "{}", end.stderr);
    assert_eq!(fs::read_to_string(output).expect("a file"), "x\n");
    job.close();
}

#[test]
fn trap_2_a_program_that_the_image_lacks_is_not_there() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let job =
        TestJob::open("no-bash", &backend, &own(spec(&busybox(&engine)))).unwrap_or_else(|error| panic!("{error:?}"));
    let command = lineclear_backend::Command { program: "bash".into(), ..job.command("") };
    let error = job.room().start(&command).map(drop).expect_err("busybox has no bash");
    assert!(matches!(error, StartError::NotFound { .. }), "{error:?}");
    assert!(job.run("echo still here").stdout.contains("still here"));
    job.close();
}

#[test]
fn what_cannot_be_is_said_before_anything_is_made() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let image = busybox(&engine);
    let cases = [
        (ContainerSpec { options: "--frobnicate".into(), ..spec(&image) }, "--frobnicate"),
        (ContainerSpec { options: "--network host".into(), ..spec(&image) }, "--network"),
        (ContainerSpec { options: "--entrypoint sh".into(), ..spec(&image) }, "--entrypoint"),
        (ContainerSpec { ports: vec!["many".into()], ..spec(&image) }, "many"),
        (ContainerSpec { volumes: vec!["nowhere".into()], ..spec(&image) }, "nowhere"),
    ];
    for (container, named) in cases {
        let Err((error, told)) = TestJob::open("settings", &backend, &own(container)) else {
            panic!("{named} is refused")
        };
        assert!(matches!(error, ContainerError::Setting { .. }) && error.to_string().contains(named), "{error}");
        assert_eq!(told, "");
    }
    let Err((error, _)) = TestJob::open("settings", &backend, &own(spec("UPPER/Case:x"))) else {
        panic!("it is no name")
    };
    assert!(matches!(error, ContainerError::ImageName { .. }), "{error}");
}

#[test]
fn an_image_that_is_not_there_is_told_so() {
    let settings = ContainerSettings { pull: Pull::Never, ..ContainerSettings::default() };
    let Err((error, _)) = TestJob::open("missing", &containers(settings), &own(spec("nowhere/at-all:1"))) else {
        panic!("there is no such image")
    };
    assert!(matches!(error, ContainerError::NoSuchImage { .. }), "{error}");
    // Nobody listens there.
    let unreachable = own(spec("127.0.0.1:1/app:1"));
    let Err((error, told)) = TestJob::open("missing", &containers(ContainerSettings::default()), &unreachable) else {
        panic!("there is no such registry")
    };
    assert!(matches!(error, ContainerError::Pull { .. }), "{error}");
    assert_eq!(told.matches("another try").count(), 2, "{told}");
}

#[test]
fn an_image_without_tail_is_told_so() {
    let engine = engine();
    let name = "lineclear-test/bare:engine-1";
    import(&engine, name, &["true"], &[]);
    let backend = containers(ContainerSettings::default());
    let Err((error, _)) = TestJob::open("no-tail", &backend, &own(spec(name))) else { panic!("it has no tail") };
    assert!(error.to_string().contains("no program `tail`"), "{error}");
    engine.image_remove(name).expect("removed");
}

#[test]
fn volumes_of_the_job_go_with_it_and_those_of_the_user_stay() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let unique = format!("lineclear-test-{}", std::process::id());
    let (users, jobs) = (format!("{unique}-users"), format!("{unique}-jobs"));
    engine.volume_create(&users, &[].into()).expect("a volume");
    let volumes = vec![format!("{users}:/u"), format!("{jobs}:/j"), "/anonymous".into()];
    let job = TestJob::open("volumes", &backend, &own(ContainerSpec { volumes, ..spec(&busybox(&engine)) }))
        .unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(job.run("touch /u/x /j/x /anonymous/x").exit, Exit::Code(0));
    job.close();
    let kept = (engine.has_volume(&users).expect("an answer"), engine.has_volume(&jobs).expect("an answer"));
    engine.volume_remove(&users).expect("removed");
    assert_eq!(kept, (true, false));
}

#[test]
fn containers_trust_what_this_machine_trusts() {
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = folder.path().join("bundle.pem");
    fs::write(&bundle, "a certificate\n").expect("a file");
    let settings = ContainerSettings { trust_bundle: Some(bundle), ..ContainerSettings::default() };
    let (engine, backend) = (engine(), containers(settings));
    let mut container = spec(&busybox(&engine));
    container.env = vec![("PIP_CERT".into(), "/mine".into())];
    let job = TestJob::open("trust", &backend, &own(container)).unwrap_or_else(|error| panic!("{error:?}"));
    let script = "cat $SSL_CERT_FILE $NODE_EXTRA_CA_CERTS; echo $PIP_CERT; echo x >> $GIT_SSL_CAINFO || echo read-only";
    assert_eq!(job.run(script).stdout, "a certificate\na certificate\n/mine\nread-only\n");
    job.close();
}

#[test]
fn a_large_output_takes_little_memory() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let job =
        TestJob::open("large", &backend, &own(spec(&busybox(&engine)))).unwrap_or_else(|error| panic!("{error:?}"));
    let resident = || {
        let status = fs::read_to_string("/proc/self/status").expect("Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line").to_owned();
        line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number")
    };
    let mut process = job.room().start(&job.command("head -c 200000000 /dev/zero")).expect("it starts");
    let (wake, mut buffer, mut total, mut most) = (Wake::new().expect("a bell"), Vec::new(), 0, 0);
    let before = resident();
    loop {
        buffer.clear();
        let soon = Some(Instant::now() + Duration::from_secs(60));
        match process.next(&mut buffer, soon, &wake).expect("a happening") {
            Happening::Output(_) => total += buffer.len(),
            Happening::Closed => break,
            Happening::Exited(_) => {}
            other => panic!("unexpected: {other:?}"),
        }
        most = most.max(resident());
    }
    assert_eq!(total, 200_000_000);
    assert!(most.saturating_sub(before) < 32 << 10, "from {before} kB to {most} kB");
    job.close();
}

/// Without a container or service nothing is made before a Docker action asks.
fn action_job(name: &str, backend: &lineclear_backend_container::ContainerBackend) -> TestJob {
    let wanted = Wanted { container: None, services: Vec::new(), socket: None };
    let job = TestJob::open(name, backend, &wanted).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(job.containers().facts().network, "");
    job
}

fn stop(wake: &Wake) -> Stop<'_> {
    Stop { wake, is_cancelled: &|| false }
}

#[test]
fn trap_76_and_77_a_docker_action_sees_the_workspace_its_files_and_each_argument() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let job = action_job("action", &backend);
    let wake = Wake::new().expect("a bell");
    let image = ActionImage::Registry(busybox(&engine));
    let image = job.containers().prepare(&image, stop(&wake), &job.heard).expect("it is here");
    let layout = job.layout().clone();
    let output = layout.scratch.join("set_output");
    fs::write(&output, "").expect("a file");
    let script = r#"pwd; echo "$HOME $GITHUB_WORKSPACE $RUNNER_TEMP"; echo "$GITHUB_OUTPUT"; for a; do echo "[$a]"; done
        echo y > /github/workspace/made; echo z >> $GITHUB_OUTPUT; echo err >&2; exit 7"#;
    let args = ["-c", script, "sh", "a b", "'quoted'", "\"", ""].map(str::to_owned);
    let env = [
        ("GITHUB_WORKSPACE".into(), layout.workspace.clone().into_os_string()),
        ("RUNNER_TEMP".into(), layout.temp.clone().into_os_string()),
        ("GITHUB_OUTPUT".into(), output.clone().into_os_string()),
        ("HOME".into(), "/root".into()),
    ];
    let action = ActionContainer { image: &image, entrypoint: Some("sh"), args: &args, env: &env };
    let end = finish(&mut *job.containers().run(&action).expect("it runs"));
    let expected = "/github/workspace\n/github/home /github/workspace /github/runner_temp\n\
        /github/file_commands/set_output\n[a b]\n['quoted']\n[\"]\n[]\n";
    assert_eq!((end.exit, end.stdout.as_str(), end.stderr.as_str()), (Exit::Code(7), expected, "err\n"));
    assert_eq!(fs::read_to_string(layout.workspace.join("made")).expect("a file"), "y\n");
    assert_eq!(fs::read_to_string(&output).expect("a file"), "z\n");
    assert_eq!(job.containers().seen_by_action(&output), PathBuf::from("/github/file_commands/set_output"));

    let missing = ActionContainer { image: &image, entrypoint: Some("/no/such"), args: &[], env: &[] };
    let error = job.containers().run(&missing).map(drop).expect_err("it is not there");
    assert!(matches!(error, StartError::NotFound { .. }), "{error:?}");
    let label = format!("{}={}", labels::JOB, job.tracking_id());
    assert_eq!(labelled(&engine, &label), 0, "each is removed at its end");
    job.close();
}

#[test]
fn a_docker_action_that_ignores_signals_is_killed() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let job = action_job("deaf", &backend);
    let wake = Wake::new().expect("a bell");
    let image = job
        .containers()
        .prepare(&ActionImage::Registry(busybox(&engine)), stop(&wake), &job.heard)
        .expect("it is here");
    let args = ["-c", "trap '' INT TERM; echo ready; while :; do sleep 1; done"].map(str::to_owned);
    let action = ActionContainer { image: &image, entrypoint: Some("sh"), args: &args, env: &[] };
    let mut process = job.containers().run(&action).expect("it runs");
    let mut buffer = Vec::new();
    while buffer != b"ready\n" {
        let soon = Some(Instant::now() + Duration::from_secs(60));
        assert_ne!(process.next(&mut buffer, soon, &wake).expect("a happening"), Happening::Deadline);
    }
    process.signal(Signal::Interrupt).expect("sent");
    process.signal(Signal::Terminate).expect("sent");
    let short = Some(Instant::now() + Duration::from_millis(300));
    assert_eq!(process.next(&mut buffer, short, &wake).expect("a happening"), Happening::Deadline);
    process.signal(Signal::Kill).expect("killed");
    assert_eq!(finish(&mut *process).exit.code(), 137);
    drop(process);
    job.close();
}

#[test]
fn an_action_is_built_once_in_a_job_and_its_image_goes_with_it() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let image = busybox(&engine);
    let context = tempfile::tempdir().expect("a folder");
    fs::write(context.path().join("Dockerfile"), format!("FROM {image}\nCOPY entry /entry\nENTRYPOINT [\"/entry\"]\n"))
        .expect("a file");
    fs::write(context.path().join("entry"), "#!/bin/sh\necho built $1\n").expect("a file");
    fs::set_permissions(context.path().join("entry"), fs::Permissions::from_mode(0o755)).expect("permissions");
    fs::write(context.path().join(".dockerignore"), "secret\n").expect("a file");
    fs::write(context.path().join("secret"), "x").expect("a file");
    let job = action_job("build", &backend);
    let wake = Wake::new().expect("a bell");
    let source =
        ActionImage::Dockerfile { context: context.path().into(), dockerfile: context.path().join("Dockerfile") };
    let first = job.containers().prepare(&source, stop(&wake), &job.heard).expect("it is built");
    let lines = job.heard.lines.lock().expect("lines").len();
    assert_eq!(job.containers().prepare(&source, stop(&wake), &job.heard).expect("it is there"), first);
    assert_eq!(job.heard.lines.lock().expect("lines").len(), lines, "nothing was built again");
    let args = ["once".to_owned()];
    let action = ActionContainer { image: &first, entrypoint: None, args: &args, env: &[] };
    assert_eq!(finish(&mut *job.containers().run(&action).expect("it runs")).stdout, "built once\n");

    fs::write(context.path().join("Broken"), format!("FROM {image}\nRUN echo this fails; exit 9\n")).expect("a file");
    let broken = ActionImage::Dockerfile { context: context.path().into(), dockerfile: context.path().join("Broken") };
    let error = job.containers().prepare(&broken, stop(&wake), &job.heard).expect_err("it cannot be built");
    assert!(matches!(&error, ContainerError::Build { problem, .. } if problem.contains('9')), "{error}");
    job.close();
    assert!(engine.image(&first.id).expect("an answer").is_none(), "{} is left", first.id);
}

#[test]
fn the_engine_is_told_with_its_version_and_place() {
    let said = containers(ContainerSettings::default()).engine().expect("an engine");
    assert!(said.contains("at `unix://") || said.contains("at `tcp://"), "{said}");
    let nowhere = ContainerSettings { engine: Some("unix:///no/such.sock".into()), ..ContainerSettings::default() };
    let error = containers(nowhere).engine().expect_err("nobody is there");
    assert!(error.to_string().contains("/no/such.sock"), "{error}");
}

#[test]
fn javascript_finds_a_node_or_the_reason_why_not() {
    let engine = engine();
    let name = "lineclear-test/node:engine-1";
    import(&engine, name, &["sh"], &[("bin/node", "#!/bin/sh\necho v22.1.0\n")]);
    let backend = containers(ContainerSettings::default());
    let job = TestJob::open("node", &backend, &own(spec(name))).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(job.containers().facts().node, Some(Ok("node".into())));
    job.close();
    engine.image_remove(name).expect("removed");
    let folder = tempfile::tempdir().expect("a folder");
    let lent = folder.path().join("node");
    fs::write(&lent, "#!/bin/sh\necho v20.9.0\n").expect("a file");
    fs::set_permissions(&lent, fs::Permissions::from_mode(0o755)).expect("permissions");
    let settings = |node| ContainerSettings { node: Some(node), ..ContainerSettings::default() };
    let job = TestJob::open("node", &containers(settings(lent)), &own(spec(&busybox(&engine))))
        .unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(job.containers().facts().node, Some(Ok("/__e/node/bin/node".into())));
    job.close();
    // One whose loader is not in the image.
    let strange = folder.path().join("strange");
    fs::write(&strange, "#!/no/such/loader\n").expect("a file");
    fs::set_permissions(&strange, fs::Permissions::from_mode(0o755)).expect("permissions");
    let job = TestJob::open("node", &containers(settings(strange)), &own(spec(&busybox(&engine))))
        .unwrap_or_else(|error| panic!("{error:?}"));
    let why = job.containers().facts().node.clone().expect("there is a container").expect_err("it does not run");
    assert!(why.contains("has no Node") && why.contains("does not run there"), "{why}");
    job.close();
}

#[test]
fn the_host_is_reached_at_the_gateway_of_the_jobs_network() {
    let (engine, backend) = (engine(), containers(ContainerSettings::default()));
    let job =
        TestJob::open("reach", &backend, &own(spec(&busybox(&engine)))).unwrap_or_else(|error| panic!("{error:?}"));
    let reach = job.containers().host().expect("this machine is the engine's");
    let listener = std::net::TcpListener::bind((reach.listen, 0)).expect("it can be listened at");
    let port = listener.local_addr().expect("an address").port();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        stream.write_all(b"hello\n").expect("said");
    });
    let end = job.run(&format!("nc {} {port} < /dev/null", reach.name));
    assert_eq!(end.stdout, "hello\n", "{}", end.stderr);
    served.join().expect("served");
    job.close();
}
