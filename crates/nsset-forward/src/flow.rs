//! The datagrams of one client.

use std::{io, os::fd::AsRawFd, rc::Rc, sync::Arc, time::Duration};

use nix::sys::socket::{MsgFlags, recv};
use socket2::Socket;
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc::Receiver,
    time::{Instant, sleep_until},
};

use crate::{
    counters::{Counters, Direction},
    packet_info::{self, Ends},
    target::Target,
};

/// The largest payload of a datagram (udp(7)).
pub const LARGEST_DATAGRAM: usize = 65_535;

/// Forwards the datagrams of a client to the target, and those of the target to the client, until none has passed for `idle`.
pub struct Flow {
    pub listener: Rc<AsyncFd<Socket>>,
    pub ends: Ends,
    pub target: Target,
    pub counters: Arc<Counters>,
    pub idle: Duration,
}

impl Flow {
    pub async fn run(self, mut datagrams: Receiver<Vec<u8>>) {
        let _open = self.counters.open();
        if self.forward(&mut datagrams).await.is_err() {
            self.counters.fail();
        }
    }

    async fn forward(&self, datagrams: &mut Receiver<Vec<u8>>) -> io::Result<()> {
        let socket = self.target.datagrams().await?;
        let mut buffer = vec![0; LARGEST_DATAGRAM];
        let mut end = Instant::now() + self.idle;
        loop {
            tokio::select! {
                () = sleep_until(end) => return Ok(()),
                datagram = datagrams.recv() => match datagram {
                    Some(datagram) => self.send(&socket, &datagram).await,
                    None => return Ok(()),
                },
                received = socket.async_io(Interest::READABLE, |socket| receive(socket, &mut buffer)) => {
                    // An error belongs to a datagram that the target has refused. It may accept the next one.
                    if let Ok(length) = received {
                        self.answer(buffer.get(..length).unwrap_or_default()).await;
                    }
                }
            }
            end = Instant::now() + self.idle;
        }
    }

    /// A datagram that cannot be sent is lost, as on any network. The first error may belong to an earlier datagram that the target
    /// has refused (udp(7)).
    async fn send(&self, socket: &AsyncFd<Socket>, datagram: &[u8]) {
        for _ in 0..2 {
            if let Ok(length) = socket.async_io(Interest::WRITABLE, |socket| socket.send(datagram)).await {
                self.counters.add(Direction::ToTarget, length);
                return;
            }
        }
    }

    /// A datagram that cannot be sent is lost, as on any network.
    async fn answer(&self, datagram: &[u8]) {
        let send = |listener: &Socket| packet_info::send(listener, datagram, self.ends);
        if self.listener.async_io(Interest::WRITABLE, send).await.is_ok() {
            self.counters.add(Direction::FromTarget, datagram.len());
        }
    }
}

fn receive(socket: &Socket, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?)
}
