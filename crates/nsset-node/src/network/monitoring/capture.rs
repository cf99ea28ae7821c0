//! Captures of packets.

use std::sync::Arc;

use napi::{
    Env, Result,
    bindgen_prelude::{Buffer, Either, Uint8Array},
};
use napi_derive::napi;
use nix::errno::Errno;
use nsset::{Error, Kind, SystemError};
use nsset_capture::{Capture, Direction, Filter, Options, Reading};

use crate::{
    deferred::{Deferred, Loop, Promise},
    failure::{guard, throw},
    network::{inside::open, native_network::NativeNetwork},
    network_thread::thread::CAPTURES,
};

/// What is captured, and how.
#[napi(object, object_to_js = false)]
pub struct NativeCaptureOptions {
    /// The index of the link; 0 for all links.
    pub link: u32,
    pub name: String,
    pub filter: Either<String, Uint8Array>,
    pub snap_length: u32,
    pub promiscuous: bool,
    #[napi(ts_type = "'in' | 'out' | 'both'")]
    pub direction: String,
    pub buffer_size: u32,
}

/// What a capture has counted.
#[napi(object, object_from_js = false)]
pub struct NativeCaptureStatistics {
    pub received: i64,
    pub dropped: i64,
}

/// A capture. It ends when this is closed or dropped, or when its network is closed.
#[napi]
pub struct NativeCapture {
    capture: Arc<Capture>,
}

#[napi]
impl NativeNetwork {
    /// Opens a capture. The kernel puts packets into its buffer when this returns.
    #[napi(catch_unwind)]
    pub fn capture(&self, env: Env, options: NativeCaptureOptions) -> Result<NativeCapture> {
        let options = options.into();
        guard(env, || {
            let sockets = open(&self.inside)?;
            let closed = sockets.closed();
            // The network may have been closed before `closed` was created, which does not report that.
            open(&self.inside)?;
            let create = |kind| Ok::<_, Refusal>(sockets.socket(libc::AF_PACKET, kind, 0)?);
            let (capture, engine) = Capture::open(&options, create).map_err(|Refusal(error)| error)?;
            CAPTURES.run(move || engine.run(closed))?;
            Ok(NativeCapture { capture: Arc::new(capture) })
        })
    }
}

#[napi]
impl NativeCapture {
    /// Returns the next bytes, or a promise of them; null after the end. The promise does not keep the event loop alive.
    #[napi(catch_unwind, ts_return_type = "Buffer | null | Promise<Buffer | null>")]
    pub fn next(&self, env: Env) -> Result<Either<Option<Buffer>, Promise<Option<Buffer>>>> {
        match self.capture.read() {
            Reading::Bytes(bytes) => return Ok(Either::A(Some(bytes.into()))),
            Reading::End => return Ok(Either::A(None)),
            Reading::Failed(error) => return Err(throw(env, &failed("recvfrom", &error))),
            Reading::Nothing => {}
        }
        let (deferred, promise) = Deferred::new(env, Loop::Free)?;
        let waiting = Arc::downgrade(&self.capture);
        self.capture.when_ready(move || match waiting.upgrade().map(|capture| capture.read()) {
            Some(Reading::Bytes(bytes)) => deferred.resolve(Some(Buffer::from(bytes))),
            Some(Reading::Failed(error)) => deferred.settle(Err(failed("recvfrom", &error))),
            Some(Reading::End | Reading::Nothing) | None => deferred.resolve(None),
        });
        Ok(Either::B(promise))
    }

    /// Ends the capture. What was captured before can still be read.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        self.capture.stop();
    }

    #[napi(catch_unwind)]
    pub fn statistics(&self) -> NativeCaptureStatistics {
        let totals = self.capture.statistics();
        NativeCaptureStatistics { received: totals.received as i64, dropped: totals.dropped as i64 }
    }

    /// Ends the capture at once. A promise of `next` is resolved with null.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.capture.close();
    }
}

impl From<NativeCaptureOptions> for Options {
    fn from(options: NativeCaptureOptions) -> Self {
        Self {
            link: options.link,
            name: options.name,
            filter: match options.filter {
                Either::A(text) => Filter::Text(text),
                Either::B(program) => Filter::Program(program.to_vec()),
            },
            snap_length: options.snap_length,
            promiscuous: options.promiscuous,
            direction: match options.direction.as_str() {
                "in" => Direction::In,
                "out" => Direction::Out,
                _ => Direction::Both,
            },
            buffer_size: options.buffer_size as usize,
        }
    }
}

/// Why a capture was not opened.
struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<nsset_capture::Error> for Refusal {
    fn from(error: nsset_capture::Error) -> Self {
        use nsset_capture::Error as Cause;
        Self(match error {
            Cause::Syntax(error) => {
                Error::InvalidArgument(format!("The argument 'options.filter' is not valid: {error}"))
            }
            Cause::Program(reason) => {
                Error::InvalidArgument(format!("The argument 'options.filter' is not valid: {reason}"))
            }
            Cause::System { call, source } => failed(call, &source),
        })
    }
}

fn failed(call: &'static str, error: &std::io::Error) -> Error {
    let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
    SystemError::new(errno, call).kind(Kind::Net).into()
}
