//! What the services cost: opening them for a run, and bytes in and out compared with a bare copy over loopback.
//!
//! `cargo run --release -p lineclear-services --example figures -- [MiB] [rounds] [folder]`; the rounds of both sides take turns.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lineclear_event::{JobContexts, JobKey, JobSpec, RunId, Timestamp, WorkflowOrigin};
use lineclear_forge::NoForge;
use lineclear_services::{JobAccess, JobIdentity, Services, ServicesConfig};
use lineclear_store_folder::FolderStore;
use serde_json::{Value, json};

const BLOCK: usize = 8 << 20;
const SENDERS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mebibytes: usize = args.next().map_or(Ok(2048), |text| text.parse())?;
    let rounds: usize = args.next().map_or(Ok(5), |text| text.parse())?;
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let mut out = std::io::stdout();
    let folder = tempfile::tempdir_in(folder)?;

    let mut opened = Vec::new();
    for _ in 0..300 {
        let begun = Instant::now();
        let services = services(folder.path())?;
        let bound = begun.elapsed();
        let access = services.open_job(identity(1))?;
        let open = begun.elapsed();
        drop(access);
        drop(services);
        opened.push((bound, open, begun.elapsed()));
    }
    let of = |part: fn(&(Duration, Duration, Duration)) -> Duration| median(opened.iter().map(part).collect());
    writeln!(out, "bind {:?}, with one open job {:?}, until dropped {:?}", of(|t| t.0), of(|t| t.1), of(|t| t.2))?;

    let block: Arc<Vec<u8>> = Arc::new(noise(BLOCK));
    let blocks = (mebibytes << 20) / BLOCK;
    let services = services(folder.path())?;
    let (mut bare_in, mut ours_in, mut bare_out, mut ours_out) = (vec![], vec![], vec![], vec![]);
    for round in 0..=rounds {
        let access = services.open_job(identity(round as u64 + 1))?;
        let bare = folder.path().join("bare");
        let times = (
            timed(|| bare_upload(&bare, &block, blocks))?,
            timed(|| upload(&services, &access, &block, blocks))?,
            timed(|| bare_download(&bare))?,
            timed(|| download(&services, &access))?,
        );
        for file in std::fs::read_dir(&bare)? {
            std::fs::remove_file(file?.path())?;
        }
        twirp(&services, &access, "ArtifactService/DeleteArtifact", &named(&access))?;
        // The first round warms up.
        if round > 0 {
            bare_in.push(times.0);
            ours_in.push(times.1);
            bare_out.push(times.2);
            ours_out.push(times.3);
        }
    }
    for (what, bare, ours) in [("upload", &bare_in, &ours_in), ("download", &bare_out, &ours_out)] {
        let of = |costs: &[Cost], part: fn(&Cost) -> Duration| median(costs.iter().map(part).collect());
        for (kind, part) in [("wall", (|cost| cost.wall) as fn(&Cost) -> Duration), ("cpu", |cost| cost.cpu)] {
            let (bare, ours) = (of(bare, part), of(ours, part));
            let ratio = bare.as_secs_f64() / ours.as_secs_f64();
            writeln!(
                out,
                "{what} of {mebibytes} MiB, {kind}: bare copy {bare:?}, services {ours:?}, ratio {ratio:.2}"
            )?;
        }
    }
    Ok(())
}

/// How long something took on the clock, and of all processors.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

fn timed(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<Cost, Box<dyn Error>> {
    let (begun, cpu) = (Instant::now(), cpu()?);
    work()?;
    Ok(Cost { wall: begun.elapsed(), cpu: self::cpu()?.saturating_sub(cpu) })
}

/// Processor time of this process, which holds both ends, in the kernel's steps of 10 ms.
fn cpu() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields.get(11..13).ok_or("no times")?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let next = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    next.take(length / 8).flatten().collect()
}

fn services(folder: &Path) -> Result<Services, Box<dyn Error>> {
    let store = Arc::new(FolderStore::open(folder.join("store"))?);
    let clock = Arc::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
    });
    Ok(Services::bind(ServicesConfig::new(store.clone(), store, Arc::new(NoForge), folder.join("state"), clock))?)
}

fn identity(run: u64) -> JobIdentity {
    JobIdentity::of_job(&JobSpec {
        run: RunId(run),
        run_number: 1,
        attempt: 1,
        job: JobKey::new("build"),
        id: "build".into(),
        name: "build".into(),
        file: WorkflowOrigin::Local { path: "ci.yml".into() },
        text: "".into(),
        contexts: JobContexts {
            github: Arc::new(json!({ "repository": "o/r", "ref": "refs/heads/main" })),
            ..JobContexts::default()
        },
        runs_on: Vec::new(),
        runner_group: None,
        environment: None,
        timeout_minutes: 60.0,
        permissions: BTreeMap::new(),
        secret_passages: Vec::new(),
    })
}

