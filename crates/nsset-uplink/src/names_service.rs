//! Answers questions about names, under the rules.

use std::{net::SocketAddr, os::unix::net::UnixStream as StdStream, rc::Rc, time::Duration};

use hickory_proto::op::{Message, ResponseCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

use crate::{
    names::{LONGEST, Question, admissible, ask},
    packets::traffic_class::TrafficClass,
    reports::{Refusal, What},
    rules::{Closed, Reason},
    shared::Shared,
};

/// How long a stream has for its next question, and how long for the bytes of one (RFC 7766).
const IDLE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers a question that came in a datagram.
pub async fn serve_datagram(shared: Rc<Shared>, question: Question, server: SocketAddr, client: SocketAddr) {
    if let Some(answer) = answer(&shared, &question, true).await {
        shared.send_datagram(server, client, &answer, TrafficClass::default());
    }
}

/// Answers the questions in a stream, one after the other. Each message comes after its length. A stream that is silent is closed.
pub async fn serve_stream(shared: Rc<Shared>, stream: StdStream) {
    let Ok(mut stream) = UnixStream::from_std(stream) else { return };
    while let Ok(Ok(length)) = timeout(IDLE, stream.read_u16()).await {
        // So many questions are read and answered at a time.
        let Ok(_permit) = shared.streams.acquire().await else { return };
        if usize::from(length) > LONGEST || answer_in(&shared, &mut stream, length.into()).await.is_none() {
            return;
        }
    }
}

async fn answer_in(shared: &Shared, stream: &mut UnixStream, length: usize) -> Option<()> {
    let mut message = vec![0; length];
    timeout(PATIENCE, stream.read_exact(&mut message)).await.ok()?.ok()?;
    let question = Question::read(&message)?;
    let answer = answer(shared, &question, false).await?;
    let length = u16::try_from(answer.len()).ok()?;
    let answer = [&length.to_be_bytes()[..], &answer].concat();
    timeout(PATIENCE, stream.write_all(&answer)).await.ok()?.ok()
}

async fn answer(shared: &Shared, question: &Question, is_datagram: bool) -> Option<Vec<u8>> {
    shared.counters.ask();
    let answer = answer_to(shared, question).await;
    question.bytes(&answer, is_datagram)
}

async fn answer_to(shared: &Shared, question: &Question) -> Message {
    let judged = shared.rules.borrow().judge_name(&question.name);
    if let Err(reason) = judged {
        let name = Some(question.name.clone());
        shared.refuse(Refusal { what: What::Question(None), name, reason });
        // Programs go on at once, while after REFUSED they ask again.
        return question.refuse(ResponseCode::NXDomain);
    }
    if question.may_hide_names() && shared.rules.borrow().has_names() {
        return question.refuse(ResponseCode::NoError);
    }
    let Some(answer) = ask(&shared.settings.servers, question).await else {
        return question.refuse(ResponseCode::ServFail);
    };
    let has_names = shared.rules.borrow().has_names();
    let admitted = admissible(question, answer, has_names, |address| shared.rules.borrow().may_answer(address));
    for address in &admitted.withheld {
        let reason = Reason::Closed(crate::rules::closed(*address).map_or(Closed::Own, |(_, why)| why));
        let name = Some(question.name.clone());
        shared.refuse(Refusal { what: What::Question(Some(*address)), name, reason });
    }
    let mut memory = shared.memory.borrow_mut();
    for (address, ttl) in &admitted.addresses {
        memory.add(*address, &question.name, *ttl);
    }
    admitted.message
}
