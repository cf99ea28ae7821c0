//! Resolves host names with sockets that the caller creates. If they are created in a network namespace, the queries go to the
//! servers there, on whichever thread the resolver runs. It works like getaddrinfo(3) of glibc, with the configuration of
//! resolv.conf(5) and hosts(5), which the caller reads.
//!
//! ```no_run
//! # async fn example(set: nsset::NamespaceSet) -> nsset_dns::Result<()> {
//! use nsset_dns::{Config, Family, Resolver};
//!
//! let config = Config::parse("nameserver 10.0.0.53\nsearch lab.test\n", "10.0.0.7 db\n", |_zone| None);
//! let sockets = move |domain, kind, protocol| {
//!     nsset::open_socket(&set, set.kinds(), domain, kind, protocol).map_err(std::io::Error::other)
//! };
//! let addresses = Resolver::new(config, sockets).lookup("web", Family::Any).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Lookups need a tokio runtime with the `io` and `time` drivers. A lookup works only while it is polled: it starts no thread and
//! no task, and nothing is left of it when it is dropped.

mod config;
mod error;
mod exchange;
mod failure;
mod family;
mod host_name;
mod hosts;
mod inside;
mod numeric;
mod order;
mod resolv_conf;
mod resolver;
mod search;
mod wire;

pub use config::Config;
pub use error::{Error, Result};
pub use family::{Family, Mapped, Wanted};
pub use hosts::Hosts;
pub use inside::{SocketFuture, SocketMaker};
pub use order::OwnAddress;
pub use resolver::Resolver;
