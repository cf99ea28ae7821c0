//! Questions to one server over UDP, as send_dg() of glibc has it.

use std::{mem, net::SocketAddr, time::Duration};

use hickory_proto::op::ResponseCode;
use tokio::time::{Instant, timeout_at};

use super::{Exchange, Manner, Step};
use crate::{
    failure::Failure,
    wire::message::{Answer, HEADER, Question},
};

/// What became of a question.
enum Fate {
    Open,
    Answered(Answer),
    /// The server does not know.
    Lost,
}

/// A question and what became of it.
struct Asked<'a> {
    question: &'a Question,
    fate: Fate,
}

enum Round {
    Step(Step),
    /// One of two answers never came.
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
            // Some servers, and some firewalls, cannot have two questions from one port at a time.
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
        let mut asked: Vec<_> = questions.iter().map(|question| Asked { question, fate: Fate::Open }).collect();
        let mut waiting = questions.iter();
        let at_once = if self.manner == Manner::Together { questions.len() } else { 1 };
        for question in waiting.by_ref().take(at_once) {
            socket.send(&question.bytes).await?;
        }
        loop {
            let Ok(message) = timeout_at(end, socket.receive()).await else {
                return Ok(self.out_of_time(asked));
            };
            let message = message?;
            self.reached = true;
            if message.len() < HEADER {
                return Err(Failure::Unreadable);
            }
            // Any host can send anything else.
            let Some((place, answer)) = matching(&asked, &message) else { continue };
            if asked.iter().all(|asked| matches!(asked.fate, Fate::Open)) {
                self.last_code = answer.code;
            }
            let failure = failure_of(&answer);
            if failure.is_none() && answer.truncated {
                return Ok(Round::Step(Step::Longer));
            }
            if let Some(asked) = asked.get_mut(place) {
                asked.fate = if failure.is_none() { Fate::Answered(answer) } else { Fate::Lost };
            }
            if !asked.iter().any(|asked| matches!(asked.fate, Fate::Open)) {
                let answers = answers(asked);
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

    fn out_of_time(&mut self, asked: Vec<Asked<'_>>) -> Round {
        let answers = answers(asked);
        if answers.is_empty() {
            self.reached = true;
            return Round::Step(Step::Next(Failure::Timeout));
        }
        Round::HalfAnswered(answers)
    }
}

/// The open question that a message answers.
fn matching(asked: &[Asked<'_>], message: &[u8]) -> Option<(usize, Answer)> {
    let mut open = asked.iter().enumerate().filter(|(_, asked)| matches!(asked.fate, Fate::Open));
    open.find_map(|(place, asked)| Some((place, asked.question.answered_by(message)?)))
}

/// What says that another server may know.
fn failure_of(answer: &Answer) -> Option<Failure> {
    match answer.code {
        code @ (ResponseCode::ServFail | ResponseCode::NotImp | ResponseCode::Refused) => Some(Failure::Code(code)),
        _ if answer.passes_on => Some(Failure::Unreadable),
        _ => None,
    }
}

fn answers(asked: Vec<Asked<'_>>) -> Vec<Answer> {
    let answers = asked.into_iter().filter_map(|mut asked| match mem::replace(&mut asked.fate, Fate::Lost) {
        Fate::Answered(answer) => Some(answer),
        _ => None,
    });
    answers.collect()
}
