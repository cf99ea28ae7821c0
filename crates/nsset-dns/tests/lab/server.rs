//! A name server that sends the answers it was given.

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
pub struct Asked {
    pub id: u16,
    pub from: SocketAddr,
    pub transport: Transport,
    /// With the dot at its end.
    pub name: String,
    pub kind: RecordType,
    pub edns: bool,
}

/// What the server does with a question.
pub enum Say {
    Records(Vec<Record>),
    Code(ResponseCode),
    /// There is more, over TCP.
    Truncated,
    /// The right answer, after one with another id.
    AfterForgery(Vec<Record>),
    Rubbish,
    /// So many forgeries, and nothing else.
    Forgeries(usize),
    /// Over TCP: the begin of a long answer.
    Half,
    /// Over TCP it ends the connection.
    HangUp,
    Nothing,
}

type Book = Arc<Mutex<Vec<Asked>>>;
type Answers = Arc<dyn Fn(&Asked) -> Say + Send + Sync>;

/// It stops when it is dropped.
pub struct Server {
    book: Book,
    _tasks: JoinSet<()>,
}

impl Server {
    pub fn start(host: &Host, address: SocketAddr, say: impl Fn(&Asked) -> Say + Send + Sync + 'static) -> Self {
        let udp = std::net::UdpSocket::from(host.bound(address, libc::SOCK_DGRAM));
        let tcp = host.bound(address, libc::SOCK_STREAM);
        nix::sys::socket::listen(&tcp, nix::sys::socket::Backlog::new(128).unwrap()).unwrap();
        let tcp = std::net::TcpListener::from(tcp);
        udp.set_nonblocking(true).unwrap();
        tcp.set_nonblocking(true).unwrap();
        let (book, answers): (Book, Answers) = (Book::default(), Arc::new(say));
        let mut tasks = JoinSet::new();
        tasks.spawn(over_udp(UdpSocket::from_std(udp).unwrap(), Arc::clone(&book), Arc::clone(&answers)));
        tasks.spawn(over_tcp(TcpListener::from_std(tcp).unwrap(), Arc::clone(&book), answers));
        Self { book, _tasks: tasks }
    }

    /// All that it was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.book.lock().unwrap().clone()
    }

    pub fn names(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.name).collect()
    }
}

async fn over_udp(socket: UdpSocket, book: Book, answers: Answers) {
    let mut buffer = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        for answer in answer(&buffer[..length], from, Transport::Udp, &book, &answers).unwrap_or_default() {
            // Who asked may be gone.
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

async fn over_tcp(listener: TcpListener, book: Book, answers: Answers) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, from) = listener.accept().await.unwrap();
        let (book, answers) = (Arc::clone(&book), Arc::clone(&answers));
        connections.spawn(async move {
            let _ = converse(stream, from, &book, &answers).await;
        });
    }
}

async fn converse(mut stream: TcpStream, from: SocketAddr, book: &Book, answers: &Answers) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut question = vec![0; length.into()];
        stream.read_exact(&mut question).await?;
        let Some(said) = answer(&question, from, Transport::Tcp, book, answers) else { return Ok(()) };
        for answer in said {
            stream.write_u16(answer.len().try_into().unwrap()).await?;
            let is_half = answer.iter().all(|byte| *byte == 0);
            stream.write_all(if is_half { &answer[..100] } else { &answer }).await?;
        }
    }
}

/// The messages that it answers with; nothing to hang up.
fn answer(
    bytes: &[u8],
    from: SocketAddr,
    transport: Transport,
    book: &Book,
    answers: &Answers,
) -> Option<Vec<Vec<u8>>> {
    let question = Message::from_vec(bytes).unwrap();
    let query = &question.queries[0];
    let asked = Asked {
        id: question.id,
        from,
        transport,
        name: query.name().to_ascii(),
        kind: query.query_type(),
        edns: question.edns.is_some(),
    };
    book.lock().unwrap().push(asked.clone());
    let mut answer = Message::response(question.id, OpCode::Query);
    answer.metadata.recursion_available = true;
    answer.queries.push(query.clone());
    match answers(&asked) {
        Say::Records(records) => answer.answers = records,
        Say::Code(code) => answer.metadata.response_code = code,
        Say::Truncated => answer.metadata.truncation = true,
        Say::AfterForgery(records) => {
            let mut forgery = answer.clone();
            forgery.metadata.id ^= 1;
            forgery.answers = vec![a(&asked.name, "6.6.6.6")];
            answer.answers = records;
            return Some(vec![forgery.to_vec().unwrap(), answer.to_vec().unwrap()]);
        }
        Say::Rubbish => return Some(vec![[&bytes[..2], &[0xff; 20]].concat()]),
        Say::Forgeries(count) => {
            answer.metadata.id ^= 1;
            return Some(vec![answer.to_vec().unwrap(); count]);
        }
        Say::Half => return Some(vec![vec![0; 60_000]]),
        Say::HangUp => return None,
        Say::Nothing => return Some(Vec::new()),
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
