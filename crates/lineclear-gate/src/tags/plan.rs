//! Which tags move, and why one stays. A tag never goes backwards, and what nobody can order does not move.

use lineclear_event::{MovePhase, MovedTag};
use semver::Version;

use super::naming::{Keeps, WantedTag, lenient};
use crate::{Commits, Index};

/// What a tag stands for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub digest: String,
    /// The commits that the tag stands for with this digest: several, where commits made the same image. Empty if nobody knows any.
    pub commits: Vec<String>,
    /// The highest version that this digest was released as.
    pub version: Option<Version>,
}

/// What tags are to stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'t> {
    pub digest: &'t str,
    pub commit: &'t str,
    /// Who says that tags move, too, which stand for something that nobody knows.
    pub take: Option<&'t str>,
}

/// What becomes of each tag of `wanted`, which stands for its `held` now; `None` for a tag that is not there. A tag that stays says why; for one that keeps
/// its digest and has another one, that is a refusal.
pub fn plan_tags<'w>(
    wanted: impl IntoIterator<Item = (&'w WantedTag, Option<&'w Held>)>,
    to: Target<'_>,
    index: &Index,
    commits: &dyn Commits,
) -> Vec<MovedTag> {
    wanted
        .into_iter()
        .map(|(wanted, held)| {
            let stays = stays(&wanted.keeps, held, to, index, commits);
            let is_taken = stays.is_none() && held.is_some_and(Held::is_unknown);
            MovedTag {
                tag: wanted.tag.to_string(),
                from: held.map(|held| held.digest.clone()),
                to: to.digest.to_owned(),
                stays,
                taken: to.take.filter(|_| is_taken).map(str::to_owned),
            }
        })
        .collect()
}

impl Held {
    /// Whether the ledger knows neither a commit nor a version of it: somebody else has set the tag.
    fn is_unknown(&self) -> bool {
        self.commits.is_empty() && self.version.is_none()
    }
}

fn stays(keeps: &Keeps, held: Option<&Held>, to: Target<'_>, index: &Index, commits: &dyn Commits) -> Option<String> {
    if let Some(held) = held
        && held.digest == to.digest
    {
        return Some("it is there already".to_owned());
    }
    match keeps {
        Keeps::Upward { version, releases_only: true } if !version.pre.is_empty() => {
            Some(format!("{version} is not released yet, and it is for releases"))
        }
        _ if held.is_none() => None,
        Keeps::Digest => held.map(|held| format!("it is immutable, and stands for {}", held.digest)),
        Keeps::Upward { version, .. } => match held.and_then(|held| held.version.as_ref()) {
            Some(held) if version > held => None,
            Some(held) if version == held => Some(format!("it has another image of {held} already")),
            Some(held) => Some(format!("it stands for {held}, which is higher than {version}")),
            None => not_forward(held, to, index, commits),
        },
        Keeps::Forward => not_forward(held, to, index, commits),
    }
}

/// Why the commit is not one after all that the tag stands for.
fn not_forward(held: Option<&Held>, to: Target<'_>, index: &Index, commits: &dyn Commits) -> Option<String> {
    match held.map(|held| held.commits.as_slice()) {
        None | Some([]) if to.take.is_some() => None,
        None | Some([]) => Some(
            "what it stands for is not known to this ledger, and it could move backwards; `--take` moves it".to_owned(),
        ),
        Some(held) => held.iter().find_map(|at| not_after(at, to, index, commits)),
    }
}

fn not_after(at: &str, to: Target<'_>, index: &Index, commits: &dyn Commits) -> Option<String> {
    let short = |commit: &str| commit.chars().take(7).collect::<String>();
    if at == to.commit {
        return Some(format!("it has another image of the same commit {} already", short(at)));
    }
    let tree = |commit: &str| index.tree(commit).map(str::to_owned).or_else(|| commits.tree(commit));
    match commits.is_ancestor(at, to.commit) {
        Some(true) => None,
        Some(false) if commits.is_ancestor(to.commit, at) == Some(true) => {
            Some(format!("it stands for {}, which is newer", short(at)))
        }
        _ if tree(at).is_some_and(|at| Some(at) == tree(to.commit)) => {
            Some(format!("it has an image of the same contents, from {}", short(at)))
        }
        Some(false) => Some(format!("it stands for {}, which is no ancestor of {}", short(at), short(to.commit))),
        None => Some(format!("it stands for {}, which is not known here", short(at))),
    }
}

