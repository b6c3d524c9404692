//! Tools that a Debian release lacks or has too old, taken from the release after it.
//!
//! They are Go programs that need little of the system, so the files of the newer packages run as they are. The packages are
//! fetched with package lists of their own and unpacked aside: the system's apt never hears of the other release.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell::{Cmd, has, is_root, root, works};

/// The release that has them all.
const SUITE: &str = "trixie";

/// A tool: how to see that it works, the package and its file in it, and where that goes.
struct Tool {
    name: &'static str,
    check: (&'static str, &'static [&'static str]),
    package: &'static str,
    file: &'static str,
    folder: &'static str,
}

/// Where the Docker CLI looks for plugins that an administrator installed.
const PLUGINS: &str = "/usr/local/lib/docker/cli-plugins";

const TOOLS: &[Tool] = &[
    Tool {
        name: "Docker Compose 2",
        check: ("docker", &["compose", "version"]),
        package: "docker-compose",
        file: "usr/libexec/docker/cli-plugins/docker-compose",
        folder: PLUGINS,
    },
    Tool {
        name: "Docker Buildx",
        check: ("docker", &["buildx", "version"]),
        package: "docker-buildx",
        file: "usr/libexec/docker/cli-plugins/docker-buildx",
        folder: PLUGINS,
    },
    Tool {
        name: "ORAS",
        check: ("oras", &["version"]),
        package: "oras",
        file: "usr/bin/oras",
        folder: "/usr/local/bin",
    },
    Tool {
        name: "cosign",
        check: ("cosign", &["version"]),
        package: "cosign",
        file: "usr/bin/cosign",
        folder: "/usr/local/bin",
    },
];

impl Tool {
    fn is_there(&self) -> bool {
        works(self.check.0, self.check.1)
    }
}

/// Installs what is missing, or says why it cannot.
pub fn install() -> Result<()> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !tool.is_there()).collect();
    if missing.is_empty() {
        println!("all newer tools are here");
        return Ok(());
    }
    let names = missing.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ");
    println!("missing: {names}");
    if !has("apt-get") || !is_root() {
        bail!("please install {names}");
    }
    let folder = root().join("target/newer-tools");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    let unpacked = unpack(&folder, &missing)?;
    for tool in &missing {
        let file = unpacked.join(tool.file);
        let target = Path::new(tool.folder).join(file.file_name().unwrap_or_default());
        fs::create_dir_all(tool.folder)?;
        fs::copy(&file, &target)
            .with_context(|| format!("cannot copy `{}` to `{}`", file.display(), target.display()))?;
        // A plugin that is not executable is passed over in silence.
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
        if !tool.is_there() {
            bail!("{} was installed as `{}`, but does not run", tool.name, target.display());
        }
    }
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove `{}`", folder.display()))
}

/// Fetches the tools' packages with lists of their own and unpacks them; gives the folder.
fn unpack(folder: &Path, tools: &[&Tool]) -> Result<PathBuf> {
    let [sources, lists, cache, packages, unpacked] =
        ["sources", "lists", "cache", "packages", "unpacked"].map(|name| folder.join(name));
    for made in [&sources, &lists.join("partial"), &cache.join("archives/partial"), &packages, &unpacked] {
        fs::create_dir_all(made).with_context(|| format!("cannot create `{}`", made.display()))?;
    }
    fs::write(sources.join("newer.sources"), source()?)?;
    let options = [
        "Dir::Etc::SourceList=/dev/null".to_owned(),
        format!("Dir::Etc::SourceParts={}", sources.display()),
        format!("Dir::State::Lists={}", lists.display()),
        format!("Dir::Cache={}", cache.display()),
        // The downloads belong to whoever runs this, and the folder may be closed to the user that apt would take.
        "APT::Sandbox::User=root".to_owned(),
    ];
    let options: Vec<&str> = options.iter().flat_map(|option| ["-o", option]).collect();
    Cmd::new("apt-get").args(&options).args(&["update", "-qq"]).run()?;
    let names: Vec<&str> = tools.iter().map(|tool| tool.package).collect();
    Cmd::new("apt-get").args(&options).args(&["download", "-qq"]).args(&names).folder(&packages).run()?;
    for entry in fs::read_dir(&packages)? {
        let package = entry?.path();
        Cmd::new("dpkg-deb").args(&["-x", &package.to_string_lossy(), &unpacked.to_string_lossy()]).run()?;
    }
    Ok(unpacked)
}

/// The newer release at the mirror that this machine uses for its own.
fn source() -> Result<String> {
    let format = "$(ORIGIN)|$(COMPONENT)|$(SUITE)|$(REPO_URI)|$(SIGNED_BY)|";
    let targets = Cmd::new("apt-get").args(&["indextargets", "--format", format, "Created-By: Packages"]).read()?;
    let line = targets.lines().find(|line| {
        let is_main = line.starts_with("Debian|main|");
        // Updates and security fixes live at places that lack the release itself.
        let is_part = line.split('|').nth(2).is_some_and(|suite| suite.contains('-'));
        is_main && !is_part
    });
    let line = line.context("apt knows no mirror of Debian: `apt-get indextargets` shows what it knows")?;
    let mirror = line.split('|').nth(3).context("apt names no address of its mirror")?;
    // A field that was not set comes back as it was asked for.
    let key = line.split('|').nth(4).filter(|key| key.starts_with('/'));
    let key = key.unwrap_or("/usr/share/keyrings/debian-archive-keyring.gpg");
    Ok(format!("Types: deb\nURIs: {mirror}\nSuites: {SUITE}\nComponents: main\nSigned-By: {key}\n"))
}
