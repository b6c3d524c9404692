//! The release repository as a move needs it.

use lineclear_oci::{Digest, Tag};

/// A repository that images are moved to, with the right to do it.
///
/// Nothing is called before one of these is. Each answer is asked for anew: what was true a moment ago is not remembered.
pub trait Shelf {
    /// Says who is there: the first contact.
    fn log_in(&self) -> Result<(), ShelfError>;

    /// What a tag stands for, computed from the bytes that it gives; `None` for a tag that is not there.
    fn tag(&self, tag: &Tag) -> Result<Option<Digest>, ShelfError>;

    /// Brings the image here from where it is, with all that belongs to it, without a name.
    fn copy(&self, digest: &Digest) -> Result<Carried, ShelfError>;

    /// Whether the image is here as a whole.
    ///
    /// # Errors
    /// [`ShelfError::Incomplete`] with what is missing or is not what it is called.
    fn check(&self, digest: &Digest) -> Result<(), ShelfError>;

    /// The manifests that an image which is here leads to, however deep: none, unless it is an index.
    fn parts(&self, digest: &Digest) -> Result<Vec<Digest>, ShelfError>;

    /// Points a tag to an image that is here.
    fn set_tag(&self, tag: &Tag, digest: &Digest) -> Result<(), ShelfError>;

    /// Takes a tag away, and nothing else.
    fn remove_tag(&self, tag: &Tag) -> Result<(), ShelfError>;
}

/// What it took to bring an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// With indexes and what refers to the image.
    pub manifests: usize,
    /// Signatures, lists of contents and the like among them.
    pub referrers: usize,
    /// Bytes that travelled.
    pub bytes: u64,
}

/// Why the release repository did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    #[error(transparent)]
    Registry(Box<lineclear_registry::RegistryClientError>),
    /// It says that it has the image, and does not have all of it.
    #[error("the image is not whole in `{repository}`: {what}")]
    Incomplete { repository: String, what: String },
    /// A proof that the gate asks for does not verify where the image is now.
    #[error(
        "`{image}` has {what}{refused}; `lineclear image sign` and `lineclear image attest --provenance` make them"
    )]
    Unproven { image: String, what: String, refused: String },
    /// The list of contents that the gate asks for does not lie beside the image where it is now.
    #[error(
        "`{image}` has none of the lists of its contents beside it that the ledger knows; `lineclear image sbom --format spdx --attach` makes one"
    )]
    Unlisted { image: String },
    /// Whatever else; of other forms than a registry.
    #[error("{0}")]
    Other(String),
}

impl From<lineclear_registry::RegistryClientError> for ShelfError {
    fn from(error: lineclear_registry::RegistryClientError) -> Self {
        Self::Registry(Box::new(error))
    }
}
