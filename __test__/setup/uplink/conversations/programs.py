"""Conversations of programs that people run: ping(8) and dig(1)."""
import re
import subprocess

from conversation import Place


class Ping:
    def __init__(self, *options: str, to: str = 'server'):
        self.options = options
        self.to = to

    def client(self, place: Place) -> str:
        output = run('ping', '-n', '-c1', '-W2', *self.options, getattr(place, self.to)[0])
        words = re.search(r'Destination .*|Frag needed|too big|[Tt]ime (to live )?exceeded', output)
        return words[0].lower() if words else re.search(r'\d received|$', output)[0]


class Dig:
    def __init__(self, *question: str):
        self.question = question

    def client(self, server: str) -> str:
        output = run('dig', f'@{server}', '+time=2', '+tries=2', '+noall', '+comments', '+answer', *self.question)
        status = re.search(r'status: (\w+)|$', output)[1] or 'no answer'
        answers = [line.split() for line in output.splitlines() if line and line[0] != ';']
        values = sorted(f'{kind} {value}' for _, _, _, kind, value in answers)
        return ' '.join([status, *values] if len(values) < 5 else [status, f'{len(values)} records'])


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr


PINGS = {
    'an echo request': Ping(),
    'an echo request of 3,000 bytes': Ping('-s3000', to='other'),
    'an echo request to an unreachable machine': Ping(to='unreachable'),
    'an echo request to a silent machine': Ping(to='silent'),
    'an echo request that may enter one network': Ping('-t1'),
}
DIGS = {
    'a name': Dig('web.test'),
    'its address of IPv6': Dig('web.test', 'AAAA'),
    'over TCP': Dig('+tcp', 'web.test'),
    'without EDNS': Dig('+noedns', 'web.test'),
    'in capitals': Dig('WEB.Test'),
    'a name that is missing': Dig('missing.test'),
    'a record that is missing': Dig('web.test', 'TXT'),
    'an answer that is too long for a datagram': Dig('large.test'),
}
