//! A job's sandbox, from outside.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lineclear_backend::{Enforcement, Intervention, Isolation, IsolationPart, JobNetwork, NetworkAccess, Owner};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{getegid, geteuid};

use crate::cgroup;
use crate::gateway::{Gateway, NAMES};
use crate::launch::Orders;
use crate::launcher::{HOLD, Launcher, STEP};
use crate::limits::Limits;
use crate::link::{Ask, Link, NetworkPlan, Plan, Told, ViewPlan};
use crate::sensitive;
use crate::watch::{End, Watch};

/// What a sandbox is made for.
pub struct Request<'r> {
    pub launcher: &'r Launcher,
    pub isolation: &'r Isolation,
    /// Folders that the job may write to.
    pub writable: Vec<PathBuf>,
    /// Folders and files that it sees, but may not write, also where what is around them is hidden.
    pub shown: Vec<PathBuf>,
    /// Folders and files that it does not see, beside those that no job sees.
    pub hidden: Vec<PathBuf>,
    /// A folder of the job's own, outside of what it sees, for what stands in for shared folders.
    pub private: PathBuf,
    /// The home of whoever runs Lineclear.
    pub home: Option<PathBuf>,
    /// What a limit of disk counts.
    pub measured: Vec<PathBuf>,
    /// Listeners of the machine's loopback that the job reaches at the same address.
    pub services: Vec<SocketAddr>,
    /// Starts the holder, as a child that the caller's own search for stray processes leaves alone.
    pub spawn: &'r dyn Fn(&mut Command) -> io::Result<Child>,
    /// Told when the exit status of a holder was taken that was of no use.
    pub ended: &'r dyn Fn(u32),
    /// Told before a folder is made that has to be removed should this process be killed.
    pub made: &'r dyn Fn(&Path),
    /// Ends the job's processes.
    pub end: End,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("isolation", self.isolation)
            .field("writable", &self.writable)
            .finish_non_exhaustive()
    }
}

/// A step to be started.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// As a path in the job's view.
    pub program: &'s Path,
    pub args: &'s [OsString],
    pub directory: &'s Path,
    /// Whether it opens a session of its own.
    pub session: bool,
}

/// What keeps one job from the machine.
#[derive(Debug)]
pub struct Sandbox {
    launcher: Launcher,
    holder: Option<Holder>,
    gateway: Option<Arc<Gateway>>,
    limits: Limits,
    watch: Option<Watch>,
    enforcement: Vec<Enforcement>,
}

/// The process that keeps the namespaces, and what of them counts.
#[derive(Debug)]
struct Holder {
    child: Child,
    link: Arc<Link>,
    user: bool,
    network: bool,
    view: bool,
}

