//! Sends the queries for one name to one server after the other, like res_send() of glibc.

mod connection;
mod datagrams;

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use hickory_proto::op::ResponseCode;

use crate::{
    config::Config,
    failure::Failure,
    inside::Inside,
    wire::message::{Answer, Question},
};

/// The result of the queries at one server.
enum Step {
    /// At least one answer. There may be fewer answers than queries.
    Answers(Vec<Answer>),
    /// An answer is longer than a datagram, and needs a query over TCP.
    Longer,
    /// The server has no answer. The next server may have one.
    Next(Failure),
}

/// The error if no server has answered.
pub struct Unanswered {
    pub failure: Failure,
    /// Whether there was any result other than errors of the kernel.
    pub reached: bool,
    /// The response code of the last server that failed.
    pub last_code: ResponseCode,
}

/// How the resolver sends two queries. If only one of the answers comes, the server may not support queries at the same time, and
/// the resolver uses the next, more careful way from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Together,
    OneAfterTheOther,
    /// One after the other, each from its own socket.
    Apart,
}

impl Manner {
    pub fn of(config: &Config) -> Self {
        match config {
            Config { single_request_reopen: true, .. } => Self::Apart,
            Config { single_request: true, .. } => Self::OneAfterTheOther,
            _ => Self::Together,
        }
    }

    fn more_careful(self) -> Option<Self> {
        match self {
            Self::Together => Some(Self::OneAfterTheOther),
            Self::OneAfterTheOther => Some(Self::Apart),
            Self::Apart => None,
        }
    }
}

/// The largest time limit for a server.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Sends queries to the servers.
pub struct Exchange<'a> {
    inside: &'a Inside,
    config: &'a Config,
    /// The index of the first server.
    first: usize,
    pub manner: Manner,
    reached: bool,
    last_code: ResponseCode,
}

impl<'a> Exchange<'a> {
    pub fn new(inside: &'a Inside, config: &'a Config, turn: &AtomicUsize) -> Self {
        let first = if config.rotate { turn.fetch_add(1, Ordering::Relaxed) % config.servers.len().max(1) } else { 0 };
        let manner = Manner::of(config);
        Self { inside, config, first, manner, reached: false, last_code: ResponseCode::NoError }
    }

    /// Sends the queries to each server, in each attempt, with a time limit. Once an answer is too long for a datagram, the
    /// remaining servers of this attempt get the queries over TCP, and there is no further attempt.
    pub async fn ask(&mut self, questions: &[Question]) -> Result<Vec<Answer>, Unanswered> {
        (self.reached, self.last_code) = (false, ResponseCode::NoError);
        let mut over_tcp = self.config.tcp;
        let mut failed: Option<Failure> = None;
        for _ in 0..self.config.attempts {
            for (server, patience) in self.servers() {
                let mut step = Step::Longer;
                if !over_tcp {
                    step = self.over_udp(server, questions, patience).await;
                }
                if matches!(step, Step::Longer) {
                    over_tcp = true;
                    step = self.over_tcp(server, questions, patience).await;
                }
                match step {
                    Step::Answers(answers) => return Ok(answers),
                    Step::Next(failure @ Failure::NoSocket(_)) => return Err(self.unanswered(failure)),
                    Step::Next(failure) => {
                        failed = Some(match failed {
                            Some(earlier) => earlier.or(failure),
                            None => failure,
                        });
                    }
                    Step::Longer => {}
                }
            }
            if over_tcp {
                break;
            }
        }
        Err(self.unanswered(failed.unwrap_or(Failure::Timeout)))
    }

    fn unanswered(&self, failure: Failure) -> Unanswered {
        Unanswered { failure, reached: self.reached, last_code: self.last_code }
    }

    /// Returns the servers in the order of the queries, with their time limits. Later servers have more time, divided by the
    /// number of servers.
    fn servers(&self) -> impl Iterator<Item = (SocketAddr, Duration)> + use<> {
        let given = self.config.timeout.min(LONGEST);
        let least = given.min(Duration::from_secs(1));
        let count = u32::try_from(self.config.servers.len()).unwrap_or(u32::MAX).max(1);
        let mut servers: Vec<_> = self.config.servers.iter().copied().zip(0_u32..).collect();
        let first = self.first.min(servers.len());
        servers.rotate_left(first);
        servers.into_iter().map(move |(server, place)| match place {
            0 => (server, given),
            _ => (server, (given.saturating_mul(1 << place.min(8)) / count).max(least)),
        })
    }
}