impl Index {
    /// What the ledger knows of `digest`, which `tag` of `repository` (registry and name) stands for: the commits that moves set it for, or
    /// found it there already for, and else the one that it was built from; the highest version among the digest's tags there.
    pub fn held(&self, repository: &str, tag: &str, digest: &str) -> Held {
        let moves =
            || self.moves_into(repository).map(|(_, moved)| moved).filter(|moved| moved.phase == MovePhase::Done);
        // A tag that stays because it is there already stands for that move's commit, too.
        let is_there =
            |one: &MovedTag| one.to == digest && (one.stays.is_none() || one.from.as_deref() == Some(digest));
        let mut commits: Vec<String> = Vec::new();
        for moved in moves().filter(|moved| moved.tags.iter().any(|one| one.tag == tag && is_there(one))) {
            if !commits.contains(&moved.commit) {
                commits.push(moved.commit.clone());
            }
        }
        if commits.is_empty() {
            commits.extend(self.origins(digest).first().map(|origin| origin.commit.to_owned()));
        }
        // `1` and `1.2` are tags that move; a version has three numbers.
        let is_whole =
            |tag: &&MovedTag| tag.tag.split(['-', '+']).next().is_some_and(|core| core.matches('.').count() == 2);
        let of_digest = moves().flat_map(|moved| &moved.tags).filter(|one| is_there(one)).filter(is_whole);
        let version = of_digest.filter_map(|one| lenient(&one.tag)).max();
        Held { digest: digest.to_owned(), commits, version }
    }
}

#[cfg(test)]
mod tests {
    use lineclear_oci::Tag;

    use super::*;

    /// Commits `a` to `z`, one after the other; `0` is known and beside them.
    struct Line;

    impl Commits for Line {
        fn tree(&self, _: &str) -> Option<String> {
            None
        }

        fn is_ancestor(&self, old: &str, new: &str) -> Option<bool> {
            if old == "?" || new == "?" {
                return None;
            }
            Some(old == new || (old != "0" && new != "0" && old < new))
        }
    }

    fn plan(keeps: Keeps, held: Option<(&str, Option<&str>, Option<&str>)>, commit: &str) -> String {
        let wanted = WantedTag { tag: Tag::parse("t").expect("a tag"), keeps };
        let held = held.map(|(digest, commit, version)| Held {
            digest: digest.into(),
            commits: commit.map(str::to_owned).into_iter().collect(),
            version: version.and_then(lenient),
        });
        let to = Target { digest: "new", commit, take: None };
        let planned = plan_tags([(&wanted, held.as_ref())], to, &Index::default(), &Line);
        planned[0].stays.clone().unwrap_or_else(|| "moves".into())
    }

    fn upward(version: &str, releases_only: bool) -> Keeps {
        Keeps::Upward { version: lenient(version).expect("a version"), releases_only }
    }

    #[test]
    fn tags_of_branches_move_along_the_commits_and_never_back() {
        let at = |commit| Some(("old", Some(commit), None));
        assert_eq!(plan(Keeps::Forward, None, "b"), "moves");
        assert_eq!(plan(Keeps::Forward, at("a"), "b"), "moves");
        assert_eq!(plan(Keeps::Forward, at("c"), "b"), "it stands for c, which is newer");
        assert_eq!(plan(Keeps::Forward, at("b"), "b"), "it has another image of the same commit b already");
        assert_eq!(plan(Keeps::Forward, at("0"), "b"), "it stands for 0, which is no ancestor of b");
        assert_eq!(plan(Keeps::Forward, at("?"), "b"), "it stands for ?, which is not known here");
        assert_eq!(plan(Keeps::Forward, Some(("new", Some("a"), None)), "b"), "it is there already");
        let unknown = plan(Keeps::Forward, Some(("old", None, None)), "b");
        assert_eq!(
            unknown,
            "what it stands for is not known to this ledger, and it could move backwards; `--take` moves it"
        );
    }

