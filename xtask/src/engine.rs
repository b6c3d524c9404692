//! The container engine that tests talk to: one that answers is taken, otherwise one is started, and stopped at the end.
//!
//! `DOCKER_HOST` says where it listens, as for the Docker CLI; `DOCKERD_OPTIONS` gives `dockerd` more options, such as
//! `--data-root /somewhere`. Nothing here asks for systemd: a container or a namespace without one is enough.
//!
//! It keeps its images and networks in `target/engine/data` and not where the machine's own engine keeps them: an engine
//! that was killed half way through making a network leaves a database with which no other starts (`index out of range`
//! in libnetwork's `reservePools`). So what a start leaves behind is believed only if the engine that wrote it was also
//! seen to stop; otherwise it is thrown away.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell::{has, is_root, root, works};

/// How long a start may take on a busy machine with many images.
const START: Duration = Duration::from_secs(60);

/// How long the engine may take to stop what runs in it.
const STOP: Duration = Duration::from_secs(30);

const SOCKET: &str = "/var/run/docker.sock";

/// An engine that answers.
pub struct Engine {
    /// Set if it was started here; then it is stopped when this is dropped.
    started: Option<Started>,
}

/// An engine that was started here.
struct Started {
    child: Child,
    place: Place,
}

/// Where an engine that is started here keeps things.
struct Place {
    /// Images, networks, volumes: kept from one run to the next, for the images' sake.
    data: PathBuf,
    /// Lies there as long as an engine writes to `data`, so it still does after one that was killed.
    in_use: PathBuf,
    /// Sockets and namespaces: short, because a socket's path has 107 bytes at most.
    exec: PathBuf,
}

impl Place {
    /// Makes it ready for an engine: what one that was killed has left is removed.
    fn prepare(folder: &Path) -> Result<Self> {
        let exec = std::env::temp_dir().join(format!("lineclear-engine-{}", std::process::id()));
        let place = Self { data: folder.join("data"), in_use: folder.join("data-in-use"), exec };
        if place.in_use.exists() {
            println!("the last engine that was started here did not stop by itself: its data are removed");
            remove_with_mounts(&place.data)?;
        }
        remove_with_mounts(&place.exec)?;
        fs::write(&place.in_use, "").with_context(|| format!("cannot write `{}`", place.in_use.display()))?;
        Ok(place)
    }

    /// The engine has stopped by itself: its data can be believed.
    fn release(&self) -> Result<()> {
        remove_with_mounts(&self.exec)?;
        fs::remove_file(&self.in_use).with_context(|| format!("cannot remove `{}`", self.in_use.display()))
    }
}

/// Removes a folder, and first what is mounted in it: an engine that was killed leaves its file systems mounted.
fn remove_with_mounts(folder: &Path) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("cannot read `/proc/self/mountinfo`")?;
    // proc(5): the fifth field is the mount point, a blank in it is `\040`. The last mounted goes first.
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(|point| point.replace("\\040", " "));
    let mut below: Vec<String> = points.filter(|point| Path::new(point).starts_with(folder)).collect();
    below.reverse();
    for point in below {
        if !works("umount", &["--lazy", &point]) {
            bail!("cannot unmount `{point}`, which an engine has left");
        }
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Finds the engine, or starts one.
pub fn ensure() -> Result<Engine> {
    if answers() {
        return Ok(Engine { started: None });
    }
    let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| format!("unix://{SOCKET}"));
    let Some(socket) = host.strip_prefix("unix://") else {
        bail!("no container engine answers at `{host}` (DOCKER_HOST)");
    };
    if !has("dockerd") {
        bail!(
            "no container engine answers at `{socket}`, and there is no dockerd: `cargo xtask components` installs it"
        );
    }
    if !is_root() {
        bail!("no container engine answers at `{socket}`: start it (`systemctl start docker`), or run this as root");
    }
    start(&host)
}

fn answers() -> bool {
    works("docker", &["version"])
}

fn start(host: &str) -> Result<Engine> {
    let folder = root().join("target/engine");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    let (log, pidfile) = (folder.join("dockerd.log"), folder.join("dockerd.pid"));
    // One that was killed leaves its file, and a new one would believe it as soon as the number is taken again.
    if pidfile.exists() {
        fs::remove_file(&pidfile).with_context(|| format!("cannot remove `{}`", pidfile.display()))?;
    }
    let file = fs::File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
    let more = std::env::var("DOCKERD_OPTIONS").unwrap_or_default();
    println!("no container engine answers at {host}: starting one, log in {}", log.display());
    let place = Place::prepare(&folder)?;
    // What somebody asks for with DOCKERD_OPTIONS comes instead of ours: given twice, dockerd refuses it.
    let ours = [("--data-root", &place.data), ("--exec-root", &place.exec)];
    let ours = ours.into_iter().filter(|(option, _)| !more.contains(option));
    let mut child = Command::new("dockerd")
        .args(["--host", host, "--pidfile"])
        .arg(&pidfile)
        .args(ours.flat_map(|(option, path)| [Path::new(option), path]))
        .args(more.split_whitespace())
        .env("PATH", programs(&folder)?)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        // In the same process group on purpose: Ctrl-C ends it too.
        .spawn()
        .context("cannot start `dockerd`")?;
    let end = Instant::now() + START;
    while !answers() {
        let over = child.try_wait()?;
        if over.is_some() || Instant::now() > end {
            let what = over.map_or_else(|| format!("did not answer within {START:?}"), |status| status.to_string());
            // Dropping it stops one that hangs.
            drop(Engine { started: Some(Started { child, place }) });
            bail!("dockerd could not be started ({what}):\n{}", tail(&log));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(Engine { started: Some(Started { child, place }) })
}

/// The search path for dockerd: with the programs of the administrator, and with the iptables that works here.
fn programs(folder: &Path) -> Result<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{path}:/usr/local/sbin:/usr/sbin:/sbin");
    if works("iptables", &["-w", "-t", "nat", "-S"]) || works("/usr/sbin/iptables", &["-w", "-t", "nat", "-S"]) {
        return Ok(path);
    }
    let legacy = Path::new("/usr/sbin/iptables-legacy");
    if !works(legacy.to_string_lossy().as_ref(), &["-w", "-t", "nat", "-S"]) {
        bail!(
            "neither iptables nor iptables-legacy can read this kernel's table `nat`: the engine would have no networks"
        );
    }
    let chosen = folder.join("programs");
    fs::create_dir_all(&chosen)?;
    for name in ["iptables", "ip6tables"] {
        let link = chosen.join(name);
        if link.symlink_metadata().is_err() {
            symlink(format!("/usr/sbin/{name}-legacy"), &link)?;
        }
    }
    Ok(format!("{}:{path}", chosen.display()))
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_else(|error| format!("cannot read `{}`: {error}", log.display()));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some(Started { child, place }) = &mut self.started else { return };
        println!("stopping the container engine");
        let stopped = Command::new("kill").arg(child.id().to_string()).status();
        let end = Instant::now() + STOP;
        while stopped.is_ok() && Instant::now() < end {
            if let Ok(Some(status)) = child.try_wait() {
                // After a failure its data are not believed: they may be why it failed.
                if let Some(error) = status.success().then(|| place.release()).and_then(Result::err) {
                    eprintln!("{error:#}");
                }
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        eprintln!("the container engine does not stop, and is killed");
        if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
            eprintln!("it cannot be killed: {error}");
        }
    }
}
