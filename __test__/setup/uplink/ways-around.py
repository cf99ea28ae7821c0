"""Tries ways around the rules of a box that allows three names, and prints what has come back on each: a JSON object.

The argument is a JSON object with the addresses: see ways-around.ts. All inputs are harmless: what is asked for is a greeting.
"""
import contextlib
import ipaddress
import json
import socket
import ssl
import struct
import sys
import threading

PLACE = json.loads(sys.argv[1])
SECONDS = 3
WAYS = {}


def way(name):
    def add(function):
        WAYS[name] = function
        return function
    return add


def asked(connection, request=b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % PLACE["other"].encode()):
    """Sends a request, and returns what comes back, which may be nothing."""
    with connection:
        connection.settimeout(SECONDS)
        connection.sendall(request)
        return connection.recv(1000)


def tcp(address, port=80, family=socket.AF_UNSPEC, request=None):
    """Connects to an address in any spelling: getaddrinfo(3) reads them as inet_aton(3) does."""
    found = socket.getaddrinfo(address, port, family, socket.SOCK_STREAM)[0]
    connection = socket.socket(*found[:3])
    connection.settimeout(SECONDS)
    connection.connect(found[4])
    return asked(connection, *([] if request is None else [request]))


def udp(address, port, message=b"hello", options=()):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.settimeout(SECONDS)
        for option in options:
            connection.setsockopt(*option)
        connection.sendto(message, (address, port))
        return connection.recv(65535)


def fragments(address):
    """The first datagram is too long for the host's link. The kernel learns that from an ICMP message, and cuts the next one."""
    with contextlib.suppress(OSError):
        return udp(address, 5000, b"f" * 20_000)
    return udp(address, 5000, b"f" * 20_000)


def question(name, kind=1):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def answered(message):
    """The answers in a message, if it has any."""
    return message if struct.unpack("!H", message[6:8])[0] > 0 else b""


def dns_over_tcp(server, name):
    connection = socket.create_connection((server, 53), SECONDS)
    asked_for = question(name)
    reply = asked(connection, struct.pack("!H", len(asked_for)) + asked_for)
    return answered(reply[2:])


def tls(address, name, host=None):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = socket.create_connection((address, 443), SECONDS)
    with context.wrap_socket(connection, server_hostname=name) as secured:
        return asked(secured, b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % (host or name).encode())


