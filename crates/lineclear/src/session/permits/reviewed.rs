//! The policy that counts: the default branch's, as it was reviewed there.

use std::path::Path;

use lineclear_policy::Policy;
use lineclear_source::Source;
use zeroize::Zeroizing;

use super::git::Git;
use crate::{policy_file, workflow_files};

/// What `lineclear.toml` of the default branch's last commit says.
#[derive(Debug)]
pub(crate) struct Reviewed {
    git: Git,
    commit: String,
    /// With what its preset stands for in the workflows of that commit.
    pub(crate) policy: Policy,
}

impl Reviewed {
    /// That of `branch`; `None` where there is no such branch, or no such file on it.
    ///
    /// # Errors
    /// A sentence: it is wrong there.
    pub(crate) fn of(root: &Path, branch: &str) -> Result<Option<Self>, String> {
        let git = Git::new(root);
        let Some(commit) = git.tip(branch) else { return Ok(None) };
        let Some(text) = git.file(&commit, policy_file::NAME) else { return Ok(None) };
        let (written, findings) = Policy::read(&Source::new(policy_file::NAME, text));
        if let Some(finding) = findings.iter().find(|finding| finding.is_error()) {
            return Err(format!(
                "`{}` of `{branch}` is wrong ({}), so nobody knows which tags are held: mend it there first",
                policy_file::NAME,
                finding.message
            ));
        }
        let policy = match written.preset {
            None => written,
            Some(_) => {
                let names = git.files_in(&commit, workflow_files::FOLDER).into_iter();
                let names = names.filter(|name| workflow_files::is_workflow(Path::new(name)));
                let of_text = |name: String| Some(workflow_files::of_text(&name, git.file(&commit, &name)?));
                policy_file::expanded(written, &names.filter_map(of_text).collect::<Vec<_>>()).0
            }
        };
        Ok(Some(Self { git, commit, policy }))
    }

    /// A file of the same commit, such as a key: those of the working tree are anybody's.
    ///
    /// # Errors
    /// A sentence: it is not there.
    pub(crate) fn file(&self, path: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        let text = self.git.file(&self.commit, path);
        text.map(|text| text.into_bytes().into()).ok_or_else(|| format!("the default branch has no `{path}`"))
    }
}