    #[test]
    fn who_takes_a_tag_that_nobody_knows_is_said_and_takes_nothing_else() {
        let taken = |keeps: Keeps, commits: &[&str]| {
            let wanted = WantedTag { tag: Tag::parse("latest").expect("a tag"), keeps };
            let commits = commits.iter().map(|commit| (*commit).to_owned()).collect();
            let held = Held { digest: "old".into(), commits, version: None };
            let to = Target { digest: "new", commit: "b", take: Some("Ann") };
            let planned = plan_tags([(&wanted, Some(&held))], to, &Index::default(), &Line).remove(0);
            (planned.stays, planned.taken)
        };
        assert_eq!(taken(Keeps::Forward, &[]), (None, Some("Ann".to_owned())));
        // The order of commits and what is immutable stand above it.
        assert_eq!(taken(Keeps::Forward, &["c"]), (Some("it stands for c, which is newer".to_owned()), None));
        assert_eq!(taken(Keeps::Forward, &["a"]), (None, None));
        assert_eq!(taken(Keeps::Digest, &[]), (Some("it is immutable, and stands for old".to_owned()), None));
    }

    #[test]
    fn tags_of_versions_move_up_whatever_the_order_of_commits_is() {
        let at = |version| Some(("old", Some("c"), Some(version)));
        assert_eq!(plan(upward("1.10.0", true), at("1.9.3"), "b"), "moves");
        assert_eq!(plan(upward("1.2.4", true), at("1.3.0"), "d"), "it stands for 1.3.0, which is higher than 1.2.4");
        assert_eq!(plan(upward("1.2.4", true), at("1.2.4"), "d"), "it has another image of 1.2.4 already");
        // Of a tag without a version the commits decide.
        assert_eq!(plan(upward("1.2.4", true), Some(("old", Some("c"), None)), "b"), "it stands for c, which is newer");
    }

    #[test]
    fn what_is_not_released_never_becomes_latest_and_is_below_its_release() {
        let why = "2.0.0-rc.1 is not released yet, and it is for releases";
        assert_eq!(plan(upward("2.0.0-rc.1", true), Some(("old", Some("a"), Some("1.0.0"))), "b"), why);
        assert_eq!(plan(upward("2.0.0-rc.1", true), None, "b"), why);
        assert_eq!(plan(upward("2.0.0-rc.2", false), Some(("old", Some("a"), Some("2.0.0-rc.1"))), "b"), "moves");
        assert_eq!(
            plan(upward("2.0.0-rc.2", false), Some(("old", Some("a"), Some("2.0.0"))), "b"),
            "it stands for 2.0.0, which is higher than 2.0.0-rc.2"
        );
    }

    #[test]
    fn an_immutable_tag_keeps_its_digest() {
        assert_eq!(plan(Keeps::Digest, None, "b"), "moves");
        assert_eq!(plan(Keeps::Digest, Some(("old", Some("a"), None)), "b"), "it is immutable, and stands for old");
        assert_eq!(plan(Keeps::Digest, Some(("new", Some("a"), None)), "b"), "it is there already");
    }

    #[test]
    fn a_tag_whose_image_several_commits_made_comes_after_all_of_them() {
        let wanted = WantedTag { tag: Tag::parse("latest").expect("a tag"), keeps: Keeps::Forward };
        let held = Held { digest: "old".into(), commits: vec!["a".into(), "c".into()], version: None };
        let stays = |commit| {
            let to = Target { digest: "new", commit, take: None };
            plan_tags([(&wanted, Some(&held))], to, &Index::default(), &Line)[0].stays.clone()
        };
        // The image of `a` was published for `c` once more: the tag is no older than `c`.
        assert_eq!(stays("b").as_deref(), Some("it stands for c, which is newer"));
        assert_eq!(stays("d"), None);
    }
}
