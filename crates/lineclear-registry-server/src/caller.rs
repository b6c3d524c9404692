//! Who asks, and what they may.

use std::fmt;

use lineclear_oci::{AnyManifest, RepositoryName, Tag};

use crate::Pattern;

/// What is done to a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    Pull,
    Push,
    /// Removing tags, manifests and blobs.
    Delete,
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        })
    }
}

/// Why something is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// It is not known who asks: 401, and the client may come again with a name.
    WhoAsks,
    /// 403, with what would have to be different.
    Refused(String),
}

/// A manifest is about to get a tag. Nothing has been kept of it yet.
#[derive(Clone, Copy, Debug)]
pub struct Naming<'n> {
    pub repository: &'n RepositoryName,
    pub tag: &'n Tag,
    pub manifest: &'n AnyManifest,
}

/// A right to set one tag, given once. It holds until it is told what became of it; dropped, nobody knows whether it was used.
pub trait Permit {
    /// The tag is set.
    fn used(self: Box<Self>);

    /// The tag was not set, because of `why`.
    fn unused(self: Box<Self>, why: &str);
}

/// Of a tag that nobody minds.
#[derive(Clone, Copy, Debug)]
pub struct Free;

impl Permit for Free {
    fn used(self: Box<Self>) {}
    fn unused(self: Box<Self>, _why: &str) {}
}

/// Whoever sent a request.
pub trait Caller {
    /// Whether the caller may do this.
    ///
    /// # Errors
    /// Why not, in words for the person who reads the client's message.
    fn may(&self, deed: Deed, repository: &RepositoryName) -> Result<(), Denial>;

    /// Whether the caller may let a tag lead to a manifest. Asked after [`Caller::may`], when the manifest has come and is whole in itself; a
    /// manifest without a tag is nobody's release, and is not asked for.
    ///
    /// # Errors
    /// Why not, in words for the person who reads the client's message.
    fn may_name(&self, _naming: &Naming<'_>) -> Result<Box<dyn Permit>, Denial> {
        Ok(Box::new(Free))
    }

    /// Whether the caller may take a tag away; without one, whatever else is in the repository. Asked after [`Caller::may`].
    ///
    /// # Errors
    /// As [`Caller::may_name`].
    fn may_remove(&self, _repository: &RepositoryName, _tag: Option<&Tag>) -> Result<(), Denial> {
        Ok(())
    }

    /// Whether the caller may use the registry at all: what `/v2/` is asked for.
    ///
    /// # Errors
    /// As [`Caller::may`]. A client that is let in here without a name does not come with one later.
    fn may_enter(&self) -> Result<(), Denial> {
        Ok(())
    }

    /// The values of `WWW-Authenticate` for [`Denial::WhoAsks`].
    fn challenges(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A right to some repositories.
#[derive(Clone, Debug)]
pub struct Grant {
    pub repositories: Pattern,
    pub deeds: Vec<Deed>,
}

/// A caller with a list of rights.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    pub grants: Vec<Grant>,
    /// What is missing is answered by a question for the name, not by a refusal.
    pub is_anonymous: bool,
    pub challenges: Vec<String>,
}

impl Grants {
    /// Whoever may do everything everywhere.
    pub fn everything() -> Self {
        Self::of("**", [Deed::Pull, Deed::Push, Deed::Delete])
    }

    pub fn of(repositories: &str, deeds: impl IntoIterator<Item = Deed>) -> Self {
        let grant = Grant { repositories: Pattern::new(repositories), deeds: deeds.into_iter().collect() };
        Self { grants: vec![grant], ..Self::default() }
    }
}

impl Caller for Grants {
    fn may(&self, deed: Deed, repository: &RepositoryName) -> Result<(), Denial> {
        let granted = |grant: &Grant| grant.deeds.contains(&deed) && grant.repositories.is_of(repository.as_str());
        match self.grants.iter().any(granted) {
            true => Ok(()),
            false if self.is_anonymous => Err(Denial::WhoAsks),
            false => Err(Denial::Refused(format!("the right to {deed} in `{repository}` was not given"))),
        }
    }

    fn may_enter(&self) -> Result<(), Denial> {
        if self.is_anonymous && !self.challenges.is_empty() { Err(Denial::WhoAsks) } else { Ok(()) }
    }

    fn challenges(&self) -> Vec<String> {
        self.challenges.clone()
    }
}
