//! One rule for the kernel's packet filter, in the job's own network: connections to places outside go to the gateway.
//!
//! # Source
//! `linux/netfilter/nf_tables.h`, `linux/netfilter/nfnetlink.h`.

use std::io;

use rustix::net::netlink::NETFILTER;

use crate::netlink::{ACK, Body, CREATE, Messages};
use crate::wire::Family;

const NF_TABLES: u16 = 10;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const NEW_TABLE: u16 = NF_TABLES << 8;
const NEW_CHAIN: u16 = (NF_TABLES << 8) | 3;
const NEW_RULE: u16 = (NF_TABLES << 8) | 6;
const TABLE: &str = "lineclear";
const CHAIN: &str = "out";
const TCP: u8 = 6;
const REGISTER: u32 = 1;

/// Redirects what goes over TCP to any address but the loopback's to `port` there. In the network namespace of this process.
pub(crate) fn redirect(family: Family, port: u16) -> io::Result<()> {
    let number = match family {
        Family::V4 => 2,
        Family::V6 => 10,
    };
    let mut batch = Messages::default();
    batch.message(BATCH_BEGIN, 0, |body| generic(body, 0, NF_TABLES));
    batch.message(NEW_TABLE, ACK | CREATE, |body| {
        generic(body, number, 0);
        body.text(1, TABLE);
    });
    batch.message(NEW_CHAIN, ACK | CREATE, |body| {
        generic(body, number, 0);
        body.text(1, TABLE);
        body.text(3, CHAIN);
        body.nested(4, |hook| {
            hook.number(1, 3); // The hook for what this namespace sends.
            hook.attribute(2, &(-100_i32).to_be_bytes()); // Where destinations are changed.
        });
        body.text(7, "nat");
    });
    batch.message(NEW_RULE, ACK | CREATE, |body| {
        generic(body, number, 0);
        body.text(1, TABLE);
        body.text(2, CHAIN);
        body.nested(4, |list| expressions(list, family, port));
    });
    batch.message(BATCH_END, 0, |body| generic(body, 0, NF_TABLES));
    batch.carry_out(Some(NETFILTER))
}

/// struct nfgenmsg: family, version, and in batches the subsystem.
fn generic(body: &mut Body<'_>, family: u8, subsystem: u16) {
    let [high, low] = subsystem.to_be_bytes();
    body.put(&[family, 0, high, low]);
}

fn expressions(list: &mut Body<'_>, family: Family, port: u16) {
    // meta l4proto tcp
    expression(list, "meta", |data| {
        data.number(1, REGISTER);
        data.number(2, 16);
    });
    compare(list, Comparison::Equal, &[TCP]);
    // The destination, which is not the loopback.
    let (offset, length) = match family {
        Family::V4 => (16, 4),
        Family::V6 => (24, 16),
    };
    expression(list, "payload", |data| {
        data.number(1, REGISTER);
        data.number(2, 1);
        data.number(3, offset);
        data.number(4, length);
    });
    match family {
        Family::V4 => {
            expression(list, "bitwise", |data| {
                data.number(1, REGISTER);
                data.number(2, REGISTER);
                data.number(3, length);
                data.nested(4, |mask| mask.attribute(1, &[255, 0, 0, 0]));
                data.nested(5, |xor| xor.attribute(1, &[0; 4]));
            });
            compare(list, Comparison::Different, &[127, 0, 0, 0]);
        }
        Family::V6 => compare(list, Comparison::Different, &std::net::Ipv6Addr::LOCALHOST.octets()),
    }
    expression(list, "immediate", |data| {
        data.number(1, REGISTER);
        data.nested(2, |value| value.attribute(1, &port.to_be_bytes()));
    });
    expression(list, "redir", |data| data.number(1, REGISTER));
}

#[derive(Clone, Copy)]
enum Comparison {
    Equal = 0,
    Different = 1,
}

fn compare(list: &mut Body<'_>, how: Comparison, with: &[u8]) {
    expression(list, "cmp", |data| {
        data.number(1, REGISTER);
        data.number(2, how as u32);
        data.nested(3, |value| value.attribute(1, with));
    });
}

fn expression(list: &mut Body<'_>, name: &str, fill: impl FnOnce(&mut Body<'_>)) {
    list.nested(1, |element| {
        element.text(1, name);
        element.nested(2, fill);
    });
}
