//! The sockets of the two legs of a forwarding: one leg is in the network of the set, the other one outside.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use napi_derive::napi;
use nix::errno::Errno;
use nsset::{Error, Kind, NamespaceSet, SystemError};
use nsset_forward::{FindFile, MakeSocket};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::{
    network::{
        handles::zone::{address_of, text_of},
        sockets::{Sockets, to_io},
        ways::socket_file::{HeldName, SocketFile},
    },
    network_thread::{failure::Failure, turns::Line, waiting},
};

/// An address at which a forwarding listens, or to which it connects.
#[napi(object)]
#[derive(Clone, Default)]
pub struct NativePlace {
    /// An IP address without its zone, if the place is not a path.
    pub address: Option<String>,
    /// The name or index of the link of a link-local address, in the network of the leg.
    pub zone: Option<String>,
    pub port: Option<u16>,
    /// The path of a unix socket, or its abstract name after a NUL.
    pub path: Option<String>,
}

/// Where the sockets of a leg are created.
#[derive(Clone)]
pub enum Leg {
    Inside(Arc<Sockets>),
    Outside,
}

impl Leg {
    /// Creates a socket with the domain and type of socket(2).
    pub async fn socket(&self, domain: i32, kind: i32) -> nsset::Result<OwnedFd> {
        match self {
            Self::Inside(sockets) => sockets.socket_inside(domain, kind, 0).await,
            Self::Outside => outside(domain, kind).map_err(|error| failed(&error, "socket")),
        }
    }

    /// Returns the function that creates the sockets to the targets.
    pub fn maker(&self) -> MakeSocket {
        let leg = self.clone();
        Rc::new(move |domain, kind| {
            let leg = leg.clone();
            Box::pin(async move { leg.socket(domain, kind).await.map_err(to_io) })
        })
    }

    /// Converts a place to the address of a server. A path inside is looked up there up to its directory.
    pub async fn target(&self, place: &NativePlace) -> Result<Target, Failure> {
        match (self.of_other_files(), place.path.as_deref().filter(|path| is_in_files(path))) {
            (Some(sockets), Some(path)) => Ok(Target::Name(Arc::new(held_name(sockets, path).await?))),
            _ => self.address(place).await.map(Target::Address),
        }
    }

    /// Returns the function that finds the file of a server.
    pub fn finder(&self, name: Arc<HeldName>) -> FindFile {
        let leg = self.clone();
        Rc::new(move || {
            let (leg, name) = (leg.clone(), Arc::clone(&name));
            Box::pin(async move {
                let find = move || name.find().map_err(|error| failed(&error, "open"));
                let found = match &leg {
                    Self::Inside(sockets) => sockets.read_files(move |_| find()).await,
                    Self::Outside => waiting::run(Line::new(), find).await,
                };
                found.map_err(to_io)
            })
        })
    }

    /// Converts a place to the address of a socket. Looks up a zone in the network of the leg.
    async fn address(&self, place: &NativePlace) -> Result<SockAddr, Failure> {
        if let Some(path) = &place.path {
            return SockAddr::unix(path).map_err(|_| too_long(path).into());
        }
        let text = place.address.as_deref().unwrap_or_default();
        let ip: IpAddr = text.parse().map_err(|_| Error::InvalidArgument(format!("'{text}' is not an IP address")))?;
        let port = place.port.unwrap_or(0);
        let (IpAddr::V6(ip), Some(zone)) = (ip, &place.zone) else { return Ok(SocketAddr::new(ip, port).into()) };
        let socket = self.socket(libc::AF_INET6, libc::SOCK_DGRAM).await?;
        let address = address_of(socket.as_fd(), ip, port, zone);
        if address.scope_id() == 0 {
            let hint = format!("there is no link '{zone}' in this network");
            return Err(Error::from(SystemError::new(Errno::ENODEV, "bind").kind(Kind::Net).hint(hint)).into());
        }
        Ok(address.into())
    }

    /// Creates a socket that is bound to a place, and listens if it is a stream socket.
    pub async fn listener(&self, place: &NativePlace, kind: i32, backlog: i32) -> Result<Listener, Failure> {
        if let (Some(sockets), Some(path)) =
            (self.of_other_files(), place.path.as_deref().filter(|path| is_in_files(path)))
        {
            return Ok(listen_among_files(sockets, path, backlog).await?);
        }
        let address = self.address(place).await?;
        let socket = Socket::from(self.socket(i32::from(address.family()), kind).await?);
        let has_file = address.as_pathname().is_some();
        let listen = move || Listener::new(socket, &address, kind, backlog);
        // A file system that does not answer blocks only this.
        if has_file { Ok(waiting::run(Line::new(), listen).await?) } else { Ok(listen()?) }
    }

