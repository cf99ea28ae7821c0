#!/usr/bin/env bash
# Where the default route has several next hops, a next-hop object, no gateway, or stands beside another one, these libraries answer with
# something else than the kernel: npm's default-gateway 7.2.2 and systeminformation 5.33.26, and gopacket 1.7.7 (routing, of Go).
#
# The first two read the words of `ip route` by their place. default-gateway finds no gateway behind `nhid 9` (as FRR and systemd-networkd
# add routes) or on a line of its own, and a route of a tunnel (`dev lab0`) is an error of JavaScript. systeminformation then calls
# the link "link", takes the gateway for it, or returns the first link that has an address, here one with no route. gopacket
# leaves out the next hops of such a route and returns no link, no gateway and no error; of two default routes it takes the second.
#
# Output seen, 2026-11-28 (link and gateway; "-" where there is none):
#   via 10.0.0.9 dev lab0: kernel lab0 10.0.0.9, default-gateway lab0 10.0.0.9, systeminformation lab0 10.0.0.9, gopacket lab0 10.0.0.9
