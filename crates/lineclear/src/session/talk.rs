//! What the steps of this command talk to: the services on loopback, and behind them the forge and git.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use lineclear_backend::{HostReach, ImagesTold};
use lineclear_command::SharedMasker;
use lineclear_event::{AnnotationLevel, Envelope, Fact, ForgeEvent, ImageFact, JobKey, JobSpec, RunEvent, RunId};
use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi, Guarded, Observed, Visibility};
use lineclear_forge_local::{Addresses, ArtifactLinks, LocalForge, Ports, RepositoryFacts};
use lineclear_git_server::{GitRepositories, GitServer};
use lineclear_graphql::GraphqlOverRest;
use lineclear_plan::Platform;
use lineclear_runner::{Reached, ServiceEnv, ServiceReach, masked_fact};
use lineclear_services::{JobAccess, JobIdentity, Listener, Services, ServicesConfig};
use lineclear_store::ArtifactMeta;
use lineclear_store_folder::FolderStore;

use super::evidence::Recorder;
use super::forge_choice::ForgeChoice;
use super::git_bridge;
use super::permits::{JobPermits, Routed};
use super::prepare::Stopped;
use super::registry::RunRegistry;
use super::sink::Telling;
use crate::settings::now;

/// The services of one command.
#[derive(Debug)]
pub(crate) struct Talk {
    services: Services,
    forge: Arc<LateForge>,
    listener: Arc<Hearing>,
    links: lineclear_services::ArtifactLinks,
    registry: RunRegistry,
    permits: Arc<JobPermits>,
    server_url: OnceLock<String>,
    home: PathBuf,
}

/// What one job was given; its tokens end when it is dropped.
#[derive(Debug)]
pub(crate) struct JobTalk {
    access: JobAccess,
    pub(crate) env: ServiceEnv,
    pub(crate) masks: SharedMasker,
    hearing: Arc<Hearing>,
    permits: Arc<JobPermits>,
    of: (RunId, JobKey),
}

/// Who hears what the services find out.
#[derive(Clone, Copy)]
pub(crate) struct Told<'t> {
    pub(crate) telling: &'t Arc<Telling>,
    pub(crate) recorder: Option<&'t Arc<Recorder>>,
}

impl Talk {
    /// Takes a port. Nothing runs before the first job.
    pub(crate) fn begin(
        home: &Path,
        store: &Arc<FolderStore>,
        registry: RunRegistry,
        permits: Arc<JobPermits>,
    ) -> Result<Self, Stopped> {
        let routes = Arc::new(OnceLock::new());
        let (forge, listener) = (Arc::new(LateForge::default()), Arc::new(Hearing::default()));
        let links = lineclear_services::ArtifactLinks::default();
        let config = ServicesConfig {
            caches: Some(store.clone()),
            git: Some(forge.clone()),
            registry: Some(registry.registry.clone()),
            permits: Some(Arc::new(Routed::new(permits.clone(), routes.clone()))),
            listener: listener.clone(),
            links: links.clone(),
            ..ServicesConfig::new(store.clone(), store.clone(), forge.clone(), home.join("services"), Arc::new(now))
        };
        let services = Services::bind(config).map_err(Stopped::fault)?;
        // Set once, before anybody can ask.
        let _ = routes.set(registry.routes(services.registry()));
        let home = home.to_owned();
        Ok(Self { services, forge, listener, links, registry, permits, server_url: OnceLock::new(), home })
    }

    /// Which names of images lead to the embedded registry.
    pub(crate) fn image_routes(&self) -> lineclear_oci::Routes {
        self.registry.routes(self.services.registry())
    }

    /// Where steps find the services.
    pub(crate) fn local_address(&self) -> Option<std::net::SocketAddr> {
        self.services.local_address()
    }

    /// `platform`, with the addresses at which jobs find the API.
    pub(crate) fn platform(&self, platform: &Platform) -> Platform {
        let (api_url, graphql_url) = (self.services.api_url(), self.services.graphql_url());
        Platform { api_url, graphql_url, ..platform.clone() }
    }

