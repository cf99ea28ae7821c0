//! Host names, resolved by queries over sockets that the caller supplies: created in a network namespace, they ask the
//! servers that are seen there, from wherever the resolver runs. As getaddrinfo(3) of glibc, with what resolv.conf(5) and
//! hosts(5) say; the caller reads the files.
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
//! Waiting needs a tokio runtime with its `io` and `time` drivers. Everything a lookup does it does while it is polled:
//! no thread and no task is started, and nothing is left of a lookup that is dropped.

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
