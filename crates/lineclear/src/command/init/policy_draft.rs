//! The `lineclear.toml` that `init` writes.

use std::fmt::Write as _;

use lineclear_policy::Preset;

use super::survey::Survey;

/// Its text. Every line that means something has a comment that says what.
pub(super) fn text(preset: Preset, survey: &Survey) -> String {
    let meaning = match preset {
        Preset::PublishOnly => "# Something moves only when the quality checks of its commit have succeeded.\n",
        Preset::Balanced => {
            "# Something moves only when the quality checks, the smoke test and the build check of the images have succeeded for its commit.\n"
        }
        Preset::Strict => {
            "# Something moves only when every check of its commit has succeeded, no critical or high vulnerability is known of it, and it has a list\n# of contents, a signature and an attestation of its build.\n"
        }
    };
    let mut text = format!(
        "# What has to be proven before something moves. `lineclear policy explain` says it in sentences, `lineclear status` how it stands.\n\n\
         {meaning}# The looser and stricter ones: publish-only, balanced, strict. Keys that you write yourself win over the preset, one by one.\n\
         preset = \"{}\"\n",
        preset.as_str()
    );
    for (name, _) in &survey.dockerfiles {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n[image.{name}]\n\
             # Where the image goes. `${{owner}}` is the owner of the repository, in lower case.\n\
             repository = \"ghcr.io/${{owner}}/{name}\"\n\
             # What is built from the main branch is called so. `latest` only ever moves forward.\n\
             tags.\"refs/heads/{}\" = [\"latest\", \"sha-${{short-sha}}\"]\n\
             # What is built from a version's tag keeps that name for ever.\n\
             tags.\"refs/tags/v*\" = [\"${{tag}}\"]\n",
            survey.default_branch
        );
        if preset == Preset::Strict {
            text.push_str(
                "# What was built and has to be scanned before it gets these names: jobs may push it.\ncandidates = [\"build-*\"]\n",
            );
        }
    }
    if preset == Preset::Strict && !survey.dockerfiles.is_empty() {
        text.push_str(
            "\n# The key of this machine that images are signed with (`lineclear key generate release`), and those whose\n# signatures count: of this machine's alone, where none is named.\n[signing]\nkey = \"release\"\n# keys = [\"keys/release.pub\"]\n",
        );
    }
    text.push_str("\n# Nothing is deployed: there is no `[environment.NAME]`. Add one when you want that.\n");
    text
}
