//! Resolves host names inside.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::pin,
    sync::Arc,
};

use futures_util::future::{Either, select};
use napi::{Env, Result};
use napi_derive::napi;
use nsset_dns::{Family, Mapped, OwnAddress, Wanted};

use crate::{
    deferred::{Loop, Promise},
    failure::guard,
    network::{
        inside::{Inside, open},
        native_network::NativeNetwork,
        sockets::Texts,
    },
    network_thread::{failure::Failure, thread},
};

#[napi]
impl NativeNetwork {
    /// Sets the configuration of name resolution: the texts of resolv.conf(5) and hosts(5), and servers that replace those in
    /// resolv.conf.
    #[napi(catch_unwind)]
    pub fn configure_resolver(&self, env: Env, resolv_conf: String, hosts: String, servers: Vec<String>) -> Result<()> {
        guard(env, || {
            open(&self.inside)?.resolve_by(Texts { resolv_conf, hosts, servers });
            Ok(())
        })
    }

    /// Returns the addresses of a host, of a family or of both (0), with the given hints of getaddrinfo(3), and in its order.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<string>>")]
    pub fn resolve(&self, env: Env, name: String, family: u32, hints: u32) -> Result<Promise<Vec<String>>> {
        let inside = Arc::clone(&self.inside);
        let hints = hints.cast_signed();
        let question = Question { name, wanted: wanted(family, hints), only_usable: hints & libc::AI_ADDRCONFIG != 0 };
        thread::promise(env, Loop::Held, move |deferred| async move {
            let found = lookup(&inside, question).await;
            deferred.settle(found.map(|addresses| addresses.iter().map(ToString::to_string).collect()));
        })
    }
}

struct Question {
    name: String,
    wanted: Wanted,
    /// Whether to look up only families of which the network has an address.
    only_usable: bool,
}

fn wanted(family: u32, hints: i32) -> Wanted {
    let family = match family {
        4 => Family::V4,
        6 => Family::V6,
        _ => Family::Any,
    };
    let mapped = match (hints & libc::AI_V4MAPPED, hints & libc::AI_ALL) {
        (0, _) => Mapped::No,
        (_, 0) => Mapped::Instead,
        _ => Mapped::Beside,
    };
    Wanted { family, mapped }
}

async fn lookup(inside: &Inside, Question { name, mut wanted, only_usable }: Question) -> Found {
    let sockets = open(inside)?;
    let closed = sockets.closed();
    // The network may have been closed before `closed` was created, which does not report that.
    open(inside)?;
    if only_usable {
        wanted.family = usable(wanted.family, &sockets.own_addresses().await?)
            .ok_or_else(|| nsset_dns::Error::NotFound { name: name.clone(), answer: None })?;
    }
    let resolver = sockets.resolver().await?;
    drop(sockets);
    let found = match select(pin!(resolver.lookup(&name, wanted)), pin!(closed)).await {
        Either::Left((found, _)) => found?,
        Either::Right(_) => return Err(nsset::Error::Closed.into()),
    };
    if found.len() < 2 {
        return Ok(found);
    }
    let own = open(inside)?.own_addresses().await?;
    Ok(resolver.sort(found, &own).await)
}

type Found = std::result::Result<Vec<IpAddr>, Failure>;

/// `AI_ADDRCONFIG` as in glibc: loopback addresses do not count, and if there are no other addresses, both families are looked
/// up.
fn usable(family: Family, own: &[OwnAddress]) -> Option<Family> {
    let has = |is_of_family: fn(&IpAddr) -> bool| {
        own.iter().any(|own| is_of_family(&own.address) && !LOOPBACK.contains(&own.address))
    };
    match (family, has(IpAddr::is_ipv4), has(IpAddr::is_ipv6)) {
        (Family::Any, true, false) => Some(Family::V4),
        (Family::Any, false, true) => Some(Family::V6),
        (Family::V4, false, _) | (Family::V6, _, false) => None,
        _ => Some(family),
    }
}

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
