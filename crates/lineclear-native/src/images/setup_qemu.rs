//! `docker/setup-qemu-action`: which platforms this machine runs, and those that it is to run.
//!
//! The real action starts a privileged container that registers emulators with the kernel. Here the kernel is asked what is registered,
//! and what is missing is registered with the emulators that the package `qemu-user-static` has installed.
//!
//! # Source
//! `action.yml` of `docker/setup-qemu-action`; the kernel's documentation of `binfmt_misc`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lineclear_event::AnnotationLevel;
use lineclear_oci::Platform;
use lineclear_runner::native::{Call, NativeAction, NativeError, RunOptions};

use super::lists::{Commas, Comments, entries};

/// Makes programs of other processors run.
#[derive(Debug)]
pub(crate) struct SetupQemu;

const BINFMT: &str = "/proc/sys/fs/binfmt_misc";
/// Where packages put what the kernel is told.
const FORMATS: [&str; 2] = ["/usr/lib/binfmt.d", "/usr/share/qemu/binfmt.d"];
/// Emulators by the platform that they run: the name of the format, which is that of the emulator.
const EMULATORS: [(&str, &str); 13] = [
    ("linux/amd64", "qemu-x86_64"),
    ("linux/arm64", "qemu-aarch64"),
    ("linux/arm/v7", "qemu-arm"),
    ("linux/arm/v6", "qemu-arm"),
    ("linux/386", "qemu-i386"),
    ("linux/riscv64", "qemu-riscv64"),
    ("linux/ppc64le", "qemu-ppc64le"),
    ("linux/ppc64", "qemu-ppc64"),
    ("linux/s390x", "qemu-s390x"),
    ("linux/mips64le", "qemu-mips64el"),
    ("linux/mips64", "qemu-mips64"),
    ("linux/loong64", "qemu-loongarch64"),
    ("linux/sparc64", "qemu-sparc64"),
];

impl NativeAction for SetupQemu {
    fn name(&self) -> &'static str {
        "docker/setup-qemu-action"
    }

    fn metadata(&self) -> &'static str {
        "
name: Docker Setup QEMU
inputs:
  image: { default: 'docker.io/tonistiigi/binfmt:latest' }
  platforms: { default: all }
  reset: { default: 'false' }
  cache-image: { default: 'true' }
outputs:
  platforms: { description: platforms that run here }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if call.flag("reset")? {
            call.effects.annotate(
                AnnotationLevel::Warning,
                "`reset` is not done: the emulators of this machine serve other jobs too, and stay as they are",
            );
        }
        let wanted = entries(call.input("platforms"), Commas::Separate, Comments::None);
        let is_all = wanted.is_empty() || wanted.iter().any(|one| one == "all");
        let mut missing = Vec::new();
        for (platform, format) in asked(&wanted, is_all)? {
            if runs(&platform) || is_registered(format) {
                continue;
            }
            match register(call, format) {
                Ok(()) => call.effects.log(&format!("{platform}: registered `{format}` with the kernel")),
                Err(problem) => missing.push(format!("{platform}: {problem}")),
            }
        }
        if !missing.is_empty() {
            if is_all {
                // Nothing in particular was asked for: what is there will do.
                missing.iter().for_each(|one| call.effects.log(&format!("note: {one}")));
            } else {
                return Err(NativeError(format!("cannot run programs for {}", missing.join("; "))));
            }
        }
        let platforms = runnable();
        call.effects.log(&format!("Platforms: {}", platforms.join(", ")));
        call.effects.output("platforms", &platforms.join(","));
        Ok(())
    }
}

