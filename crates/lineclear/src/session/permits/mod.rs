//! Release repositories held against pushes: a tag is set there for a commit whose gate is clear, whoever sets it and with whatever.
//!
//! Start at [`JobPermits`]. `held` says which repositories these are and which tags are theirs, by the policy of which `reviewed` is the judge, `speaker` for which commit a job may speak, `workspace`
//! what it has checked out; the gate decides, and `record` writes into the ledger what came of it. `docs/permits.md` is the page for people.

pub(crate) mod claims;
mod git;
pub(crate) mod held;
mod record;
pub(crate) mod reviewed;
mod speaker;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use lineclear_deliver::Turn;
use lineclear_event::{
    CheckContext, ImageStatement, JobKey, JobSpec, MovePhase, MoveStatement, MovedTag, RunId, Statement, Subject,
    with_causes,
};
use lineclear_forge::Caller;
use lineclear_gate::{Asked, Decision, Index, Rules, Target, WantedTag, decide, plan_tags};
use lineclear_ledger::LedgerOf;
use lineclear_oci::{AnyManifest, Digest, RepositoryName, Routes, Tag};
use lineclear_policy::Policy;
use lineclear_registry_server::{Free, Naming, Permit};
use lineclear_services::{Permits, Who};
use lineclear_store::Images;
use lineclear_store_folder::FolderStore;

use super::evidence::Recorder;
use crate::local_event::Checkout;
use crate::settings::now;
use crate::signing_keys;
use claims::Claims;
use git::Git;
use held::Held;
use record::Begun;
use reviewed::Reviewed;
use speaker::{Job, Speaker};
use workspace::Beginning;

/// So many manifests an index may lead to.
const MOST_PARTS: usize = 1_000;

