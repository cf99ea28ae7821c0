//! Random packets, most of which have something that filters ask about.

/// xorshift64*: the same numbers in each run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % most
    }

    pub fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize].clone()
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }
}

pub const V4: [&str; 4] = ["10.0.0.1", "10.0.0.2", "10.1.2.3", "192.168.7.9"];
pub const V6: [&str; 3] = ["2001:db8::1", "2001:db8:1::2", "fe80::5"];
pub const MACS: [&str; 3] = ["02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:05"];
pub const PORTS: [u16; 5] = [22, 53, 80, 443, 8080];

/// A packet with its Ethernet header.
pub fn ethernet(random: &mut Random) -> Vec<u8> {
    let (kind, network) = network(random);
    let mut packet = [mac(random), mac(random)].concat();
    packet.extend(kind.to_be_bytes());
    packet.extend(network);
    packet
}

/// A packet from the network layer on, and its type.
pub fn network(random: &mut Random) -> (u16, Vec<u8>) {
    let (kind, mut packet) = match random.below(8) {
        0..=2 => (0x0800, ipv4(random)),
        3..=5 => (0x86dd, ipv6(random)),
        6 => (random.one_of(&[0x0806, 0x8035]), arp(random)),
        _ => (random.one_of(&[0x88cc, 0x0027]), Vec::new()),
    };
    // Programs read in different orders, and end where a packet does.
    let length = packet.len().max(120) + random.below(40) as usize;
    packet.resize_with(length, || 0xaa);
    (kind, packet)
}

fn mac(random: &mut Random) -> Vec<u8> {
    random.one_of(&MACS).split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn v4(random: &mut Random) -> [u8; 4] {
    random.one_of(&V4).parse::<std::net::Ipv4Addr>().unwrap().octets()
}

fn v6(random: &mut Random) -> [u8; 16] {
    random.one_of(&V6).parse::<std::net::Ipv6Addr>().unwrap().octets()
}

fn ports(random: &mut Random) -> Vec<u8> {
    [random.one_of(&PORTS).to_be_bytes(), random.one_of(&PORTS).to_be_bytes()].concat()
}

fn protocol(random: &mut Random) -> u8 {
    random.one_of(&[6, 17, 132, 1, 58, 47, 44])
}

fn ipv4(random: &mut Random) -> Vec<u8> {
    let words = random.one_of(&[5, 5, 6, 15]);
    let fragment = random.one_of(&[0x0000, 0x4000, 0x2000, 0x2010, 0x0010]);
    let mut packet = vec![0x40 | words, 0, 0, 100, 0, 1];
    packet.extend(u16::to_be_bytes(fragment));
    packet.extend([64, protocol(random), 0, 0]);
    packet.extend(v4(random));
    packet.extend(v4(random));
    packet.resize_with(usize::from(words) * 4, || random.byte());
    packet.extend(ports(random));
    packet
}

fn ipv6(random: &mut Random) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 60, protocol(random), 64];
    packet.extend(v6(random));
    packet.extend(v6(random));
    match packet[6] {
        44 => packet.extend([protocol(random), 0, 0, 1, 0, 0, 0, 7]),
        _ => packet.extend(ports(random)),
    }
    packet
}

fn arp(random: &mut Random) -> Vec<u8> {
    let mut packet = vec![0, 1, 8, 0, 6, 4, 0, 1];
    for _ in 0..2 {
        packet.extend(mac(random));
        packet.extend(v4(random));
    }
    packet
}
