//! The questions about one name, to one server after the other, as res_send() of glibc has it.

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

/// What the questions come to at one server.
enum Step {
    /// One answer at least; there may be fewer than questions.
    Answers(Vec<Answer>),
    /// An answer is longer than a datagram, and has to be asked for over TCP.
    Longer,
    /// It does not know, and another may.
    Next(Failure),
}

/// What no server answered.
pub struct Unanswered {
    pub failure: Failure,
    /// Whether anything came of it but errors of the kernel.
    pub reached: bool,
    /// Of the last answer that a server had, which did not know.
    pub last_code: ResponseCode,
}

/// How two questions are asked at the same time. Where one of the answers never comes, the server is taken for one that
/// cannot have it, and asked more carefully from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Together,
    OneAfterTheOther,
    /// From a socket each.
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

/// The longest time that a server is given.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Asks the servers.
pub struct Exchange<'a> {
    inside: &'a Inside,
    config: &'a Config,
    /// The server that is asked first.
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

    /// Each server has its time, at each attempt. Once an answer is too long for a datagram, all that are left are asked
    /// over TCP, once.
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
                    Step::Next(failure @ Failure::NotMade(_)) => return Err(self.unanswered(failure)),
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

    /// In the order in which they are asked, and for how long. The later ones have more time, among which it is shared.
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
