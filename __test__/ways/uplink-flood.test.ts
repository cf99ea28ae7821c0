/** A hostile program inside: the memory of an uplink has a bound, and other programs are served. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Host, Internet, OTHER, WEB } from '../setup/uplink/internet.ts'

let internet: Internet
let host: Host
beforeAll(async () => {
  internet = await Internet.create()
  await internet.listen(
    http.createServer((_, response) => response.end('served')),
    80,
  )
  // It never reads.
  await internet.listen(
    net.createServer((socket) => socket.on('error', () => undefined).pause()),
    9,
  )
  // It never ends.
  await internet.listen(
    net.createServer((socket) => {
      const part = Buffer.alloc(2 ** 16, 'x')
      const more = () => {
        while (socket.write(part));
      }
      socket.on('error', () => undefined).on('drain', more)
      more()
    }),
    81,
  )
  host = await internet.uplink({ allow: ['9.1.0.0/16'] })
  // What is loaded once is not counted.
  await served()
})
afterAll(() => internet[Symbol.asyncDispose]())

const served = async () => (await host.execute('curl', ['-sS', '--max-time', '15', `http://${WEB}/`])).stdout
const MIB = 2 ** 20

/** Runs a script inside, and returns how much memory the process of the uplink has gained while it ran, in bytes. */
async function flood(script: string, program: 'node' | 'python3' = 'node'): Promise<number> {
  const before = await host.memory()
  const running = host.execute(program, [program === 'node' ? '-e' : '-c', script])
  let [most, isRunning] = [0, true]
  const ended = running.then(() => {
    isRunning = false
  })
  expect(await served()).toBe('served')
  while (isRunning) {
    most = Math.max(most, (await host.memory()) - before)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await ended
  const { stdout, stderr } = await running
  expect([stdout, stderr]).toEqual(['done\n', ''])
  if (process.env['NSSET_TEST_FIGURES']) console.log(`${most / MIB} MiB`)
  expect(await served()).toBe('served')
  return most
}

describe('other programs are served, and memory has a bound, while a program', () => {
  test('fills 600 connections that the server does not read', { timeout: 60_000 }, async () => {
    const most = await flood(`const net = require('net'), all = []
      for (let index = 0; index < 600; index++) {
        const socket = net.connect(9, '${OTHER}').on('error', () => undefined)
        socket.write(Buffer.alloc(2_000_000, 'x'))
        all.push(socket)
      }
      setTimeout(() => { console.log('done'); process.exit() }, 5_000)`)
    expect(most).toBeLessThan(64 * MIB)
  })

  test('fills 10,000 connections in both directions', { timeout: 120_000 }, async () => {
    // Servers and clients need as many descriptors as connections.
    const server = `import os, resource, socket
limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
listener, all = socket.create_server(('${OTHER}', 82), backlog=4096), []
print('ready', flush=True)
while True:
    connection = listener.accept()[0]
    connection.setblocking(False)
    try:
        connection.send(b'x' * 6000)
    except OSError:
        pass
    all.append(connection)`
    const serving = internet.servers.spawn('python3', ['-c', server], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(serving.stdout, 'data')
    const { flows } = await host.statistics()
    const most = await flood(
      `import resource, select, socket, time
limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
count, all, poll = min(10000, limit - 100), {}, select.epoll()
for number in range(count):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    connection.setblocking(False)
    connection.connect_ex(('${OTHER}', 82))
    all[connection.fileno()] = connection
    poll.register(connection, select.EPOLLOUT | select.EPOLLONESHOT)
    for place, events in poll.poll(0):
        try:
            all[place].send(b'x' * 6000)
        except OSError:
            pass
end = time.monotonic() + 5
while time.monotonic() < end:
    for place, events in poll.poll(0.1):
        try:
            all[place].send(b'x' * 6000)
        except OSError:
            pass
print('done')`,
      'python3',
    )
    serving.kill('SIGKILL')
    await once(serving, 'exit')
    // An uplink has as many flows as half of the descriptors of its process.
    const descriptors = Number(/Max open files +\S+ +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    expect((await host.statistics()).flows - flows).toBeGreaterThan(0.8 * Math.min(10_000, descriptors / 2))
    expect(most).toBeLessThan(64 * MIB)
  })

  test('sends datagrams to 4,000 places', { timeout: 60_000 }, async () => {
    const most = await flood(`const socket = require('dgram').createSocket('udp4')
      socket.on('error', () => undefined).bind(0, async () => {
        for (let index = 0; index < 4_000; index++) {
          socket.send(Buffer.alloc(1000, 'x'), 1 + index % 60_000, '9.1.' + (index >> 8) % 250 + '.' + index % 250, () => undefined)
          if (index % 50 === 0) await new Promise(setImmediate)
        }
        setTimeout(() => { console.log('done'); process.exit() }, 1_000)
      })`)
    expect(most).toBeLessThan(64 * MIB)
  })

  test('begins 20,000 connections with the sources of others, and never answers', { timeout: 60_000 }, async () => {
    const most = await flood(
      `import socket, struct, time
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
to = socket.inet_aton('${WEB}')
for number in range(20000):
    source = bytes([10, 0, 2, 101 + number % 100])
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 40, number % 65536, 0x4000, 64, 6, 0, source, to)
    port = 1024 + number // 100
    raw.sendto(head + struct.pack('!HHIIBBHHH', port, 80, number, 0, 0x50, 2, 65535, 0, 0), ('${WEB}', 0))
    if number % 50 == 0:
        time.sleep(0.005)
print('done')`,
      'python3',
    )
    expect(most).toBeLessThan(64 * MIB)
  })

  test('reads a byte at a time of 200 large answers, with the smallest windows', { timeout: 60_000 }, async () => {
    const most = await flood(
      `import socket, time
all = []
for number in range(200):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    connection.connect(('${OTHER}', 81))
    all.append(connection)
for turn in range(20):
    for connection in all:
        connection.recv(1)
print('done')`,
      'python3',
    )
    expect(most).toBeLessThan(64 * MIB)
  })

  test('asks 20,000 names, most of them malformed', { timeout: 60_000 }, async () => {
    const most = await flood(`const socket = require('dgram').createSocket('udp4')
      socket.on('error', () => undefined).bind(0, async () => {
        for (let index = 0; index < 20_000; index++) {
          const question = Buffer.alloc(12 + index % 300, index % 256)
          question.writeUInt32BE(0x00010000 + index % 4, 4)
          socket.send(question, 53, '10.0.2.2', () => undefined)
          if (index % 100 === 0) await new Promise(setImmediate)
        }
        setTimeout(() => { console.log('done'); process.exit() }, 500)
      })`)
    expect(most).toBeLessThan(64 * MIB)
  })

  test('begins 3,000 connections that are refused, and does not wait for them', { timeout: 60_000 }, async () => {
    const most = await flood(`const net = require('net')
      for (let index = 0; index < 3_000; index++) net.connect(1 + index, '192.168.1.1').on('error', () => undefined)
      setTimeout(() => { console.log('done'); process.exit() }, 1_000)`)
    expect(most).toBeLessThan(64 * MIB)
    expect(await host.statistics()).toMatchObject({ refused: expect.any(Number) })
    expect((await host.refusals()).filter(({ kind }) => kind === 'private').length).toBeGreaterThanOrEqual(500)
  })
})
