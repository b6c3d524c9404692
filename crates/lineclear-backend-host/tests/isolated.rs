//! What an isolated job can and cannot do, against the kernel of this machine.
//!
//! As root all of it is tested, and then once more as an ordinary user, by this same program.

mod isolation;

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use lineclear_backend::{Enforce, Exit, Intervention, Isolation, IsolationPart, OpenError, ResourceLimits, Room};

use isolation::{Folder, Isolated, exists, isolation, launcher, ok, run};

/// Nothing that is refused may take this long: a job that waits for a time-out is no proof of anything.
const FAST: Duration = Duration::from_secs(9);

// ---- Network ----

/// S0-30: a job that calls out fails at once, while everything on its loopback works.
#[test]
fn s0_30_without_a_network_a_call_out_fails_at_once_and_the_loopback_works() {
    let backend = Isolated::with("loopback", isolation("loopback"), |_| ());
    let room = backend.room();
    let outside = Echo::outside();
    let end = run(&*room, &format!("exec 3<>/dev/tcp/{}/{}", outside.address.ip(), outside.address.port()));
    assert_ne!(end.exit, Exit::Code(0));
    assert!(end.took < FAST && end.text.contains("unreachable"), "{end:?}");
    let end = run(&*room, "getent ahosts example.org");
    assert!(end.exit != Exit::Code(0) && end.took < FAST, "{end:?}");
    assert_eq!(ok(&*room, &talk_to_itself("127.0.0.1")), "hello\n");
    let told = texts(&room.interventions());
    assert!(told.iter().any(|text| text.contains("tried to reach something else")), "{told:?}");
    assert_eq!(room.interventions(), [], "each is told once");
    assert_eq!(outside.count(), 0);
    room.close().expect("closed");
}

#[test]
fn of_the_machines_loopback_a_job_reaches_what_is_offered_and_nothing_else() {
    let backend = Isolated::with("offered", isolation("loopback"), |_| ());
    let (offered, other) = (Echo::loopback(), Echo::loopback());
    backend.inner().offer(offered.address);
    let room = backend.room();
    assert_eq!(ok(&*room, &say("hello", offered.address)), "hello\n");
    let large =
        "head -c 20000000 /dev/zero | (exec 3<>/dev/tcp/127.0.0.1/PORT; cat >&3 & head -c 20000000 <&3 | wc -c)";
    assert_eq!(ok(&*room, &large.replace("PORT", &offered.address.port().to_string())).trim(), "20000000");
    let end = run(&*room, &say("hello", other.address));
    assert!(end.exit != Exit::Code(0) && end.text.contains("refused"), "{end:?}");
    assert_eq!(other.count(), 0);
    room.close().expect("closed");
}

#[test]
fn with_no_network_at_all_not_even_the_loopback_works() {
    let backend = Isolated::with("none", isolation("none"), |_| ());
    let offered = Echo::loopback();
    backend.inner().offer(offered.address);
    let room = backend.room();
    for script in [talk_to_itself("127.0.0.1"), say("hello", offered.address)] {
        let end = run(&*room, &script);
        assert!(end.exit != Exit::Code(0) && end.took < FAST, "{end:?}");
    }
    assert_eq!(offered.count(), 0);
    room.close().expect("closed");
}

#[test]
fn an_allow_list_opens_what_it_names_and_tells_what_it_refused() {
    let (allowed, other) = (Echo::outside(), Echo::outside());
    let list = format!("allow={},192.0.2.77:80", allowed.address);
    let backend = Isolated::with("allowed", isolation(&list), |_| ());
    let room = backend.room();
    assert_eq!(ok(&*room, &say("hello", allowed.address)), "hello\n");
    assert_eq!(ok(&*room, &talk_to_itself("127.0.0.1")), "hello\n");
    for _ in 0..2 {
        let end = run(&*room, &say("hello", other.address));
        assert!(end.exit != Exit::Code(0) && end.took < FAST, "{end:?}");
    }
    let end = run(&*room, "getent ahosts no-such-name.example.org");
    assert!(end.exit != Exit::Code(0) && end.took < FAST, "{end:?}");
    // A datagram goes nowhere.
    let end =
        run(&*room, &format!("echo x > /dev/udp/{}/9; echo x > /dev/udp/{}/9", other.address.ip(), other.address.ip()));
    assert!(end.took < FAST, "{end:?}");
    let told = texts(&room.interventions());
    let refused = format!("the network refused {}, which this job may not reach (2 times)", other.address);
    assert!(told.contains(&refused), "{told:?}");
    assert!(told.iter().any(|text| text.contains("the name `no-such-name.example.org`")), "{told:?}");
    assert_eq!(other.count(), 0);
    room.close().expect("closed");
}