fn named(access: &JobAccess) -> Value {
    use base64::Engine;
    let claims = access.runtime_token.split('.').nth(1).unwrap_or_default();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
    let scope: Vec<&str> = claims["scp"].as_str().unwrap_or_default().split(':').collect();
    json!({ "workflow_run_backend_id": scope[1], "workflow_job_run_backend_id": scope[2], "name": "large" })
}

fn upload(services: &Services, access: &JobAccess, block: &Arc<Vec<u8>>, blocks: usize) -> Result<(), Box<dyn Error>> {
    let created = twirp(services, access, "ArtifactService/CreateArtifact", &named(access))?;
    let url = created["signed_upload_url"].as_str().ok_or("no address")?;
    let (address, path) = url.trim_start_matches("http://").split_once('/').ok_or("no path")?;
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (address, path, block) = (address.to_owned(), path.to_owned(), block.clone());
            thread::spawn(move || -> std::io::Result<()> {
                let mut stream = TcpStream::connect(&address)?;
                for number in (sender..blocks).step_by(SENDERS) {
                    let path = format!("{path}&comp=block&blockid={number:08}");
                    write!(
                        stream,
                        "PUT /{path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n",
                        block.len()
                    )?;
                    stream.write_all(&block)?;
                    expect(&mut stream, "201")?;
                }
                Ok(())
            })
        })
        .collect();
    for sender in senders {
        sender.join().map_err(|_| "a sender failed")??;
    }
    let list: String = (0..blocks).map(|number| format!("<Latest>{number:08}</Latest>")).collect();
    let list = format!("<BlockList>{list}</BlockList>");
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "PUT /{path}&comp=blocklist HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{list}",
        list.len()
    )?;
    expect(&mut stream, "201")?;
    let mut end = named(access);
    end["size"] = (blocks * BLOCK).to_string().into();
    twirp(services, access, "ArtifactService/FinalizeArtifact", &end)?;
    Ok(())
}

/// Reads one answer without a body.
fn expect(stream: &mut TcpStream, status: &str) -> std::io::Result<()> {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        answer.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&answer);
    if text.contains(status) { Ok(()) } else { Err(std::io::Error::other(text.into_owned())) }
}

fn download(services: &Services, access: &JobAccess) -> Result<(), Box<dyn Error>> {
    let answer = twirp(services, access, "ArtifactService/GetSignedArtifactURL", &named(access))?;
    let url = answer["signed_url"].as_str().ok_or("no address")?;
    let (address, path) = url.trim_start_matches("http://").split_once('/').ok_or("no path")?;
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    swallow(stream)
}

fn swallow(mut stream: TcpStream) -> Result<(), Box<dyn Error>> {
    let mut piece = vec![0; 1 << 20];
    while stream.read(&mut piece)? > 0 {}
    Ok(())
}

/// The same blocks over as many connections into files, without a protocol.
fn bare_upload(folder: &Path, block: &Arc<Vec<u8>>, blocks: usize) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let block = block.clone();
            thread::spawn(move || -> std::io::Result<()> {
                let mut stream = TcpStream::connect(address)?;
                for _ in (sender..blocks).step_by(SENDERS) {
                    stream.write_all(&block)?;
                }
                Ok(())
            })
        })
        .collect();
    let mut writers = Vec::new();
    for number in 0..SENDERS {
        let mut stream = listener.accept()?.0;
        let mut file = File::create(folder.join(number.to_string()))?;
        writers.push(thread::spawn(move || std::io::copy(&mut stream, &mut file)));
    }
    for sender in senders {
        sender.join().map_err(|_| "a sender failed")??;
    }
    for writer in writers {
        writer.join().map_err(|_| "a writer failed")??;
    }
    Ok(())
}

fn bare_download(folder: &Path) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let folder = folder.to_owned();
    let sender = thread::spawn(move || -> std::io::Result<()> {
        let mut stream = listener.accept()?.0;
        let mut piece = vec![0; 1 << 20];
        for number in 0..SENDERS {
            let mut file = File::open(folder.join(number.to_string()))?;
            loop {
                let read = file.read(&mut piece)?;
                if read == 0 {
                    break;
                }
                stream.write_all(&piece[..read])?;
            }
        }
        Ok(())
    });
    swallow(TcpStream::connect(address)?)?;
    Ok(sender.join().map_err(|_| "the sender failed")??)
}

fn twirp(services: &Services, access: &JobAccess, method: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
    let address = services.origin().trim_start_matches("http://");
    let body = body.to_string();
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /twirp/github.actions.results.api.v1.{method} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        access.runtime_token,
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    if head.starts_with("HTTP/1.1 200") { Ok(serde_json::from_str(body)?) } else { Err(answer.into()) }
}
