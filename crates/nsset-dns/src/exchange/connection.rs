//! Sends queries to one server over TCP, like send_vc() of glibc, but with a time limit.

use std::{io, net::SocketAddr, time::Duration};

use tokio::time::timeout;

use super::{Exchange, Step};
use crate::{
    failure::Failure,
    wire::message::{Answer, HEADER, Question},
};

impl Exchange<'_> {
    pub(super) async fn over_tcp(&mut self, server: SocketAddr, questions: &[Question], patience: Duration) -> Step {
        let outcome = timeout(patience, self.converse(server, questions)).await;
        let failure = match outcome.unwrap_or(Err(Failure::Timeout)) {
            Ok(answers) => return Step::Answers(answers),
            Err(failure) => failure,
        };
        self.reached = !is_refused(&failure);
        Step::Next(failure)
    }

    /// Sends the queries and receives the answers. An answer with an error code counts as an answer: over TCP, the next server is
    /// not queried after it.
    async fn converse(&self, server: SocketAddr, questions: &[Question]) -> Result<Vec<Answer>, Failure> {
        let mut connection = self.inside.tcp(server).await?;
        connection.send(&questions.iter().flat_map(framed).collect::<Vec<_>>()).await?;
        let mut open: Vec<_> = questions.iter().collect();
        let mut answers = Vec::new();
        while !open.is_empty() {
            let message = connection.receive().await?;
            if message.len() < HEADER {
                return Err(Failure::Unreadable);
            }
            let found =
                open.iter().enumerate().find_map(|(place, question)| Some((place, question.answered_by(&message)?)));
            let Some((place, answer)) = found else { continue };
            open.remove(place);
            answers.push(answer);
        }
        Ok(answers)
    }
}

/// Returns a query with its length before it. Queries for names are short, so the length fits.
fn framed(question: &Question) -> Vec<u8> {
    let length = u16::try_from(question.bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), question.bytes.as_slice()].concat()
}

fn is_refused(failure: &Failure) -> bool {
    matches!(failure, Failure::Socket(error) if error.error.kind() == io::ErrorKind::ConnectionRefused)
}