#[test]
fn a_whole_network_can_be_allowed_and_a_port_be_left_open() {
    let outside = Echo::outside();
    let list = format!("allow={}/{}", outside.address.ip(), if outside.address.is_ipv4() { 24 } else { 64 });
    let backend = Isolated::with("cidr", isolation(&list), |_| ());
    let room = backend.room();
    assert_eq!(ok(&*room, &say("hello", outside.address)), "hello\n");
    room.close().expect("closed");
}

/// S4-47: two jobs have the same fixed ports at once, and both reach the outside.
#[test]
fn s4_47_two_jobs_listen_on_the_same_port_at_once_and_reach_the_outside() {
    let backend = Isolated::with("private", isolation("private"), |_| ());
    let outside = Echo::outside();
    let (one, other) = (backend.room(), backend.room());
    let mut listeners = Vec::new();
    for (room, name) in [(&one, "one"), (&other, "other")] {
        // Both by a listener that is made from outside, as for published ports of containers, and by one of a step.
        let network = room.network().expect("it has a network of its own");
        for port in [5433, 6380, 8001, 5174] {
            let listener = network.listen(SocketAddr::from(([127, 0, 0, 1], port))).expect("the port is free here");
            listeners.push(answer(listener, name));
        }
        assert_eq!(ok(&**room, &say("hello", outside.address)), "hello\n");
    }
    for (room, name) in [(&one, "one"), (&other, "other")] {
        for port in [5433, 6380, 8001, 5174] {
            let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3");
            assert_eq!(ok(&**room, &script), name);
        }
        assert!(one.network().expect("a network").listen(SocketAddr::from(([127, 0, 0, 1], 5433))).is_err());
    }
    let gone = one.network().expect("a network");
    one.close().expect("closed");
    assert!(gone.listen(SocketAddr::from(([127, 0, 0, 1], 9))).is_err(), "the network ended with its job");
    other.close().expect("closed");
}

#[test]
fn a_place_outside_that_does_not_answer_is_an_error_at_once() {
    let outside = Echo::outside();
    let address = outside.address;
    drop(outside);
    let backend = Isolated::with("closed", isolation("private"), |_| ());
    let room = backend.room();
    let end = run(&*room, &say("hello", address));
    assert!(end.text != "hello\n" && end.took < FAST, "{end:?}");
    room.close().expect("closed");
}

// ---- Files ----

#[test]
fn the_system_is_read_only_and_the_jobs_folders_are_not() {
    let backend = Isolated::with("system", Isolation::default(), |_| ());
    let room = backend.room();
    let layout = room.layout().clone();
    for place in ["/usr", "/etc", "/", "/var", "/usr/bin", "/opt", "/dev", "/proc/sys/kernel/core_pattern"] {
        let script = format!("test -d {place} && echo x > {place}/lineclear-was-here || echo x > {place}");
        let end = run(&*room, &script);
        assert_ne!(end.exit, Exit::Code(0), "{place}: {end:?}");
    }
    let end =
        run(&*room, "mount -o remount,rw / || mount -o remount,rw,bind / || umount /etc/shadow || umount /proc/sys");
    assert_ne!(end.exit, Exit::Code(0), "{end:?}");
    for place in [&layout.workspace, &layout.temp, &layout.scratch, &layout.actions, &layout.tool_cache] {
        ok(&*room, &format!("echo x > '{0}/made' && cat '{0}/made'", place.display()));
        assert!(exists(&place.join("made")), "it is seen from outside");
    }
    ok(
        &*room,
        "echo x > /dev/null; head -c 1 /dev/urandom > /dev/null; : > /dev/shm/x; mkdir /run/x; test -t 0 || true",
    );
    fs::remove_file(layout.tool_cache.join("made")).expect("removed");
    room.close().expect("closed");
    assert!(!exists(Path::new("/usr/lineclear-was-here")));
}

