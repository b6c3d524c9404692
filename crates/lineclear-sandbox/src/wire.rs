//! The job's own network: a loopback, and where it is asked for, a way by which every connection reaches the gateway.

use std::io;

use crate::netlink::{ACK, CREATE, Messages};

/// The number of the loopback in every network namespace.
const LOOPBACK: u32 = 1;

/// Brings the loopback up, in the network namespace of this process.
pub(crate) fn loopback_up() -> io::Result<()> {
    const NEW_LINK: u16 = 16;
    const UP: u32 = 1;
    let mut messages = Messages::default();
    messages.message(NEW_LINK, ACK, |body| {
        // struct ifinfomsg: family, pad, type, index, flags, change
        body.put(&[0; 4]);
        body.put(&LOOPBACK.to_ne_bytes());
        body.put(&UP.to_ne_bytes());
        body.put(&UP.to_ne_bytes());
    });
    messages.carry_out(None)
}

/// Which addresses of the world are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// Makes every address one of the loopback, so that a connection to it stays in this namespace and can be taken from there.
pub(crate) fn everywhere_is_here(family: Family) -> io::Result<()> {
    const NEW_ROUTE: u16 = 24;
    const TABLE_LOCAL: u8 = 255;
    const BY_BOOT: u8 = 3;
    const SCOPE_HOST: u8 = 254;
    const TYPE_LOCAL: u8 = 2;
    const OUT_LINK: u16 = 4;
    let number = match family {
        Family::V4 => 2,
        Family::V6 => 10,
    };
    let mut messages = Messages::default();
    messages.message(NEW_ROUTE, ACK | CREATE, |body| {
        // struct rtmsg: family, bits of destination and source, type of service, table, protocol, scope, type, flags
        body.put(&[number, 0, 0, 0, TABLE_LOCAL, BY_BOOT, SCOPE_HOST, TYPE_LOCAL, 0, 0, 0, 0]);
        body.attribute(OUT_LINK, &LOOPBACK.to_ne_bytes());
    });
    messages.carry_out(None)
}
