"""What conversations are made of: a client inside, a server on another machine, and what each of them saw, in words."""
import errno
import socket
import struct
import time

# In seconds. What arrives does so long before the first, and errors before the second. What may not arrive is waited for as long as the third.
PATIENCE = 8
DOUBT = 4
SILENCE = 1
# Of the headers of packets: the class for voice, and the congestion that a router marks.
MARK = 46 << 2 | 3


class Place:
    """Where a conversation takes place: the server, and other addresses that lead to none."""

    def __init__(self, addresses: dict, port: int):
        self.server = (addresses['server'], port)
        self.other = (addresses['other'], port)
        self.unreachable = (addresses['unreachable'], port)
        self.silent = (addresses['silent'], port)
        self.family = socket.AF_INET6 if ':' in addresses['server'] else socket.AF_INET
        self.is6 = self.family == socket.AF_INET6

    def stream(self) -> socket.socket:
        return self.opened(socket.SOCK_STREAM)

    def datagrams(self) -> socket.socket:
        return self.opened(socket.SOCK_DGRAM)

    def opened(self, kind: int) -> socket.socket:
        opened = socket.socket(self.family, kind)
        opened.settimeout(PATIENCE)
        return opened

    def connected(self) -> socket.socket:
        stream = self.stream()
        stream.connect(self.server)
        return stream

    def mark(self, of: socket.socket, mark: int) -> None:
        level, option = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if self.is6 else (socket.IPPROTO_IP, socket.IP_TOS)
        of.setsockopt(level, option, mark)

    def receive_marks(self, of: socket.socket) -> None:
        # IP_RECVTOS of ip(7).
        level, option = (socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS) if self.is6 else (socket.IPPROTO_IP, 13)
        of.setsockopt(level, option, 1)


def word_of(error: OSError) -> str:
    """The name of an error, or `no answer`."""
    if isinstance(error, TimeoutError):
        return 'no answer'
    return errno.errorcode.get(error.errno, str(error))


def read(stream: socket.socket) -> tuple[bytes, str]:
    """What arrives, and how it ends."""
    data = bytearray()
    try:
        while part := stream.recv(1 << 18):
            data += part
    except OSError as error:
        return bytes(data), word_of(error)
    return bytes(data), 'end'


def reset(stream: socket.socket) -> None:
    """Closes a connection with a reset (SO_LINGER of socket(7))."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    stream.close()


def wait(seconds: float) -> None:
    time.sleep(seconds)
