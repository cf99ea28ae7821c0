//! Looks up a name itself and in each domain of the search list, like res_search() of glibc.

use std::net::IpAddr;

use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RecordType},
};

use crate::{
    config::Config,
    exchange::Exchange,
    failure::Failure,
    host_name::HostName,
    wire::message::{Answer, Question},
};

/// Why a name has no addresses. The variants are those of `h_errno` in netdb.h.
#[derive(Debug)]
pub enum Miss {
    HostNotFound,
    /// The name exists, but has no addresses.
    NoData,
    /// No server has an answer now.
    TryAgain(Failure),
    /// A query can have no answer. The response code is that of the server, if one was queried.
    NoRecovery(Option<ResponseCode>),
}

/// Why one of the names has no addresses, and the next step.
struct NotFound {
    miss: Miss,
    then: Then,
}

/// The next step after a name without addresses.
#[derive(PartialEq, Eq)]
enum Then {
    /// Try the next domain.
    NextDomain,
    /// Try no further domain, but the name itself, if it was not queried before.
    NameItself,
    /// End the search, because no server was reached.
    Nothing,
}

/// Looks up a host. An answer with records ends the search, even if none of them is an address.
pub struct Search<'a> {
    pub exchange: Exchange<'a>,
    pub config: &'a Config,
    pub kinds: &'a [RecordType],
    /// Whether to query servers only for the existence of the name, and to discard the addresses.
    pub discards_addresses: bool,
}

impl Search<'_> {
    /// Looks up a name with enough dots first without a domain, any other name last. For a name with a dot at the end, no domains
    /// are tried.
    pub async fn run(&mut self, host: &HostName) -> Result<Vec<IpAddr>, Miss> {
        let mut of_itself = None;
        if host.is_absolute() || host.dots() >= self.config.ndots {
            match self.query(host.question()).await {
                Ok(found) => return Ok(found),
                Err(error) if host.is_absolute() => return Err(error.miss),
                Err(error) => of_itself = Some(error.miss),
            }
        }
        let (mut no_data, mut failed, mut last) = (None, None, None);
        let mut root_is_listed = false;
        for domain in &self.config.search {
            root_is_listed |= domain.trim_start_matches('.').is_empty();
            let error = match self.query(host.below(domain)).await {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            if error.then == Then::Nothing {
                return Err(error.miss);
            }
            let goes_on = error.then == Then::NextDomain;
            match error.miss {
                miss @ Miss::NoData => no_data = Some(miss),
                miss @ Miss::TryAgain(_) if goes_on => failed = Some(miss),
                miss => last = Some(miss),
            }
            if !goes_on {
                break;
            }
        }
        let is_left_out = self.config.no_tld_query && host.dots() == 0 && !self.config.search.is_empty();
        if of_itself.is_none() && !root_is_listed && !is_left_out {
            match self.query(host.question()).await {
                Ok(found) => return Ok(found),
                Err(error) => last = Some(error.miss),
            }
        }
        Err(of_itself.or(no_data).or(failed).or(last).unwrap_or(Miss::HostNotFound))
    }

    /// Returns the addresses of a complete name.
    async fn query(&mut self, name: Option<Name>) -> Result<Vec<IpAddr>, NotFound> {
        let no_recovery = || NotFound { miss: Miss::NoRecovery(None), then: Then::NameItself };
        let name = name.ok_or_else(no_recovery)?;
        let questions = self.kinds.iter().map(|kind| Question::new(&name, *kind, self.config));
        let questions: Vec<_> = questions.collect::<Result<_, _>>().map_err(|_| no_recovery())?;
        let answers = self.exchange.ask(&questions).await.map_err(|unanswered| NotFound {
            then: match unanswered.last_code {
                _ if matches!(unanswered.failure, Failure::NoSocket(_)) || !unanswered.reached => Then::Nothing,
                ResponseCode::ServFail => Then::NextDomain,
                _ => Then::NameItself,
            },
            miss: Miss::TryAgain(unanswered.failure),
        })?;
        match read(answers) {
            Ok(_) if self.discards_addresses => Err(NotFound { miss: Miss::NoData, then: Then::NextDomain }),
            outcome => outcome,
        }
    }
}

/// Returns the result of the answers. There is at least one.
fn read(answers: Vec<Answer>) -> Result<Vec<IpAddr>, NotFound> {
    let is_code = |code| move |answer: &&Answer| (answer.code == ResponseCode::NoError) == code;
    if answers.iter().filter(is_code(true)).any(|answer| answer.has_records) {
        return Ok(answers.into_iter().flat_map(|answer| answer.addresses).collect());
    }
    let code = answers.iter().find(is_code(false)).map_or(ResponseCode::NoError, |answer| answer.code);
    let (miss, then) = match code {
        ResponseCode::NoError => (Miss::NoData, Then::NextDomain),
        ResponseCode::NXDomain => (Miss::HostNotFound, Then::NextDomain),
        ResponseCode::ServFail => (Miss::TryAgain(Failure::Code(code)), Then::NextDomain),
        _ => (Miss::NoRecovery(Some(code)), Then::NameItself),
    };
    Err(NotFound { miss, then })
}
