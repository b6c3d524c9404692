//! Whose a release repository is: several repositories of one owner share this machine's registry.
//!
//! ```text
//! LINECLEAR_HOME/releases/<SHA-256 of the name>    the name, and the repository that releases there, a line each
//! ```
//! The first one has it. A repository without a policy, or with one that names another's place, gets no tag there.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use lineclear_oci::{Digest, RepositoryName};

/// What repositories of this machine release to.
#[derive(Debug)]
pub(crate) struct Claims {
    folder: PathBuf,
}

impl Claims {
    /// Those of a `LINECLEAR_HOME`. Touches nothing.
    pub(crate) fn of(home: &Path) -> Self {
        Self { folder: home.join("releases") }
    }

    /// From now on `repository` (`owner/name`) releases to `place`, unless it is another's.
    ///
    /// # Errors
    /// A sentence: it is another's, or cannot be written down.
    pub(crate) fn take(&self, place: &RepositoryName, repository: &str) -> Result<(), String> {
        if self.owner(place)?.is_some() {
            return self.check(place, repository);
        }
        let wrong = |error: std::io::Error| format!("it cannot be written down whose `{place}` is: {error}");
        std::fs::create_dir_all(&self.folder).map_err(wrong)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(wrong)?;
        writeln!(file, "{place}\n{repository}").map_err(wrong)?;
        match file.persist_noclobber(self.file(place)) {
            Ok(_) => Ok(()),
            // Somebody was faster.
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => self.check(place, repository),
            Err(error) => Err(wrong(error.error)),
        }
    }

    /// Whether `place` is nobody's, or that of `repository`.
    ///
    /// # Errors
    /// A sentence: it is another's, or that cannot be read.
    pub(crate) fn check(&self, place: &RepositoryName, repository: &str) -> Result<(), String> {
        match self.owner(place)? {
            Some(owner) if !owner.eq_ignore_ascii_case(repository) => Err(format!(
                "`{owner}` releases there, and this is `{repository}`; if that has changed, remove `{}`",
                self.file(place).display()
            )),
            _ => Ok(()),
        }
    }

    fn owner(&self, place: &RepositoryName) -> Result<Option<String>, String> {
        let path = self.file(place);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.lines().nth(1).unwrap_or_default().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("`{}` cannot be read: {error}", path.display())),
        }
    }

    fn file(&self, place: &RepositoryName) -> PathBuf {
        self.folder.join(Digest::of(place.as_str().as_bytes()).hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_repository_has_a_place_and_keeps_it() {
        let home = tempfile::tempdir().expect("a folder");
        let claims = Claims::of(home.path());
        let place = |name: &str| RepositoryName::parse(name).expect("a name");
        let (app, tools) = (place("ghcr.io/octo/app"), place("ghcr.io/octo/tools"));
        assert_eq!(claims.check(&app, "octo/other"), Ok(()), "it is nobody's");
        assert_eq!(claims.take(&app, "octo/app"), Ok(()));
        assert_eq!((claims.take(&app, "Octo/App"), claims.check(&app, "octo/app")), (Ok(()), Ok(())));
        for refused in [claims.take(&app, "octo/other"), claims.check(&app, "octo/other")] {
            let why = refused.expect_err("it is another's");
            assert!(why.starts_with("`octo/app` releases there, and this is `octo/other`"), "{why}");
        }
        assert_eq!(claims.take(&tools, "octo/other"), Ok(()));
    }
}
