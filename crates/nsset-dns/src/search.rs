//! The names that a name may stand for: itself, and itself below each domain of the search list; as res_search() of
//! glibc goes through them.

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

/// Why a name has no addresses, as `h_errno` of netdb.h reports it.
#[derive(Debug)]
pub enum Miss {
    NoName,
    /// There is such a name, and it has no addresses.
    NoData,
    /// No server can say so now.
    Again(Failure),
    /// The question is of no use; the server said so, if it was asked.
    Hopeless(Option<ResponseCode>),
}

/// Why one of the names has no addresses, and what comes then.
struct NotFound {
    miss: Miss,
    then: Then,
}

/// What comes after a name that has no addresses.
#[derive(PartialEq, Eq)]
enum Then {
    /// The next domain.
    NextDomain,
    /// No further domain, and the name as it is, if that was not asked for before.
    NameItself,
    /// Nothing: no server was reached.
    Nothing,
}

/// Looks for a host. An answer that has records, and no addresses among them, ends the search as addresses do.
pub struct Search<'a> {
    pub exchange: Exchange<'a>,
    pub config: &'a Config,
    pub kinds: &'a [RecordType],
    /// Servers are asked whether there is such a name, and nothing is taken of what they say it has.
    pub takes_nothing: bool,
}

impl Search<'_> {
    /// A name with enough dots is first asked for as it is, any other last. One with a dot at its end is not looked for
    /// below any domain.
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
                miss @ Miss::Again(_) if goes_on => failed = Some(miss),
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
        Err(of_itself.or(no_data).or(failed).or(last).unwrap_or(Miss::NoName))
    }

    /// The addresses of a whole name.
    async fn query(&mut self, name: Option<Name>) -> Result<Vec<IpAddr>, NotFound> {
        let hopeless = || NotFound { miss: Miss::Hopeless(None), then: Then::NameItself };
        let name = name.ok_or_else(hopeless)?;
        let questions = self.kinds.iter().map(|kind| Question::new(&name, *kind, self.config));
        let questions: Vec<_> = questions.collect::<Result<_, _>>().map_err(|_| hopeless())?;
        let answers = self.exchange.ask(&questions).await.map_err(|unanswered| NotFound {
            then: match unanswered.last_code {
                _ if matches!(unanswered.failure, Failure::NotMade(_)) || !unanswered.reached => Then::Nothing,
                ResponseCode::ServFail => Then::NextDomain,
                _ => Then::NameItself,
            },
            miss: Miss::Again(unanswered.failure),
        })?;
        match read(answers) {
            Ok(_) if self.takes_nothing => Err(NotFound { miss: Miss::NoData, then: Then::NextDomain }),
            outcome => outcome,
        }
    }
}

/// What the answers come to, of which one at least is there.
fn read(answers: Vec<Answer>) -> Result<Vec<IpAddr>, NotFound> {
    let is_code = |code| move |answer: &&Answer| (answer.code == ResponseCode::NoError) == code;
    if answers.iter().filter(is_code(true)).any(|answer| answer.has_records) {
        return Ok(answers.into_iter().flat_map(|answer| answer.addresses).collect());
    }
    let code = answers.iter().find(is_code(false)).map_or(ResponseCode::NoError, |answer| answer.code);
    let (miss, then) = match code {
        ResponseCode::NoError => (Miss::NoData, Then::NextDomain),
        ResponseCode::NXDomain => (Miss::NoName, Then::NextDomain),
        ResponseCode::ServFail => (Miss::Again(Failure::Code(code)), Then::NextDomain),
        _ => (Miss::Hopeless(Some(code)), Then::NameItself),
    };
    Err(NotFound { miss, then })
}
