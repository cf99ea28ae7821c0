"""Conversations over TCP. A function for each side returns what that side saw."""
import fcntl
import socket
import struct
import termios
import threading

from conversation import DOUBT, MARK, PATIENCE, SILENCE, Place, read, reset, wait, word_of

BODY = bytes(range(251)) * 20_000
LONG = 16 << 20
MANY = 100


def said(data: bytes, end: str) -> str:
    body = f'{len(data)} bytes, {"as sent" if data == BODY else "changed"}' if len(data) > 100 else data.decode()
    return f'{body}, {end}'


class Question:
    def client(self, place: Place) -> str:
        with place.connected() as stream:
            stream.sendall(b'question')
            return stream.recv(100).decode()

    def server(self, stream: socket.socket) -> str:
        asked = stream.recv(100)
        stream.sendall(b'answer')
        return said(asked, read(stream)[1])


class Up:
    def client(self, place: Place) -> str:
        with place.connected() as stream:
            stream.sendall(BODY)
            stream.shutdown(socket.SHUT_WR)
            return said(*read(stream))

    def server(self, stream: socket.socket) -> str:
        data, end = read(stream)
        stream.sendall(f'{len(data)} bytes arrived'.encode())
        return said(data, end)


class Down:
    def client(self, place: Place) -> str:
        with place.connected() as stream:
            return said(*read(stream))

    def server(self, stream: socket.socket) -> str:
        stream.sendall(BODY)
        return 'sent'


class ClientEndsFirst:
    def client(self, place: Place) -> str:
        with place.connected() as stream:
            stream.sendall(b'question')
            stream.shutdown(socket.SHUT_WR)
            return said(*read(stream))

    def server(self, stream: socket.socket) -> str:
        asked = said(*read(stream))
        wait(0.3)
        stream.sendall(b'after your end')
        return asked


class ServerEndsFirst:
    def client(self, place: Place) -> str:
        with place.connected() as stream:
            greeting = said(*read(stream))
            wait(0.3)
            stream.sendall(b'after your end')
            return greeting

    def server(self, stream: socket.socket) -> str:
        stream.sendall(b'greeting')
        stream.shutdown(socket.SHUT_WR)
        return said(*read(stream))


class ServerResets:
    def client(self, place: Place) -> str:
        with place.connected() as stream:
            stream.sendall(b'question')
            return said(*read(stream))

    def server(self, stream: socket.socket) -> str:
        stream.recv(100)
        reset(stream)
        return 'has reset'


class ServerClosesUnread(ServerResets):
    """The kernel resets a connection that is closed with bytes that were not read."""

    def server(self, stream: socket.socket) -> str:
        stream.recv(100, socket.MSG_PEEK)
        stream.close()
        return 'has closed'


class ClientResets:
    def client(self, place: Place) -> str:
        stream = place.connected()
        stream.sendall(b'question')
        answer = stream.recv(100)
        reset(stream)
        return answer.decode()

    def server(self, stream: socket.socket) -> str:
        asked = stream.recv(100)
        stream.sendall(b'answer')
        return said(asked, read(stream)[1])


class ClientGoesAway:
    """While the server sends."""

    def client(self, place: Place) -> str:
        with place.connected() as stream:
            return str(len(stream.recv(100)))

    def server(self, stream: socket.socket) -> str:
        try:
            while True:
                stream.sendall(b'x' * 100_000)
        except TimeoutError:
            return 'not told'
        except OSError:
            return 'told'


class SlowReader:
    """It reads when nothing more arrives: the buffers on the way are full then."""

    def client(self, place: Place) -> str:
        with place.connected() as stream:
            queued, before = 1, 0
            while queued != before:
                wait(SILENCE)
                queued, before = queued_in(stream), queued
            data, end = read(stream)
            return f'{len(data)} bytes, {end}'

    def server(self, stream: socket.socket) -> str:
        left = memoryview(bytes(LONG))
        stream.settimeout(SILENCE / 2)
        try:
            while left:
                left = left[stream.send(left[: 1 << 20]) :]
        except TimeoutError:
            stream.settimeout(PATIENCE)
            stream.sendall(left)
            return 'waits'
        return 'does not wait'


def queued_in(stream: socket.socket) -> int:
    # tcp(7).
    return struct.unpack('i', fcntl.ioctl(stream, termios.FIONREAD, bytes(4)))[0]


