//! Fuzzing for a bounded time, from the kept corpus.

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use crate::shell::{Cmd, root};

/// Seconds for each target; `FUZZ_SECONDS` asks for another number.
const SECONDS: u32 = 8;

const TARGETS: [&str; 20] = [
    "yaml",
    "expression",
    "workflow",
    "check",
    "script",
    "compose",
    "dockerfile",
    "step_output",
    "command_file",
    "report",
    "osv",
    "archive",
    "service_request",
    "oci",
    "bundle",
    "registry",
    "door",
    "ledger",
    "sbom",
    "policy",
];

pub fn run() -> Result<()> {
    let seconds = match std::env::var("FUZZ_SECONDS") {
        Ok(text) => text.parse().context("FUZZ_SECONDS is a whole number")?,
        Err(_) => SECONDS,
    };
    let fuzz = root().join("fuzz");
    // The compiler's own coverage instrumentation, which the stable toolchain has but does not offer: so fuzzing needs no other.
    let flags = [
        "-Cpasses=sancov-module",
        "-Cllvm-args=-sanitizer-coverage-level=4",
        "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
        "-Cllvm-args=-sanitizer-coverage-pc-table",
        "-Cllvm-args=-sanitizer-coverage-trace-compares",
        // The linker would otherwise drop the counters, which nothing names.
        "-Clink-arg=-Wl,-z,nostart-stop-gc",
        "--cfg fuzzing",
    ]
    .join(" ");
    // Naming the target keeps build scripts and macros free of the flags: they run at build time, without the fuzzer.
    let host = Cmd::new("rustc").args(&["--print", "host-tuple"]).read()?;
    let host = host.trim();
    // A place of their own, whatever CARGO_TARGET_DIR says: what is built with these flags is of no use to others.
    let built = fuzz.join("target");
    Cmd::new("cargo")
        .args(&["build", "--release", "--quiet", "--bins", "--locked", "--target", host])
        .folder(&fuzz)
        .env("RUSTFLAGS", &flags)
        .env("CARGO_TARGET_DIR", &built)
        .run()?;
    // As many at once as there are cores: each is one thread.
    let at_once = std::thread::available_parallelism()?.get();
    for several in TARGETS.chunks(at_once) {
        std::thread::scope(|scope| {
            let running: Vec<_> = several
                .iter()
                .map(|target| scope.spawn(|| fuzz_one(&fuzz, &built.join(host), target, seconds)))
                .collect();
            running.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("a thread has panicked"))?)
        })?;
    }
    Ok(())
}

/// One target, from the kept corpus and what earlier runs have found.
fn fuzz_one(fuzz: &Path, built: &Path, target: &str, seconds: u32) -> Result<()> {
    let (corpus, scratch) = (fuzz.join("corpus").join(target), fuzz.join("target/corpus").join(target));
    std::fs::create_dir_all(&scratch)?;
    let (scratch, corpus) = (scratch.to_string_lossy().into_owned(), corpus.to_string_lossy().into_owned());
    let time = format!("-max_total_time={seconds}");
    let limits = ["-timeout=10", "-rss_limit_mb=1024", "-verbosity=0", "-print_final_stats=1"];
    let args = [&[scratch.as_str(), &corpus, &time][..], &limits].concat();
    Cmd::new(built.join("release").join(target)).args(&args).folder(fuzz).run()
}
