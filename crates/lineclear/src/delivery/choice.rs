//! What is meant: which commit, which digest, which tags. Looked up here and in the ledger; the release registry is not called.

use lineclear_deliver::{Candidate, Order, candidates, commit_of, shown_before};
use lineclear_event::{CheckContext, MoveKind, MovePhase, RunId, Statement, Subject, Witness};
use lineclear_gate::{Commits, Index, Named, Naming, OWN_BYTES, decide};
use lineclear_oci::{Digest, Reference};
use lineclear_policy::Image;

use super::registries::Place;
use super::{Delivery, Ended, claims, owners};
use crate::settings::now;

/// What a person or a step said of what is to be moved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) commit: Option<String>,
    /// `main`, `refs/tags/v1`.
    pub(crate) reference: Option<String>,
    pub(crate) digest: Option<String>,
    /// Where the image is.
    pub(crate) from: Option<String>,
    /// Of a promotion: tags in place of the policy's.
    pub(crate) tags: Vec<String>,
    /// In whose name it is moved.
    pub(crate) by: Option<Witness>,
    /// Who takes tags that the ledger does not know.
    pub(crate) take: Option<String>,
}

/// What to move, and how it was found.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) order: Order,
    pub(crate) to: Place,
    pub(crate) from: Place,
    /// What a person should know of how it was found, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// An image that is not moved, and why; or one that is.
#[derive(Debug)]
pub(crate) enum From {
    Found(Box<Chosen>),
    /// There is nothing to move: no tags for the ref, or no run built it for this commit.
    Nothing(String),
}

/// A ref and the commit on it that counts.
struct Spot {
    reference: String,
    commit: String,
}

/// The image that is to be moved.
struct Picked {
    digest: Digest,
    /// It was built from this commit.
    built_from: String,
    place: Place,
}

impl Delivery {
    /// What `publish` of an image would move.
    pub(crate) fn publication(&self, image: &Image, asked: &Asked) -> Result<From, Ended> {
        let index = self.index()?;
        let (repository, to) = self.release(image)?;
        let given = self.given(asked, &repository, &to, &index)?;
        let spot = self.spot(asked, given.as_ref())?;
        let name = &image.name.value;
        let naming = Naming { reference: &spot.reference, commit: &spot.commit, version: None, at: now() };
        let named = naming.of_image(image).map_err(|error| Ended::input(lineclear_event::with_causes(&error)))?;
        if named.tags.is_empty() && named.left_out.is_empty() {
            let known: Vec<String> = image.tags.iter().map(|rule| format!("`{}`", rule.refs.value)).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Ok(From::Nothing(format!(
                "image `{name}` has no tags for {}; its `tags` are for: {known}",
                spot.reference
            )));
        }
        let picked = match given {
            Some(given) => given,
            None => {
                let found = candidates(&index, &self.commits, name, &repository.to_string(), &spot.commit);
                match self.only(&found, name, &spot.commit)? {
                    Some(candidate) => self.picked(candidate, &to)?,
                    None => {
                        let blocked = self.what_blocks(image, &spot, &index);
                        let before = shown_before(&index, &self.commits, name, &repository.to_string(), &spot.commit);
                        if let Some(before) = before.last() {
                            let blocked = blocked.map_or_else(String::new, |blocked| format!("{blocked}; and "));
                            let why = not_its_own(&index, name, before, &spot.commit);
                            return Ok(From::Nothing(format!("{blocked}{why}")));
                        }
                        return Ok(From::Nothing(format!(
                            "{}no run has pushed image `{name}` for {}; run the workflow that builds it (it may push to any \
                             repository that ends with `/{}`, and to `candidates` of its own), or say which with --digest",
                            blocked.map_or_else(String::new, |blocked| format!("{blocked}; and ")),
                            short(&spot.commit),
                            repository.repository().as_str().rsplit('/').next().unwrap_or(name)
                        )));
                    }
                }
            }
        };
        let mut notes = Vec::new();
        if picked.built_from != spot.commit {
            if self.tree(&index, &picked.built_from).is_none_or(|tree| self.tree(&index, &spot.commit) != Some(tree)) {
                return Err(Ended::work(format!(
                    "{} was built from {}, whose contents are not those of {} ({}): it is not published for it",
                    picked.digest,
                    short(&picked.built_from),
                    short(&spot.commit),
                    spot.reference
                )));
            }
            notes.push(format!(
                "built from {}, which has the same contents as {}",
                short(&picked.built_from),
                short(&spot.commit)
            ));
        }
        let gate = image.gate.as_ref().map(|gate| gate.value.as_str());
        let mut chosen = self.chosen(MoveKind::Publish, image, gate, (repository, to), picked, named, asked)?;
        chosen.order.commit = spot.commit;
        chosen.order.context = context_of(&spot.reference);
        chosen.notes.splice(0..0, notes);
        Ok(From::Found(Box::new(chosen)))
    }

