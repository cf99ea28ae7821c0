//! A name server that sends the answers of a test.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use hickory_proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CNAME},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};

use super::Host;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
}

#[derive(Clone, Debug)]
pub struct Query {
    pub id: u16,
    pub from: SocketAddr,
    pub transport: Transport,
    /// The name with a dot at the end.
    pub name: String,
    pub kind: RecordType,
    pub edns: bool,
}

/// The reaction of the server to a query.
pub enum Reply {
    Records(Vec<Record>),
    Code(ResponseCode),
    /// An incomplete answer. The whole answer needs TCP.
    Truncated,
    /// The valid answer, after one with another id.
    AfterForgery(Vec<Record>),
    Rubbish,
    /// Only this many forged answers.
    Forgeries(usize),
    /// Over TCP: the start of a long answer.
    Half,
    /// Over TCP: the end of the connection.
    HangUp,
    Nothing,
}

type Log = Arc<Mutex<Vec<Query>>>;
type Answers = Arc<dyn Fn(&Query) -> Reply + Send + Sync>;

/// A running server. Dropping it stops the server.
pub struct Server {
    log: Log,
    _tasks: JoinSet<()>,
}

impl Server {
    pub fn start(host: &Host, address: SocketAddr, reply: impl Fn(&Query) -> Reply + Send + Sync + 'static) -> Self {
        let udp = std::net::UdpSocket::from(host.bound(address, libc::SOCK_DGRAM));
        let tcp = host.bound(address, libc::SOCK_STREAM);
        nix::sys::socket::listen(&tcp, nix::sys::socket::Backlog::new(128).unwrap()).unwrap();
        let tcp = std::net::TcpListener::from(tcp);
        udp.set_nonblocking(true).unwrap();
        tcp.set_nonblocking(true).unwrap();
        let (log, answers): (Log, Answers) = (Log::default(), Arc::new(reply));
        let mut tasks = JoinSet::new();
        tasks.spawn(over_udp(UdpSocket::from_std(udp).unwrap(), Arc::clone(&log), Arc::clone(&answers)));
        tasks.spawn(over_tcp(TcpListener::from_std(tcp).unwrap(), Arc::clone(&log), answers));
        Self { log, _tasks: tasks }
    }

    /// Returns all received queries.
    pub fn queries(&self) -> Vec<Query> {
        self.log.lock().unwrap().clone()
    }

    pub fn names(&self) -> Vec<String> {
        self.queries().into_iter().map(|query| query.name).collect()
    }
}

async fn over_udp(socket: UdpSocket, log: Log, answers: Answers) {
    let mut buffer = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        for answer in answer(&buffer[..length], from, Transport::Udp, &log, &answers).unwrap_or_default() {
            // The client may have closed its socket.
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

async fn over_tcp(listener: TcpListener, log: Log, answers: Answers) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, from) = listener.accept().await.unwrap();
        let (log, answers) = (Arc::clone(&log), Arc::clone(&answers));
        connections.spawn(async move {
            let _ = converse(stream, from, &log, &answers).await;
        });
    }
}

async fn converse(mut stream: TcpStream, from: SocketAddr, log: &Log, answers: &Answers) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut question = vec![0; length.into()];
        stream.read_exact(&mut question).await?;
        let Some(messages) = answer(&question, from, Transport::Tcp, log, answers) else { return Ok(()) };
        for answer in messages {
            stream.write_u16(answer.len().try_into().unwrap()).await?;
            let is_half = answer.iter().all(|byte| *byte == 0);
            stream.write_all(if is_half { &answer[..100] } else { &answer }).await?;
        }
    }
}

/// Returns the messages of the answer, or `None` to end the connection.
fn answer(bytes: &[u8], from: SocketAddr, transport: Transport, log: &Log, answers: &Answers) -> Option<Vec<Vec<u8>>> {
    let question = Message::from_vec(bytes).unwrap();
    let first = &question.queries[0];
    let query = Query {
        id: question.id,
        from,
        transport,
        name: first.name().to_ascii(),
        kind: first.query_type(),
        edns: question.edns.is_some(),
    };
    log.lock().unwrap().push(query.clone());
    let mut answer = Message::response(question.id, OpCode::Query);
    answer.metadata.recursion_available = true;
    answer.queries.push(first.clone());
    match answers(&query) {
        Reply::Records(records) => answer.answers = records,
        Reply::Code(code) => answer.metadata.response_code = code,
        Reply::Truncated => answer.metadata.truncation = true,
        Reply::AfterForgery(records) => {
            let mut forgery = answer.clone();
            forgery.metadata.id ^= 1;
            forgery.answers = vec![a(&query.name, "6.6.6.6")];
            answer.answers = records;
            return Some(vec![forgery.to_vec().unwrap(), answer.to_vec().unwrap()]);
        }
        Reply::Rubbish => return Some(vec![[&bytes[..2], &[0xff; 20]].concat()]),
        Reply::Forgeries(count) => {
            answer.metadata.id ^= 1;
            return Some(vec![answer.to_vec().unwrap(); count]);
        }
        Reply::Half => return Some(vec![vec![0; 60_000]]),
        Reply::HangUp => return None,
        Reply::Nothing => return Some(Vec::new()),
    }
    Some(vec![answer.to_vec().unwrap()])
}

pub fn a(name: &str, address: &str) -> Record {
    Record::from_rdata(Name::from_ascii(name).unwrap(), 60, RData::A(A(address.parse().unwrap())))
}

pub fn aaaa(name: &str, address: &str) -> Record {
    Record::from_rdata(Name::from_ascii(name).unwrap(), 60, RData::AAAA(AAAA(address.parse().unwrap())))
}

pub fn cname(name: &str, target: &str) -> Record {
    Record::from_rdata(Name::from_ascii(name).unwrap(), 60, RData::CNAME(CNAME(Name::from_ascii(target).unwrap())))
}
