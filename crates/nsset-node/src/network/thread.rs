//! The thread on which all networks are worked on. Netlink sockets are born on it, inside; what waits, waits on it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
    thread,
};

use nsset::thread::Standing;

use tokio::{
    runtime,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{LocalSet, spawn_local},
};

type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

static JOBS: OnceLock<UnboundedSender<Job>> = OnceLock::new();

/// Starts the thread. To be called before anything is entered: a thread inherits the namespaces of the one that starts it.
pub fn start() {
    JOBS.get_or_init(|| {
        let (sender, receiver) = unbounded_channel();
        let (ready, is_ready) = channel();
        // A thread that cannot be looked at (no /proc) is looked at again, and the error told, when it is to go inside.
        let standing = nsset::thread::standing().ok();
        thread::Builder::new()
            .name("nsset-network".into())
            .stack_size(512 * 1024)
            .spawn(|| serve(standing, ready, receiver))
            .expect("a thread for networks");
        // Whoever counts descriptors once the addon is loaded counts all of them.
        let _ = is_ready.recv();
        sender
    });
}

/// Runs a job on the thread. Jobs take turns where they wait.
pub fn run<F: Future<Output = ()> + 'static>(job: impl FnOnce() -> F + Send + 'static) {
    let jobs = JOBS.get().expect("the thread was started at load");
    // The thread never ends.
    let _ = jobs.send(Box::new(|| Box::pin(job())));
}

/// No blocking threads are ever started from here: one that is started while this thread is inside would stay inside.
fn serve(standing: Option<Standing>, ready: Sender<()>, mut jobs: UnboundedReceiver<Job>) {
    let _ = standing.map(Standing::remember);
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build().expect("a runtime");
    drop(ready);
    LocalSet::new().block_on(&runtime, async {
        while let Some(job) = jobs.recv().await {
            spawn_local(job());
        }
    });
}
