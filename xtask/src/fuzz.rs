//! Fuzzing for a bounded time, from the kept corpus.

use anyhow::{Context, Result};

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
    for target in TARGETS {
        let corpus = fuzz.join("corpus").join(target);
        let scratch = built.join("corpus").join(target);
        std::fs::create_dir_all(&scratch)?;
        let (scratch, corpus) = (scratch.to_string_lossy().into_owned(), corpus.to_string_lossy().into_owned());
        let time = format!("-max_total_time={seconds}");
        Cmd::new(built.join(host).join("release").join(target))
            .args(&[
                &scratch,
                &corpus,
                &time,
                "-timeout=10",
                "-rss_limit_mb=1024",
                "-verbosity=0",
                "-print_final_stats=1",
            ])
            .folder(&fuzz)
            .run()?;
    }
    Ok(())
}
