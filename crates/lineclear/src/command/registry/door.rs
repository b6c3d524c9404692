//! Who may use a registry that listens by itself.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use lineclear_oci::{RepositoryName, Tag};
use lineclear_registry_server::{Deed, Denial, Free, Naming, Permit};
use lineclear_services::{Doorkeeper, Visitor};

use crate::session::permits::held::{self, Held};

/// Passwords that were right are known again without the work; so many of them.
const REMEMBERED: usize = 256;

/// What whoever gives no name may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anonymous {
    Nothing,
    Pulls,
    Everything,
}

/// Users of an `htpasswd` file, and the rest.
pub(super) struct Door {
    anonymous: Anonymous,
    /// User and hash.
    users: BTreeMap<String, String>,
    /// User, and the hash of user and password.
    known: Mutex<Vec<(String, String)>>,
    /// Release repositories, and who may set tags there.
    held: Vec<Held>,
    release_users: Vec<String>,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("anonymous", &self.anonymous)
            .field("users", &self.users.keys())
            .finish_non_exhaustive()
    }
}

impl Door {
    pub(super) fn new(anonymous: Anonymous, htpasswd: Option<&Path>) -> Result<Self, String> {
        let mut users = BTreeMap::new();
        if let Some(path) = htpasswd {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
            users = read(&text).map_err(|why| format!("`{}`: {why}", path.display()))?;
        }
        Ok(Self { anonymous, users, known: Mutex::default(), held: Vec::new(), release_users: Vec::new() })
    }

    /// Holds release repositories against everybody but `release_users`.
    pub(super) fn holding(self, held: Vec<Held>, release_users: Vec<String>) -> Result<Self, String> {
        match release_users.iter().find(|user| !self.users.contains_key(*user)) {
            Some(unknown) => Err(format!("--release-user: there is no `{unknown}` among the users of --htpasswd")),
            None => Ok(Self { held, release_users, ..self }),
        }
    }

    fn is_release_user(&self, visitor: &Visitor) -> bool {
        matches!(visitor, Visitor::User(user) if self.release_users.contains(user))
    }
}

/// `user:hash`, one a line; empty lines and comments are skipped.
fn read(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut users = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((user, hash)) = line.split_once(':') else {
            return Err(format!("line {} is not `user:hash`", number + 1));
        };
        if !["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|form| hash.starts_with(form)) {
            return Err(format!(
                "line {}: the password of `{user}` is not hashed by bcrypt; make the file with `htpasswd -B`",
                number + 1
            ));
        }
        users.insert(user.to_owned(), hash.to_owned());
    }
    Ok(users)
}

impl Doorkeeper for Door {
    fn knows(&self, user: &str, password: &str) -> bool {
        let Some(hash) = self.users.get(user) else {
            // An unknown name takes as long as a wrong password: names cannot be tried out.
            let _never = self.users.values().next().map(|hash| bcrypt::verify(password, hash));
            return false;
        };
        let entry = (user.to_owned(), digest(user, password));
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&entry) {
            return true;
        }
        let right = bcrypt::verify(password, hash).unwrap_or(false);
        if right {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.push(entry);
        }
        right
    }

    fn may(&self, visitor: &Visitor, deed: Deed, repository: &RepositoryName) -> Result<(), Denial> {
        match (visitor, self.anonymous, deed) {
            (Visitor::User(_), ..) | (_, Anonymous::Everything, _) | (_, Anonymous::Pulls, Deed::Pull) => Ok(()),
            _ if self.users.is_empty() => Err(Denial::Refused(format!(
                "nobody may {deed} in `{repository}` of this registry: it was started without `--htpasswd` and `--anonymous`"
            ))),
            _ => Err(Denial::WhoAsks),
        }
    }

    fn may_name(&self, visitor: &Visitor, naming: &Naming<'_>) -> Result<Box<dyn Permit>, Denial> {
        let held = self.held.iter().find(|held| held.is_at(naming.repository));
        match held.filter(|held| !held.is_free(naming.tag)) {
            Some(_) if self.is_release_user(visitor) => Ok(Box::new(Free)),
            Some(_) => Err(Denial::Refused(format!(
                "`{}` of `{}` was not set: it is a release repository, and tags are set there by `lineclear publish` alone, through a \
                 clear gate; push by digest, or under a tag that the policy has among its `candidates`",
                naming.tag, naming.repository
            ))),
            None => Ok(Box::new(Free)),
        }
    }

    fn may_remove(&self, visitor: &Visitor, repository: &RepositoryName, tag: Option<&Tag>) -> Result<(), Denial> {
        if self.is_release_user(visitor) {
            return Ok(());
        }
        held::may_remove(&self.held, repository, tag).map_err(Denial::Refused)
    }

    fn is_open(&self) -> bool {
        self.anonymous == Anonymous::Everything || self.users.is_empty()
    }

    fn lets_anonymous_in(&self) -> bool {
        self.anonymous != Anonymous::Nothing
    }
}

fn digest(user: &str, password: &str) -> String {
    lineclear_oci::Digest::of(format!("{user}\0{password}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(anonymous: Anonymous) -> Door {
        // The lowest cost there is: the test is of the door, not of the lock.
        let hash = bcrypt::hash("right", 4).expect("a hash");
        let users = read(&format!("# people\nann:{hash}\n\n")).expect("it is read");
        Door { anonymous, users, known: Mutex::default(), held: Vec::new(), release_users: Vec::new() }
    }

    #[test]
    fn a_user_is_known_by_the_password() {
        let door = door(Anonymous::Nothing);
        for _ in 0..2 {
            assert!(door.knows("ann", "right"));
        }
        for (user, password) in [("ann", "wrong"), ("bob", "right"), ("", ""), ("ann", "")] {
            assert!(!door.knows(user, password), "{user}");
        }
    }

    #[test]
    fn who_gives_no_name_may_what_was_said() {
        let app = RepositoryName::parse("octo/app").expect("a name");
        let may = |anonymous, deed| door(anonymous).may(&Visitor::Anonymous, deed, &app).is_ok();
        assert!(!may(Anonymous::Nothing, Deed::Pull));
        assert!(may(Anonymous::Pulls, Deed::Pull) && !may(Anonymous::Pulls, Deed::Push));
        assert!(may(Anonymous::Everything, Deed::Delete));
        assert!(door(Anonymous::Nothing).may(&Visitor::User("ann".into()), Deed::Delete, &app).is_ok());
    }

    #[test]
    fn what_is_no_bcrypt_is_said_with_its_line() {
        assert!(read("ann:{SHA}x").is_err_and(|why| why.starts_with("line 1:") && why.contains("htpasswd -B")));
        assert!(read("\nann").is_err_and(|why| why.starts_with("line 2 ")));
    }
}