    /// What `promote` of an image to `target` would move.
    pub(crate) fn promotion(&self, image: &Image, target: &str, asked: &Asked) -> Result<Chosen, Ended> {
        let index = self.index()?;
        let name = &image.name.value;
        let promotion = image.promotion(target);
        // Also where tags are named: the target says through which gate.
        let Some(promotion) = promotion else {
            let known: Vec<&str> = image.promote.iter().map(|one| one.target.value.as_str()).collect();
            return Err(Ended::input(match known.is_empty() {
                true => format!(
                    "image `{name}` has no targets: add `[image.{name}.promote]` with `{target} = [\"…\"]` to `lineclear.toml`"
                ),
                false => format!("image `{name}` has no target `{target}`; it has: {}", known.join(", ")),
            }));
        };
        let (repository, to) = self.release(image)?;
        let mut notes = Vec::new();
        let (picked, version) = self.released(&index, name, &repository, &to, asked, &mut notes)?;
        // A promotion is of no branch; a git tag gives the version where nothing else does.
        let reference = asked.reference.clone().unwrap_or_else(|| {
            self.commits.tags_at(&picked.built_from).into_iter().find(|tag| is_version(tag)).unwrap_or_default()
        });
        let naming =
            Naming { reference: &reference, commit: &picked.built_from, version: version.as_deref(), at: now() };
        let wrong = |error: lineclear_gate::NamingError| Ended::input(lineclear_event::with_causes(&error));
        let gate = promotion.gate.as_ref().or(image.gate.as_ref()).map(|gate| gate.value.as_str());
        let own = naming.tags(promotion.tags.iter().map(|tag| tag.value.as_str()));
        let named = if asked.tags.is_empty() {
            own.map_err(wrong)?
        } else {
            let named = naming.tags(asked.tags.iter().map(String::as_str)).map_err(wrong)?;
            let released =
                |other: &&Image| other.repository.as_ref().map(|text| release_name(&text.value, &self.repository));
            let here = released(&image);
            let beside: Vec<&Image> = self.policy.images.iter().filter(|other| released(other) == here).collect();
            let own = own.unwrap_or_default().tags;
            owners::check(&named.tags, &own, (image, target, gate), &beside).map_err(Ended::input)?;
            claims::check(&asked.tags, &naming, &self.commits).map_err(Ended::input)?;
            named
        };
        let mut chosen = self.chosen(MoveKind::Promote, image, gate, (repository, to), picked, named, asked)?;
        chosen.order.target = Some(target.to_owned());
        chosen.notes.splice(0..0, notes);
        Ok(chosen)
    }

    /// What the image's gate has against the commit itself, where there is no image yet; `None` if that is nothing.
    fn what_blocks(&self, image: &Image, spot: &Spot, index: &Index) -> Option<String> {
        let rules = self.rules(&image.gate.as_ref()?.value)?;
        let subject = Subject::Commit(spot.commit.clone());
        let asked = lineclear_gate::Asked { subject, context: context_of(&spot.reference), now: now() };
        let decision = decide(&rules, &asked, index, &self.commits);
        let blocked = || decision.statement().blocked.join("; ");
        (!decision.clear)
            .then(|| format!("gate `{}` is blocked for {}: {}", decision.gate, short(&spot.commit), blocked()))
    }