/// So long a push waits for another one of the same repository.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds the release repositories against the jobs of one command.
pub(crate) struct JobPermits {
    ground: Ground,
    store: Arc<FolderStore>,
    ledger: Arc<LedgerOf>,
    git: Git,
    claims: Claims,
    /// Made at the first push: hardly any command pushes.
    held: OnceLock<Result<Vec<Held>, String>>,
    jobs: Mutex<BTreeMap<(RunId, JobKey), Open>>,
    /// Who knows whether what runs is what its commit says.
    recorder: OnceLock<Arc<Recorder>>,
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
    /// What jobs begin with.
    beginning: Beginning,
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
        let (git, claims) = (Git::new(&ground.root), Claims::of(&ground.home));
        let permits = Arc::new(Self {
            ground,
            store,
            ledger,
            git,
            claims,
            held: OnceLock::new(),
            jobs: Mutex::default(),
            recorder: OnceLock::new(),
        });
        if !permits.ground.policy.images.is_empty() {
            let claiming = Arc::clone(&permits);
            std::thread::spawn(move || claiming.claim());
        }
        permits
    }

    /// Says whose the release repositories are, before anybody else pushes to one. Where that fails, the first push says why.
    fn claim(&self) {
        let Ok(Some(reviewed)) = Reviewed::of(&self.ground.root, &self.ground.default_branch) else { return };
        let own = self.ground.repository.as_str();
        // To those of other owners no job of this repository can push.
        let owner = own.split('/').next().unwrap_or_default().to_lowercase();
        for held in held::all(&[(reviewed.policy, Vec::new())], own, None) {
            if held.place.as_str().split('/').any(|part| part == owner) {
                let _ = self.claims.take(&held.place, own);
            }
        }
    }

    /// From now on `recorder` is asked whether a run was adjusted.
    pub(crate) fn ask(&self, recorder: &Arc<Recorder>) {
        // Set once: a command has one.
        let _ = self.recorder.set(Arc::clone(recorder));
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

    /// The release repositories of the default branch's policy, and those that the checkout's own has beyond it.
    ///
    /// # Errors
    /// A sentence: the default branch's policy is wrong, and half of it would hold half of what it should.
    fn held(&self, routes: Option<&Routes>) -> Result<&[Held], String> {
        let held = self.held.get_or_init(|| {
            let mut policies: Vec<(Policy, Vec<String>)> = Vec::new();
            let mut unread = BTreeSet::new();
            if let Some(reviewed) = Reviewed::of(&self.ground.root, &self.ground.default_branch)? {
                let keys = self.keys(&reviewed.policy, &|path| reviewed.file(path), &mut unread);
                policies.push((reviewed.policy, keys));
            }
            let own = self.ground.policy.clone();
            let keys = self.keys(&own, &|path| signing_keys::file(&self.ground.root.join(path)), &mut unread);
            policies.push((own, keys));
            for why in unread {
                crate::output::complain(&format!("warning: no signature counts for pushes: {why}"));
            }
            Ok(held::all(&policies, &self.ground.repository, routes))
        });
        held.as_deref().map_err(Clone::clone)
    }

    /// The keys whose signatures count by a policy. Where they cannot be read none does, and the gate says so; why not is added to `unread`.
    fn keys(&self, policy: &Policy, read: signing_keys::ReadFile<'_>, unread: &mut BTreeSet<String>) -> Vec<String> {
        signing_keys::counting(&Checkout::find(&self.ground.root), policy, read).unwrap_or_else(|why| {
            unread.insert(why);
            Vec::new()
        })
    }

    fn permit(&self, held: &Held, caller: &Caller, naming: &Naming<'_>) -> Result<Box<dyn Permit>, String> {
        let open = self.jobs().get(&(caller.run, caller.job.clone())).cloned().ok_or("the job has ended")?;
        let own = self.ground.repository.as_str();
        let speaker = open.job.speaker(own, &*self.store, &self.git)?;
        let workspace = open.workspace.as_deref().ok_or("nobody knows what the job has checked out")?;
        workspace::check(workspace, own, &speaker, &self.ground.beginning, &self.git)?;
        self.is_as_committed()?;
        let refused = |why| self.refused(held, &open.job, &speaker, naming, why);
        let wanted = held.wants(naming.tag, &speaker, now()).map_err(refused)?;
        // Where `publish` takes its turns, too.
        let turns = self.ground.home.join("moves");
        let turn = Turn::take(&turns, &held.repository, PATIENCE).map_err(|error| with_causes(&error))?;
        let digest = naming.manifest.digest().to_string();
        let index = self.index()?;
        let to = self.moved(held, naming, &wanted, &speaker, &index).map_err(refused)?;
        let decision = self.decide(held, &open.job, &speaker, naming, index)?;
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

    /// Whether what runs is what the commit says.
    ///
    /// # Errors
    /// A sentence: what is different, or that nobody knows.
    fn is_as_committed(&self) -> Result<(), String> {
        let recorder = self.recorder.get().ok_or("this run is of no commit, so nobody knows what it builds")?;
        let adjusted = recorder.adjusted();
        match adjusted.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "this run was adjusted ({}), so what it builds is not what a commit says; run it without that",
                adjusted.join(", ")
            )),
        }
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
        let to = Target { digest, commit: &speaker.commit, take: None };
        let planned = plan_tags([(wanted, stands.as_ref())], to, index, &self.git.commits).into_iter().next();
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
        naming: &Naming<'_>,
        mut index: Arc<Index>,
    ) -> Result<Decision, String> {
        let manifest = naming.manifest;
        let Some(rules) = &held.rules else {
            return Err(format!(
                "[image.{}] of lineclear.toml names no gate, so nothing could prove what is published; add `gate = \"…\"`",
                held.image
            ));
        };
        let asked = |subject| Asked { subject, context: CheckContext::Push, now: now() };
        let of_commit = decide(rules, &asked(Subject::Commit(speaker.commit.clone())), &index, &self.git.commits);
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
        let of_digest = decide(rules, &asked(Subject::Digest(digest.clone())), &index, &self.git.commits);
        if !of_digest.clear {
            return Err(self.blocked(job, speaker, &of_digest));
        }
        self.parts_are_clear(rules, speaker, manifest, naming.repository, &index)?;
        Ok(of_digest)
    }

    /// Whether everything that an index leads to is of commits whose gate is clear: who puts one around another commit's image, or around an
    /// index that has it, makes it nobody's own. What nobody has seen before is of this run, as the index is.
    ///
    /// # Errors
    /// A sentence: what is not, or cannot be looked at.
    fn parts_are_clear(
        &self,
        rules: &Rules,
        speaker: &Speaker,
        manifest: &AnyManifest,
        repository: &RepositoryName,
        index: &Index,
    ) -> Result<(), String> {
        let asked = |commit: &str| Asked {
            subject: Subject::Commit(commit.to_owned()),
            context: CheckContext::Push,
            now: now(),
        };
        let is_clear = |commit: &str| decide(rules, &asked(commit), index, &self.git.commits).clear;
        // Of what a run has built whole it has built the parts.
        let has_built = |image: &ImageStatement| image.built && image.commit == speaker.commit;
        let parts_of = |digest: &str, manifest: &AnyManifest| match image_statements(index, digest).any(has_built) {
            true => Vec::new(),
            false => parts(manifest),
        };
        let mut seen: BTreeSet<Digest> = BTreeSet::new();
        let mut left = parts_of(manifest.digest().as_str(), manifest);
        while let Some(part) = left.pop() {
            if !seen.insert(part.clone()) {
                continue;
            }
            if seen.len() > MOST_PARTS {
                return Err(format!("it leads to more than {MOST_PARTS} manifests"));
            }
            let origins = index.origins(part.as_str());
            let is_known = image_statements(index, part.as_str()).next().is_some();
            if is_known && !origins.iter().any(|origin| is_clear(origin.commit)) {
                let from = origins.first().map_or("what no commit has", |origin| short(origin.commit));
                return Err(format!(
                    "it leads to {part}, which comes from {from}, and gate `{}` is not clear for that",
                    rules.gate
                ));
            }
            let kept = self.store.manifest(repository, &part).map_err(|error| with_causes(&error))?;
            let Some(kept) = kept else { return Err(format!("it leads to {part}, which is not there")) };
            let manifest = AnyManifest::read(kept.bytes, None).map_err(|error| with_causes(&error))?;
            left.extend(parts_of(part.as_str(), &manifest));
        }
        Ok(())
    }

    /// Records that a tag's own rule said no, before any gate was asked, and gives back why.
    fn refused(&self, held: &Held, job: &Job, speaker: &Speaker, naming: &Naming<'_>, why: String) -> String {
        let digest = naming.manifest.digest().to_string();
        let tag = MovedTag {
            tag: naming.tag.to_string(),
            from: None,
            to: digest.clone(),
            stays: Some("the move was refused".to_owned()),
            taken: None,
        };
        let recorded = self.ledger.append_with(|own| {
            let moved = record::a_move(&job.witness, &held.image, &held.repository, &speaker.commit, tag.clone(), own);
            let moved = MoveStatement { phase: MovePhase::Refused, reason: why.clone(), ..moved };
            vec![record::evidence(&job.witness, Subject::Digest(digest.clone()), Statement::Move(moved))]
        });
        match recorded {
            Ok(_) => why,
            Err(error) => format!("{why} (and this could not be recorded: {})", with_causes(&error)),
        }
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

/// The manifests that an index names.
fn parts(manifest: &AnyManifest) -> Vec<Digest> {
    match manifest {
        AnyManifest::Index(index) => index.parts().manifests.iter().map(|child| child.digest.clone()).collect(),
        AnyManifest::Image(_) => Vec::new(),
    }
}

/// What runs have said of where a digest comes from.
fn image_statements<'i>(index: &'i Index, digest: &str) -> impl Iterator<Item = &'i ImageStatement> + use<'i> {
    index.of(&Subject::Digest(digest.to_owned())).filter_map(|entry| match &entry.evidence.statement {
        Statement::Image(image) => Some(image),
        _ => None,
    })
}