#[test]
fn temporary_files_are_the_jobs_own_and_gone_with_it() {
    let backend = Isolated::with("temporary", Isolation::default(), |_| ());
    let shared = tempfile::Builder::new().prefix("lineclear-shared").tempdir_in("/tmp").expect("a folder");
    let room = backend.room();
    for place in ["/tmp", "/var/tmp", "/dev/shm"] {
        assert_eq!(ok(&*room, &format!("ls -A {place} | grep -v '^lineclear-' || true")), "", "{place}");
        // Kept from step to step, and a program that lies there is found and started.
        ok(&*room, &format!("printf '#!/bin/sh\\necho ran' > {place}/own-tool; chmod +x {place}/own-tool"));
        let mut command = isolation::sh(&*room, "");
        command.program = format!("{place}/own-tool").into();
        command.args.clear();
        command.working_directory = place.into();
        assert_eq!(isolation::finish(&*room, &command).text, "ran\n");
        assert!(!exists(&Path::new(place).join("own-tool")), "it is not seen outside");
    }
    assert_ne!(run(&*room, &format!("ls '{}'", shared.path().display())).exit, Exit::Code(0));
    room.close().expect("closed");
    let next = backend.room();
    assert_eq!(ok(&*next, "ls /tmp/own-tool /var/tmp/own-tool /dev/shm/own-tool 2>/dev/null || true"), "");
    next.close().expect("closed");
}

#[test]
fn what_is_secret_is_not_seen() {
    let secrets = Folder::new("secrets");
    fs::create_dir(secrets.0.join("keys")).expect("a folder");
    fs::write(secrets.0.join("keys/token"), "very secret").expect("a file");
    fs::write(secrets.0.join("password"), "very secret").expect("a file");
    fs::write(secrets.0.join("public"), "public").expect("a file");
    let backend = Isolated::with("hidden", Isolation::default(), |settings| {
        settings.sandbox.hidden = vec![secrets.0.join("keys"), secrets.0.join("password")];
    });
    let other = backend.room();
    ok(&*other, "echo other > secret-of-another-job");
    let room = backend.room();
    let place = secrets.0.display();
    assert_eq!(ok(&*room, &format!("cat {place}/public; ls -A {place}/keys; cat {place}/password")), "public");
    let theirs = other.layout().workspace.join("secret-of-another-job");
    assert_ne!(run(&*room, &format!("cat '{}'", theirs.display())).exit, Exit::Code(0));
    assert_eq!(ok(&*room, "cat /etc/shadow 2>/dev/null || true"), "");
    // Nor by the back door: through the files, the memory or the environment of a process outside.
    let me = std::process::id();
    for script in
        [format!("cat /proc/{me}/environ"), format!("ls /proc/{me}/root/"), format!("readlink /proc/{me}/fd/0")]
    {
        assert_ne!(run(&*room, &script).exit, Exit::Code(0), "{script}");
    }
    // The doors to daemons that would do for the job what it may not.
    let sockets =
        ok(&*room, "find /run /var/run/ -type s 2>/dev/null; test -S /var/run/docker.sock && echo docker || true");
    assert_eq!(sockets, "");
    room.close().expect("closed");
    other.close().expect("closed");
}

