//! Answers questions about names, under the rules.

use std::{net::SocketAddr, os::unix::net::UnixStream as StdStream, rc::Rc};

use hickory_proto::op::{Message, ResponseCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::{
    names::{Question, admissible, ask},
    reports::{Refusal, What},
    rules::{Closed, Reason},
    shared::Shared,
};

/// Answers a question in a datagram.
pub async fn serve_datagram(shared: Rc<Shared>, message: Vec<u8>, server: SocketAddr, client: SocketAddr) {
    if let Some(answer) = answer(&shared, &message, true).await {
        shared.send_datagram(server, client, &answer);
    }
}

/// Answers the questions in a stream, one after the other. Each message comes after its length.
pub async fn serve_stream(shared: Rc<Shared>, stream: StdStream) {
    let Ok(mut stream) = UnixStream::from_std(stream) else { return };
    while let Ok(length) = stream.read_u16().await {
        let mut message = vec![0; length.into()];
        if stream.read_exact(&mut message).await.is_err() {
            return;
        }
        let Some(answer) = answer(&shared, &message, false).await else { return };
        let Ok(length) = u16::try_from(answer.len()) else { return };
        if stream.write_all(&[&length.to_be_bytes()[..], &answer].concat()).await.is_err() {
            return;
        }
    }
}

async fn answer(shared: &Shared, message: &[u8], is_datagram: bool) -> Option<Vec<u8>> {
    let question = Question::read(message)?;
    shared.counters.ask();
    let answer = answer_to(shared, &question).await;
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
    let admitted = admissible(question, answer, |address| shared.rules.borrow().may_answer(address));
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
