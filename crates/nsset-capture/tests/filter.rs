//! Filters take the packets that tcpdump's take.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use nsset_capture::{Direction, Error, Filter, Instruction, LinkType, Options, compile};
use setup::{
    machine::{Knowledge, run},
    packets::{self, Random},
    tcpdump,
};

mod setup;

fn options(filter: Filter) -> Options {
    Options {
        link: 2,
        name: "eth0".into(),
        filter,
        snap_length: 1000,
        promiscuous: false,
        direction: Direction::Both,
        buffer_size: 1 << 20,
    }
}

fn program(filter: &str, link: LinkType) -> Vec<Instruction> {
    compile(&options(Filter::Text(filter.into())), link).unwrap_or_else(|error| panic!("{filter}: {error}"))
}

fn takes(filter: &str, packet: &[u8], knowledge: Knowledge) -> bool {
    run(&program(filter, LinkType::Ethernet), packet, knowledge) > 0
}

const PRIMITIVES: [&str; 62] = [
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "icmp6",
    "esp",
    "igmp",
    "pim",
    "host 10.0.0.1",
    "src host 10.0.0.1",
    "dst 10.0.0.2",
    "src and dst host 10.0.0.1",
    "ip host 10.0.0.1",
    "arp host 10.0.0.1",
    "rarp src host 10.0.0.2",
    "host 2001:db8::1",
    "ip6 src host 2001:db8::1",
    "dst host fe80::5",
    "net 10.0.0.0/8",
    "src net 10.1",
    "dst net 192.168.0.0/16",
    "net 10.0.0.0 mask 255.0.0.0",
    "net 2001:db8::/32",
    "src net 2001:db8:1::/48",
    "ip net 10.0.0.0/24",
    "net 0.0.0.0/0",
    "port 80",
    "src port 53",
    "dst port 443",
    "tcp port 80",
    "udp dst port 53",
    "src and dst port 80",
    "portrange 50-100",
    "tcp src portrange 80-443",
    "udp portrange 0-65535",
    "sctp port 22",
    "proto 47",
    "ip proto 6",
    "ip6 proto 17",
    "ip proto \\tcp",
    "ether proto 0x88cc",
    "ether proto \\arp",
    "proto 1",
    "ether host 02:00:00:00:00:01",
    "ether src 33:33:00:00:00:05",
    "ether dst ff:ff:ff:ff:ff:ff",
    "less 150",
    "greater 160",
    "ether broadcast",
    "ip multicast",
    "ip[8] < 65",
    "ip[2:2] >= 100",
    "ether[0] & 1 = 1",
    "ip6[6] != 6",
    "ip[0] & 0xf > 5",
    "arp[6:2] == 1",
    "ip[12:4] & 0xff000000 = 0x0a000000",
    "icmp[icmptype] <= 80",
];

/// A filter with a few primitives.
fn filter(random: &mut Random, primitives: &[&str]) -> String {
    let one = |random: &mut Random| {
        let primitive = random.one_of(primitives);
        if random.below(4) == 0 { format!("not {primitive}") } else { primitive.to_string() }
    };
    let mut text = one(random);
    for _ in 0..random.below(4) {
        let (join, next) = (random.one_of(&["and", "or", "&&", "||"]), one(random));
        text = if random.below(3) == 0 { format!("({text}) {join} {next}") } else { format!("{text} {join} {next}") };
    }
    text
}

fn agree(filter: &str, link: LinkType, number: u32, packets: &[(Knowledge, Vec<u8>)]) -> usize {
    let ours = program(filter, link);
    let theirs = tcpdump::compile(filter, number).unwrap_or_else(|error| {
        // tcpdump refuses such filters.
        assert!(error.contains("expression rejects all packets"), "{filter}: {error}");
        vec![Instruction { code: 6, jump_true: 0, jump_false: 0, value: 0 }]
    });
    let mut taken = 0;
    for (knowledge, packet) in packets {
        let [ours, theirs] = [&ours, &theirs].map(|program| run(program, packet, *knowledge) > 0);
        assert_eq!(ours, theirs, "'{filter}' takes a packet or not: {packet:02x?}\n{knowledge:?}");
        taken += usize::from(ours);
    }
    taken
}