#[test]
fn what_is_shown_is_seen_but_not_changed() {
    let shown = tempfile::Builder::new().prefix("lineclear-shown").tempdir_in("/tmp").expect("a folder");
    fs::set_permissions(shown.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
    fs::write(shown.path().join("file"), "content").expect("a file");
    let path = shown.path().to_owned();
    let backend = Isolated::with("shown", Isolation::default(), |settings| settings.sandbox.shown = vec![path]);
    let room = backend.room();
    assert_eq!(ok(&*room, &format!("cat {}/file", shown.path().display())), "content");
    assert_ne!(run(&*room, &format!("echo x > {}/file", shown.path().display())).exit, Exit::Code(0));
    room.close().expect("closed");
    assert_eq!(fs::read_to_string(shown.path().join("file")).expect("it is there"), "content");
}

#[test]
fn no_program_gains_a_privilege() {
    let backend = Isolated::with("privilege", Isolation::default(), |_| ());
    let room = backend.room();
    let status = ok(&*room, "grep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status");
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    for name in ["CapEff", "CapBnd"] {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line");
        let held = u64::from_str_radix(line.rsplit('\t').next().expect("a number"), 16).expect("a number");
        // CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_NET_ADMIN, CAP_SYS_MODULE
        assert_eq!(held & (1 << 21 | 1 << 19 | 1 << 12 | 1 << 16), 0, "{status}");
    }
    assert_ne!(run(&*room, "mount -t tmpfs x /mnt || ip link add x type dummy || mknod x b 8 0").exit, Exit::Code(0));
    room.close().expect("closed");
}

// ---- Limits ----

#[test]
fn a_memory_bomb_is_ended_and_told() {
    let limits = ResourceLimits { memory: Some(64 << 20), ..ResourceLimits::default() };
    let Some(room) = limited("memory", limits, IsolationPart::Memory) else { return };
    let end = run(&*room, "head -c 400000000 /dev/zero | tail -n 1 | wc -c; exit ${PIPESTATUS[1]}");
    assert_eq!(end.exit.code(), 137, "{end:?}");
    let told = room.interventions();
    let hit = told.iter().find(|hit| hit.what == IsolationPart::Memory).expect("it is told");
    assert!(hit.fatal && hit.message.contains("64 MiB"), "{hit:?}");
    ok(&*room, "echo the next step works");
    assert_eq!(room.interventions(), []);
    room.close().expect("closed");
}

#[test]
fn a_fork_bomb_is_bounded_and_told() {
    let limits = ResourceLimits { processes: Some(40), ..ResourceLimits::default() };
    let Some(room) = limited("processes", limits, IsolationPart::Processes) else { return };
    let end = run(&*room, "sh -c 'for i in $(seq 200); do sleep 1000 > /dev/null 2>&1 & done; echo not reached'");
    assert!(end.text.contains("annot fork") && !end.text.contains("not reached"), "{end:?}");
    assert!(room.remains().len() <= 40, "{}", room.remains().len());
    if rustix::process::geteuid().is_root() {
        let told = room.interventions();
        assert!(told.iter().any(|hit| hit.what == IsolationPart::Processes && hit.message.contains("40")), "{told:?}");
    }
    room.close().expect("closed");
}

#[test]
fn a_job_that_fills_the_disk_is_ended_and_told() {
    let limits = ResourceLimits { disk: Some(20 << 20), ..ResourceLimits::default() };
    let room = limited("disk", limits, IsolationPart::Disk).expect("every machine can");
    let end = run(&*room, "trap '' XFSZ; head -c 50000000 /dev/zero > large");
    assert!(end.exit != Exit::Code(0), "{end:?}");
    assert!(fs::metadata(room.layout().workspace.join("large")).expect("a file").len() <= 20 << 20);
    ok(&*room, "rm large");
    let end = run(&*room, "for i in $(seq 1000); do head -c 4000000 /dev/urandom > /tmp/small-$i; sleep 0.02; done");
    assert_eq!(end.exit.code(), 137, "{end:?}");
    let told = room.interventions();
    let hit = told.iter().find(|hit| hit.what == IsolationPart::Disk).expect("it is told");
    assert!(hit.fatal && hit.message.contains("20 MiB"), "{hit:?}");
    ok(&*room, "rm /tmp/small-*");
    room.close().expect("closed");
}

#[test]
fn a_job_has_no_more_than_its_share_of_the_processors() {
    let limits = ResourceLimits { cpus: Some(0.2), ..ResourceLimits::default() };
    let Some(room) = limited("processors", limits, IsolationPart::Processors) else { return };
    let script = "TIMEFORMAT='%U %S %R'; time (for ((i = 0; i < 400000; i++)); do :; done)";
    let text = ok(&*room, script);
    let times: Vec<f64> = text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    let [user, system, real] = times[..] else { panic!("{text}") };
    assert!((user + system) / real < 0.3, "{text}");
    room.close().expect("closed");
}

#[test]
fn what_cannot_be_enforced_is_told_and_refused_where_that_is_asked() {
    let strict = Isolation { enforce: Enforce::Strict, ..isolation("none") };
    let backend = Isolated::unchecked("strict", strict, |settings| settings.sandbox.launcher = None);
    match backend.try_room().map(drop) {
        Err(OpenError::NotEnforced { parts }) => assert_eq!(parts.len(), 3, "{parts:?}"),
        other => panic!("unexpected: {other:?}"),
    }
    let backend = Isolated::unchecked("best-effort", isolation("none"), |settings| settings.sandbox.launcher = None);
    let room = backend.room();
    assert!(room.enforcement().iter().all(|part| part.how.is_err()), "{:?}", room.enforcement());
    ok(&*room, "true");
    room.close().expect("closed");
}

// ---- An ordinary user ----

/// All of the above without any privilege.
#[test]
fn an_ordinary_user_can_isolate_too() {
    if !rustix::process::geteuid().is_root() {
        return; // Then the others are that test.
    }
    let folder = tempfile::Builder::new().prefix("lineclear-user").tempdir_in("/var/tmp").expect("a folder");
    let (program, launched) = (folder.path().join("tests"), folder.path().join("launcher"));
    fs::copy(std::env::current_exe().expect("this program"), &program).expect("copied");
    fs::copy(launcher().program, &launched).expect("copied");
    let work = folder.path().join("work");
    fs::create_dir(&work).expect("a folder");
    for (path, mode) in [(folder.path(), 0o755), (&program, 0o755), (&launched, 0o755), (&work, 0o777)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }
    let output = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"])
        .arg(&program)
        .arg("--test-threads=2")
        .env("LINECLEAR_TEST_LAUNCHER", &launched)
        .env("LINECLEAR_TEST_FOLDER", &work)
        .env("HOME", &work)
        .current_dir(&work)
        .output()
        .expect("setpriv is there");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("s0_30_without_a_network_a_call_out_fails_at_once_and_the_loopback_works ... ok"), "{text}");
}