    pub(crate) fn index(&self) -> Result<std::sync::Arc<Index>, Ended> {
        self.ledger.index().map_err(|error| Ended::fault(&error))
    }

    /// Where an image is released, by name and as a place.
    pub(crate) fn release(&self, image: &Image) -> Result<(Reference, Place), Ended> {
        let Some(text) = &image.repository else {
            return Err(Ended::input(format!("`[image.{}]` has no `repository`", image.name.value)));
        };
        let reference = Reference::parse(&release_name(&text.value, &self.repository)).map_err(|error| {
            Ended::input(format!("`[image.{}] repository` is no repository: {error}", image.name.value))
        })?;
        let place = self.registries.place(&reference);
        Ok((reference.bare(), place))
    }

    #[expect(clippy::too_many_arguments, reason = "each is a thing of its own that only the caller knows")]
    fn chosen(
        &self,
        kind: MoveKind,
        image: &Image,
        gate: Option<&str>,
        (repository, to): (Reference, Place),
        picked: Picked,
        named: Named,
        asked: &Asked,
    ) -> Result<Chosen, Ended> {
        let name = &image.name.value;
        let Some(gate) = gate else {
            return Err(Ended::input(format!(
                "`[image.{name}]` names no `gate`: say what has to be proven before it is moved, in a `[gate.…]`, and name it"
            )));
        };
        let Some(rules) = self.rules(gate) else {
            return Err(Ended::input(format!(
                "`[image.{name}]` names the gate `{gate}`, and there is no `[gate.{gate}]`"
            )));
        };
        if let (true, Err(why)) = (rules.asks_for_keys(), &self.keys) {
            return Err(Ended::input(format!("gate `{gate}` asks for signatures, and {why}")));
        }
        let notes = named
            .left_out
            .iter()
            .map(|(template, placeholder)| format!("tag `{template}` is left out: there is no {placeholder} here"));
        let notes = notes.collect();
        if named.tags.is_empty() {
            return Err(Ended::input(format!(
                "image `{name}` would have no tag: none of its tags stands for anything here"
            )));
        }
        Ok(Chosen {
            order: Order {
                kind,
                image: name.clone(),
                repository,
                source: picked.place.with(&picked.digest),
                digest: picked.digest,
                commit: picked.built_from,
                tags: named.tags,
                target: None,
                rules,
                context: CheckContext::Push,
                by: asked.by.clone().unwrap_or(Witness::Engine),
                take: asked.take.clone(),
            },
            to,
            from: picked.place,
            notes,
        })
    }

    /// The image that `--digest` and `--from` name.
    fn given(&self, asked: &Asked, release: &Reference, to: &Place, index: &Index) -> Result<Option<Picked>, Ended> {
        let from = match &asked.from {
            None => None,
            Some(from) => Some(Reference::parse(from).map_err(|error| Ended::input(format!("--from: {error}")))?),
        };
        let said = match &asked.digest {
            Some(text) => Some(Digest::parse(text).map_err(|error| Ended::input(format!("--digest: {error}")))?),
            None => from.as_ref().and_then(|from| from.digest().cloned()),
        };
        let digest = match (said, &from) {
            (Some(digest), _) => digest,
            (None, None) => return Ok(None),
            (None, Some(from)) => self.digest_of(from, release, index)?,
        };
        let Some(built_from) = commit_of(index, digest.as_str()) else {
            if let Some(first) = index.first_shown(digest.as_str()) {
                return Err(Ended::work(format!(
                    "{digest} is of no commit, so no gate can be clear for it: {first}; {OWN_BYTES}, and run it again"
                )));
            }
            return Err(Ended::work(format!(
                "nobody knows which commit {digest} was built from: no run of `{}` has pushed it, so no gate can be clear for it; \
                 `lineclear images` lists what is known",
                self.repository
            )));
        };
        let place = match &from {
            Some(from) => self.registries.place(from),
            None => self.where_is(index, &digest, to),
        };
        Ok(Some(Picked { digest, built_from, place }))
    }

