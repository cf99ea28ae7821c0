//! Filters that tell the packets of connections that have begun from all others, in classic BPF (linux/filter.h).

use socket2::SockFilter;

/// Which frames a filter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Those with whole packets of TCP, without the first one of a connection.
    Begun,
    Others,
}

const LOAD_BYTE: u16 = 0x30;
const LOAD_WORD: u16 = 0x28;
const LOAD_BYTE_AFTER_INDEX: u16 = 0x50;
/// The length of a header of IPv4, or a number, into the index.
const INDEX_HEADER: u16 = 0xb1;
const INDEX: u16 = 0x01;
const AND: u16 = 0x54;
const GO: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_SET: u16 = 0x45;
const RETURN: u16 = 0x06;

const ETHERNET: u32 = 14;
const TCP: u32 = 6;
/// The flags and the offset of a fragment of IPv4, without the one that forbids to cut.
const FRAGMENT: u32 = 0x3fff;
const SYN: u32 = 0x02;
const ACK: u32 = 0x10;

/// The filter for frames of Ethernet. A whole frame is taken by exactly one of both.
pub fn filter(taken: Taken) -> [SockFilter; 17] {
    let [begun, others] = if taken == Taken::Begun { [u32::MAX, 0] } else { [0, u32::MAX] };
    let step = |code, value| SockFilter::new(code, 0, 0, value);
    // `yes` and `no` are the numbers of instructions that are skipped. All of them go to the last one, but for that to IPv6.
    let test = |code, value, yes, no| SockFilter::new(code, yes, no, value);
    [
        step(LOAD_WORD, 12),
        test(IF_EQUAL, 0x0800, 0, 6),
        step(LOAD_BYTE, ETHERNET + 9),
        test(IF_EQUAL, TCP, 0, 12),
        step(LOAD_WORD, ETHERNET + 6),
        test(IF_SET, FRAGMENT, 10, 0),
        step(INDEX_HEADER, ETHERNET),
        step(GO, 4),
        test(IF_EQUAL, 0x86dd, 0, 7),
        step(LOAD_BYTE, ETHERNET + 6),
        test(IF_EQUAL, TCP, 0, 5),
        step(INDEX, 40),
        step(LOAD_BYTE_AFTER_INDEX, ETHERNET + 13),
        step(AND, SYN | ACK),
        test(IF_EQUAL, SYN, 1, 0),
        step(RETURN, begun),
        step(RETURN, others),
    ]
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::net::UnixDatagram};

    use socket2::Socket;

    use super::*;

    /// Sockets for datagrams of any kind have such filters: whether the frame arrives.
    fn takes(taken: Taken, frame: &[u8]) -> bool {
        let (sender, receiver) = UnixDatagram::pair().unwrap();
        let mut receiver = Socket::from(receiver);
        receiver.attach_filter(&filter(taken)).unwrap();
        receiver.set_nonblocking(true).unwrap();
        // The kernel reports a datagram that the filter drops as sent.
        sender.send(frame).unwrap();
        receiver.read(&mut [0; 200]).is_ok()
    }

    fn v4(protocol: u8, fragment: [u8; 2], options: usize, flags: u8) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend_from_slice(&[
            8,
            0,
            0x45 + (options / 4) as u8,
            0,
            0,
            0,
            0,
            0,
            fragment[0],
            fragment[1],
            64,
            protocol,
        ]);
        frame.resize(14 + 20 + options + 13, 0);
        frame.push(flags);
        frame.resize(frame.len() + 6, 0);
        frame
    }

    fn v6(protocol: u8, flags: u8) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, protocol]);
        frame.resize(14 + 40 + 13, 0);
        frame.push(flags);
        frame.resize(frame.len() + 6, 0);
        frame
    }

    #[test]
    fn a_frame_is_taken_by_one_of_both() {
        let arp = [&[0; 12][..], &[8, 6], &[0; 28]].concat();
        for (frame, is_begun) in [
            (v4(6, [0x40, 0], 0, 0x10), true),
            (v4(6, [0, 0], 8, 0x12), true),
            (v4(6, [0x40, 0], 40, 0x18), true),
            (v4(6, [0x40, 0], 0, 0x04), true),
            (v6(6, 0x11), true),
            (v4(6, [0x40, 0], 0, 0x02), false),
            (v4(6, [0x40, 0], 40, 0xc2), false),
            (v4(6, [0x20, 0], 0, 0x10), false),
            (v4(6, [0, 1], 0, 0x10), false),
            (v4(17, [0x40, 0], 0, 0x10), false),
            (v6(6, 0x02), false),
            (v6(44, 0x10), false),
            (arp, false),
        ] {
            assert_eq!(takes(Taken::Begun, &frame), is_begun, "{frame:?}");
            assert_eq!(takes(Taken::Others, &frame), !is_begun, "{frame:?}");
        }
    }
}
