//! The official client when the network fails in the middle of an upload.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use lineclear_event::RunId;
use lineclear_store::Artifacts;
use serde_json::json;

use crate::client::call_with_log;
use crate::world::{World, noise};

/// Passes connections on to `target`; the first `cuts` of those that bring a block end in the middle of it.
fn failing_network(target: Arc<OnceLock<SocketAddr>>, cuts: u32) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let cut = Arc::new(AtomicU32::new(0));
    let counted = cut.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(target.get().expect("it is set before a job is opened")) else {
                return;
            };
            let counted = counted.clone();
            thread::spawn(move || pass_on(client, server, &counted, cuts));
        }
    });
    (address, cut)
}

fn pass_on(mut client: TcpStream, mut server: TcpStream, cut: &AtomicU32, cuts: u32) {
    let (mut answers, mut back) = (server.try_clone().expect("a handle"), client.try_clone().expect("a handle"));
    thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Write);
    });
    let mut piece = vec![0; 64 << 10];
    let mut of_a_block = None;
    while let Ok(read @ 1..) = client.read(&mut piece) {
        if piece[..read].windows(11).any(|window| window == b"comp=block&") {
            of_a_block = Some(0);
        }
        if let Some(bytes) = &mut of_a_block {
            *bytes += read;
            if *bytes > 1 << 20 && cut.fetch_add(1, Ordering::SeqCst) < cuts {
                let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
                return;
            }
        }
        if server.write_all(&piece[..read]).is_err() {
            return;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

/// Trap 83: the client sends the block again, on another connection.
#[test]
fn trap_83_a_connection_that_breaks_in_a_block_costs_that_block_only() {
    let target = Arc::new(OnceLock::new());
    let (address, cut) = failing_network(target.clone(), 2);
    let world = World::with(|config| config.base_url = Some(format!("http://{address}")));
    target.set(world.services.local_address().expect("they listen")).expect("set once");
    let job = world.job("faults");
    let content = noise(12, 20 << 20);
    let file = job.write("large.bin", &content);
    let up = json!(["uploadArtifact", "ignored", [file], job.workspace, { "skipArchive": true }]);
    let down = json!(["downloadArtifact", "$0.id", { "path": job.path("got") }]);
    let (results, log) = call_with_log(&world, &job, "artifact6", &[up, down]);
    assert!(results.iter().all(|result| result["error"].is_null()), "{results:?}\n{log}");
    assert!(std::fs::read(job.workspace.join("got/large.bin")).expect("the file") == content);
    assert!(cut.load(Ordering::SeqCst) >= 2, "the network has failed");
    assert_eq!(world.store.list(RunId(1)).expect("a list").len(), 1);
}
