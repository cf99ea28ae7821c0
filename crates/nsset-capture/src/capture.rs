//! A capture: opening it, and reading it from any thread.

use std::{os::fd::OwnedFd, sync::Arc};

use tokio::sync::watch;

use crate::{
    compile::compile,
    engine::Engine,
    error::{Error, failed},
    link_type::LinkType,
    options::{Filter, Options},
    pcapng::{Section, Totals},
    ring::{BLOCK_SIZE, Ring},
    shared::{Order, Reading, Shared},
    socket::PacketSocket,
};

/// Reads a capture. Dropping it ends the capture at once.
pub struct Capture {
    shared: Arc<Shared>,
    orders: watch::Sender<Order>,
}

impl Capture {
    /// Opens a capture: from now on the kernel puts packets into the ring. The engine has to be run. `socket` creates a socket of
    /// `AF_PACKET` of a type and protocol 0.
    ///
    /// # Errors
    /// [`Error`], and those of `socket`.
    pub fn open<E: From<Error>>(
        options: &Options,
        mut socket: impl FnMut(i32) -> Result<OwnedFd, E>,
    ) -> Result<(Self, Engine), E> {
        let link = if options.link == 0 { LinkType::Cooked } else { LinkType::Ethernet };
        // What is wrong with a filter is said before a socket is needed, as far as it does not depend on the link.
        compile(options, link)?;
        let mut packets = PacketSocket::new(socket(link.socket_type())?);
        let link = if options.link == 0 { link } else { hardware(&packets, options.link)? };
        if link != LinkType::Ethernet && options.link != 0 {
            packets = PacketSocket::new(socket(link.socket_type())?);
        }
        Ok(begin(options, link, packets)?)
    }

    /// Reads what there is.
    pub fn read(&self) -> Reading {
        self.shared.read()
    }

    /// Calls a function once, on any thread, when there is something to read.
    pub fn when_ready(&self, wake: impl FnOnce() + Send + 'static) {
        self.shared.when_ready(wake);
    }

    /// Ends the capture. What was captured before can still be read, and then the statistics.
    pub fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }

    /// Ends the capture at once.
    pub fn close(&self) {
        let _ = self.orders.send(Order::Abandon);
    }

    /// Returns what was counted so far, also after the end.
    pub fn statistics(&self) -> Totals {
        self.shared.count()
    }
}

fn hardware(socket: &PacketSocket, link: u32) -> Result<LinkType, Error> {
    socket.hardware_of(link).map(LinkType::of_hardware).map_err(failed("bind"))
}

fn begin(options: &Options, link: LinkType, socket: PacketSocket) -> Result<(Capture, Engine), Error> {
    let program = compile(options, link)?;
    let ring =
        Ring::new(&socket, options.buffer_size.div_ceil(BLOCK_SIZE)).map_err(failed("setsockopt(PACKET_RX_RING)"))?;
    socket.attach(&program).map_err(failed("setsockopt(SO_ATTACH_FILTER)"))?;
    if options.promiscuous {
        socket.be_promiscuous(options.link).map_err(failed("setsockopt(PACKET_ADD_MEMBERSHIP)"))?;
    }
    socket.start(options.link).map_err(failed("bind"))?;
    let section = Section { link, snap_length: options.snap_length };
    let mut waiting = Vec::new();
    let text = match &options.filter {
        Filter::Text(text) if !text.trim().is_empty() => Some(text.as_str()),
        _ => None,
    };
    section.begin(&mut waiting, &options.name, text);
    let socket = Arc::new(socket);
    let shared = Arc::new(Shared::new(waiting, Arc::clone(&socket)));
    let (orders, ordered) = watch::channel(Order::default());
    let is_of_one_link = options.link != 0;
    let engine = Engine::new(socket, ring, section, Arc::clone(&shared), ordered, is_of_one_link);
    Ok((Capture { shared, orders }, engine))
}
