//! Whatever comes from inside, an uplink does not panic, and no flow stays.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, clippy::panic)]

use std::{
    net::Ipv4Addr,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use nsset_uplink::{Link, RuleSet, Settings, uplink};

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// The bytes of a generator: the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next(256) as u8).collect()
    }
}

const VIRTIO: [u8; 10] = [0; 10];
const HEADER_V4: [u8; 20] = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 2, 100, 9, 9, 9, 9];

/// A frame that is nearly right: a valid header of IP around random bytes of a protocol, some of them changed.
fn frame(random: &mut Random) -> Vec<u8> {
    let length = random.next(200);
    let mut payload = random.bytes(length);
    let mut frame = VIRTIO.to_vec();
    frame[1] = [0, 1, 4, 5, 3][random.next(5)];
    frame[4] = random.next(256) as u8;
    frame.extend_from_slice(&[2; 12]);
    match random.next(8) {
        0 => frame.extend_from_slice(&payload),
        1 => {
            frame.extend_from_slice(&[8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
            frame.extend_from_slice(&payload);
        }
        2 | 3 => {
            frame.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend_from_slice(&(payload.len() as u16).to_be_bytes());
            frame.push([6, 17, 58, 0, 43, 44][random.next(6)]);
            frame.push(64);
            frame.extend_from_slice(&[0xfd; 32]);
            frame.extend_from_slice(&payload);
        }
        _ => {
            let mut header = HEADER_V4;
            header[9] = [6, 17, 1, 6, 2][random.next(5)];
            if payload.len() > 20 && header[9] == 6 {
                // Ports of a few flows, so that packets also reach open ones, and a header without options.
                payload[0..4].copy_from_slice(&[4, random.next(4) as u8, 0, 80]);
                payload[12] = (5 + random.next(4) as u8) << 4;
            }
            if random.next(3) == 0 {
                header[16..20].copy_from_slice(&[10, 0, 2, 2]);
                if payload.len() > 4 {
                    payload[2..4].copy_from_slice(&[0, 53]);
                }
            }
            header[2..4].copy_from_slice(&((20 + payload.len()) as u16).to_be_bytes());
            let sum =
                header.as_chunks().0.iter().map(|pair: &[u8; 2]| u32::from(u16::from_be_bytes(*pair))).sum::<u32>();
            let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            frame.extend_from_slice(&[8, 0]);
            frame.extend_from_slice(&header);
            frame.extend_from_slice(&payload);
        }
    }
    if random.next(4) == 0 {
        let place = 10 + random.next(frame.len() - 10);
        frame[place] = random.next(256) as u8;
    }
    let cut = random.next(frame.len());
    if random.next(8) == 0 {
        frame.truncate(10.max(cut));
    }
    frame
}

fn settings() -> Settings {
    Settings {
        gateway_v4: Ipv4Addr::new(10, 0, 2, 2),
        gateway_v6: "fd00::2".parse().unwrap(),
        servers: vec![([127, 0, 0, 1], 9).into()],
        patience: Duration::from_millis(10),
        mtu: 65_520,
    }
}

/// One end of a pair of sockets stands for the packet socket: each message is a frame.
fn pair() -> (OwnedFd, OwnedFd) {
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors, which nothing else owns.
    unsafe {
        assert_eq!(libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, ends.as_mut_ptr()), 0);
        (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    }
}

#[test]
fn no_frame_makes_it_panic_and_no_flow_stays() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        hook(info);
    }));
    let (inside, far) = pair();
    let served = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let (handle, engine) = uplink(Link::Frames(far), settings(), RuleSet::default()).unwrap();
            let counters = std::sync::Arc::clone(&handle.counters);
            let refusals = std::sync::Arc::clone(&handle.refusals);
            // It ends when the socket inside is closed.
            engine.run().await;
            drop(handle);
            (counters.read(), refusals.since(0).await.unwrap().0.len())
        })
    });
    let mut random = Random(7);
    for _ in 0..40_000 {
        let frame = frame(&mut random);
        // SAFETY: the kernel reads the frame.
        let sent = unsafe { libc::send(inside.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        assert_eq!(sent, frame.len() as isize);
        let mut answer = [0_u8; 2048];
        // SAFETY: the kernel writes at most the length of the buffer.
        while unsafe { libc::recv(inside.as_raw_fd(), answer.as_mut_ptr().cast(), 2048, libc::MSG_DONTWAIT) } > 0 {}
    }
    drop(inside);
    let (statistics, refusals) = served.join().unwrap();
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
    assert!(statistics.refused > 1_000, "{statistics:?}");
    assert_eq!((statistics.open, refusals), (0, 1_000), "{statistics:?}");
}
