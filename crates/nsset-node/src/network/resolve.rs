//! Names, resolved inside.

use std::{net::IpAddr, pin::pin, sync::Arc};

use futures_util::future::{Either, select};
use napi::{Env, Result};
use napi_derive::napi;
use nsset_dns::Family;

use super::{Inside, NativeNetwork, failure::Failure, open, reply::Reply, sockets::Texts, thread};
use crate::{environment, failure::guard};

#[napi]
impl NativeNetwork {
    /// What names are resolved by from now on: the texts of resolv.conf(5) and hosts(5), and servers that are asked instead.
    #[napi(catch_unwind)]
    pub fn configure_resolver(&self, env: Env, resolv_conf: String, hosts: String, servers: Vec<String>) -> Result<()> {
        guard(env, || {
            open(&self.inside)?.resolve_by(Texts { resolv_conf, hosts, servers });
            Ok(())
        })
    }

    /// Asks for the addresses of a host, of this family or of both (0); they are told by `id`.
    #[napi(catch_unwind)]
    pub fn resolve(&self, env: Env, id: u32, name: String, family: u32) -> Result<()> {
        let reply = Reply::new(id, Arc::clone(&environment::of(env)?.answer_line));
        let inside = Arc::clone(&self.inside);
        let family = match family {
            4 => Family::V4,
            6 => Family::V6,
            _ => Family::Any,
        };
        guard(env, || thread::run(move || answer(inside, name, family, reply)))
    }
}

async fn answer(inside: Inside, name: String, family: Family, mut reply: Reply) {
    let outcome = lookup(&inside, &name, family).await.map(|addresses| {
        for address in addresses {
            reply.push(&format!("\"{address}\""));
        }
    });
    reply.end(outcome);
}

async fn lookup(inside: &Inside, name: &str, family: Family) -> std::result::Result<Vec<IpAddr>, Failure> {
    let sockets = open(inside)?;
    let closed = sockets.closed();
    // It may have been closed before there was anybody to tell.
    open(inside)?;
    let resolver = sockets.resolver().await?;
    drop(sockets);
    match select(pin!(resolver.lookup(name, family)), pin!(closed)).await {
        Either::Left((found, _)) => Ok(found?),
        Either::Right(_) => Err(nsset::Error::Closed.into()),
    }
}