fn ethernet_packets(random: &mut Random, count: usize) -> Vec<(Knowledge, Vec<u8>)> {
    (0..count).map(|_| (Knowledge::default(), packets::ethernet(random))).collect()
}

#[test]
fn each_test_takes_what_tcpdump_takes() {
    if !tcpdump::is_installed() {
        return;
    }
    let packets = ethernet_packets(&mut Random(1), 3000);
    let useless: Vec<_> = PRIMITIVES.iter().filter(|text| agree(text, LinkType::Ethernet, 1, &packets) == 0).collect();
    // These protocols are in no packet.
    assert_eq!(useless, [&"esp", &"igmp", &"pim", &"ip multicast"]);
}

#[test]
fn combinations_take_what_tcpdump_takes() {
    if !tcpdump::is_installed() {
        return;
    }
    let mut random = Random(2);
    let packets = ethernet_packets(&mut random, 400);
    for _ in 0..150 {
        agree(&filter(&mut random, &PRIMITIVES), LinkType::Ethernet, 1, &packets);
    }
}

#[test]
fn filters_of_links_without_ethernet_take_what_tcpdump_takes() {
    if !tcpdump::is_installed() {
        return;
    }
    let mut random = Random(3);
    let of_ip: Vec<_> = PRIMITIVES
        .iter()
        .copied()
        .filter(|text| !["ether", "arp", "rarp", "less", "greater"].iter().any(|word| text.contains(word)))
        .collect();
    let mut packets = Vec::new();
    while packets.len() < 400 {
        let (protocol, packet) = packets::network(&mut random);
        if protocol == 0x0800 || protocol == 0x86dd {
            packets.push((Knowledge { protocol: protocol.into(), ..Knowledge::default() }, packet));
        }
    }
    for _ in 0..60 {
        agree(&filter(&mut random, &of_ip), LinkType::Ip, 101, &packets);
    }
}

#[test]
fn a_value_alone_is_asked_what_the_last_one_was() {
    if !tcpdump::is_installed() {
        return;
    }
    let packets = ethernet_packets(&mut Random(4), 2000);
    for filter in [
        "port 80 or 443",
        "tcp dst port 80 or 443 and not 22",
        "src host 10.0.0.1 or 10.0.0.2",
        "host 10.0.0.1 and not 10.0.0.2",
    ] {
        assert_ne!(agree(filter, LinkType::Ethernet, 1, &packets), 0);
    }
}

#[test]
fn bytes_behind_ip_are_those_of_tcpdump_and_also_behind_ipv6() {
    let filters = [
        "tcp[0:2] = 80",
        "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
        "udp[2:2] > 100",
        "not tcp[13] & tcp-ack = 0x10",
        "sctp[0] = 0 or port 53",
    ];
    let mut packet = vec![0; 100];
    packet[12..14].copy_from_slice(&[0x86, 0xdd]);
    packet[20] = 6;
    packet[54 + 13] = 2;
    assert!(takes(filters[1], &packet, Knowledge::default()));
    assert!(!takes("udp[13] & 2 != 0", &packet, Knowledge::default()));
    if tcpdump::is_installed() {
        let mut packets = ethernet_packets(&mut Random(7), 2000);
        packets.retain(|(_, packet)| packet[12..14] != [0x86, 0xdd]);
        for filter in filters {
            assert_ne!(agree(filter, LinkType::Ethernet, 1, &packets), 0, "{filter}");
        }
    }
}

#[test]
fn and_and_or_have_the_same_precedence() {
    let mut packet = vec![0; 100];
    packet[12..14].copy_from_slice(&[0x08, 0x06]);
    let takes = |filter| takes(filter, &packet, Knowledge::default());
    assert!(!takes("arp or ip and less 50"));
    assert!(takes("arp or (ip and less 50)"));
}