// ---- Means ----

/// A room with these limits. `None` for an ordinary user where only a control group could do it, which then must be told.
fn limited(name: &str, limits: ResourceLimits, part: IsolationPart) -> Option<Box<dyn Room>> {
    let isolation = Isolation { limits, ..Isolation::default() };
    let backend = Isolated::with(name, isolation, |_| ());
    let room = backend.room();
    let how = room.enforcement().iter().find(|own| own.what == part).expect("it is told").how.clone();
    // It keeps its folders while the room is there.
    std::mem::forget(backend);
    match how {
        Ok(_) => Some(room),
        Err(why) => {
            assert!(!rustix::process::geteuid().is_root() && why.contains("control group"), "{why}");
            None
        }
    }
}

fn texts(all: &[Intervention]) -> Vec<String> {
    all.iter().map(|one| one.message.clone()).collect()
}

fn say(what: &str, to: SocketAddr) -> String {
    format!("exec 3<>/dev/tcp/{}/{} && echo {what} >&3 && head -n 1 <&3", to.ip(), to.port())
}

/// A server and a client of the job's own.
fn talk_to_itself(address: &str) -> String {
    format!(
        "perl -MIO::Socket::INET -e '
            my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => \"{address}\", LocalPort => 8001) or die \"listen: $!\";
            if (fork == 0) {{ alarm 2; my $c = $server->accept; print $c scalar <$c>; exit }}
            my $client = IO::Socket::INET->new(PeerAddr => \"{address}\", PeerPort => 8001) or die \"connect: $!\";
            print $client \"hello\\n\"; $client->flush; print scalar <$client>;'"
    )
}

/// Says `text` to whoever connects, until it is dropped by the end of the test.
fn answer(listener: TcpListener, text: &'static str) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            // A client that has gone heard nothing, and fails by that.
            let _ = stream.write_all(text.as_bytes());
        }
    })
}

/// A server of the machine's network that says back what it is told.
struct Echo {
    address: SocketAddr,
    count: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Echo {
    fn loopback() -> Self {
        Self::at([127, 0, 0, 1].into())
    }

    /// At an address that is not the loopback's.
    fn outside() -> Self {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        socket.connect("192.0.2.1:9").expect("this test needs a machine with an address besides the loopback's");
        Self::at(socket.local_addr().expect("its address").ip())
    }

    fn at(ip: IpAddr) -> Self {
        let listener = TcpListener::bind((ip, 0)).expect("a listener");
        let address = listener.local_addr().expect("its address");
        let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (counted, stopped) = (count.clone(), stop.clone());
        let thread = thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                if stopped.load(std::sync::atomic::Ordering::SeqCst) {
                    return;
                }
                counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                thread::spawn(move || {
                    let mut buffer = vec![0; 64 << 10];
                    while let Ok(length @ 1..) = stream.read(&mut buffer) {
                        if stream.write_all(&buffer[..length]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, count, stop, thread: Some(thread) }
    }

    fn count(&self) -> usize {
        self.count.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::SeqCst);
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() && begun.elapsed() < FAST {}
        if let Some(thread) = self.thread.take() {
            // It ends by the connection made for that.
            let _ = thread.join();
        }
    }
}
