//! The policy that counts: the default branch's, as it was reviewed there.

use std::path::Path;

use lineclear_policy::Policy;
use lineclear_source::{Diagnostic, Source};
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
    /// That of `branch`; `None` where there is no repository, no such branch, or no such file on it.
    ///
    /// # Errors
    /// A sentence: it is wrong there, or one of the workflows that its preset rests on is.
    pub(crate) fn of(root: &Path, branch: &str) -> Result<Option<Self>, String> {
        // Where there is no repository nobody has reviewed anything. Of one that is there git has to say it.
        if !root.ancestors().any(|folder| folder.join(".git").symlink_metadata().is_ok()) {
            return Ok(None);
        }
        let git = Git::new(root);
        let Some(commit) = git.tip(branch)? else { return Ok(None) };
        let Some(text) = git.file(&commit, policy_file::NAME)? else { return Ok(None) };
        let (written, findings) = Policy::read(&Source::new(policy_file::NAME, text));
        let sound = |findings: &[Diagnostic]| match findings.iter().find(|finding| finding.is_error()) {
            None => Ok(()),
            Some(finding) => Err(format!(
                "`{}` of `{branch}` is wrong ({}), so nobody knows which tags are held: mend it there first",
                policy_file::NAME,
                finding.message
            )),
        };
        sound(&findings)?;
        let policy = match written.preset {
            None => written,
            Some(_) => {
                let mut workflows = Vec::new();
                for name in git.files_in(&commit, workflow_files::FOLDER)? {
                    if workflow_files::is_workflow(Path::new(&name)) {
                        let text = git.file(&commit, &name)?;
                        workflows.extend(text.map(|text| workflow_files::of_text(&name, text)));
                    }
                }
                let (policy, problems) = policy_file::expanded(&written, &workflows);
                sound(&problems)?;
                policy
            }
        };
        Ok(Some(Self { git, commit, policy }))
    }

    /// A file of the same commit, such as a key: those of the working tree are anybody's.
    ///
    /// # Errors
    /// A sentence: it is not there.
    pub(crate) fn file(&self, path: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        let text = self.git.file(&self.commit, path)?;
        text.map(|text| text.into_bytes().into()).ok_or_else(|| format!("the default branch has no `{path}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_takes_nothing_from_the_gate_that_a_preset_makes_on_the_default_branch() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Reviewed::of(folder.path(), "main").expect("nothing is wrong").is_none(), "it is no repository");
        let git = |script: &str| {
            let identity = "git() { command git -c user.name=T -c user.email=t@example.org \"$@\"; }; ";
            let output = std::process::Command::new("bash")
                .args(["-euc", &format!("{identity}{script}")])
                .current_dir(folder.path())
                .output()
                .expect("bash starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        git("git init -q -b main; mkdir -p .github/workflows; echo \"preset = 'publish-only'\" > lineclear.toml; \
             printf 'name: CI\\non: push\\njobs: { lint: { runs-on: ubuntu-latest, steps: [{ run: a }] } }\\n' > .github/workflows/ci.yml; \
             git add -A; git commit -q -m main; git checkout -q -b easier; sed -i s/lint/easy/ .github/workflows/ci.yml; \
             git commit -q -a -m easier");
        let reviewed = Reviewed::of(folder.path(), "main").expect("it is right").expect("it is there");
        assert_eq!(reviewed.policy.gate("main").expect("the preset's").require[0].check.value, "CI / lint");
        assert!(Reviewed::of(folder.path(), "none").expect("nothing is wrong").is_none());
        git("git checkout -q main; echo 'name: [' > .github/workflows/tests.yml; git add -A; git commit -q -m faulty");
        let why = Reviewed::of(folder.path(), "main").expect_err("nobody knows its checks");
        assert!(why.contains("nobody knows those of `.github/workflows/tests.yml`"), "{why}");
        git("echo '[image.app' > lineclear.toml; git commit -q -a -m wrong");
        let why = Reviewed::of(folder.path(), "main").expect_err("it is wrong");
        assert!(why.starts_with("`lineclear.toml` of `main` is wrong"), "{why}");
    }
}