#[test]
fn a_vlan_tag_in_the_packet_is_looked_behind() {
    let mut random = Random(5);
    let (mut tagged, mut inner) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        let plain = packets::ethernet(&mut random);
        tagged.push([&plain[..12], &[0x81, 0x00, 0x20, 0x64], &plain[12..]].concat());
        inner.push(plain);
    }
    for filter in ["tcp port 80", "host 10.0.0.1", "arp", "ip6 and not udp", "not port 53"] {
        for (tagged, plain) in tagged.iter().zip(&inner) {
            let [behind, without] = [tagged, plain].map(|packet| takes(filter, packet, Knowledge::default()));
            assert_eq!(behind, without, "{filter}");
        }
    }
    let packet = tagged.first().unwrap();
    for (filter, expected) in [("vlan", true), ("vlan 100", true), ("vlan 101", false), ("not vlan", false)] {
        assert_eq!(takes(filter, packet, Knowledge::default()), expected, "{filter}");
    }
    if tcpdump::is_installed() {
        let tagged: Vec<_> = tagged.into_iter().map(|packet| (Knowledge::default(), packet)).collect();
        for filter in ["vlan 100 and tcp", "vlan and host 10.0.0.1", "vlan 100 and port 53"] {
            assert_ne!(agree(filter, LinkType::Ethernet, 1, &tagged), 0);
        }
    }
}

#[test]
fn a_vlan_tag_that_the_kernel_took_out_counts() {
    let packet = packets::ethernet(&mut Random(6));
    let with = |vlan_tag| Knowledge { vlan_tag, ..Knowledge::default() };
    assert!(takes("vlan", &packet, with(Some(0x2064))));
    assert!(takes("vlan 100", &packet, with(Some(0x2064))));
    assert!(!takes("vlan 100", &packet, with(Some(0x2065))));
    assert!(!takes("vlan 0", &packet, with(None)));
}

#[test]
fn the_snap_length_is_what_a_filter_takes() {
    let program = program("", LinkType::Ethernet);
    assert_eq!(run(&program, &[0; 100], Knowledge::default()), 1000);
}

#[test]
fn a_long_filter_jumps_over_more_than_a_byte_can_say() {
    let any_of = |count: usize| {
        let hosts: Vec<_> = (0..count).map(|index| format!("host 10.9.{}.{}", index / 250, index % 250)).collect();
        format!("({}) or arp", hosts.join(" or "))
    };
    let mut packet = vec![0; 100];
    packet[12..14].copy_from_slice(&[0x08, 0x00]);
    let filter = any_of(300);
    for (address, expected) in [([10, 9, 0, 0], true), ([10, 9, 1, 49], true), ([10, 9, 1, 50], false)] {
        packet[26..30].copy_from_slice(&address);
        assert_eq!(takes(&filter, &packet, Knowledge::default()), expected);
        assert_eq!(takes(&format!("not ({filter})"), &packet, Knowledge::default()), !expected);
    }
    let error = compile(&options(Filter::Text(any_of(900))), LinkType::Ethernet).unwrap_err();
    assert_eq!(error.to_string(), "the filter needs more than 4096 instructions of BPF");
}

#[test]
fn the_direction_is_asked_before_the_filter() {
    let knowledge = |packet_type, link| Knowledge { packet_type, link, ..Knowledge::default() };
    let taken = |link, direction, filter: &Filter| {
        let options = Options { link, direction, ..options(filter.clone()) };
        let program = compile(&options, LinkType::Ethernet).unwrap();
        [knowledge(0, 1), knowledge(4, 1), knowledge(0, 2), knowledge(4, 2)]
            .map(|knowledge| run(&program, &[0; 60], knowledge) > 0)
    };
    // ret #65535, given as a program
    let program = Filter::Program([6u16.to_ne_bytes(), [0; 2], [0xff; 2], [0; 2]].as_flattened().to_vec());
    for filter in [Filter::Text(String::new()), program] {
        assert_eq!(taken(2, Direction::In, &filter), [true, false, true, false]);
        assert_eq!(taken(2, Direction::Out, &filter), [false, true, false, true]);
        assert_eq!(taken(2, Direction::Both, &filter), [true; 4]);
        // What a loopback link sends is received by it.
        assert_eq!(taken(1, Direction::Both, &filter), [true, false, true, false]);
        assert_eq!(taken(0, Direction::Both, &filter), [true, false, true, true]);
    }
}