    /// What a name with a tag stands for: as the embedded registry and the ledger know it, else as its registry says.
    fn digest_of(&self, from: &Reference, release: &Reference, index: &Index) -> Result<Digest, Ended> {
        let from = from.or_latest();
        if let (Some(repository), Some(tag)) = (self.registries.embedded(&from), from.tag()) {
            return self
                .registries
                .tag(&repository, tag)
                .ok_or_else(|| Ended::work(format!("there is no `{}` in the embedded registry", from.familiar())));
        }
        let text = from.to_string();
        let pushed = index.entries().iter().rev().find_map(|entry| match &entry.evidence.statement {
            Statement::Image(image) if image.names.iter().any(|name| *name == text || *name == from.familiar()) => {
                Digest::parse(entry.evidence.subject.id()).ok()
            }
            _ => None,
        });
        if let Some(digest) = pushed {
            return Ok(digest);
        }
        if from.registry() == release.registry() {
            return Err(Ended::input(format!(
                "`{}` is in the release registry, which is not called before the gate is clear; name the image by --digest",
                from.familiar()
            )));
        }
        let resolved = self.registries.client().map_err(|error| Ended::work(lineclear_event::with_causes(&error)))?;
        let resolved = resolved.resolve(&from).map_err(|error| Ended::work(lineclear_event::with_causes(&error)))?;
        Ok(resolved.digest)
    }

    /// Where a digest is, as the runs that pushed it say; else in the release repository.
    fn where_is(&self, index: &Index, digest: &Digest, to: &Place) -> Place {
        if let Place::Embedded(repository) = to
            && self.registries.keeps(repository, digest)
        {
            return to.clone();
        }
        let subject = Subject::Digest(digest.to_string());
        let names: Vec<String> = index
            .of(&subject)
            .rev()
            .filter_map(|entry| match &entry.evidence.statement {
                Statement::Image(image) => Some(image.names.clone()),
                _ => None,
            })
            .flatten()
            .collect();
        self.registries.find(&names, digest).unwrap_or_else(|| to.clone())
    }

    /// The ref that is meant, and the commit on it.
    fn spot(&self, asked: &Asked, given: Option<&Picked>) -> Result<Spot, Ended> {
        let reference = match &asked.reference {
            Some(name) => self.full_reference(name)?,
            None => self.current_reference()?,
        };
        let tip = self.commits.resolve(&reference).or_else(|| {
            let branch = reference.strip_prefix("refs/heads/")?;
            self.commits.resolve(&format!("refs/remotes/origin/{branch}"))
        });
        let Some(tip) = tip else {
            return Err(Ended::input(format!("`{reference}` is not known here; fetch it, or name another with --ref")));
        };
        let commit = match (&asked.commit, given) {
            (Some(name), _) => self
                .commits
                .resolve(name)
                .ok_or_else(|| Ended::input(format!("`{name}` is no commit that is known here; fetch it first")))?,
            // Squashed and rebased branches have other commits with the same contents.
            (None, Some(given)) if self.commits.is_ancestor(&given.built_from, &tip) == Some(true) => {
                given.built_from.clone()
            }
            (None, _) => tip.clone(),
        };
        let belongs = match reference.starts_with("refs/tags/") {
            true => commit == tip,
            false => {
                self.commits.is_ancestor(&commit, &tip) == Some(true) || {
                    let remote =
                        reference.strip_prefix("refs/heads/").map(|branch| format!("refs/remotes/origin/{branch}"));
                    let tip = remote.and_then(|remote| self.commits.resolve(&remote));
                    tip.is_some_and(|tip| self.commits.is_ancestor(&commit, &tip) == Some(true))
                }
            }
        };
        if !belongs {
            return Err(Ended::input(format!(
                "{} is not on {reference}: nothing is published from there for it; --ref names another",
                short(&commit)
            )));
        }
        Ok(Spot { reference, commit })
    }

