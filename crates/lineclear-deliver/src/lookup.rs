//! Which digest, commit, run, tag and move belong together.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_event::{MovePhase, RunId, Statement, Subject, Witness};
use lineclear_gate::Index;

/// Answers from the ledger alone: no registry is called.
#[derive(Debug)]
pub struct Lookup {
    known: Vec<Known>,
    /// The digest that was pushed last under a name.
    pushed: BTreeMap<String, String>,
}

/// What is known of a digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub digest: String,
    /// The policy's name, where it has one.
    pub image: String,
    /// The commits that runs built it from, oldest first.
    pub commits: Vec<String>,
    pub runs: Vec<RunId>,
    /// The names under which runs pushed it.
    pub names: Vec<String>,
    /// The tags that moves have given it.
    pub tags: Vec<TagOf>,
    /// The targets that it was promoted to, and that nothing else was promoted to since.
    pub targets: BTreeSet<String>,
    /// Moves that were begun and have no end.
    pub unfinished: Vec<String>,
    /// The entries of the ledger that speak of it.
    pub entries: Vec<u64>,
    /// The entry of the newest decision, and whether it was clear.
    pub decided: Option<(u64, String, bool)>,
}

/// A tag that a move has given a digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagOf {
    pub repository: String,
    pub tag: String,
    /// Whether no later move has given the tag to another digest.
    pub is_current: bool,
}

impl Lookup {
    pub fn new(index: &Index) -> Self {
        let mut order: Vec<String> = Vec::new();
        let mut by_digest: BTreeMap<String, Known> = BTreeMap::new();
        let mut pushed: BTreeMap<String, String> = BTreeMap::new();
        // Who has a tag now.
        let mut holds: BTreeMap<(String, String), String> = BTreeMap::new();
        // What was promoted to a target last, by repository and target.
        let mut runs_at: BTreeMap<(String, String), String> = BTreeMap::new();
        for entry in index.entries() {
            let Subject::Digest(digest) = &entry.evidence.subject else { continue };
            let known = by_digest.entry(digest.clone()).or_insert_with(|| {
                order.push(digest.clone());
                Known { digest: digest.clone(), ..Known::default() }
            });
            known.entries.push(entry.number);
            match &entry.evidence.statement {
                Statement::Image(image) => {
                    if !image.commit.is_empty() {
                        add(&mut known.commits, &image.commit);
                    }
                    for name in &image.names {
                        add(&mut known.names, name);
                        pushed.insert(name.clone(), digest.clone());
                    }
                    if !image.image.is_empty() {
                        known.image.clone_from(&image.image);
                    }
                    if let Witness::Run(run) = &entry.evidence.by {
                        add(&mut known.runs, &run.run);
                    }
                }
                Statement::Decision(decision) => {
                    known.decided = Some((entry.number, decision.gate.clone(), decision.clear));
                }
                Statement::Move(moved) => match moved.phase {
                    MovePhase::Begun => known.image.clone_from(&moved.image),
                    MovePhase::Refused | MovePhase::Undone => {}
                    MovePhase::Done => {
                        if let Some(target) = &moved.target {
                            known.targets.insert(target.clone());
                            runs_at.insert((moved.repository.clone(), target.clone()), digest.clone());
                        }
                        for tag in moved.tags.iter().filter(|tag| tag.to == *digest) {
                            // One that stayed for another reason than being there never was this digest's.
                            let is_there = tag.stays.is_none() || tag.from.as_ref() == Some(&tag.to);
                            if is_there {
                                holds.insert((moved.repository.clone(), tag.tag.clone()), digest.clone());
                                let of = TagOf {
                                    repository: moved.repository.clone(),
                                    tag: tag.tag.clone(),
                                    is_current: true,
                                };
                                add(&mut known.tags, &of);
                            }
                        }
                    }
                },
                _ => {}
            }
        }
        for (entry, begun) in index.open_moves(None) {
            if let Some(known) = by_digest.get_mut(entry.evidence.subject.id()) {
                known.unfinished.push(begun.id.clone());
            }
        }
        let known = order.into_iter().filter_map(|digest| by_digest.remove(&digest)).map(|mut known| {
            for tag in &mut known.tags {
                tag.is_current = holds.get(&(tag.repository.clone(), tag.tag.clone())) == Some(&known.digest);
            }
            let is_there =
                |target: &String| runs_at.iter().any(|((_, at), digest)| at == target && *digest == known.digest);
            known.targets.retain(is_there);
            known
        });
        Self { known: known.collect(), pushed }
    }

    /// Every digest that a run pushed or a move has carried, in the order in which they came to be known.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Known> {
        self.known.iter().filter(|known| !known.names.is_empty() || !known.commits.is_empty() || !known.tags.is_empty())
    }

    /// What `text` means: a digest or its first digits, a commit or its, a run's number, an image of the policy, or what a tag or a name with a
    /// tag stands for now.
    pub fn find(&self, text: &str) -> Vec<&Known> {
        self.named(text, false)
    }

    /// As [`Lookup::find`], with what a tag has stood for before.
    pub fn find_ever(&self, text: &str) -> Vec<&Known> {
        self.named(text, true)
    }

    fn named(&self, text: &str, ever: bool) -> Vec<&Known> {
        // Names with tags move on, too, as runs push under them.
        let last_pushed = self.pushed.get(text);
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let is_hexadecimal = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let asked = digits.to_ascii_lowercase();
        let run = text.strip_prefix('#').unwrap_or(text).parse::<u64>().ok();
        let of = |known: &&Known| {
            let digest =
                is_hexadecimal && known.digest.strip_prefix("sha256:").is_some_and(|own| own.starts_with(&asked));
            let commit = is_hexadecimal
                && !text.starts_with("sha256:")
                && known.commits.iter().any(|commit| commit.starts_with(&asked));
            let is_tag = |tag: &TagOf| tag.tag == text || format!("{}:{}", tag.repository, tag.tag) == text;
            let name = known.names.iter().any(|name| name == text) && (ever || last_pushed == Some(&known.digest))
                || known.tags.iter().any(|tag| is_tag(tag) && (ever || tag.is_current));
            digest || commit || name || known.image == text || run.is_some_and(|run| known.runs.contains(&RunId(run)))
        };
        self.all().filter(of).collect()
    }
}

fn add<T: PartialEq + Clone>(list: &mut Vec<T>, one: &T) {
    if !list.contains(one) {
        list.push(one.clone());
    }
}
