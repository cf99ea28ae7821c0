/** Rules as nft(8) writes them, by the family and the hook of their chain: statements and expressions of its manual. */
import type { FirewallFamily } from 'nsset'

/** A chain with rules. */
export interface Lines {
  family: FirewallFamily
  /** The line that makes it a base chain. */
  base: string
  /** What the rules refer to. */
  declarations: string
  rules: readonly string[]
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

const SETS = `
  set named4 { type ipv4_addr; flags interval; }
  set dscps { type dscp; }
  set pairs { type ipv4_addr . inet_service; }
  set dyn { type ipv4_addr; size 100; flags dynamic,timeout; }
  set prefixes { type ipv4_addr; size 100; flags dynamic,timeout; }
  set pairs_seen { type ipv4_addr . inet_service; size 100; flags dynamic,timeout; }
  map dynmap { type ipv4_addr : mark; size 100; flags dynamic,timeout; }
  map verdicts { type ipv4_addr : verdict; }
  map marks { type inet_service : mark; flags interval; }
  map counts { type inet_service : counter; }
  counter cn { }
  counter cn2 { }
  quota qn { 100 bytes }
  limit ln { rate 10/second }
  chain other { }`

const HEADERS = lines(`
  ether saddr 02:00:00:00:00:01
  ether type ip
  vlan id 4094
  vlan pcp 3
  vlan dei 1
  ip version 4
  ip hdrlength 5
  ip dscp cs1
  ip dscp != af11
  ip dscp { cs1, af11 }
  ip dscp vmap { cs1 : accept, af11 : drop }
  ip ecn ect0
  ip ecn { ect1, ce }
  ip length 100-200
  ip frag-off & 8191 != 0
  ip ttl { 1-5 }
  ip protocol { tcp, udp }
  ip checksum 1
  ip saddr 10.0.0.0/8
  ip saddr & 0.0.0.255 == 0.0.0.1
  icmp type { echo-reply, echo-request }
  icmp checksum 1
  igmp type membership-query
  igmp mrt 10
  ip6 version 6
  ip6 dscp cs1
  ip6 ecn ce
  ip6 flowlabel 22
  ip6 nexthdr { udp, ah }
  ip6 daddr { ::1, fd00::/8 }
  icmpv6 type nd-neighbor-solicit
  icmpv6 checksum 1
  tcp dport { 22, 80-90 }
  tcp doff 8
  tcp flags syn,ack / fin,syn,rst,ack
  tcp checksum 0
  udp checksum 0
  udplite checksum 5
  sctp checksum 5
  ah hdrlength 5
  ah sequence 5
  comp cpi 5
  comp flags 0x1
  th dport 53
  @th,160,8 1
  @ih,0,32 0x1
  tcp option maxseg size 1-500
  tcp option window count 7
  tcp option window exists
  tcp option sack-perm missing
  tcp option timestamp tsval 1
  tcp option md5sig exists
  tcp option fastopen exists
  tcp option 255 missing
  tcp option nop exists
  ip option rr exists
  ip option lsrr ptr 1
  ip option ra value 1
  exthdr frag exists
  frag nexthdr tcp
  frag id 5
  frag more-fragments 1
  exthdr hbh exists
  hbh hdrlength 5
  rt type 0
  rt seg-left 5
  dst nexthdr tcp
  mh type binding-update
  srh tag 5
  sctp chunk data exists
  sctp chunk data tsn 5
  sctp chunk init num-outbound-streams 5
  ip saddr . tcp dport { 10.0.0.1 . 22, 10.0.0.2 . 80 }
  meta l4proto . th dport vmap { tcp . 22 : accept, udp . 53 : accept }
  tcp dport vmap { 22 : accept, 80-90 : drop, * : continue }
  tcp dport { 1, * }
  ip saddr @named4 accept
  ip dscp @dscps accept
  ip saddr . tcp dport @pairs accept
  ip saddr vmap @verdicts`)

const SURROUNDINGS = lines(`
  meta mark & 0x00000003 > 0x00000001
  meta mark { 0x00000001, 0x00000005-0x00000007 }
  meta sdif 1
  meta sdifname "vrf0"
  meta random <= 100
  meta time "2025-01-01 00:00:00"
  meta time > "2025-01-01 00:00:00"
  meta time "2025-01-01 00:00:00"-"2026-01-01 00:00:00"
  meta day { "Monday", "Friday" }
  meta hour "08:00"-"17:00"
  meta ipsec exists
  socket transparent 1
  socket mark 0x00000005
  socket wildcard 1
  socket transparent { 0, 1 }
  osf name "Linux"
  osf ttl skip name "Linux"
  rt classid 5
  rt ip nexthop 10.0.0.1
  rt ip6 nexthop fd00::1
  rt ipsec exists
  ipsec in reqid 5
  ipsec in spi 5
  ipsec in ip6 daddr fd00::1
  fib saddr . iif oif missing
  fib daddr . iif type != { local, multicast }
  numgen random mod 4 0
  numgen inc mod 4 vmap { 0 : accept, 1 : drop }
  numgen inc mod 4 offset 10 { 10, 11 }
  jhash ip saddr mod 4 1
  jhash ip saddr . tcp dport mod 4 seed 0x5 vmap { 0 : accept, 1 : drop }
  symhash mod 4 0
  symhash mod 2 offset 1 1
  ct helper "ftp"
  ct avgpkt 100
  ct original avgpkt > 100
  ct label 5
  ct label { 1, 5 }
  ct reply ip daddr 10.0.0.0/8
  ct state vmap { invalid : drop, established : accept }
  ct expiration 10s-1h`)

const STATEMENTS = lines(`
  ct count 10
  tcp dport 22 ct count over 10 drop
  counter name "cn"
  counter name tcp dport map { 22 : "cn", 80 : "cn2" }
  counter name tcp dport map @counts
  quota name "qn"
  quota name ip saddr map { 10.0.0.1 : "qn" }
  limit name "ln"
  limit name ip saddr map { 10.0.0.1 : "ln" }
  limit rate over 1 kbytes/second burst 2 kbytes
  log prefix "x" level warn
  log flags tcp sequence,options
  log group 1 snaplen 100 queue-threshold 5 prefix "y"
  reject with icmpx admin-prohibited
  meta mark set meta mark | 0x00000010
  meta mark set meta mark & 0x000000ff
  meta mark set meta mark ^ 0x00000001
  meta mark set ct mark & 0x000000ff
  meta mark set meta mark << 8
  meta mark set jhash ip saddr mod 4
  meta mark set numgen inc mod 4 offset 5
  meta mark set symhash mod 2
  meta mark set numgen inc mod 2 map { 0 : 0x00000001, 1 : 0x00000002 }
  meta mark set ip dscp map { cs1 : 0x00000001, cs2 : 0x00000002 }
  meta mark set tcp dport map @marks
  ct mark set ct mark | 0x00000001
  ct mark set meta mark & 0x000000ff
  ct event set new,related,destroy,label
  ct label set 5
  ip dscp set cs1
  ip6 dscp set cs1
  ip ecn set ect0
  ip ttl set 64
  ip6 hoplimit set 64
  tcp flags set syn
  icmp type set echo-reply
  tcp option maxseg size set 1400
  reset tcp option sack-perm
  tcp option timestamp tsval set 1
  add @dyn { ip saddr timeout 1m }
  update @dyn { ip saddr limit rate 10/second }
  update @dyn { ip saddr counter quota 100 bytes }
  add @prefixes { ip saddr & 255.255.255.0 }
  update @prefixes { ip saddr & 255.255.255.0 limit rate 1/second }
  update @pairs_seen { ip saddr . tcp dport limit rate over 10/minute }
  add @dynmap { ip saddr : 0x00000005 }
  update @dynmap { ip saddr timeout 10s : meta mark }
  ip saddr 10.0.0.1 tcp dport 22 counter log prefix "a" accept comment "b"`)

const FORWARDING = lines(`
  tcp flags syn / syn,rst tcp option maxseg size set rt mtu
  rt mtu > 1000
  meta oifname "eth0" tcp dport 80 accept`)

const TRANSLATIONS = lines(`
  dnat to numgen random mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }
  dnat to jhash ip saddr mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }
  dnat to symhash mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }
  dnat to tcp dport map { 80 : 10.0.0.1 . 8080 }
  meta l4proto tcp redirect to :numgen inc mod 2 map { 0 : 80, 1 : 81 }`)

const COPIES = lines(`
  dup to 10.0.0.1
  dup to 10.0.0.1 device "lo"
  dup to ip saddr map { 10.0.0.1 : 10.0.0.2 }
  dup to ip saddr map { 10.0.0.1 : 10.0.0.2 } device "lo"`)

const LINKS = lines(`
  dup to "lo"
  dup to meta mark map { 0x00000001 : "lo" }
  fwd to "lo"
  fwd to ip saddr map { 10.0.0.1 : "lo" }
  fwd ip to 10.0.0.1 device "lo"
  fwd ip to ip saddr map { 10.0.0.1 : 10.0.0.2 } device "lo"
  arp hlen 6
  vlan id 5
  vlan pcp { 1, 2 }
  vlan id set 5
  ip ttl set 5`)

const base = (hook: string, more = 'type filter') => `${more} hook ${hook} priority 0;`

/** Chains that use most of what nft(8) has. */
export const NFT_LINES: readonly Lines[] = [
  { family: 'inet', base: base('input'), declarations: SETS, rules: HEADERS },
  { family: 'inet', base: base('input'), declarations: '', rules: SURROUNDINGS },
  { family: 'inet', base: base('input'), declarations: SETS, rules: STATEMENTS },
  { family: 'inet', base: base('forward'), declarations: '', rules: FORWARDING },
  { family: 'ip', base: base('prerouting', 'type nat'), declarations: '', rules: TRANSLATIONS },
  { family: 'ip', base: base('prerouting'), declarations: '', rules: COPIES },
  { family: 'netdev', base: 'type filter hook ingress device "lo" priority 0;', declarations: '', rules: LINKS },
]