    /// Lets jobs reach the forge: from now on the event is known. Nothing is opened before the first call.
    pub(crate) fn offer(
        &self,
        event: &ForgeEvent,
        platform: &Platform,
        git_dir: Option<&Path>,
        store: &Arc<FolderStore>,
        choice: &ForgeChoice,
        told: Told<'_>,
    ) -> Result<(), Stopped> {
        let telling = told.telling;
        // Set once: a command has one event.
        let _ = self.server_url.set(platform.server_url.clone());
        let _ = self.listener.telling.set(telling.clone());
        if let Some(recorder) = told.recorder {
            let _ = self.listener.recorder.set(recorder.clone());
        }
        let repository = &event.repository;
        let folder = self.home.join("forge").join(folder_name(&repository.owner)).join(folder_name(&repository.name));
        let visibility = if repository.private { Visibility::Private } else { Visibility::Public };
        let hearing = Arc::clone(&self.listener);
        let heard = move |caller: &Caller, fact: Fact| hearing.tell(caller, &fact);
        let (behind, git, viewer): (Box<dyn ForgeApi>, GitBehind, Option<String>) =
            match choice.remote(&self.services.api_url()).map_err(Stopped::bad_input)? {
                Some(remote) => {
                    // What a job pushes stays here also in front of a real forge.
                    let repositories = git_dir.map(|git_dir| GitRepositories {
                        source: git_dir.to_owned(),
                        forge: folder.join("pushed.git"),
                        extra_refs: pull_refs(event),
                        default_branch: Some(repository.default_branch.clone()),
                        ..GitRepositories::default()
                    });
                    // Actions find their own comments by the name they are made in.
                    let viewer = remote.login();
                    (Box::new(remote), GitBehind::Folder(repositories.map(GitServer::new)), viewer)
                }
                None => {
                    let ports = Ports {
                        store: store.clone(),
                        artifacts: store.clone(),
                        caches: store.clone(),
                        links: Arc::new(Links(self.links.clone())),
                        clock: Arc::new(now),
                        addresses: Addresses {
                            api: self.services.api_url(),
                            server: platform.server_url.clone(),
                            uploads: format!("{}/api/uploads", self.services.origin()),
                        },
                    };
                    let facts = RepositoryFacts::of_event(event, git_dir.map(Path::to_owned));
                    let forge =
                        Arc::new(LazyForge { folder, facts, ports: Mutex::new(Some(ports)), forge: OnceLock::new() });
                    (Box::new(forge.clone()), GitBehind::Forge { forge, server: OnceLock::new() }, None)
                }
            };
        let guarded = Guarded::new(behind).with_visibility(visibility);
        let api = GraphqlOverRest::new(Observed::new(guarded, heard));
        let api = match viewer {
            Some(login) => api.with_viewer(login),
            None => api,
        };
        let has_git = git_dir.is_some();
        let offered = Offered { api: Box::new(api), git, has_git };
        self.forge.offered.set(offered).map_err(|_| Stopped::bad_input("the forge was offered twice"))
    }

    pub(crate) fn forge(&self) -> Arc<dyn ForgeApi> {
        self.forge.clone()
    }

    /// Gives a job its tokens and addresses.
    pub(crate) fn open_job(&self, spec: &JobSpec, given_token: Option<&str>) -> Result<JobTalk, String> {
        let identity = JobIdentity::of_job(spec);
        let access = match given_token {
            Some(token) => self.services.open_job_with_token(identity, token),
            None => self.services.open_job(identity),
        };
        let access = access.map_err(|error| lineclear_event::with_causes(&error))?;
        let masks = SharedMasker::default();
        masks.add(&access.runtime_token);
        let mut env = ServiceEnv {
            run_steps: access.run_steps.clone(),
            javascript_actions: access.javascript_actions.clone(),
            docker_actions: access.docker_actions.clone(),
        };
        if self.forge.offered.get().is_some_and(|offered| offered.has_git) {
            let rewriting = self.rewriting(&access.caller().repository, &access.forge_token);
            for variables in [&mut env.run_steps, &mut env.javascript_actions, &mut env.docker_actions] {
                variables.extend(rewriting.iter().cloned());
            }
        }
        let of = (spec.run, spec.job.clone());
        self.listener.jobs().insert(of.clone(), Heard { masks: masks.clone(), is_open: true });
        self.permits.open(spec);
        Ok(JobTalk { access, env, masks, hearing: self.listener.clone(), permits: self.permits.clone(), of })
    }