    fn full_reference(&self, name: &str) -> Result<String, Ended> {
        if name.starts_with("refs/") {
            return Ok(name.to_owned());
        }
        let places = ["refs/heads/", "refs/tags/", "refs/remotes/origin/"];
        let found = places.iter().find(|place| self.commits.resolve(&format!("{place}{name}")).is_some());
        match found {
            Some(&"refs/tags/") => Ok(format!("refs/tags/{name}")),
            Some(_) => Ok(format!("refs/heads/{name}")),
            None => Err(Ended::input(format!("there is no branch and no tag `{name}` here"))),
        }
    }

    fn current_reference(&self) -> Result<String, Ended> {
        if let Some(branch) = self.checkout.branch_reference() {
            return Ok(branch);
        }
        let tags = self.commits.resolve("HEAD").map(|head| self.commits.tags_at(&head)).unwrap_or_default();
        match tags.as_slice() {
            [tag] => Ok(tag.clone()),
            [] => Err(Ended::input(
                "no branch is checked out and no tag points here: say for which ref with --ref: `--ref main`, `--ref v1.2.3`",
            )),
            several => Err(Ended::input(format!(
                "several tags point here ({}): say which with --ref: `--ref {}`",
                several.join(", "),
                several.first().map_or("", String::as_str)
            ))),
        }
    }

    /// The one candidate that there is.
    fn only<'c>(&self, found: &'c [Candidate], image: &str, commit: &str) -> Result<Option<&'c Candidate>, Ended> {
        match found {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            several => {
                let lines: Vec<String> = several
                    .iter()
                    .map(|one| format!("  {}  {}  {}", one.digest, runs(&one.runs), one.names.join(", ")))
                    .collect();
                Err(Ended::input(format!(
                    "runs of {} have pushed several images for `{image}`; say which with --digest:\n{}",
                    short(commit),
                    lines.join("\n")
                )))
            }
        }
    }

    fn picked(&self, candidate: &Candidate, to: &Place) -> Result<Picked, Ended> {
        let digest = Digest::parse(&candidate.digest).map_err(|error| Ended::fault(&error))?;
        let place = self.registries.find(&candidate.names, &digest).unwrap_or_else(|| to.clone());
        Ok(Picked { digest, built_from: candidate.commit.clone(), place })
    }

    /// The released image that is meant by `--from`, or by the commit: the commit itself, one with the same contents, or what it merged.
    fn released(
        &self,
        index: &Index,
        image: &str,
        repository: &Reference,
        to: &Place,
        asked: &Asked,
        notes: &mut Vec<String>,
    ) -> Result<(Picked, Option<String>), Ended> {
        let releases = releases(index, &repository.to_string());
        if releases.is_empty() {
            return Err(Ended::work(format!(
                "image `{image}` was never published to `{repository}`: `lineclear publish {image}` comes first"
            )));
        }
        let picked = |release: &Release| -> Result<Picked, Ended> {
            let digest = Digest::parse(&release.digest).map_err(|error| Ended::fault(&error))?;
            Ok(Picked { digest, built_from: release.commit.clone(), place: to.clone() })
        };
        if let Some(from) = asked.digest.as_deref().or(asked.from.as_deref()) {
            let tag = Reference::parse(from).ok().filter(|name| name.name() == repository.name());
            let tag = tag.and_then(|name| name.tag().map(ToString::to_string)).unwrap_or_else(|| from.to_owned());
            let named = releases.iter().rev().find(|release| release.tags.contains(&tag));
            let by_digest = || releases.iter().rev().find(|release| release.digest == from);
            let version = named.filter(|_| is_version(&tag)).map(|_| tag.clone());
            if let Some(release) = named.or_else(by_digest) {
                return Ok((picked(release)?, version));
            }
        }
        let wanted = asked.commit.as_deref().or(asked.from.as_deref()).or(asked.reference.as_deref()).unwrap_or("HEAD");
        let Some(commit) = self.commits.resolve(wanted) else {
            return Err(Ended::input(format!(
                "`{wanted}` is neither a tag nor a digest that was published as `{image}`, nor a commit that is known here; \
                 `lineclear images {image}` lists what there is"
            )));
        };
        let tree = self.tree(index, &commit);
        let same = |release: &&Release| tree.is_some() && self.tree(index, &release.commit) == tree;
        let newest = || releases.iter().rev();
        if let Some(release) = newest().find(|release| release.commit == commit) {
            return Ok((picked(release)?, None));
        }
        if let Some(release) = newest().find(same) {
            notes.push(format!(
                "{} has the same contents as {}, which was tested and published",
                short(&commit),
                short(&release.commit)
            ));
            return Ok((picked(release)?, None));
        }
        for merged in self.commits.merged_by(&commit) {
            if let Some(release) = newest().find(|release| release.commit == merged) {
                notes.push(format!(
                    "{} merged {}, which was tested and published; the merge itself was not built",
                    short(&commit),
                    short(&merged)
                ));
                return Ok((picked(release)?, None));
            }
        }
        Err(Ended::work(format!(
            "nothing was published as `{image}` for {}, nor for a commit with the same contents or one that it merged; publish it first, \
             or name a tag or digest with --from",
            short(&commit)
        )))
    }

    fn tree(&self, index: &Index, commit: &str) -> Option<String> {
        index.tree(commit).map(str::to_owned).or_else(|| self.commits.tree(commit))
    }
}

