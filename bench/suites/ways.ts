/**
 * A way into a network: a gigabyte through `publish`, and connections one after the other; compared with socat, whose one
 * half runs outside and whose other half inside, and with a proxy of Node.js that pipes.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial, type Server } from 'node:net'
import { NamespaceSet } from 'nsset'
import { compare } from '../compare.ts'
import { millisecondsOf } from '../measure.ts'
import { isMissing, isPresent } from '../peers/presence.ts'
import type { Row } from '../row.ts'
import { waysOut } from './ways-out.ts'

const isRoot = process.getuid?.() === 0
const HOST = '127.0.0.1'
const SINK = 7000
const SOCAT = 47_777
const MIB = 1024 * 1024
const CONNECTIONS = 50
const WHY =
  'nsset moves bytes with splice(2) on one thread, where the pair of socat and the sink have a process each: on two cores the ' +
  'programs that send and receive are the bottleneck.'

export async function suite(): Promise<Row[]> {
  await using set = await NamespaceSet.unshare(isRoot ? ['net'] : ['user', 'net'], {
    loopback: true,
    ...(isRoot ? {} : { mapUser: 'root' }),
  })
  const sink = await set.network.listen(
    createServer((socket) => socket.resume()),
    { port: SINK, host: HOST },
  )
  const published = await set.network.publish({ port: 0, to: { port: SINK } })
  const socat = await startSocat(set)
  const piped = await startPipe(set)
  try {
    const { port = 0 } = published
    const through = (name: string, rounds: number, use: (port: number) => Promise<void>, targets: Row['targets']) =>
      compare({
        name,
        unit: 'ms',
        ours: () => millisecondsOf(() => use(port)),
        peers: {
          socat: socat && (() => millisecondsOf(() => use(SOCAT))),
          'pipe of Node.js': () => millisecondsOf(() => use((piped.address() as AddressInfo).port)),
        },
        rounds,
        targets,
        why: WHY,
      })
    return [
      await through('publish: 256 MiB', 10, sendMuch, [{ of: 'peer', name: 'socat', most: 1 / 1.2 }]),
      await through(`publish: ${CONNECTIONS} connections`, 10, connectOften, [
        { of: 'peer', name: 'socat', most: 0.5 },
        { of: 'peer', name: 'pipe of Node.js', most: 1 },
      ]),
      ...(await waysOut()),
    ]
  } finally {
    socat?.kill()
    piped.close()
    sink.close()
  }
}

async function sendMuch(port: number): Promise<void> {
  const socket = dial(port, HOST)
  const part = Buffer.alloc(MIB)
  for (let sent = 0; sent < 256; sent += 1) if (!socket.write(part)) await once(socket, 'drain')
  socket.end()
  socket.resume()
  await once(socket, 'close')
}

async function connectOften(port: number): Promise<void> {
  for (let count = 0; count < CONNECTIONS; count += 1) {
    const socket = dial(port, HOST)
    socket.end()
    socket.resume()
    await once(socket, 'close')
  }
}

async function startSocat(set: NamespaceSet): Promise<ChildProcess | undefined> {
  const enter = `nsenter ${set.kinds.map((kind) => `--${kind}=${set.path(kind)}`).join(' ')}`
  const inside = `EXEC:${enter} socat -b 65536 STDIO TCP\\:${HOST}\\:${SINK}`
  const socat = spawn('socat', ['-b', '65536', `TCP-LISTEN:${SOCAT},fork,reuseaddr,bind=${HOST}`, inside], {
    stdio: 'ignore',
  })
  const failure = await Promise.race([once(socat, 'error'), once(socat, 'exit'), answers()])
  if (failure === undefined) {
    isPresent('socat', versionOf())
    return socat
  }
  isMissing('socat', String(failure[0]))
  return undefined
}

function versionOf(): string {
  return /^socat version (\S+)/m.exec(execFileSync('socat', ['-V'], { encoding: 'utf8' }))?.[1] ?? ''
}

/** Resolves when socat listens. */
async function answers(): Promise<undefined> {
  for (;;) {
    const socket = dial(SOCAT, HOST)
    const outcome = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (outcome) return undefined
  }
}

async function startPipe(set: NamespaceSet): Promise<Server> {
  const proxy = createServer({ allowHalfOpen: true }, (outside) => {
    const inside = set.network.connect({ port: SINK, host: HOST, allowHalfOpen: true })
    outside.pipe(inside).pipe(outside)
  })
  proxy.listen(0, HOST)
  await once(proxy, 'listening')
  return proxy
}
