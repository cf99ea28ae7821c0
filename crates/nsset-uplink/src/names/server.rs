//! Asks the servers of the host.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hickory_proto::op::{Message, MessageType, ResponseCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use crate::names::Question;

/// How long a server has for its answer, and how often all servers are asked: as in resolv.conf(5).
const PATIENCE: Duration = Duration::from_secs(5);
const ATTEMPTS: usize = 2;

/// The longest answer in a datagram: more than a server is asked for, as some send more.
const LONGEST_DATAGRAM: usize = 4096;

/// Returns the answer of the first server that has one. `None` if no server answers.
pub async fn ask(servers: &[SocketAddr], question: &Question) -> Option<Message> {
    let mut failed = None;
    for _ in 0..ATTEMPTS {
        for server in servers {
            let Ok(Ok(answer)) = timeout(PATIENCE, exchange(*server, question)).await else { continue };
            match answer.metadata.response_code {
                ResponseCode::ServFail | ResponseCode::Refused | ResponseCode::NotImp => failed = Some(answer),
                _ => return Some(answer),
            }
        }
        if failed.is_some() {
            break;
        }
    }
    failed
}

async fn exchange(server: SocketAddr, question: &Question) -> io::Result<Message> {
    let asked = question.for_server();
    let bytes = asked.to_vec().map_err(io::Error::other)?;
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    // The kernel then drops datagrams of others, and reports a port without a listener.
    socket.connect(server).await?;
    socket.send(&bytes).await?;
    let mut room = vec![0; LONGEST_DATAGRAM];
    loop {
        let length = socket.recv(&mut room).await?;
        let Some(answer) = answer_to(&asked, room.get(..length).unwrap_or_default()) else { continue };
        if answer.metadata.truncation {
            return over_tcp(server, &asked, &bytes).await;
        }
        return Ok(answer);
    }
}

async fn over_tcp(server: SocketAddr, asked: &Message, bytes: &[u8]) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let mut message = (bytes.len() as u16).to_be_bytes().to_vec();
    message.extend_from_slice(bytes);
    stream.write_all(&message).await?;
    let length = stream.read_u16().await?;
    // Uses no more memory than what has come.
    let mut answer = Vec::new();
    stream.take(length.into()).read_to_end(&mut answer).await?;
    answer_to(asked, &answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reads the answer to a message. `None` for anything else, which another host may have sent.
fn answer_to(asked: &Message, bytes: &[u8]) -> Option<Message> {
    let answer = Message::from_vec(bytes).ok()?;
    let is_answer = answer.metadata.message_type == MessageType::Response
        && answer.metadata.id == asked.metadata.id
        && answer.queries == asked.queries;
    is_answer.then_some(answer)
}
