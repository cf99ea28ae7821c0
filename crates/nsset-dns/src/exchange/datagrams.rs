//! Sends queries to one server over UDP, like send_dg() of glibc.

use std::{mem, net::SocketAddr, time::Duration};

use hickory_proto::op::ResponseCode;
use tokio::time::{Instant, timeout_at};

use super::{Exchange, Manner, Step};
use crate::{
    failure::Failure,
    wire::message::{Answer, HEADER, Question},
};

/// The state of a query.
enum State {
    Open,
    Answered(Answer),
    /// The server has no answer.
    Lost,
}

/// A query and its state.
struct Sent<'a> {
    question: &'a Question,
    state: State,
}

enum Round {
    Step(Step),
    /// One of two answers did not come in time.
    HalfAnswered(Vec<Answer>),
}

impl Exchange<'_> {
    pub(super) async fn over_udp(&mut self, server: SocketAddr, questions: &[Question], patience: Duration) -> Step {
        let reached = self.reached;
        loop {
            let answers = match self.round(server, questions, patience).await {
                Ok(Round::Step(step)) => return step,
                Ok(Round::HalfAnswered(answers)) => answers,
                Err(failure) => return Step::Next(failure),
            };
            // Some servers and firewalls do not support two queries from one port at the same time.
            let Some(manner) = self.manner.more_careful() else { return Step::Answers(answers) };
            (self.manner, self.reached) = (manner, reached);
        }
    }

    async fn round(
        &mut self,
        server: SocketAddr,
        questions: &[Question],
        patience: Duration,
    ) -> Result<Round, Failure> {
        let mut socket = self.inside.udp(server).await?;
        let end = Instant::now() + patience;
        let mut sent: Vec<_> = questions.iter().map(|question| Sent { question, state: State::Open }).collect();
        let mut waiting = questions.iter();
        let at_once = if self.manner == Manner::Together { questions.len() } else { 1 };
        for question in waiting.by_ref().take(at_once) {
            socket.send(&question.bytes).await?;
        }
        loop {
            let Ok(message) = timeout_at(end, socket.receive()).await else {
                return Ok(self.out_of_time(sent));
            };
            let message = message?;
            self.reached = true;
            if message.len() < HEADER {
                return Err(Failure::Unreadable);
            }
            // Other messages are ignored, because any host can send them.
            let Some((place, answer)) = matching(&sent, &message) else { continue };
            if sent.iter().all(|sent| matches!(sent.state, State::Open)) {
                self.last_code = answer.code;
            }
            let failure = failure_of(&answer);
            if failure.is_none() && answer.truncated {
                return Ok(Round::Step(Step::Longer));
            }
            if let Some(sent) = sent.get_mut(place) {
                sent.state = if failure.is_none() { State::Answered(answer) } else { State::Lost };
            }
            if !sent.iter().any(|sent| matches!(sent.state, State::Open)) {
                let answers = answers(sent);
                let failure = failure.unwrap_or(Failure::Unreadable);
                return Ok(Round::Step(if answers.is_empty() { Step::Next(failure) } else { Step::Answers(answers) }));
            }
            if let Some(question) = waiting.next() {
                if self.manner == Manner::Apart {
                    socket = self.inside.udp(server).await?;
                }
                socket.send(&question.bytes).await?;
            }
        }
    }

    fn out_of_time(&mut self, sent: Vec<Sent<'_>>) -> Round {
        let answers = answers(sent);
        if answers.is_empty() {
            self.reached = true;
            return Round::Step(Step::Next(Failure::Timeout));
        }
        Round::HalfAnswered(answers)
    }
}

/// Returns the index of the open query that a message answers, and the answer.
fn matching(sent: &[Sent<'_>], message: &[u8]) -> Option<(usize, Answer)> {
    let mut open = sent.iter().enumerate().filter(|(_, sent)| matches!(sent.state, State::Open));
    open.find_map(|(place, sent)| Some((place, sent.question.answered_by(message)?)))
}

/// Returns a failure if the answer means that another server may have the answer.
fn failure_of(answer: &Answer) -> Option<Failure> {
    match answer.code {
        code @ (ResponseCode::ServFail | ResponseCode::NotImp | ResponseCode::Refused) => Some(Failure::Code(code)),
        _ if answer.is_lame => Some(Failure::Unreadable),
        _ => None,
    }
}

fn answers(sent: Vec<Sent<'_>>) -> Vec<Answer> {
    let answers = sent.into_iter().filter_map(|mut sent| match mem::replace(&mut sent.state, State::Lost) {
        State::Answered(answer) => Some(answer),
        _ => None,
    });
    answers.collect()
}