    /// Variables that let git find the run's own repository here when it asks the forge for it.
    fn rewriting(&self, repository: &str, token: &str) -> Vec<(String, String)> {
        let server = self.server_url.get().map_or("https://github.com", String::as_str);
        let here = self.services.git_url(repository, token);
        let asked = format!("{server}/{repository}");
        // With and without the ending that git leaves to taste.
        let pairs =
            [(format!("url.{here}.insteadOf"), format!("{asked}.git")), (format!("url.{here}.insteadOf"), asked)];
        let mut variables = vec![("GIT_CONFIG_COUNT".to_owned(), pairs.len().to_string())];
        for (number, (key, value)) in pairs.into_iter().enumerate() {
            variables.push((format!("GIT_CONFIG_KEY_{number}"), key));
            variables.push((format!("GIT_CONFIG_VALUE_{number}"), value));
        }
        variables
    }
}

impl ServiceReach for Talk {
    fn open(&self, host: &HostReach) -> io::Result<Reached> {
        let listening = self.services.also_at(host.listen, &host.name).map_err(io::Error::other)?;
        let here = self.services.origin();
        Ok(Reached {
            here: here.split_once("://").map_or(here, |(_, authority)| authority).to_owned(),
            inside: listening.authority().to_owned(),
            listening: Box::new(listening),
        })
    }
}

impl JobTalk {
    /// Tells the record of images that go through the job's door.
    pub(crate) fn images(&self) -> Arc<dyn ImagesTold> {
        Arc::new(ImagesOfJob { hearing: self.hearing.clone(), caller: self.access.caller().clone() })
    }

    pub(crate) fn token(&self) -> &str {
        &self.access.forge_token
    }

    pub(crate) fn caller(&self) -> &Caller {
        self.access.caller()
    }
}

impl Drop for JobTalk {
    fn drop(&mut self) {
        if let Some(heard) = self.hearing.jobs().get_mut(&self.of) {
            heard.is_open = false;
        }
        self.permits.close(&self.of);
    }
}

/// The forge, once there is one: the services need it before the event is known.
#[derive(Debug, Default)]
struct LateForge {
    offered: OnceLock<Offered>,
}

#[derive(Debug)]
struct Offered {
    api: Box<dyn ForgeApi>,
    git: GitBehind,
    has_git: bool,
}

/// Where git is served from.
#[derive(Debug)]
enum GitBehind {
    /// A repository of its own; none outside of any repository.
    Folder(Option<GitServer>),
    /// That of the embedded forge, so that its API sees what is pushed.
    Forge { forge: Arc<LazyForge>, server: OnceLock<Option<GitServer>> },
}

impl GitBehind {
    fn server(&self) -> Option<&GitServer> {
        match self {
            Self::Folder(server) => server.as_ref(),
            Self::Forge { forge, server } => server
                .get_or_init(|| {
                    let git = forge.get().ok()?.git_dir().ok()?.to_owned();
                    Some(GitServer::new(GitRepositories {
                        source: git.clone(),
                        forge: git,
                        ..GitRepositories::default()
                    }))
                })
                .as_ref(),
        }
    }
}

/// The embedded forge, opened when the first job calls it.
#[derive(Debug)]
struct LazyForge {
    folder: PathBuf,
    facts: RepositoryFacts,
    ports: Mutex<Option<Ports>>,
    forge: OnceLock<Result<LocalForge, String>>,
}

impl LazyForge {
    fn get(&self) -> Result<&LocalForge, &str> {
        let open = || {
            let ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner).take();
            let ports = ports.ok_or("it was opened before")?;
            LocalForge::open(&self.folder, self.facts.clone(), ports)
                .map_err(|error| lineclear_event::with_causes(&error))
        };
        self.forge.get_or_init(open).as_ref().map_err(String::as_str)
    }
}

impl ForgeApi for LazyForge {
    fn call(&self, caller: &Caller, request: &ApiRequest) -> ApiResponse {
        match self.get() {
            Ok(forge) => forge.call(caller, request),
            Err(why) => ApiResponse::error(500, &format!("the embedded forge cannot be opened: {why}")),
        }
    }
}

impl ForgeApi for LateForge {
    fn call(&self, caller: &Caller, request: &ApiRequest) -> ApiResponse {
        match self.offered.get() {
            Some(offered) => offered.api.call(caller, request),
            None => lineclear_forge::NoForge.call(caller, request),
        }
    }
}

impl lineclear_services::GitService for LateForge {
    fn handle(&self, _caller: &Caller, request: lineclear_services::GitRequest) -> lineclear_services::GitResponse {
        let git = self.offered.get().and_then(|offered| offered.git.server());
        git_bridge::handle(git, request)
    }
}