impl Sandbox {
    /// Makes what is asked for, as far as this machine can. What it cannot is told by [`Sandbox::enforcement`].
    pub fn open(request: Request<'_>) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let isolation = request.isolation;
        let mut enforcement = Vec::new();
        let mut holder = None;
        let mut gateway = None;
        if isolation.network != NetworkAccess::Host || isolation.read_only_system {
            match make_namespaces(&request) {
                Ok(made) => {
                    let (network, view) = tell(isolation, &made, &mut enforcement);
                    let mut kept = Holder { network, view, ..made.holder };
                    if network {
                        gateway = open_gateway(&request, &mut kept, &mut enforcement);
                    }
                    holder = Some(kept);
                }
                Err(why) => {
                    for what in asked_parts(isolation) {
                        enforcement.push(Enforcement { what, how: Err(why.clone()) });
                    }
                }
            }
        }
        let name = cgroup::name_of(&Owner::this(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let own_users = holder.as_ref().is_some_and(|holder| holder.user) && !geteuid().is_root();
        let limits = Limits::open(isolation.limits, &name, own_users, request.made, &mut enforcement);
        let mut watch = None;
        if let Some(most) = isolation.limits.disk {
            match Watch::begin(request.measured, most, request.end) {
                Ok(begun) => watch = Some(begun),
                Err(error) => {
                    if let Some(part) = enforcement.iter_mut().find(|part| part.what == IsolationPart::Disk) {
                        part.how = Err(format!("cannot watch the job's folders: {error}"));
                    }
                }
            }
        }
        enforcement.sort_by_key(|part| part.what);
        Self { launcher: request.launcher.clone(), holder, gateway, limits, watch, enforcement }
    }

    /// What became of each part that was asked for.
    pub fn enforcement(&self) -> &[Enforcement] {
        &self.enforcement
    }

    /// The command that starts a step inside. Environment and streams are left to the caller.
    ///
    /// # Errors
    /// If a path of this machine's control groups is no text.
    pub fn command(&self, step: Step<'_>) -> io::Result<Command> {
        let orders = Orders {
            holder: self.holder.as_ref().map(|holder| holder.child.id()),
            user: self.holder.as_ref().is_some_and(|holder| holder.user),
            network: self.holder.as_ref().is_some_and(|holder| holder.network),
            view: self.holder.as_ref().is_some_and(|holder| holder.view),
            groups: self.limits.groups.doors(),
            limits: self.limits.of_each,
            session: step.session,
            directory: step.directory.to_owned(),
        };
        let mut command = self.launcher.command(STEP);
        command.arg(serde_json::to_string(&orders)?).arg(step.program).args(step.args).current_dir("/");
        if !step.session {
            command.process_group(0);
        }
        Ok(command)
    }

    /// Where the files that the job sees can be found from outside. Links in there that begin with `/` lead outside again.
    pub fn root(&self) -> Option<PathBuf> {
        let holder = self.holder.as_ref().filter(|holder| holder.view)?;
        Some(PathBuf::from(format!("/proc/{}/root", holder.child.id())))
    }

    /// The job's own loopback, if it has one.
    pub fn network(&self) -> Option<Arc<dyn JobNetwork>> {
        self.gateway.clone().map(|gateway| gateway as Arc<dyn JobNetwork>)
    }

    /// What was done to the job since this was asked last.
    pub fn interventions(&self) -> Vec<Intervention> {
        let mut all: Vec<Intervention> = self.watch.iter().flat_map(Watch::take_hits).collect();
        all.extend(self.limits.take_hits());
        let refused = self.gateway.iter().flat_map(|gateway| gateway.take_refused());
        all.extend(refused.map(|message| Intervention { what: IsolationPart::Network, message, fatal: false }));
        all
    }

    /// Kills all of the job at once, where the kernel can do that.
    pub fn kill(&self) {
        self.limits.groups.kill();
    }

    /// Ends the holder and removes the limits, once no process of the job is left. Returns the holder's number, whose exit
    /// status was taken, if there was one.
    ///
    /// # Errors
    /// What is left, in one sentence.
    pub fn close(&mut self, removed: &dyn Fn(&Path)) -> (Option<u32>, Result<(), String>) {
        self.watch = None;
        self.gateway = None;
        let ended = self.holder.take().map(Holder::end);
        (ended, self.limits.groups.remove(removed))
    }
}

impl Holder {
    fn end(mut self) -> u32 {
        let pid = self.child.id();
        // Whoever listened in the job's network may still have the link: it cannot be closed for them.
        drop(self.link);
        // It ends by the signal, and has been our child until here.
        let _ = self.child.kill();
        let _ = self.child.wait();
        pid
    }
}

struct Made {
    holder: Holder,
    network: Result<(), String>,
    view: Result<String, String>,
}

/// The parts that namespaces are for.
fn asked_parts(isolation: &Isolation) -> Vec<IsolationPart> {
    let mut parts = Vec::new();
    if isolation.network != NetworkAccess::Host {
        parts.push(IsolationPart::Network);
    }
    if isolation.read_only_system {
        parts.extend([IsolationPart::ReadOnlySystem, IsolationPart::PrivateTemp]);
    }
    parts
}

/// Tells what became of the namespaces. Returns whether network and view are to be used.
fn tell(isolation: &Isolation, made: &Made, enforcement: &mut Vec<Enforcement>) -> (bool, bool) {
    let by = if made.holder.user {
        "in namespaces of the job's own"
    } else {
        "in namespaces of the job's own, without one for users"
    };
    if isolation.network != NetworkAccess::Host {
        let access = match &isolation.network {
            NetworkAccess::None => "no network at all",
            NetworkAccess::Loopback => "a loopback of its own and nothing else",
            NetworkAccess::AllowList(_) => "a loopback of its own; connections pass to what is listed",
            _ => "a loopback of its own; TCP connections and name resolution pass",
        };
        enforcement.push(Enforcement {
            what: IsolationPart::Network,
            how: made.network.clone().map(|()| format!("{access}, {by}")),
        });
    }
    if isolation.read_only_system {
        let view = made.view.clone();
        enforcement.push(Enforcement {
            what: IsolationPart::ReadOnlySystem,
            how: view.clone().map(|said| format!("{said}, {by}")),
        });
        enforcement.push(Enforcement {
            what: IsolationPart::PrivateTemp,
            how: view.map(|_| "/tmp, /var/tmp, /dev/shm and /run of the job's own".to_owned()),
        });
    }
    (isolation.network != NetworkAccess::Host && made.network.is_ok(), made.view.is_ok())
}

fn open_gateway(request: &Request<'_>, holder: &mut Holder, enforcement: &mut [Enforcement]) -> Option<Arc<Gateway>> {
    let network = &request.isolation.network;
    let needs_names = matches!(network, NetworkAccess::Private | NetworkAccess::AllowList(_));
    let opened = Gateway::open(network, Arc::clone(&holder.link), holder.child.id(), &request.services);
    let problem = match opened {
        Ok(gateway) if !needs_names || holder.view => return Some(Arc::new(gateway)),
        Ok(_) => "the job's name resolution cannot be set".to_owned(),
        Err(error) => format!("the way out of the job's network cannot be opened: {error}"),
    };
    if let Some(part) = enforcement.iter_mut().find(|part| part.what == IsolationPart::Network) {
        part.how = Err(problem);
    }
    holder.network = false;
    None
}

fn make_namespaces(request: &Request<'_>) -> Result<Made, String> {
    let with_users = attempt(request, true);
    match with_users {
        // A machine that gives no user namespaces may let its root user make the others all the same.
        Err(_) if geteuid().is_root() => attempt(request, false),
        made => made,
    }
}

fn attempt(request: &Request<'_>, user: bool) -> Result<Made, String> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(|error| format!("cannot make a socket: {error}"))?;
    let plan = plan(request, user)?;
    let child =
        start(request, theirs).map_err(|error| format!("cannot start the holder of the namespaces: {error}"))?;
    let mut holder = Holder { child, link: Arc::new(Link::new(ours)), user, network: false, view: false };
    let made = shake_hands(&mut holder, &plan);
    match made {
        Ok((network, view)) => Ok(Made { holder, network, view }),
        Err(error) => {
            (request.ended)(holder.end());
            Err(error)
        }
    }
}

fn start(request: &Request<'_>, link: OwnedFd) -> io::Result<Child> {
    let mut command = request.launcher.command(HOLD);
    command.env_clear().current_dir("/").process_group(0).stdin(link).stdout(Stdio::null()).stderr(Stdio::null());
    (request.spawn)(&mut command)
}

type Handshake = (Result<(), String>, Result<String, String>);

fn shake_hands(holder: &mut Holder, plan: &Plan) -> Result<Handshake, String> {
    let fail = |error: io::Error| error.to_string();
    holder.link.tell(plan).map_err(fail)?;
    match holder.link.hear().map_err(fail)? {
        Told::Unshared(Ok(())) => {}
        Told::Unshared(Err(error)) => return Err(no_namespaces(&error)),
        _ => return Err("the holder of the namespaces said something unexpected".to_owned()),
    }
    if plan.user {
        write_maps(holder.child.id()).map_err(|error| format!("cannot map the job's user: {error}"))?;
    }
    holder.link.tell(&Ask::GoOn).map_err(fail)?;
    match holder.link.hear().map_err(fail)? {
        Told::Ready { network, view } => Ok((network, view.map_err(|error| with_hint(&error)))),
        _ => Err("the holder of the namespaces said something unexpected".to_owned()),
    }
}

fn no_namespaces(error: &str) -> String {
    with_hint(&format!("this system gives the job no namespaces: {error}"))
}

/// What a person can do about a system that gives ordinary users no namespaces.
fn with_hint(error: &str) -> String {
    let is = |file: &str, value: &str| fs::read_to_string(file).is_ok_and(|text| text.trim() == value);
    let hint = if geteuid().is_root() {
        ""
    } else if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        " (`sysctl kernel.unprivileged_userns_clone=1` lets ordinary users have them)"
    } else if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        " (`sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or a profile with `userns`, lets ordinary users have them)"
    } else if is("/proc/sys/user/max_user_namespaces", "0") {
        " (`sysctl user.max_user_namespaces=10000` lets ordinary users have them)"
    } else {
        ""
    };
    format!("{error}{hint}")
}

