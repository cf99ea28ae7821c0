//! One question to one server.

use std::{future::poll_fn, net::SocketAddr, pin::Pin, time::Duration};

use futures_util::StreamExt;
use hickory_net::{
    DnsMultiplexer,
    proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Query, ResponseCode},
    tcp::TcpClientStream,
    udp::UdpClientStream,
    xfer::{DnsRequestSender, FirstAnswer},
};

use crate::{config::Config, failure::Failure, inside::Inside};

/// Asks once; over TCP where the answer over UDP is cut short, or is longer than it may be and so cannot be read.
pub async fn ask(
    inside: &Inside,
    config: &Config,
    server: SocketAddr,
    question: &Query,
) -> Result<DnsResponse, Failure> {
    let request = DnsRequest::from_query(question.clone(), options(config));
    if config.tcp {
        return check(over_tcp(inside, server, request, config.timeout).await?);
    }
    match over_udp(inside, server, request.clone(), config.timeout).await {
        Ok(response) if !response.truncation => check(response),
        Ok(_) => check(over_tcp(inside, server, request, config.timeout).await?),
        Err(unreadable @ Failure::Unreadable) => {
            let response = over_tcp(inside, server, request, config.timeout).await;
            check(response.map_err(|failure| unreadable.or(failure))?)
        }
        Err(failure) => Err(failure),
    }
}

fn options(config: &Config) -> DnsRequestOptions {
    let mut options = DnsRequestOptions::default();
    options.use_edns = config.edns;
    options
}

/// hickory makes a new socket for it, with a random id, and takes only what answers that question.
async fn over_udp(
    inside: &Inside,
    server: SocketAddr,
    request: DnsRequest,
    timeout: Duration,
) -> Result<DnsResponse, Failure> {
    let builder = UdpClientStream::builder(server, inside.clone()).with_timeout(Some(timeout));
    let mut stream = builder.with_max_retries(0).with_os_port_selection(true).build();
    Ok(stream.send_message(request).first_answer().await?)
}

/// Over a connection of its own, with a random id.
async fn over_tcp(
    inside: &Inside,
    server: SocketAddr,
    request: DnsRequest,
    timeout: Duration,
) -> Result<DnsResponse, Failure> {
    let asked = converse(inside, server, request, timeout);
    tokio::time::timeout(timeout, asked).await.map_err(|_| Failure::Timeout)?
}

async fn converse(
    inside: &Inside,
    server: SocketAddr,
    request: DnsRequest,
    timeout: Duration,
) -> Result<DnsResponse, Failure> {
    let (connection, sender) = TcpClientStream::new(server, None, Some(timeout), inside.clone());
    let mut connection = DnsMultiplexer::new(connection.await?, sender).with_timeout(timeout);
    let mut answer = connection.send_message(request).first_answer();
    let answer = poll_fn(|context| {
        // Polling the connection moves the bytes; what comes of it, or its end, arrives at the answer.
        let _ = connection.poll_next_unpin(context);
        Pin::new(&mut answer).poll(context)
    });
    Ok(answer.await?)
}

/// An answer is the data, or that there is none.
fn check(response: DnsResponse) -> Result<DnsResponse, Failure> {
    match response.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(response),
        code => Err(Failure::Code(code)),
    }
}
