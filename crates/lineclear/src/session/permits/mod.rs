//! Release repositories held against pushes: a tag is set there for a commit whose gate is clear, whoever sets it and with whatever.
//!
//! Start at [`JobPermits`]. `held` says which repositories these are and which tags are theirs, `speaker` for which commit a job may speak, `workspace`
//! what it has checked out; the gate decides, and `record` writes into the ledger what came of it. `docs/permits.md` is the page for people.

mod git;
pub(crate) mod held;
mod record;
mod speaker;
mod workspace;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use lineclear_deliver::Turn;
use lineclear_event::{
    CheckContext, ImageStatement, JobKey, JobSpec, MovedTag, RunId, Statement, Subject, with_causes,
};
use lineclear_forge::Caller;
use lineclear_gate::{Asked, Decision, Index, Target, WantedTag, decide, plan_tags};
use lineclear_ledger::LedgerOf;
use lineclear_oci::{AnyManifest, RepositoryName, Routes, Tag};
use lineclear_policy::Policy;
use lineclear_registry_server::{Free, Naming, Permit};
use lineclear_services::{Permits, Who};
use lineclear_store::Images;
use lineclear_store_folder::FolderStore;

use crate::local_event::Checkout;
use crate::policy_file;
use crate::settings::now;
use git::Git;
use held::Held;
use record::Begun;
use speaker::{Job, Speaker};
use workspace::Beginning;

/// So long a push waits for another one of the same repository.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds the release repositories against the jobs of one command.
pub(crate) struct JobPermits {
    ground: Ground,
    store: Arc<FolderStore>,
    ledger: Arc<LedgerOf>,
    git: Git,
    /// Made at the first push: hardly any command pushes.
    held: OnceLock<Vec<Held>>,
    beginning: OnceLock<Beginning>,
    jobs: Mutex<BTreeMap<(RunId, JobKey), Open>>,
}

/// What permits are given on.
pub(crate) struct Ground {
    pub(crate) root: PathBuf,
    /// Where turns are taken.
    pub(crate) home: PathBuf,
    /// `owner/name` of the repository, as the checkout says.
    pub(crate) repository: String,
    pub(crate) default_branch: String,
    /// The policy of the checkout.
    pub(crate) policy: Policy,
    pub(crate) is_filled: bool,
    /// The commit that is checked out.
    pub(crate) head: Option<String>,
}

/// A job that runs.
#[derive(Clone, Debug)]
struct Open {
    job: Job,
    workspace: Option<PathBuf>,
}

impl std::fmt::Debug for JobPermits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobPermits").field("repository", &self.ground.repository).finish_non_exhaustive()
    }
}

impl JobPermits {
    pub(crate) fn new(ground: Ground, store: Arc<FolderStore>) -> Arc<Self> {
        let ledger = Arc::new(LedgerOf::open(store.clone(), ground.repository.clone()));
        let git = Git::new(&ground.root);
        let permits = Arc::new(Self {
            ground,
            store,
            ledger,
            git,
            held: OnceLock::new(),
            beginning: OnceLock::new(),
            jobs: Mutex::default(),
        });
        if !permits.ground.policy.images.is_empty() {
            // What the jobs began with is looked at now: while they run, somebody may go on working.
            let looking = Arc::clone(&permits);
            std::thread::spawn(move || drop(looking.beginning().clone()));
        }
        permits
    }

    /// A job begins.
    pub(crate) fn open(&self, spec: &JobSpec) {
        let open = Open { job: Job::of(spec), workspace: None };
        self.jobs().insert((spec.run, spec.job.clone()), open);
    }

    /// A job's folders are there.
    pub(crate) fn has_workspace(&self, run: RunId, job: &JobKey, workspace: &Path) {
        if let Some(open) = self.jobs().get_mut(&(run, job.clone())) {
            open.workspace = Some(workspace.to_owned());
        }
    }

