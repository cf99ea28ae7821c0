//! Connections through a forwarding, between sockets of one network.

use std::{
    future::ready,
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    os::fd::OwnedFd,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use nsset_forward::{Address, Counters, MakeSocket, Stop, Target, forward_connections, stop};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, LocalSet, spawn_local},
    time::{Instant, sleep, timeout},
};

struct Running {
    address: SocketAddr,
    counters: Arc<Counters>,
    stop: Stop,
    end: JoinHandle<io::Result<()>>,
}

fn start(target: impl Into<SockAddr>) -> io::Result<Running> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    listener.listen(16)?;
    let address = listener.local_addr()?.as_socket().ok_or(ErrorKind::AddrNotAvailable)?;
    let make: MakeSocket = Rc::new(|domain, kind| {
        Box::pin(ready(Socket::new(Domain::from(domain), Type::from(kind), None).map(OwnedFd::from)))
    });
    let counters = Arc::new(Counters::default());
    let (stop, stopping) = stop();
    let counting = Arc::clone(&counters);
    let end = spawn_local(forward_connections(
        listener,
        Target::new([Address::Socket(target.into())], make),
        counting,
        stopping,
    ));
    Ok(Running { address, counters, stop, end })
}

async fn on_local_set(test: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    timeout(Duration::from_secs(20), LocalSet::new().run_until(test)).await?
}

#[tokio::test]
async fn bytes_pass_in_both_directions_and_each_end_is_seen() -> io::Result<()> {
    on_local_set(async {
        let server = TcpListener::bind("127.0.0.1:0").await?;
        let running = start(server.local_addr()?)?;
        let mut client = TcpStream::connect(running.address).await?;
        client.write_all(b"question").await?;
        client.shutdown().await?;
        let (mut accepted, _) = server.accept().await?;
        let mut question = String::new();
        accepted.read_to_string(&mut question).await?;
        accepted.write_all(b"answer").await?;
        drop(accepted);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await?;
        assert_eq!((question.as_str(), answer.as_str()), ("question", "answer"));
        running.stop.after(Duration::from_secs(5));
        running.end.await??;
        let now = running.counters.read();
        assert_eq!((now.connections, now.open, now.failed), (1, 0, 0));
        assert_eq!((now.bytes_to_target, now.bytes_from_target), (8, 6));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_refused_connection_is_reset() -> io::Result<()> {
    on_local_set(async {
        let unused = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let running = start(unused)?;
        let mut client = TcpStream::connect(running.address).await?;
        let error = client.read_u8().await.expect_err("the target has refused it");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        running.stop.after(Duration::ZERO);
        running.end.await??;
        assert_eq!(running.counters.read().failed, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn dropping_the_stop_signal_resets_open_connections() -> io::Result<()> {
    on_local_set(async {
        let server = TcpListener::bind("127.0.0.1:0").await?;
        let running = start(server.local_addr()?)?;
        let mut client = TcpStream::connect(running.address).await?;
        let (mut accepted, _) = server.accept().await?;
        drop(running.stop);
        running.end.await??;
        for stream in [&mut client, &mut accepted] {
            let error = stream.read_u8().await.expect_err("the forwarding has ended");
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn bytes_after_an_urgent_byte_pass() -> io::Result<()> {
    on_local_set(async {
        let server = TcpListener::bind("127.0.0.1:0").await?;
        let running = start(server.local_addr()?)?;
        let mut client = TcpStream::connect(running.address).await?;
        let (mut accepted, _) = server.accept().await?;
        client.write_all(b"before").await?;
        SockRef::from(&client).send_out_of_band(b"!")?;
        client.write_all(b" after").await?;
        let mut received = [0; 12];
        accepted.read_exact(&mut received).await?;
        assert_eq!(&received, b"before after");
        SockRef::from(&client).send_out_of_band(b"!")?;
        client.write_all(b" the end").await?;
        drop(client);
        let mut rest = String::new();
        accepted.read_to_string(&mut rest).await?;
        assert_eq!(rest, " the end");
        Ok(())
    })
    .await
}

/// A listening socket that accepts nothing, and whose queue is full.
fn full_queue() -> io::Result<(Socket, Socket)> {
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.bind(&SockAddr::unix(format!("\0nsset-forward-{}", std::process::id()))?)?;
    listener.listen(0)?;
    listener.set_nonblocking(true)?;
    let first = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    first.connect(&listener.local_addr()?)?;
    Ok((listener, first))
}

#[tokio::test]
async fn a_client_that_resets_ends_the_attempt_to_connect() -> io::Result<()> {
    on_local_set(async {
        let (target, first) = full_queue()?;
        let running = start(target.local_addr()?)?;
        let client = TcpStream::connect(running.address).await?;
        let waiting = TcpStream::connect(running.address).await?;
        until(|| running.counters.read().open == 2).await;
        SockRef::from(&client).set_linger(Some(Duration::ZERO))?;
        drop(client);
        until(|| running.counters.read().failed == 1).await;
        // The other one connects as soon as there is room.
        drop((first, target.accept()?));
        let accepted = loop {
            match target.accept() {
                Ok((accepted, _)) => break accepted,
                Err(_not_yet) => sleep(Duration::from_millis(5)).await,
            }
        };
        accepted.send(b"welcome")?;
        waiting.readable().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_further_stop_does_not_extend_the_time() -> io::Result<()> {
    on_local_set(async {
        let server = TcpListener::bind("127.0.0.1:0").await?;
        let running = start(server.local_addr()?)?;
        let _client = TcpStream::connect(running.address).await?;
        let _accepted = server.accept().await?;
        let begin = Instant::now();
        running.stop.after(Duration::from_secs(2));
        sleep(Duration::from_secs(1)).await;
        // Shorter, but it would end later.
        running.stop.after(Duration::from_millis(1_900));
        running.end.await??;
        let taken = begin.elapsed();
        assert!((Duration::from_secs(2)..Duration::from_millis(2_700)).contains(&taken), "it took {taken:?}");
        Ok(())
    })
    .await
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        sleep(Duration::from_millis(5)).await;
    }
}