/// What the services find out goes to the record of the run, with the job's secrets hidden.
#[derive(Default)]
struct Hearing {
    telling: OnceLock<Arc<Telling>>,
    recorder: OnceLock<Arc<Recorder>>,
    jobs: Mutex<BTreeMap<(RunId, JobKey), Heard>>,
}

/// A job that something may be found out about.
#[derive(Clone, Debug)]
struct Heard {
    masks: SharedMasker,
    is_open: bool,
}

impl std::fmt::Debug for Hearing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hearing").finish_non_exhaustive()
    }
}

impl Hearing {
    fn jobs(&self) -> MutexGuard<'_, BTreeMap<(RunId, JobKey), Heard>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, caller: &Caller, fact: &Fact) {
        let heard = self.jobs().get(&(caller.run, caller.job.clone())).cloned();
        let (Some(telling), Some(Heard { masks, is_open })) = (self.telling.get(), heard) else { return };
        let Some(fact) = masked_fact(&masks, fact) else { return };
        // Also of a job that has ended: a push that it left behind is where its image comes from.
        if let Some(recorder) = self.recorder.get() {
            recorder.fact(caller.run, &caller.job, &fact);
        }
        if is_open {
            let step = telling.current_step(caller.run, &caller.job);
            telling.tell(&Envelope {
                event: RunEvent::Fact { job: caller.job.clone(), step, fact },
                run: caller.run,
                at: now(),
            });
        }
    }
}

impl Listener for Hearing {
    fn observed(&self, caller: &Caller, fact: Fact) {
        self.tell(caller, &fact);
    }

    fn warned(&self, caller: &Caller, message: &str) {
        let heard = self.jobs().get(&(caller.run, caller.job.clone())).cloned();
        let masks = heard.map(|heard| heard.masks).unwrap_or_default();
        if let Some(telling) = self.telling.get() {
            let message = format!("{}: {}", caller.job, masks.mask(message));
            let event = RunEvent::Notice { level: AnnotationLevel::Warning, message };
            telling.tell(&Envelope { event, run: caller.run, at: now() });
        }
    }
}

struct ImagesOfJob {
    hearing: Arc<Hearing>,
    caller: Caller,
}

impl std::fmt::Debug for ImagesOfJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImagesOfJob").finish_non_exhaustive()
    }
}

impl ImagesTold for ImagesOfJob {
    fn image(&self, fact: ImageFact) {
        self.hearing.tell(&self.caller, &Fact::Image(Box::new(fact)));
    }
}

/// The services' links, as the forge asks for them.
#[derive(Debug)]
struct Links(lineclear_services::ArtifactLinks);

impl ArtifactLinks for Links {
    fn link(&self, _caller: &Caller, artifact: &ArtifactMeta) -> Option<String> {
        self.0.signed_artifact_url(artifact.run, &artifact.name)
    }
}

/// The references under which a forge has a pull request's head and its merge with the target.
fn pull_refs(event: &ForgeEvent) -> BTreeMap<String, String> {
    let mut refs = BTreeMap::new();
    let mut known = |name: String, sha: &str| {
        if sha.len() >= 40 && sha.bytes().any(|byte| byte != b'0') {
            refs.insert(name, sha.to_owned());
        }
    };
    if event.reference.starts_with("refs/pull/") {
        known(event.reference.clone(), &event.sha);
        let head = event.payload["pull_request"]["head"]["sha"].as_str().unwrap_or_default();
        known(event.reference.replace("/merge", "/head"), head);
    }
    refs
}

/// The name of a folder for a name that a payload gives: as it is where that is harmless, else its bytes in hexadecimal.
fn folder_name(name: &str) -> String {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.is_empty() && name.len() <= 100 && !name.starts_with(['.', '%']) && name.bytes().all(harmless) {
        return name.to_owned();
    }
    format!("%{}", lineclear_event::hexadecimal(&name.as_bytes()[..name.len().min(100)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_a_payload_leads_nowhere_else() {
        assert_eq!(folder_name("my.repo-1"), "my.repo-1");
        for name in ["..", ".", "", "a/b", "\0", "é", "%2e"] {
            let folder = folder_name(name);
            assert!(folder.starts_with('%') && !folder.contains(['/', '.']), "{folder}");
        }
    }
}
