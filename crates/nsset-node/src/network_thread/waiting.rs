//! Work of a network that waits for processes inside, as a future on the thread of networks.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{Either, select};
use nix::errno::Errno;
use nsset::{Error, SystemError, TIME_LIMIT};
use tokio::{sync::oneshot, time::timeout};

use crate::network_thread::{
    abandonment::Abandonment,
    turns::{self, HELD_UP, Line},
};

tokio::task_local! {
    /// Whether the running request is abandoned.
    pub static ABANDONMENT: Arc<Abandonment>;
}

/// Runs work in the line of a network. The work has its own time limit, and does not start if it had to wait for as long as that
/// limit. Returns [`Error::Aborted`] when its request is abandoned: work that has not started is then skipped, and the result
/// of running work is dropped.
///
/// Must be called on the thread of networks.
pub async fn run<T: Send + 'static>(
    line: Line,
    work: impl FnOnce() -> nsset::Result<T> + Send + 'static,
) -> nsset::Result<T> {
    // A thread whose namespaces are not restored must not start other threads.
    nsset::thread::ensure_restored()?;
    let (sender, receiver) = oneshot::channel();
    let since = Instant::now();
    let piece = move || {
        if sender.is_closed() {
            return;
        }
        let outcome = if since.elapsed() < TIME_LIMIT { work() } else { Err(too_late()) };
        let _ = sender.send(outcome);
    };
    line.queue(Box::new(piece)).map_err(|error| not_started(&error))?;
    let canceled = |_| Err(SystemError::new(Errno::ECANCELED, "request").into());
    until_abandoned(async { answer(receiver).await.unwrap_or_else(canceled) }).await
}

/// Waits for the result of work, and starts more threads if the work waits too long for one.
async fn answer<T>(mut receiver: oneshot::Receiver<T>) -> Result<T, oneshot::error::RecvError> {
    let mut pause = HELD_UP;
    loop {
        match timeout(pause, &mut receiver).await {
            Ok(answer) => return answer,
            Err(_) if nsset::thread::ensure_restored().is_ok() => turns::relieve(),
            Err(_) => {}
        }
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// The pause grows up to this, because work that has started may take long and needs no more threads.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Adds work that reports its result by itself. Must be called on a thread that is outside.
pub fn add(line: Line, work: impl FnOnce() + Send + 'static) -> nsset::Result<()> {
    line.add(Box::new(work)).map_err(|error| not_started(&error))
}

/// Waits for work that several requests may need, for at most two time limits, until the request is abandoned. If the work fails,
/// the next request tries it again.
pub async fn together<T, E: From<Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    until_abandoned(async { timeout(2 * TIME_LIMIT, work).await.unwrap_or_else(|_| Err(too_late().into())) }).await
}

/// Waits for work until its request is abandoned, which drops the work.
pub async fn until_abandoned<T, E: From<Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let Ok(abandonment) = ABANDONMENT.try_with(Arc::clone) else { return work.await };
    match select(pin!(work), pin!(abandonment.happens())).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(Error::Aborted.into()),
    }
}

/// The error of work that did not start within the time limit.
pub fn too_late() -> Error {
    let hint = format!("earlier calls on the same set did not end within {} s", TIME_LIMIT.as_secs());
    SystemError::new(Errno::ETIMEDOUT, "nsset-helper").hint(hint).into()
}

pub fn not_started(error: &io::Error) -> Error {
    let errno = error.raw_os_error().map_or(Errno::EAGAIN, Errno::from_raw);
    SystemError::new(errno, "clone").hint("no thread could be started to wait for this call").into()
}