#[test]
fn an_error_says_what_is_wrong_and_where() {
    let cases = [
        ("tcp prt 80", "expected 'and', 'or' or the end, found 'prt' at position 4"),
        ("tcp port", "expected a port, as a number, found the end at position 8"),
        ("port http", "expected a port, as a number, found 'http' at position 5"),
        ("port 65536", "expected a port, as a number, found '65536' at position 5"),
        ("portrange 90-80", "expected a range of ports, such as 8000-8080, found '90-80' at position 10"),
        ("(tcp or udp", "expected ')', found the end at position 11"),
        ("tcp)", "expected 'and', 'or' or the end, found ')' at position 3"),
        ("tcp and", "expected a test, such as 'tcp port 80', found the end at position 7"),
        ("and tcp", "expected a test, such as 'tcp port 80', found 'and' at position 0"),
        ("host example.org", "expected an IP address, found 'example.org' (names are not resolved) at position 5"),
        ("net 10.0.0.1/8", "'10.0.0.1/8' has bits set behind the prefix at position 4"),
        ("net 10.0.0.0/33", "the prefix of '10.0.0.0/33' is longer than the address at position 4"),
        ("ip host 2001:db8::1", "the address is one of another protocol at position 8"),
        ("tcp host 10.0.0.1", "an IP address can follow 'ip', 'ip6', 'arp' or 'rarp', or no protocol at position 9"),
        ("icmp port 7", "a port can follow 'tcp', 'udp' or 'sctp', or no protocol at position 10"),
        ("vlan 4096", "expected the id of a VLAN, found '4096' at position 5"),
        ("ip proto nothing", "expected a protocol, by name or number, found 'nothing' at position 9"),
        ("foo", "expected a test, such as 'tcp port 80', found 'foo' at position 0"),
        ("tcp = 1", "expected 'and', 'or' or the end, found '=' at position 4"),
        ("tcp # 1", "unexpected '#' at position 4"),
        ("tcp[13", "expected ']', found the end at position 6"),
        (
            "tcp[1:3] = 0",
            "expected an offset, or an offset and a length of 1, 2 or 4, such as 2:2, found '1:3' at position 4",
        ),
        ("tcp[13] & 2", "expected '=', '!=', '<', '<=', '>' or '>=', found the end at position 11"),
        ("tcp[13] & (tcp-syn | x) != 0", "expected a number, found 'x' at position 21"),
        ("  é", "unexpected 'é' at position 2"),
        (
            "ether host 10.0.0.1",
            "expected a hardware address, such as 02:00:00:00:00:01, found '10.0.0.1' at position 11",
        ),
    ];
    for (filter, expected) in cases {
        let error = compile(&options(Filter::Text(filter.into())), LinkType::Ethernet).unwrap_err();
        assert_eq!(error.to_string(), format!("{expected} of the filter"), "{filter}");
    }
    let deep = "(".repeat(200);
    let many = vec!["tcp"; 1001].join(" or ");
    for filter in [deep, many] {
        assert!(matches!(compile(&options(Filter::Text(filter)), LinkType::Ethernet), Err(Error::Syntax(_))));
    }
    let ether = compile(&options(Filter::Text("arp or ether host 02:00:00:00:00:01".into())), LinkType::Ip);
    assert_eq!(
        ether.unwrap_err().to_string(),
        "the packets of this link have no Ethernet header at position 7 of the filter"
    );
}

#[test]
fn a_program_has_whole_instructions_and_not_too_many() {
    for bytes in [vec![], vec![0; 7], vec![0; 8 * 4097]] {
        assert!(matches!(compile(&options(Filter::Program(bytes)), LinkType::Ethernet), Err(Error::Program(_))));
    }
}