/// Root keeps all users that it has; anyone else is only themselves.
fn write_maps(pid: u32) -> io::Result<()> {
    let write = |name: &str, text: &str| fs::write(format!("/proc/{pid}/{name}"), text);
    if geteuid().is_root() {
        for name in ["uid_map", "gid_map"] {
            let own = fs::read_to_string(format!("/proc/self/{name}"))?;
            let same: Vec<String> = own
                .lines()
                .filter_map(|line| {
                    let mut words = line.split_whitespace();
                    let (first, count) = (words.next()?, words.nth(1)?);
                    Some(format!("{first} {first} {count}\n"))
                })
                .collect();
            write(name, &same.concat())?;
        }
        return Ok(());
    }
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    write("setgroups", "deny")?;
    write("uid_map", &format!("{user} {user} 1\n"))?;
    write("gid_map", &format!("{group} {group} 1\n"))
}

fn plan(request: &Request<'_>, user: bool) -> Result<Plan, String> {
    let isolation = request.isolation;
    let network = (isolation.network != NetworkAccess::Host)
        .then_some(NetworkPlan { loopback: isolation.network != NetworkAccess::None });
    let asks_names = matches!(isolation.network, NetworkAccess::Private | NetworkAccess::AllowList(_));
    if !isolation.read_only_system && !asks_names {
        return Ok(Plan { user, network, view: None });
    }
    let make = |name: &str, mode: u32| {
        let folder = request.private.join(name);
        let made =
            fs::create_dir_all(&folder).and_then(|()| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)));
        made.map(|()| folder).map_err(|error| format!("cannot make a folder for the job: {error}"))
    };
    let existing = |paths: &[PathBuf]| {
        let mut paths: Vec<PathBuf> = paths.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
        paths.sort();
        paths.dedup();
        paths
    };
    let mut view =
        ViewPlan { read_only: isolation.read_only_system, user_id: geteuid().as_raw(), ..ViewPlan::default() };
    if isolation.read_only_system {
        view.writable = existing(&request.writable);
        view.shown = existing(&request.shown);
        view.hidden = existing(&request.hidden);
        view.hidden.extend(existing(&sensitive::places(request.home.as_deref())));
        // Of the same place, what gives more counts.
        let home = request.home.as_deref().and_then(|home| fs::canonicalize(home).ok());
        view.shown.retain(|path| !view.writable.contains(path) && home.as_ref() != Some(path));
        view.hidden.retain(|path| !view.writable.contains(path) && !view.shown.contains(path));
        view.instead =
            vec![(make("tmp", 0o1777)?, PathBuf::from("/tmp")), (make("var-tmp", 0o1777)?, PathBuf::from("/var/tmp"))];
        let is_free =
            |home: &PathBuf| home.components().count() > 1 && !view.writable.iter().any(|own| home.starts_with(own));
        if let Some(home) = home.filter(is_free) {
            view.home = Some((home, make("home", 0o700)?));
        }
    }
    if asks_names {
        view.resolver = Some((make("etc", 0o755)?.join("resolv.conf"), format!("nameserver {}\n", NAMES.ip())));
    }
    Ok(Plan { user, network, view: Some(view) })
}

/// A holder that is let go of ends by itself, when its link closes.
impl Drop for Sandbox {
    fn drop(&mut self) {
        let (_, left) = self.close(&|_| ());
        // Nobody is left to be told; the next sweep finds it.
        drop(left);
    }
}
