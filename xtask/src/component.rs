//! The real components that tests talk to.

use std::path::Path;

use anyhow::{Result, bail};

use crate::newer;
use crate::shell::{Cmd, has, is_root, works};

/// A component: how to see that it is there, and the Debian packages that bring it.
struct Component {
    name: &'static str,
    is_there: fn() -> bool,
    packages: &'static [&'static str],
}

const COMPONENTS: &[Component] = &[
    Component { name: "git", is_there: || has("git"), packages: &["git", "ca-certificates"] },
    Component { name: "a C compiler", is_there: || has("cc"), packages: &["gcc", "libc6-dev"] },
    Component { name: "a C++ compiler (fuzzing)", is_there: || has("c++"), packages: &["g++"] },
    Component { name: "Node", is_there: || has("node"), packages: &["nodejs"] },
    Component { name: "npm", is_there: || has("npm"), packages: &["npm"] },
    Component {
        name: "Python with venv",
        is_there: || Cmd::new("python3").args(&["-c", "import venv, ensurepip"]).read().is_ok(),
        packages: &["python3", "python3-venv", "python3-pip"],
    },
    Component { name: "python", is_there: || has("python"), packages: &["python-is-python3"] },
    Component {
        name: "Python's jsonschema",
        is_there: || Cmd::new("python3").args(&["-c", "import jsonschema, tomllib"]).read().is_ok(),
        packages: &["python3-jsonschema"],
    },
    Component { name: "curl", is_there: || has("curl"), packages: &["curl"] },
    Component { name: "ShellCheck", is_there: || has("shellcheck"), packages: &["shellcheck"] },
    Component { name: "perl", is_there: || has("perl"), packages: &["perl-base"] },
    Component {
        name: "Chromium",
        is_there: || Path::new("/usr/bin/chromium").exists() || std::env::var_os("CHROMIUM_PATH").is_some(),
        packages: &["chromium"],
    },
    // Debian's engine only recommends a tool for packet filters, and cannot start its networks without one.
    Component { name: "a Docker engine", is_there: || has("dockerd") && has("docker"), packages: &["docker.io"] },
    Component { name: "iptables", is_there: || has("iptables") && has("iptables-legacy"), packages: &["iptables"] },
    Component {
        name: "a registry",
        is_there: || works("docker-registry", &["--version"]),
        packages: &["docker-registry"],
    },
    // Not any busybox: images made of it hold nothing else.
    Component {
        name: "a static busybox",
        is_there: || Path::new("/bin/busybox").exists() && !works("ldd", &["/bin/busybox"]),
        packages: &["busybox-static"],
    },
    Component { name: "mmdebstrap", is_there: || works("mmdebstrap", &["--version"]), packages: &["mmdebstrap"] },
    Component { name: "RPM", is_there: || has("rpm") && has("rpmbuild"), packages: &["rpm"] },
    Component { name: "Berkeley DB's programs", is_there: || has("db_load"), packages: &["db-util"] },
    Component { name: "zstd", is_there: || has("zstd"), packages: &["zstd"] },
    Component { name: "openssl", is_there: || has("openssl"), packages: &["openssl"] },
    Component { name: "Podman", is_there: || works("podman", &["info"]), packages: &["podman"] },
    Component { name: "Buildah", is_there: || works("buildah", &["--version"]), packages: &["buildah"] },
    Component { name: "skopeo", is_there: || works("skopeo", &["--version"]), packages: &["skopeo"] },
    Component {
        name: "QEMU for programs of other processors",
        is_there: || works("qemu-aarch64-static", &["--version"]),
        packages: &["qemu-user-static"],
    },
    Component { name: "nftables", is_there: || works("nft", &["--version"]), packages: &["nftables"] },
    Component { name: "slirp4netns", is_there: || works("slirp4netns", &["--version"]), packages: &["slirp4netns"] },
    Component { name: "newuidmap", is_there: || has("newuidmap"), packages: &["uidmap"] },
];

/// Installs what is missing on Debian; elsewhere, or without the rights to, names it.
pub fn install() -> Result<()> {
    install_packages()?;
    newer::install()
}

fn install_packages() -> Result<()> {
    let missing: Vec<&Component> = COMPONENTS.iter().filter(|component| !(component.is_there)()).collect();
    if missing.is_empty() {
        println!("all packages are here");
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|component| component.name).collect();
    let packages: Vec<&str> = missing.iter().flat_map(|component| component.packages).copied().collect();
    println!("missing: {}", names.join(", "));
    if !has("apt-get") || !is_root() {
        bail!("please install {} (on Debian: apt-get install {})", names.join(", "), packages.join(" "));
    }
    println!("installing {}", packages.join(" "));
    Cmd::new("apt-get").args(&["update", "-qq"]).run()?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(&packages);
    Cmd::new("apt-get").args(&arguments).env("DEBIAN_FRONTEND", "noninteractive").run()?;
    let still: Vec<&str> =
        COMPONENTS.iter().filter(|component| !(component.is_there)()).map(|component| component.name).collect();
    if !still.is_empty() {
        bail!("still missing after the installation: {}", still.join(", "));
    }
    Ok(())
}
