"""Conversations over UDP. The client says what it saw, and some servers do."""
import socket
import threading

from conversation import DOUBT, MARK, SILENCE, Place, wait, word_of

MANY = 100
LARGEST = 65_507


def of_length(length: int) -> bytes:
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def exchange(opened: socket.socket, data: bytes, to: tuple, patience: float = DOUBT) -> tuple[bytes, int]:
    """Sends a question until it is answered, at most three times. Returns the answer, and the class of its packet."""
    opened.settimeout(patience)
    for attempt in range(3):
        opened.sendto(data, to)
        try:
            answer, ancillary, _, _ = opened.recvmsg(100, 100)
        except TimeoutError:
            if attempt == 2:
                raise
        else:
            return answer, int.from_bytes(ancillary[0][2][:4], 'little') if ancillary else 0


class Server:
    """Sends back what it receives. A subclass does something else with it."""

    def listen(self, addresses: list[str], port: int, note) -> None:
        for address in addresses:
            family = socket.AF_INET6 if ':' in address else socket.AF_INET
            opened = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
            else:
                opened.setsockopt(socket.IPPROTO_IP, 13, 1)
            opened.bind((address, port))
            threading.Thread(target=self.receive, args=[opened, note], daemon=True).start()

    def receive(self, opened: socket.socket, note) -> None:
        while True:
            data, ancillary, _, sender = opened.recvmsg(70_000, 100)
            mark = int.from_bytes(ancillary[0][2][:4], 'little')
            if (seen := self.act(opened, data, sender, mark)) is not None:
                note(seen)

    def act(self, opened, data: bytes, sender: tuple, mark: int) -> str | None:
        opened.sendto(data, sender)


class Lengths(Server):
    """Each until it arrives, at most three times: any network may lose a datagram."""

    def client(self, place: Place) -> str:
        with place.datagrams() as opened:
            opened.connect(place.server)
            return ', '.join(f'{length}{self.exchange(opened, of_length(length))}' for length in LENGTHS)

    def exchange(self, opened: socket.socket, data: bytes) -> str:
        told = ''
        opened.settimeout(SILENCE)
        for _ in range(3):
            try:
                opened.send(data)
                answer = opened.recv(70_000)
                # A late answer to an earlier one.
                while len(answer) != len(data) and len(answer) in LENGTHS:
                    answer = opened.recv(70_000)
                return told if answer == data else f' is {len(answer)}'
            except TimeoutError:
                pass
            except OSError as error:
                told = f' after {word_of(error)}'
        return ' lost'


class Uncut(Server):
    """One that must not be cut (IP_PMTUDISC_DO of ip(7)), and is longer than the link of the host takes."""

    def client(self, place: Place) -> str:
        level, discover = (socket.IPPROTO_IPV6, 23) if place.is6 else (socket.IPPROTO_IP, 10)
        with place.datagrams() as opened:
            opened.setsockopt(level, discover, 2)
            # The kernel remembers what it learns for the address.
            opened.connect(place.other)
            opened.settimeout(DOUBT)
            try:
                opened.send(of_length(3000))
                opened.recv(100)
                return 'arrives'
            except OSError as error:
                return word_of(error)


class Silence(Server):
    def client(self, place: Place) -> str:
        with place.datagrams() as opened:
            return exchange(opened, b'question', place.server)[0].decode()

    def act(self, opened, data: bytes, sender: tuple, mark: int) -> str:
        wait(SILENCE)
        opened.sendto(b'late answer', sender)
        return data.decode()


class Marked(Server):
    def client(self, place: Place) -> str:
        with place.datagrams() as opened:
            place.mark(opened, MARK)
            place.receive_marks(opened)
            return described(exchange(opened, b'question', place.server)[1])

    def act(self, opened, data: bytes, sender: tuple, mark: int) -> str:
        is6 = opened.family == socket.AF_INET6
        level, option = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if is6 else (socket.IPPROTO_IP, socket.IP_TOS)
        opened.sendmsg([data], [(level, option, MARK.to_bytes(4, 'little'))], 0, sender)
        return described(mark)


def described(mark: int) -> str:
    return f'class {mark >> 2}, ecn {mark & 3}'


class SourcePort(Server):
    def client(self, place: Place) -> str:
        with place.datagrams() as opened:
            opened.bind(('', 0))
            own = str(opened.getsockname()[1]).encode()
            return exchange(opened, own, place.server)[0].decode()

    def act(self, opened, data: bytes, sender: tuple, mark: int) -> str:
        seen = 'its own port' if sender[1] == int(data) else 'another port'
        opened.sendto(seen.encode(), sender)
        return seen


class TwoServers(Server):
    """They see the same source (endpoint-independent mapping of RFC 4787)."""

    def client(self, place: Place) -> str:
        with place.datagrams() as opened:
            opened.bind(('', 0))
            ports = {exchange(opened, b'question', to)[0] for to in (place.server, place.other)}
            return f'{len(ports)} source ports'

    def act(self, opened, data: bytes, sender: tuple, mark: int) -> None:
        opened.sendto(str(sender[1]).encode(), sender)


class AnotherPortAnswers(Server):
    """As with TFTP."""

    def client(self, place: Place) -> str:
        with place.datagrams() as opened:
            opened.sendto(b'question', place.server)
            opened.settimeout(DOUBT)
            try:
                return opened.recv(100).decode()
            except OSError as error:
                return word_of(error)

    def act(self, opened, data: bytes, sender: tuple, mark: int) -> str:
        with socket.socket(opened.family, socket.SOCK_DGRAM) as other:
            other.sendto(b'answer', sender)
        return data.decode()


class Many(Server):
    def client(self, place: Place) -> str:
        sockets = [place.datagrams() for _ in range(MANY)]
        for opened in sockets:
            opened.sendto(b'question', place.server)
        # All are on their way now; those without an answer are sent again.
        answers = [exchange(opened, b'question', place.server, SILENCE) for opened in sockets]
        for opened in sockets:
            opened.close()
        return f'{len(answers)} answers'


class Refused:
    listen = None

    def client(self, place: Place) -> str:
        return ask(place, place.server)


class Unreachable:
    listen = None

    def client(self, place: Place) -> str:
        return ask(place, place.unreachable)


class SilentMachine:
    listen = None

    def client(self, place: Place) -> str:
        return ask(place, place.silent)


def ask(place: Place, to: tuple) -> str:
    with place.datagrams() as opened:
        opened.connect(to)
        opened.settimeout(SILENCE)
        opened.send(b'question')
        try:
            return opened.recv(100).decode()
        except OSError as error:
            return word_of(error)


LENGTHS = [0, 1, 1400, 9000, 60_000, LARGEST]

DATAGRAMS = {
    'datagrams of many lengths': Lengths(),
    'a datagram that must not be cut': Uncut(),
    'a late answer': Silence(),
    'a class of service': Marked(),
    'the source port': SourcePort(),
    'two servers and one socket': TwoServers(),
    'an answer from another port': AnotherPortAnswers(),
    '100 at once': Many(),
    'a port without a server': Refused(),
    'an unreachable machine': Unreachable(),
    'a silent machine': SilentMachine(),
}
