//! Runs the operations of a request, with a promise or on the calling thread.

use std::sync::Arc;

use futures_util::FutureExt;
use tokio::task::yield_now;

use crate::{
    network::{
        inside::{Inside, open},
        operations::{
            caller::Caller,
            operation::{Operation, not_ready},
        },
        outcome::{PromisedResults, Results},
        parts::NativeOutcome,
    },
    network_thread::{abandonment::Abandonment, failure::Failure, waiting::ABANDONMENT},
};

/// After this many operations, requests about other networks get their turn.
const TURN: usize = 16;

/// Runs the operations of a request until it is abandoned, and settles its promise. Must be called on the thread of networks.
pub async fn run(
    operations: &str,
    inside: &Inside,
    others: &[Inside],
    abandonment: &Arc<Abandonment>,
    promised: PromisedResults,
) {
    let work = async {
        let operations = parse(operations)?;
        let count = operations.len();
        for (done, operation) in operations.into_iter().enumerate() {
            if abandonment.has_happened() {
                break;
            }
            let caller = Caller { promised: Some(&promised), is_last: done + 1 == count };
            promised.push(&operation.perform(&*open(inside)?, others, caller).await?);
            if done % TURN == TURN - 1 {
                yield_now().await;
            }
        }
        Ok(())
    };
    let outcome = match ABANDONMENT.scope(Arc::clone(abandonment), work).await {
        // The outcome is the same as if the request had been abandoned before that operation.
        Err(Failure::Set(nsset::Error::Aborted)) => Ok(()),
        outcome => outcome,
    };
    promised.end(outcome);
}

/// Runs the operations of a request on the calling thread, which waits for the kernel and for processes inside. The sockets must
/// be blocking.
pub fn run_blocking(operations: &str, inside: &Inside, others: &[Inside]) -> Option<NativeOutcome> {
    let mut results = Results::new();
    let work = async {
        for operation in parse(operations)? {
            let caller = Caller { promised: None, is_last: false };
            results.push(&operation.perform(&*open(inside)?, others, caller).await?);
        }
        Ok(())
    };
    // A future over blocking sockets is ready when it is first polled.
    let outcome = work.now_or_never().unwrap_or_else(|| Err(not_ready().into()));
    results.end(outcome)
}

fn parse(operations: &str) -> Result<Vec<Operation>, Failure> {
    serde_json::from_str(operations).map_err(|error| unreadable(&error))
}

/// The error of operations that cannot be parsed. The TypeScript API checks them, so this is a bug of nsset. The message does not
/// quote the text, which may contain a key.
fn unreadable(error: &serde_json::Error) -> Failure {
    let place = format!("operations cannot be read at {}:{}", error.line(), error.column());
    nsset::Error::InvalidArgument(place).into()
}