/// What is known of an image that nobody has pushed before.
fn first_seen(held: &Held, speaker: &Speaker, manifest: &AnyManifest) -> ImageStatement {
    let children = parts(manifest).iter().map(ToString::to_string).collect();
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
        let all = self.permits.held(self.routes.get())?;
        let own = self.permits.ground.repository.as_str();
        // Before anything else: what another repository's own policy says of this place is of no account, its candidates among it.
        let is_own = self.permits.claims.check(naming.repository, own);
        is_own.map_err(|why| format!("`{}` of {} was not set: {why}", naming.tag, naming.repository))?;
        let Some(held) = all.iter().find(|held| held.is_at(naming.repository)) else { return Ok(Box::new(Free)) };
        if held.is_free(naming.tag) {
            return Ok(Box::new(Free));
        }
        let permit = match who {
            Who::Job(caller) => {
                let is_own = self.permits.claims.take(naming.repository, own);
                is_own.and_then(|()| self.permits.permit(held, caller, naming))
            }
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
        self.permits.claims.check(repository, &self.permits.ground.repository)?;
        held::may_remove(self.permits.held(self.routes.get())?, repository, tag)
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
        beginning: Beginning { is_filled, head: checkout.head_commit() },
    }
}

/// The first digits of a commit or digest.
fn short(id: &str) -> &str {
    if id.starts_with("sha256:") { id } else { id.get(..7).unwrap_or(id) }
}
