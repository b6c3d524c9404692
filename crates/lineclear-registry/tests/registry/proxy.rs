//! A line to a registry that breaks when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Where a connection is cut.
#[derive(Clone, Copy)]
pub(crate) enum Cut {
    /// After so many bytes from the client.
    Up(u64),
    /// After so many bytes to the client.
    Down(u64),
}

/// Passes bytes on. The first connections that carry as many bytes are cut there.
pub(crate) struct Proxy {
    pub(crate) address: String,
    /// How many connections were cut.
    pub(crate) cuts: Arc<AtomicUsize>,
    /// How many bytes went to the registry.
    pub(crate) up: Arc<AtomicU64>,
}

impl Proxy {
    pub(crate) fn before(registry: &str, cut: Cut, times: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let proxy = Self { address, cuts: Arc::default(), up: Arc::default() };
        let (registry, cuts, up) = (registry.to_owned(), Arc::clone(&proxy.cuts), Arc::clone(&proxy.up));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&registry) else { continue };
                let (most_up, most_down) = match cut {
                    Cut::Up(bytes) => (bytes, u64::MAX),
                    Cut::Down(bytes) => (u64::MAX, bytes),
                };
                let one = (client.try_clone().expect("cloned"), server.try_clone().expect("cloned"));
                let (cuts_up, up) = (Arc::clone(&cuts), Arc::clone(&up));
                std::thread::spawn(move || pass(one.0, one.1, most_up, times, &cuts_up, Some(&up)));
                let cuts = Arc::clone(&cuts);
                std::thread::spawn(move || pass(server, client, most_down, times, &cuts, None));
            }
        });
        proxy
    }
}

fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    most: u64,
    times: usize,
    cuts: &AtomicUsize,
    count: Option<&AtomicU64>,
) {
    let mut piece = vec![0; 16 << 10];
    let mut passed = 0_u64;
    while let Ok(length) = from.read(&mut piece) {
        if length == 0 {
            break;
        }
        if passed + length as u64 > most
            && cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |cut| (cut < times).then_some(cut + 1)).is_ok()
        {
            break;
        }
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
        passed += length as u64;
        if let Some(count) = count {
            count.fetch_add(length as u64, Ordering::SeqCst);
        }
    }
    let _gone = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
