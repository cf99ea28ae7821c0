//! Work of a network that waits for those inside, as a future of the thread of networks.

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
    /// Says whether the request that is carried out is still wanted.
    pub static ABANDONMENT: Arc<Abandonment>;
}

/// Has work done in the line of a network. It ends within its own time limit, and begins within the same limit or not at
/// all. [`Error::Aborted`] once the request that it is for is abandoned: it does not begin then, and where it has begun,
/// what it comes to is dropped.
///
/// To be called on the thread of networks.
pub async fn run<T: Send + 'static>(
    line: Line,
    work: impl FnOnce() -> nsset::Result<T> + Send + 'static,
) -> nsset::Result<T> {
    // Where this thread is astray, no other is started from it.
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
    unless_abandoned(async { answer(receiver).await.unwrap_or_else(canceled) }).await
}

/// Waits for an answer, and has more threads come where the work waits too long for one.
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

/// Work that has begun may take long, and needs no more threads.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Adds work that answers by itself. To be called on a thread that is home.
pub fn add(line: Line, work: impl FnOnce() + Send + 'static) -> nsset::Result<()> {
    line.add(Box::new(work)).map_err(|error| not_started(&error))
}

/// What several requests may wait for, one after the other where it fails: for two time limits at most, and while it is
/// wanted.
pub async fn together<T, E: From<Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    unless_abandoned(async { timeout(2 * TIME_LIMIT, work).await.unwrap_or_else(|_| Err(too_late().into())) }).await
}

async fn unless_abandoned<T, E: From<Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let Ok(abandonment) = ABANDONMENT.try_with(Arc::clone) else { return work.await };
    match select(pin!(work), pin!(abandonment.happens())).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(Error::Aborted.into()),
    }
}

/// It was not its turn within the time limit.
pub fn too_late() -> Error {
    let hint = format!("what was asked of the set before did not come to an end within {} s", TIME_LIMIT.as_secs());
    SystemError::new(Errno::ETIMEDOUT, "nsset-helper").hint(hint).into()
}

pub fn not_started(error: &io::Error) -> Error {
    let errno = error.raw_os_error().map_or(Errno::EAGAIN, Errno::from_raw);
    SystemError::new(errno, "clone").hint("no thread could be started to wait for this call").into()
}
