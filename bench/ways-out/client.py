"""Uses the servers of server.py, and prints how long that took, in milliseconds: client.py HOST FIRST-PORT ACTION COUNT"""
import select
import socket
import sys
import time

HOST, FIRST, ACTION, COUNT = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
SINK, SOURCE, ECHO = (HOST, FIRST), (HOST, FIRST + 1), (HOST, FIRST + 2)
MIB = 2 ** 20


def up(connection):
    part = bytes(MIB)
    for _ in range(COUNT):
        connection.sendall(part)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)


def down(connection):
    connection.sendall(b"%d\n" % COUNT)
    room = bytearray(MIB)
    left = COUNT * MIB
    while left > 0:
        left -= connection.recv_into(room)


def echo(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(COUNT):
        connection.sendall(b"x")
        connection.recv(1)


def connect():
    for _ in range(COUNT):
        socket.create_connection(SINK).close()


def begin():
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex(ECHO)
    return connection


def together():
    """Opens all connections at once, and waits for a byte on each."""
    poll, waiting = select.epoll(), {}
    for _ in range(COUNT):
        connection = begin()
        waiting[connection.fileno()] = connection
        poll.register(connection, select.EPOLLOUT)
    while waiting:
        for number, events in poll.poll():
            connection = waiting[number]
            if events & select.EPOLLOUT:
                connection.send(b"x")
                poll.modify(number, select.EPOLLIN)
            elif connection.recv(1) == b"x":
                waiting.pop(number).close()


def idle():
    """Stays with open connections until its input ends."""
    kept = [socket.create_connection(ECHO) for _ in range(COUNT)]
    for connection in kept:
        connection.sendall(b"x")
        connection.recv(1)
    print("ready", flush=True)
    sys.stdin.read()


def names():
    """Asks the name server at HOST."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.connect((HOST, 53))
        connection.settimeout(5)
        for index in range(COUNT):
            header = index.to_bytes(2) + b"\x01\0\0\x01\0\0\0\0\0\0"
            connection.send(header + b"\x03web\x04test\0\0\x01\0\x01")
            connection.recv(512)


def with_one(act, place):
    connection = socket.create_connection(place)
    start = time.perf_counter()
    act(connection)
    return start


ACTIONS = {"up": (up, SINK), "down": (down, SOURCE), "echo": (echo, ECHO)}
START = time.perf_counter()
if ACTION in ACTIONS:
    START = with_one(*ACTIONS[ACTION])
else:
    {"connect": connect, "together": together, "idle": idle, "names": names}[ACTION]()
print((time.perf_counter() - START) * 1000)