    /// A job has ended: it speaks for nothing any more.
    pub(crate) fn close(&self, job: &(RunId, JobKey)) {
        self.jobs().remove(job);
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<(RunId, JobKey), Open>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beginning(&self) -> &Beginning {
        self.beginning.get_or_init(|| Beginning {
            is_filled: self.ground.is_filled,
            head: self.ground.head.clone(),
            changed: self.git.changed_files(),
        })
    }

    /// The release repositories of the default branch's policy, and those that the checkout's own has beyond it.
    fn held(&self, routes: Option<&Routes>) -> &[Held] {
        self.held.get_or_init(|| {
            let reviewed = self.git.tip(&self.ground.default_branch);
            let text = reviewed.and_then(|commit| self.git.file(&commit, policy_file::NAME));
            // One that cannot be read has nothing to say; the checkout's own was read before anything ran.
            let policy = text.and_then(|text| policy_file::of_text(&self.ground.root, text).ok());
            let mut policies: Vec<Policy> = policy.into_iter().collect();
            policies.push(self.ground.policy.clone());
            held::all(&policies, &self.ground.repository, routes)
        })
    }

    fn permit(&self, held: &Held, caller: &Caller, naming: &Naming<'_>) -> Result<Box<dyn Permit>, String> {
        let open = self.jobs().get(&(caller.run, caller.job.clone())).cloned().ok_or("the job has ended")?;
        let own = self.ground.repository.as_str();
        let speaker = open.job.speaker(own, &*self.store, &self.git)?;
        if let Some(workspace) = &open.workspace {
            workspace::check(workspace, own, &speaker, self.beginning(), &self.git)?;
        }
        let wanted = held.wants(naming.tag, &speaker, now())?;
        // Where `publish` takes its turns, too.
        let turns = self.ground.home.join("moves");
        let turn = Turn::take(&turns, &held.repository, PATIENCE).map_err(|error| with_causes(&error))?;
        let digest = naming.manifest.digest().to_string();
        let index = self.index()?;
        let to = self.moved(held, naming, &wanted, &speaker, &index)?;
        let decision = self.decide(held, &open.job, &speaker, naming.manifest, index)?;
        let witness = &open.job.witness;
        let subject = Subject::Digest(digest);
        let begun = |first: u64| {
            let moved = record::a_move(witness, &held.image, &held.repository, &speaker.commit, to.clone(), first);
            vec![
                record::evidence(witness, decision.subject.clone(), Statement::Decision(decision.statement())),
                record::evidence(witness, subject.clone(), Statement::Move(moved)),
            ]
        };
        let numbers = self.ledger.append_with(begun).map_err(|error| with_causes(&error))?;
        let entry = numbers.first().copied().unwrap_or_default();
        let moved = record::a_move(witness, &held.image, &held.repository, &speaker.commit, to, entry);
        let warn = Arc::new(|message: &str| crate::output::complain(&format!("warning: {message}")));
        Ok(Box::new(Begun { ledger: self.ledger.clone(), witness: witness.clone(), moved, warn, _turn: turn }))
    }

    fn index(&self) -> Result<Arc<Index>, String> {
        self.ledger.index().map_err(|error| with_causes(&error))
    }

    /// What becomes of the tag.
    ///
    /// # Errors
    /// A sentence: why it does not move to this image.
    fn moved(
        &self,
        held: &Held,
        naming: &Naming<'_>,
        wanted: &WantedTag,
        speaker: &Speaker,
        index: &Index,
    ) -> Result<MovedTag, String> {
        let stands = self.store.tag(naming.repository, naming.tag).map_err(|error| with_causes(&error))?;
        let stands = stands.map(|digest| index.held(&held.repository, naming.tag.as_str(), digest.as_str()));
        let digest = naming.manifest.digest().as_str();
        let to = Target { digest, commit: &speaker.commit };
        let planned = plan_tags([(wanted, stands.as_ref())], to, index, &self.git).into_iter().next();
        let planned = planned.ok_or("there is no plan for it")?;
        match &planned.stays {
            // Pushing what is there already changes nothing, and is recorded: the tag stands for this commit, too.
            Some(why) if planned.from.as_deref() != Some(digest) => Err(why.clone()),
            _ => Ok(planned),
        }
    }

    /// What the gate says of the commit and the image.
    ///
    /// # Errors
    /// In words: what is missing. It is recorded.
    fn decide(
        &self,
        held: &Held,
        job: &Job,
        speaker: &Speaker,
        manifest: &AnyManifest,
        mut index: Arc<Index>,
    ) -> Result<Decision, String> {
        let Some(rules) = &held.rules else {
            return Err(format!(
                "[image.{}] of lineclear.toml names no gate, so nothing could prove what is published; add `gate = \"…\"`",
                held.image
            ));
        };
        let asked = |subject| Asked { subject, context: CheckContext::Push, now: now() };
        let of_commit = decide(rules, &asked(Subject::Commit(speaker.commit.clone())), &index, &self.git);
        if !of_commit.clear {
            return Err(self.blocked(job, speaker, &of_commit));
        }
        let digest = manifest.digest().to_string();
        if index.origins(&digest).is_empty() {
            // The run that shows it first is where it comes from. Under which names, is told when it has some.
            let image = Statement::Image(first_seen(held, speaker, manifest));
            let stated = record::evidence(&job.witness, Subject::Digest(digest.clone()), image);
            self.ledger.append(vec![stated]).map_err(|error| with_causes(&error))?;
            index = self.index()?;
        }
        let of_digest = decide(rules, &asked(Subject::Digest(digest)), &index, &self.git);
        if of_digest.clear { Ok(of_digest) } else { Err(self.blocked(job, speaker, &of_digest)) }
    }

    /// Records that the gate said no, and says it.
    fn blocked(&self, job: &Job, speaker: &Speaker, decision: &Decision) -> String {
        let statement = decision.statement();
        let missing = statement.blocked.join("; ");
        let of = match &decision.subject {
            Subject::Digest(digest) if decision.commit.as_ref() != Some(&speaker.commit) => {
                let from = decision.commit.as_deref().map_or("an unknown commit", short);
                format!("{digest}, which comes from {from}")
            }
            Subject::Digest(digest) => format!("{digest} of commit {}", speaker.words()),
            Subject::Commit(_) => format!("commit {}", speaker.words()),
        };
        let recorded = record::evidence(&job.witness, decision.subject.clone(), Statement::Decision(statement));
        let note = match self.ledger.append(vec![recorded]) {
            Ok(_) => String::new(),
            Err(error) => format!(" (and this could not be recorded: {})", with_causes(&error)),
        };
        format!(
            "gate `{}` is blocked for {of}: {missing}; `lineclear gate {} --gate {}` shows what is missing{note}",
            decision.gate,
            short(decision.subject.id()),
            decision.gate
        )
    }
}

/// What is known of an image that nobody has pushed before.
fn first_seen(held: &Held, speaker: &Speaker, manifest: &AnyManifest) -> ImageStatement {
    let children = match manifest {
        AnyManifest::Index(index) => index.parts().manifests.iter().map(|child| child.digest.to_string()).collect(),
        AnyManifest::Image(_) => Vec::new(),
    };
    ImageStatement {
        image: held.image.clone(),
        names: Vec::new(),
        commit: speaker.commit.clone(),
        built: false,
        platforms: Vec::new(),
        children,
        user: String::new(),
    }
}

impl Permits for Routed {
    fn may_name(&self, who: Who<'_>, naming: &Naming<'_>) -> Result<Box<dyn Permit>, String> {
        let all = self.permits.held(self.routes.get());
        let Some(held) = all.iter().find(|held| held.is_at(naming.repository)) else { return Ok(Box::new(Free)) };
        if held.is_free(naming.tag) {
            return Ok(Box::new(Free));
        }
        let permit = match who {
            Who::Job(caller) => self.permits.permit(held, caller, naming),
            Who::SomeJob => Err(
                "several runs have the same token at once, so it cannot be told which of them pushes; give jobs no \
                 GITHUB_TOKEN of your own, or run them one after the other"
                    .to_owned(),
            ),
            Who::Person(_) => Err("only jobs publish here".to_owned()),
        };
        permit.map_err(|why| format!("`{}` of {} was not set: {why}", naming.tag, held.repository))
    }

    fn may_remove(&self, repository: &RepositoryName, tag: Option<&Tag>) -> Result<(), String> {
        held::may_remove(self.permits.held(self.routes.get()), repository, tag)
    }
}

/// [`JobPermits`] with the names that lead to the registry, which are known once that has an address.
#[derive(Debug)]
pub(crate) struct Routed {
    permits: Arc<JobPermits>,
    routes: Arc<OnceLock<Routes>>,
}

impl Routed {
    pub(crate) fn new(permits: Arc<JobPermits>, routes: Arc<OnceLock<Routes>>) -> Self {
        Self { permits, routes }
    }
}

/// What permits of a checkout are given on.
pub(crate) fn ground(checkout: &Checkout, home: &Path, policy: &Policy, is_filled: bool) -> Ground {
    Ground {
        root: checkout.root.clone(),
        home: home.to_owned(),
        repository: checkout.repository_name(),
        default_branch: checkout.default_branch(),
        policy: policy.clone(),
        is_filled,
        head: checkout.head_commit(),
    }
}

/// The first digits of a commit or digest.
fn short(id: &str) -> &str {
    if id.starts_with("sha256:") { id } else { id.get(..7).unwrap_or(id) }
}