def tls_after(first, address, name):
    """The same after other bytes, which a server of TLS ignores."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secured = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with socket.create_connection((address, 443), SECONDS) as connection:
        connection.settimeout(SECONDS)

        def exchange(act):
            """Sends and receives until it is done."""
            while True:
                with contextlib.suppress(ssl.SSLWantReadError):
                    return act()
                connection.sendall(outgoing.read())
                received = connection.recv(16384)
                if received == b"":
                    raise ConnectionError("the end")
                incoming.write(received)

        connection.sendall(first)
        exchange(secured.do_handshake)
        secured.write(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % name.encode())
        return exchange(lambda: secured.read(1000))


def after(first, second=b"GET / HTTP/1.1\r\nHost: neighbour.test\r\n\r\n", at_once=True):
    """What comes back for a second request in a connection to a server that is allowed."""
    connection = socket.create_connection((PLACE["web"], 80), SECONDS)
    with connection:
        connection.settimeout(SECONDS)
        if at_once:
            connection.sendall(first + second)
        else:
            connection.sendall(first)
            connection.recv(1000)
            connection.sendall(second)
        connection.shutdown(socket.SHUT_WR)
        all_of_it = b""
        while part := connection.recv(1000):
            all_of_it += part
        return all_of_it if b"neighbour" in all_of_it else b""


FIRST = b"GET / HTTP/1.1\r\nHost: index.test\r\n"
INWARD = ipaddress.IPv4Address(PLACE["other"])

for name, spelling in {
    "an IPv4 address": PLACE["other"],
    "an IPv6 address": PLACE["other6"],
    "an IPv4-mapped IPv6 address": "::ffff:" + PLACE["other"],
    "an IPv4-compatible IPv6 address": "::" + PLACE["other"],
    "an address of NAT64": "64:ff9b::" + PLACE["other"],
    "an address of the local NAT64": "64:ff9b:1::" + PLACE["other"],
    "an address of 6to4": "2002:%02x%02x:%02x%02x::1" % tuple(INWARD.packed),
    "octal numbers": ".".join("0%o" % byte for byte in INWARD.packed),
    "a hexadecimal number": hex(int(INWARD)),
    "one number": str(int(INWARD)),
    "two numbers": "%d.%d" % (INWARD.packed[0], int(INWARD) & 0xFFFFFF),
    "0.0.0.0": "0.0.0.0",
    "::": "::",
    "the loopback address": "127.0.0.1",
    "another loopback address": "127.77.1.1",
    "the IPv6 loopback address": "::1",
    "the name localhost": "localhost",
    "the address of the host": PLACE["own"],
    "the IPv6 address of the host": PLACE["own6"],
    "the gateway": PLACE["gateway"],
    "a private address": PLACE["private"],
    "the metadata of a cloud": "169.254.169.254",
    "the metadata of a cloud over IPv6": "fd00:ec2::254",
    "the metadata of a cloud at a public address": "168.63.129.16",
    "a name that is not allowed": "neighbour.test",
    "a name that leads to a private address": "inward.test",
    "data in a name": "secret.index.test",
}.items():
    WAYS[name] = lambda spelling=spelling: tcp(spelling)
    if spelling in ("0.0.0.0", "::", "127.0.0.1", "127.77.1.1", "::1", "localhost") or name.startswith("the "):
        WAYS[name + ", where the host listens"] = lambda spelling=spelling: tcp(spelling, PLACE["trap"])


@way("an answer that leads inward (rebinding)")
def _():
    found = {row[4][0] for row in socket.getaddrinfo("index.test", 80, type=socket.SOCK_STREAM)}
    return str(found - {PLACE["web"]}).encode() if found - {PLACE["web"]} else b""


WAYS["another name server over UDP"] = lambda: answered(udp(PLACE["other"], 53, question("neighbour.test")))
WAYS["another name server over TCP"] = lambda: dns_over_tcp(PLACE["other"], "neighbour.test")
WAYS["the gateway's name server over TCP"] = lambda: dns_over_tcp(PLACE["gateway"], "neighbour.test")
WAYS["the host's name server by its address"] = lambda: answered(udp(PLACE["resolver"], 53, question("neighbour.test")))
WAYS["a question for any record"] = lambda: answered(udp(PLACE["gateway"], 53, question("neighbour.test", 255)))
WAYS["the name of TLS that is allowed, at another address"] = lambda: tls(PLACE["other"], "index.test")
WAYS["another name of TLS, at an address that is allowed"] = lambda: tls(PLACE["web"], "neighbour.test")
WAYS["another name of TLS after a warning"] = lambda: tls_after(
    b"\x15\3\1\0\2\1\x5a", PLACE["web"], "neighbour.test")
WAYS["another host of HTTP, at an address that is allowed"] = lambda: tcp(
    PLACE["web"], request=b"GET / HTTP/1.1\r\nHost: neighbour.test\r\n\r\n")
for name, host in {
    "another host of HTTP behind brackets": b"[index.test]neighbour.test",
    "another host of HTTP behind a port": b"index.test:80:neighbour.test",
    "another host of HTTP behind a user": b"index.test@neighbour.test",
    "another host of HTTP in other letters": b"NEIGHBOUR.Test.",
}.items():
    WAYS[name] = lambda host=host: tcp(PLACE["web"], request=b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host)
WAYS["another host in the second request"] = lambda: after(FIRST + b"\r\n", at_once=False)
WAYS["another host in a pipelined request"] = lambda: after(FIRST + b"\r\n")
WAYS["another host after a body"] = lambda: after(FIRST + b"Content-Length: 3\r\n\r\nabc")
WAYS["another host after chunks"] = lambda: after(FIRST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
WAYS["another host after an upgrade that is not granted"] = lambda: after(FIRST + b"Upgrade: x\r\nConnection: upgrade\r\n\r\n")
WAYS["another host after a request without one"] = lambda: after(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
WAYS["another host behind two lengths"] = lambda: after(
    FIRST + b"Content-Length: 80\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
WAYS["another host in a head that ends with the connection"] = lambda: after(
    b"", b"GET / HTTP/1.0\r\nHost: neighbour.test\r\n")
WAYS["another host after tabs"] = lambda: after(b"", b"GET\t/\tHTTP/1.1\r\nHost: neighbour.test\r\n\r\n")
WAYS["datagrams to another port of an allowed address"] = lambda: udp(PLACE["web"], 5000)
WAYS["datagrams as of QUIC to another address"] = lambda: udp(PLACE["other"], 443)
WAYS["datagrams to a private address"] = lambda: udp(PLACE["private"], 5000)
WAYS["a datagram in fragments"] = lambda: fragments(PLACE["other"])
WAYS["a datagram of IPv6 in fragments"] = lambda: fragments(PLACE["other6"])
WAYS["a datagram that may enter one network"] = lambda: udp(
    PLACE["other"], 5000, options=[(socket.IPPROTO_IP, socket.IP_TTL, 1)])
WAYS["a datagram that may enter two networks"] = lambda: udp(
    PLACE["other"], 5000, options=[(socket.IPPROTO_IP, socket.IP_TTL, 2)])
WAYS["multicast"] = lambda: udp("224.0.0.1", 5000)
WAYS["multicast of IPv6"] = lambda: udp("ff02::1", 5000)
WAYS["broadcast"] = lambda: udp("255.255.255.255", 5000, options=[(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)])


@way("a source route over an allowed address")
def _():
    route = b"\x83\x07\x04" + socket.inet_aton(PLACE["web"]) + b"\x01"
    return udp(PLACE["other"], 5000, options=[(socket.IPPROTO_IP, socket.IP_OPTIONS, route)])


@way("data in the first packet (TCP Fast Open)")
def _():
    with socket.socket() as connection:
        connection.settimeout(SECONDS)
        connection.sendto(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", socket.MSG_FASTOPEN, (PLACE["other"], 80))
        return connection.recv(1000)


@way("an echo request")
def _():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as connection:
        connection.settimeout(SECONDS)
        connection.sendto(b"\x08\0\0\0\0\0\0\x01hello", (PLACE["other"], 0))
        return connection.recv(1000)


def raw(protocol, packet):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol) as connection:
        connection.settimeout(SECONDS)
        connection.sendto(packet, (PLACE["other"], 0))
        if protocol == socket.IPPROTO_RAW:
            return b""
        # Also what the gateway says about it comes there, after a header of IPv4.
        while answer := connection.recv(1000):
            if answer[12:16] == socket.inet_aton(PLACE["other"]):
                return answer


@way("a raw socket with the source of the host")
def _():
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 33, 7, 0, 64, socket.IPPROTO_UDP, 0,
                         socket.inet_aton(PLACE["own"]), socket.inet_aton(PLACE["other"]))
    return raw(socket.IPPROTO_RAW, header + struct.pack("!HHHH", 5000, 5000, 13, 0) + b"hello")


WAYS["a raw socket of ICMP"] = lambda: raw(socket.IPPROTO_ICMP, b"\x08\0\xf7\xfd\0\x01\0\x01")
WAYS["a tunnel of GRE"] = lambda: raw(47, b"\0\0\x08\0" + b"\0" * 20)
WAYS["SCTP"] = lambda: raw(132, b"\x13\x88\x13\x88" + b"\0" * 8 + b"\x01\0\0\x14" + b"\0" * 16)


@way("a packet socket")
def _():
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800)) as connection:
        connection.settimeout(1)
        packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 7, 0x2000, 64, socket.IPPROTO_UDP, 0,
                             socket.inet_aton(PLACE["own"]), socket.inet_aton(PLACE["other"]))
        connection.sendto(packet + b"\x13\x88\x13\x88\0\x0d\0\0", (PLACE["link"], 0x800, 0, 0, b"\x52\x55\x0a\0\x02\x02"))
        return b""


@way("an abstract unix socket of the host")
def _():
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("\0" + PLACE["abstract"])
        return asked(connection)


# What the answers are for is allowed from then on.
for name in ("packages.test", "index.test"):
    socket.getaddrinfo(name, 80)
OUTCOMES = {}


def run(name, function):
    try:
        OUTCOMES[name] = function()[:60].decode("latin1")
    except Exception as error:  # Each way may fail in a way of its own: that is the purpose of the rules.
        OUTCOMES[name] = ""
        print(f"{name}: {error!r}", file=sys.stderr)


THREADS = [threading.Thread(target=run, args=entry) for entry in WAYS.items()]
for thread in THREADS:
    thread.start()
for thread in THREADS:
    thread.join()
print(json.dumps(OUTCOMES))