    /// The sockets of a set whose paths lead to other files than those of this thread.
    fn of_other_files(&self) -> Option<&Sockets> {
        match self {
            Self::Inside(sockets) if !sockets.sees_files_of_caller() => Some(sockets),
            _ => None,
        }
    }
}

/// Where a forwarding connects to.
pub enum Target {
    Address(SockAddr),
    Name(Arc<HeldName>),
}

/// An abstract name belongs to the network (unix(7)), and any other path to a mount namespace.
fn is_in_files(path: &str) -> bool {
    !path.starts_with('\0')
}

/// Finds the directory of a path inside, where the symbolic links of the set apply.
async fn held_name(sockets: &Sockets, path: &str) -> nsset::Result<HeldName> {
    let path = Path::new(path);
    let (Some(directory), Some(name)) = (path.parent().map(Path::to_owned), path.file_name().map(PathBuf::from)) else {
        return Err(Error::InvalidArgument(format!("'{}' is not the path of a socket", path.display())));
    };
    let held = sockets.read_files(move |set| nsset::hold_directory(set, set.kinds(), &directory)).await?;
    Ok(HeldName::new(held, name))
}

async fn listen_among_files(sockets: &Sockets, path: &str, backlog: i32) -> nsset::Result<Listener> {
    let name = held_name(sockets, path).await?;
    let path = PathBuf::from(path);
    let listen = move |set: &NamespaceSet| {
        let socket = Socket::from(nsset::bind_unix_socket(set, set.kinds(), &path)?);
        let file = SocketFile::at(name).map_err(|error| failed(&error, "open"))?;
        Listener::listen(socket, Some(file), libc::SOCK_STREAM, backlog)
    };
    sockets.read_files(listen).await
}

/// A socket that listens, or receives datagrams.
pub struct Listener {
    pub socket: Socket,
    pub place: NativePlace,
    /// That of a unix socket with a path.
    pub file: Option<SocketFile>,
}

impl Listener {
    fn new(socket: Socket, address: &SockAddr, kind: i32, backlog: i32) -> nsset::Result<Self> {
        prepare(&socket, address, kind).map_err(|error| failed(&error, "setsockopt"))?;
        socket.bind(address).map_err(|error| failed(&error, "bind"))?;
        let find = |path| HeldName::of(path).map_err(io::Error::from).and_then(SocketFile::at);
        let file = address.as_pathname().map(find).transpose().map_err(|error| failed(&error, "open"))?;
        Self::listen(socket, file, kind, backlog)
    }

    /// With a socket that is bound.
    fn listen(socket: Socket, file: Option<SocketFile>, kind: i32, backlog: i32) -> nsset::Result<Self> {
        if kind == libc::SOCK_STREAM {
            socket.listen(backlog).map_err(|error| failed(&error, "listen"))?;
        }
        let place = place_of(&socket).map_err(|error| failed(&error, "getsockname"))?;
        Ok(Self { socket, place, file })
    }
}

/// Returns the place of a bound socket.
fn place_of(socket: &Socket) -> io::Result<NativePlace> {
    let address = socket.local_addr()?;
    let Some(ip) = address.as_socket() else {
        let name = address.as_abstract_namespace().map(|name| format!("\0{}", String::from_utf8_lossy(name)));
        let path = name.or_else(|| address.as_pathname().map(|path| path.to_string_lossy().into_owned()));
        return Ok(NativePlace { path, ..NativePlace::default() });
    };
    let text = match &ip {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => text_of(socket.as_fd(), address),
    };
    Ok(NativePlace { address: Some(text), port: Some(ip.port()), ..NativePlace::default() })
}

/// The options that Node.js sets for servers, and for UDP those of a socket that has its port alone.
fn prepare(socket: &Socket, address: &SockAddr, kind: i32) -> io::Result<()> {
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    if kind == libc::SOCK_STREAM && !address.is_unix() {
        // An address that was in use until now can be bound.
        socket.set_reuse_address(true)?;
    }
    Ok(())
}

/// The calling thread is outside: it is the thread of networks or of forwardings.
fn outside(domain: i32, kind: i32) -> io::Result<OwnedFd> {
    Socket::new(Domain::from(domain), Type::from(kind), None::<Protocol>).map(OwnedFd::from)
}

fn failed(error: &io::Error, syscall: &'static str) -> Error {
    let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
    SystemError::new(errno, syscall).kind(Kind::Net).into()
}

fn too_long(path: &str) -> Error {
    SystemError::new(Errno::ENAMETOOLONG, "bind")
        .path(Path::new(path))
        .hint("a path of a socket has at most 107 bytes")
        .into()
}
