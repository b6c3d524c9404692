//! Row 23: the embedded registry beside Docker's, driven by the same raw client (curl), both with their data in memory.
//!
//! An image of 500 MB in eight layers that do not compress is pushed to an empty registry, pulled, and given new tags.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::Bench;
use super::case::{Case, Job, Quantity};
use crate::shell::Cmd;

const DATA: &str = "/dev/shm/lineclear-bench-registry";
const LAYERS: u32 = 8;
/// Bytes of a layer: 62.5 MB.
const LAYER: u32 = 62_500_000;
/// New tags that are given in one round.
const TAGS: u32 = 20;

/// What carries the image in and out: `push`, `pull` or `promote`, and the address.
const CLIENT: &str = r#"
set -euo pipefail
deed=$1 address=$2
cd "$(dirname "$0")"
to() { curl -sSf -H 'Expect:' "$@"; }
push() {
  local place sign='?'
  place=$(to -X POST -o /dev/null -D - "http://$address/v2/bench/app/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  case $place in /*) place="http://$address$place" ;; esac
  case $place in *\?*) sign='&' ;; esac
  to -T "$1" -H 'content-type: application/octet-stream' -o /dev/null "$place${sign}digest=sha256:$(cat "$1.sum")"
}
case $deed in
  push)
    for blob in config layer-*[0-9]; do push "$blob"; done
    to -T manifest -H "content-type: application/vnd.oci.image.manifest.v1+json" -o /dev/null "http://$address/v2/bench/app/manifests/1" ;;
  pull)
    to -H 'accept: application/vnd.oci.image.manifest.v1+json' -o /dev/null "http://$address/v2/bench/app/manifests/1"
    for blob in config layer-*[0-9]; do to -o /dev/null "http://$address/v2/bench/app/blobs/sha256:$(cat "$blob.sum")"; done ;;
  promote)
    tags=()
    for tag in $(seq 1 "$3"); do tags+=(-T manifest "http://$address/v2/bench/app/manifests/t$tag"); done
    to -H "content-type: application/vnd.oci.image.manifest.v1+json" "${tags[@]}" ;;
esac
"#;

/// Makes the layers, the configuration, the manifest, and the digests beside them.
const IMAGE: &str = r#"
set -euo pipefail
sum() { sha256sum "$1" | cut -d' ' -f1 > "$1.sum"; }
entry() { printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}' "$2" "$(cat "$1.sum")" "$(stat -c %s "$1")"; }
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}' > config
sum config
layers=
for number in $(seq 1 "$1"); do
  head -c "$2" /dev/urandom > "layer-$number"
  sum "layer-$number"
  layers="$layers${layers:+,}$(entry "layer-$number" application/vnd.oci.image.layer.v1.tar+gzip)"
done
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
  "$(entry config application/vnd.oci.image.config.v1+json)" "$layers" > manifest
"#;

/// Both registries, for as long as the rows are measured.
pub struct Registries {
    children: Vec<Child>,
}

impl Drop for Registries {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ended = child.kill();
            let _ = child.wait();
        }
        std::fs::remove_dir_all(DATA).ok();
    }
}

/// The rows, and what has to run meanwhile. Without Docker's registry on this machine there are none.
pub fn rows(bench: &Bench) -> Result<(Vec<Case>, Registries)> {
    let mut registries = Registries { children: Vec::new() };
    if Command::new("docker-registry").arg("--version").output().is_err() {
        return Ok((Vec::new(), registries));
    }
    let folder = PathBuf::from(DATA);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("client.sh"), CLIENT)?;
    std::fs::write(folder.join("image.sh"), IMAGE)?;
    let image = format!("cd {DATA} && bash image.sh {LAYERS} {LAYER}");
    Cmd::new("bash").args(&["-euc", &image]).run()?;
    let ours = ours(bench, &folder, &mut registries)?;
    let theirs = theirs(&folder, &mut registries)?;
    let job = |address: &str, deed: &[&str], before: Option<String>| {
        let script = folder.join("client.sh").to_string_lossy().into_owned();
        let command =
            ["bash", &script, deed[0], address].into_iter().chain(deed[1..].iter().copied()).map(str::to_owned);
        Job { command: command.collect(), folder: folder.clone(), env: Vec::new(), before, exits: &[0] }
    };
    let case = |what: &str, deed: &[&str], limit, per, before: [Option<String>; 2]| {
        let [before_ours, before_theirs] = before;
        Case {
            goal: "23",
            what: what.to_owned(),
            own: job(&ours, deed, before_ours),
            other: job(&theirs, deed, before_theirs),
            other_name: "docker-registry",
            quantity: Quantity::Wall,
            limit,
            per: (per, per),
            less: None,
        }
    };
    let empty = [format!("rm -rf {DATA}/ours/images"), format!("rm -rf {DATA}/theirs/docker")].map(Some);
    let tags = TAGS.to_string();
    let rows = vec![
        // 0.8 times the throughput is 1.25 times the time.
        case("registry: push of 500 MB in 8 layers", &["push"], 1.25, 1.0, empty),
        case("registry: pull of 500 MB in 8 layers", &["pull"], 1.25, 1.0, [None, None]),
        case("registry: a new tag for a present image", &["promote", &tags], 1.25, f64::from(TAGS), [None, None]),
    ];
    Ok((rows, registries))
}

fn ours(bench: &Bench, folder: &Path, registries: &mut Registries) -> Result<String> {
    let data = folder.join("ours");
    let mut child = Command::new(&bench.lineclear)
        .args(["registry", "serve", "--listen", "127.0.0.1:0", "--anonymous", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .spawn()?;
    let out = child.stdout.take().context("a pipe")?;
    registries.children.push(child);
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    let address = line.strip_prefix("the registry listens on ").and_then(|rest| rest.split(';').next());
    Ok(address.context("the registry did not start")?.to_owned())
}

fn theirs(folder: &Path, registries: &mut Registries) -> Result<String> {
    let config = folder.join("config.yml");
    let data = folder.join("theirs");
    std::fs::write(
        &config,
        format!(
            "version: 0.1\nlog:\n  level: info\n  formatter: text\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    \
             rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:0\n",
            data.display()
        ),
    )?;
    let mut child = Command::new("docker-registry")
        .arg("serve")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut log = BufReader::new(child.stderr.take().context("a pipe")?);
    registries.children.push(child);
    let address = loop {
        let mut line = String::new();
        if log.read_line(&mut line)? == 0 {
            anyhow::bail!("docker-registry did not start");
        }
        if let Some((_, rest)) = line.split_once("listening on ") {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(rest.len());
            break rest[..end].to_owned();
        }
    };
    // Somebody has to read what it says, or it waits.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    Ok(address)
}
