//! The holder: a small process that makes a job's namespaces, keeps them, and opens sockets in them.
//!
//! Its standard input is the link to Lineclear. When that closes, it ends, and the namespaces with it once no step is left.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use rustix::thread::UnshareFlags;

use crate::link::{self, Ask, Plan, Refusal, Told};
use crate::wire::{self, Family};
use crate::{nft, view};

pub(crate) fn main() -> ExitCode {
    match hold() {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads what it would say: Lineclear sees that it is gone.
        Err(_) => ExitCode::FAILURE,
    }
}

fn hold() -> io::Result<()> {
    let input = io::stdin();
    let link = input.as_fd();
    let Some((plan, _)) = link::receive::<Plan>(link, Some(link::PATIENCE))? else { return Ok(()) };
    let made = unshare(&plan);
    let failed = made.is_err();
    link::send(link, &Told::Unshared(made.map_err(|error| error.to_string())), None)?;
    if failed {
        return Ok(());
    }
    match link::receive::<Ask>(link, Some(link::PATIENCE))? {
        Some((Ask::GoOn, _)) => {}
        _ => return Ok(()),
    }
    let network = match &plan.network {
        Some(network) if network.loopback => {
            wire::loopback_up().map_err(|error| format!("cannot bring the loopback up: {error}"))
        }
        _ => Ok(()),
    };
    let view = plan.view.as_ref().map_or(Ok(String::new()), view::make);
    link::send(link, &Told::Ready { network, view }, None)?;
    while let Some((ask, _)) = link::receive::<Ask>(link, None)? {
        let (answer, fd) = match answer(&ask) {
            Ok(fd) => (Ok(()), fd),
            Err(error) => (Err(Refusal { errno: error.raw_os_error(), text: error.to_string() }), None),
        };
        link::send(link, &Told::Done(answer), fd.as_ref().map(AsFd::as_fd))?;
    }
    Ok(())
}

fn unshare(plan: &Plan) -> io::Result<()> {
    let mut flags = UnshareFlags::empty();
    if plan.user {
        flags |= UnshareFlags::NEWUSER;
    }
    if plan.network.is_some() {
        flags |= UnshareFlags::NEWNET;
    }
    if plan.view.is_some() {
        flags |= UnshareFlags::NEWNS | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    }
    #[expect(
        deprecated,
        reason = "unsound only with `FILES`, which would part this thread from descriptors that it owns"
    )]
    rustix::thread::unshare(flags)?;
    Ok(())
}

fn answer(ask: &Ask) -> io::Result<Option<OwnedFd>> {
    match ask {
        Ask::GoOn => Ok(None),
        Ask::ListenTcp(address) => Ok(Some(listen(*address)?.into())),
        Ask::ListenUdp(address) => Ok(Some(UdpSocket::bind(address)?.into())),
        Ask::Redirect { v4, v6 } => {
            wire::everywhere_is_here(Family::V4)?;
            nft::redirect(Family::V4, *v4)?;
            if let Some(port) = v6 {
                wire::everywhere_is_here(Family::V6)?;
                nft::redirect(Family::V6, *port)?;
            }
            Ok(None)
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}