class Silence:
    def client(self, place: Place) -> str:
        with place.connected() as stream:
            answers = b''
            for word in b'one ', b'two':
                stream.sendall(word)
                answers += stream.recv(100)
                wait(SILENCE)
            return answers.decode()

    def server(self, stream: socket.socket) -> str:
        heard = b''
        while word := stream.recv(100):
            heard += word
            stream.sendall(word)
        return said(heard, 'end')


class Urgent:
    """A byte out of the order of the others (MSG_OOB of send(2))."""

    def client(self, place: Place) -> str:
        with place.connected() as stream:
            for data, flags in (b'ab', 0), (b'!', socket.MSG_OOB), (b'cd', 0):
                stream.send(data, flags)
                wait(0.3)
        return 'sent'

    def server(self, stream: socket.socket) -> str:
        return said(*read(stream))


class SourcePort:
    def client(self, place: Place) -> str:
        with place.connected() as stream:
            stream.sendall(str(stream.getsockname()[1]).encode())
            return stream.recv(100).decode()

    def server(self, stream: socket.socket) -> str:
        port = int(stream.recv(100))
        seen = 'its own port' if stream.getpeername()[1] == port else 'another port'
        stream.sendall(seen.encode())
        return seen


class Marked:
    """The class of service of the first packets (IP_TOS of ip(7))."""

    def client(self, place: Place) -> str:
        with place.stream() as stream:
            place.mark(stream, MARK)
            stream.connect(place.server)
            stream.sendall(b'question')
            return said(*read(stream))

    def server(self, stream: socket.socket) -> str:
        stream.recv(100)
        # IP_PKTOPTIONS has what the last packet of the handshake had. ECN is not a program's in TCP.
        if stream.family == socket.AF_INET6:
            stream.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
            options = stream.getsockopt(socket.IPPROTO_IPV6, 6, 100)
        else:
            stream.setsockopt(socket.IPPROTO_IP, 13, 1)
            options = stream.getsockopt(socket.IPPROTO_IP, 9, 100)
        # After the header of the message.
        (mark,) = struct.unpack_from('i', options, 16)
        return f'class {mark >> 2}'


class Many:
    """At once. The server serves each of them in a thread."""

    def client(self, place: Place) -> str:
        streams = [place.stream() for _ in range(MANY)]
        for stream in streams:
            stream.setblocking(False)
            stream.connect_ex(place.server)
        for stream in streams:
            stream.settimeout(PATIENCE)
        answers = set()
        for number, stream in enumerate(streams):
            stream.sendall(str(number).encode())
        for stream in streams:
            answers.add(stream.recv(100))
            stream.close()
        return f'{len(answers)} answers'

    def server(self, stream: socket.socket) -> str:
        stream.sendall(stream.recv(100))
        return read(stream)[1]


class Refused:
    server = None

    def client(self, place: Place) -> str:
        return connect(place, place.server, DOUBT)


class Unreachable:
    server = None

    def client(self, place: Place) -> str:
        return connect(place, place.unreachable, DOUBT)


class SilentMachine:
    server = None

    def client(self, place: Place) -> str:
        return connect(place, place.silent, SILENCE)


def connect(place: Place, to: tuple, patience: float) -> str:
    with place.stream() as stream:
        stream.settimeout(patience)
        try:
            stream.connect(to)
        except OSError as error:
            return word_of(error)
        return 'connected'


STREAMS = {
    'a question and an answer': Question(),
    '5 MB up': Up(),
    '5 MB down': Down(),
    'the client ends first': ClientEndsFirst(),
    'the server ends first': ServerEndsFirst(),
    'the server resets': ServerResets(),
    'the server closes without reading': ServerClosesUnread(),
    'the client resets': ClientResets(),
    'the client goes away while the server sends': ClientGoesAway(),
    'a client that reads late': SlowReader(),
    'silence between words': Silence(),
    'an urgent byte': Urgent(),
    'the source port': SourcePort(),
    'a class of service': Marked(),
    '100 at once': Many(),
    'a port without a server': Refused(),
    'an unreachable machine': Unreachable(),
    'a silent machine': SilentMachine(),
}


def serve(conversation, address: str, port: int, note) -> None:
    """Serves connections in threads, and notes what each of them saw."""
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    listener = socket.create_server((address, port), family=family, backlog=2 * MANY)

    def one(stream: socket.socket) -> None:
        with stream:
            stream.settimeout(PATIENCE)
            try:
                note(conversation.server(stream))
            except OSError as error:
                note(word_of(error))

    def all_of_them() -> None:
        while True:
            threading.Thread(target=one, args=[listener.accept()[0]], daemon=True).start()

    threading.Thread(target=all_of_them, daemon=True).start()
