#!/bin/sh
# getaddrinfo(3) of glibc 2.36 (Debian 12) sorts IPv4 addresses of one's own network by the bits that they have in common with the
# source address (rule 9 of RFC 3484 and 6724) only where the machine has an IPv6 address other than ::1. Without one, __check_pf()
# forgets the prefixes that it has read, and the addresses stay in the order in which they were given. Its sources
# of January 2026 are the same there.
#
# Output seen:
#   glibc 2.36
#   with 10.9.0.1/24:                10.9.0.200 10.9.0.7
#   with 10.9.0.1/24 and fd09::1/64: 10.9.0.7 10.9.0.200
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
printf '10.9.0.200 near.test\n10.9.0.7 near.test\n' > "$directory/hosts"
printf 'hosts: files\n' > "$directory/nsswitch.conf"
export directory

getconf GNU_LIBC_VERSION
order() {
  unshare --user --map-root-user --net --mount sh -euc '
    mount --bind "$directory/hosts" /etc/hosts
    mount --bind "$directory/nsswitch.conf" /etc/nsswitch.conf
    ip link set lo up
    for address; do ip address add "$address" dev lo nodad 2> /dev/null; done
    getent ahosts near.test' sh "$@" | awk '/STREAM/ { printf "%s%s", separator, $1; separator = " " }'
}
alone=$(order 10.9.0.1/24)
both=$(order 10.9.0.1/24 fd09::1/64)
echo "with 10.9.0.1/24:                $alone"
echo "with 10.9.0.1/24 and fd09::1/64: $both"
test "$alone" = '10.9.0.200 10.9.0.7'
test "$both" = '10.9.0.7 10.9.0.200'
