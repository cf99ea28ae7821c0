"""The servers of the other machine: a sink, a source, and one that sends back what it gets, each on a port after the first; and names."""
import select
import socket
import sys
import threading

HOST, FIRST = sys.argv[1], int(sys.argv[2])
MIB = 2 ** 20


def sink(connection):
    room = bytearray(MIB)
    while connection.recv_into(room):
        pass


def source(connection):
    """The number of MiB comes first, in a line."""
    part = bytes(MIB)
    for _ in range(int(connection.makefile("rb").readline())):
        connection.sendall(part)


def serve(connection, act):
    with connection:
        try:
            act(connection)
        except ConnectionError:
            pass


def listen(port, act):
    listener = socket.create_server((HOST, port), backlog=4096)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, act), daemon=True).start()


def echo(port):
    """One thread serves all connections: with a thread for each, their start would take longer than any way out."""
    listener = socket.create_server((HOST, port), backlog=4096)
    listener.setblocking(False)
    poll, connections = select.epoll(), {}
    poll.register(listener, select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                begin(listener, poll, connections)
                continue
            try:
                data = connections[number].recv(4096)
                connections[number].sendall(data)
            except OSError:
                data = b""
            if not data:
                connections.pop(number).close()


def begin(listener, poll, connections):
    try:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections[connection.fileno()] = connection
            poll.register(connection, select.EPOLLIN)
    except BlockingIOError:
        pass


def names():
    """Answers each question with an address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HOST, 53))
        while True:
            question, client = server.recvfrom(512)
            end = question.index(0, 12) + 5
            record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + socket.inet_aton(HOST)
            head = question[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0"
            server.sendto(head + question[12:end] + record, client)


threading.stack_size(65536)
THREADS = [threading.Thread(target=names), threading.Thread(target=echo, args=(FIRST + 2,))] + [threading.Thread(target=listen, args=(FIRST + index, act)) for index, act in enumerate((sink, source))]
for thread in THREADS:
    thread.start()
print("ready", flush=True)