/// The platforms that are asked for, with the format each needs.
fn asked(wanted: &[String], is_all: bool) -> Result<Vec<(Platform, &'static str)>, NativeError> {
    let of = |text: &str| Platform::parse(text).map_err(|error| NativeError(error.to_string()));
    if is_all {
        return EMULATORS.iter().map(|(platform, format)| Ok((of(platform)?, *format))).collect();
    }
    let mut found = Vec::new();
    for text in wanted {
        let platform = of(text)?;
        let known = EMULATORS.iter().find(|(known, format)| {
            Platform::parse(known).is_ok_and(|known| known.is(&platform)) || text == format.trim_start_matches("qemu-")
        });
        match known {
            Some((_, format)) => found.push((platform, *format)),
            None if runs(&platform) => {}
            None => return Err(NativeError(format!("there is no emulator for `{text}`; one is `arm64`"))),
        }
    }
    Ok(found)
}

/// Whether the processor itself runs it.
fn runs(platform: &Platform) -> bool {
    let own = Platform::of_this_machine();
    own.is(platform) || (own.architecture == "amd64" && platform.architecture == "386" && platform.os == "linux")
}

fn is_registered(format: &str) -> bool {
    let entry = Path::new(BINFMT).join(format);
    std::fs::read_to_string(entry).is_ok_and(|text| text.starts_with("enabled"))
}

/// Every platform that runs here now: the processor's own first.
pub(crate) fn runnable() -> Vec<String> {
    let own = Platform::of_this_machine().to_string();
    let mut seen = BTreeSet::from([own.clone()]);
    let mut platforms = vec![own];
    for (platform, format) in EMULATORS {
        let here = Platform::parse(platform).is_ok_and(|platform| runs(&platform)) || is_registered(format);
        if here && seen.insert(platform.to_owned()) {
            platforms.push(platform.to_owned());
        }
    }
    platforms
}

/// Tells the kernel which emulator runs the format.
fn register(call: &mut Call<'_>, format: &str) -> Result<(), String> {
    let emulator = format!("/usr/bin/{format}-static");
    let package = "install the package `qemu-user-static`, which also registers it";
    if !Path::new(&emulator).is_file() {
        return Err(format!("`{emulator}` is not on this machine: {package}"));
    }
    let line =
        definition(format).ok_or_else(|| format!("no package says how the kernel knows `{format}`: {package}"))?;
    if !Path::new(BINFMT).join("register").exists() {
        let quiet = RunOptions { quiet: true, ..RunOptions::default() };
        call.effects
            .capture("mount", &["-t", "binfmt_misc", "binfmt_misc", BINFMT], quiet)
            .map_err(|_| format!("`{BINFMT}` is not mounted, and only root can mount it: {package}"))?;
    }
    match std::fs::write(Path::new(BINFMT).join("register"), line) {
        Ok(()) => Ok(()),
        // Another job was quicker.
        Err(_) if is_registered(format) => Ok(()),
        Err(error) => {
            Err(format!("the kernel does not take `{format}` ({error}); only root can register it: {package}"))
        }
    }
}

/// What the kernel is told of a format, as packages have it.
fn definition(format: &str) -> Option<String> {
    let files = FORMATS.iter().map(|folder| PathBuf::from(folder).join(format!("{format}.conf")));
    let text = files.filter_map(|file| std::fs::read_to_string(file).ok()).next()?;
    let line = text.lines().map(str::trim).find(|line| line.starts_with(':'))?;
    // The kernel opens the emulator now, so that it is there in containers, where its file is not.
    let (start, flags) = line.rsplit_once(':')?;
    let flags = if flags.contains('F') { flags.to_owned() } else { format!("{flags}F") };
    Some(format!("{start}:{flags}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_asked_for_by_several_names() {
        let formats = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            asked(&names, false).map(|found| found.into_iter().map(|(_, format)| format).collect::<Vec<_>>())
        };
        assert_eq!(formats(&["arm64", "linux/arm/v7"]).expect("known"), ["qemu-aarch64", "qemu-arm"]);
        assert_eq!(formats(&["linux/riscv64"]).expect("known"), ["qemu-riscv64"]);
        assert!(formats(&["linux/vax"]).is_err());
        assert_eq!(asked(&[], true).expect("all").len(), EMULATORS.len());
    }

    #[test]
    fn the_own_platform_comes_first() {
        assert_eq!(runnable().first(), Some(&Platform::of_this_machine().to_string()));
    }
}