/// The `repository` of an image with its placeholders filled in for `owner/name`: whoever asks where an image is released goes by this.
pub(crate) fn release_name(template: &str, repository: &str) -> String {
    let (owner, name) = repository.split_once('/').unwrap_or(("", repository));
    // Forges write names as people do; repositories of images know lower case alone, and hosts do not tell the two apart.
    template.replace("${owner}", owner).replace("${repository}", name).to_lowercase()
}

/// What moves have brought into a repository.
struct Release {
    digest: String,
    commit: String,
    tags: Vec<String>,
}

fn releases(index: &Index, repository: &str) -> Vec<Release> {
    let of = |statement: &Statement| match statement {
        Statement::Move(moved) if moved.phase == MovePhase::Done && moved.repository == repository => {
            let tags = moved.tags.iter().filter(|tag| tag.stays.is_none() || tag.from.as_ref() == Some(&tag.to));
            let digest = moved.tags.first()?.to.clone();
            Some(Release { digest, commit: moved.commit.clone(), tags: tags.map(|tag| tag.tag.clone()).collect() })
        }
        _ => None,
    };
    index.entries().iter().filter_map(|entry| of(&entry.evidence.statement)).collect()
}

pub(super) fn is_version(tag: &str) -> bool {
    let tag = tag.rsplit('/').next().unwrap_or(tag);
    let number = tag.strip_prefix('v').unwrap_or(tag);
    number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.')
}

/// That an image was pushed for a commit and is not the commit's: who was first, and what helps.
fn not_its_own(index: &Index, image: &str, pushed: &Candidate, commit: &str) -> String {
    let Candidate { digest, runs: by, .. } = pushed;
    let by = if by.is_empty() { "a run".to_owned() } else { runs(by) };
    let first = index.first_shown(digest).map_or_else(String::new, |first| format!(": {first}"));
    let theirs = match commit_of(index, digest) {
        Some(theirs) => format!("; or publish that commit: `lineclear publish {image} --commit {}`", short(&theirs)),
        None => String::new(),
    };
    format!(
        "{by} pushed image `{image}` for {} as {digest}, and these bytes are not its own{first} (docs/permits.md); {OWN_BYTES}, and run \
         it again{theirs}",
        short(commit)
    )
}

fn context_of(reference: &str) -> CheckContext {
    if reference.starts_with("refs/pull/") { CheckContext::PullRequest } else { CheckContext::Push }
}

pub(super) fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

fn runs(runs: &[RunId]) -> String {
    let runs: Vec<String> = runs.iter().map(|run| format!("run {run}")).collect();
    runs.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_released_under_one_name_however_the_forge_and_the_policy_write_it() {
        assert_eq!(release_name("ghcr.io/${owner}/${repository}", "Octo/My-App"), "ghcr.io/octo/my-app");
        assert_eq!(release_name("GHCR.io/Octo/tools", "octo/app"), "ghcr.io/octo/tools");
        assert_eq!(release_name("${repository}", "app"), "app");
    }
}
