/** Node's own sockets inside, and names. Their peers run in a separate process, without faults and limits. */
import { once } from 'node:events'
import { get } from 'node:http'
import { connect, createServer } from 'node:net'
import { setTimeout as pass } from 'node:timers/promises'
import type { NamespaceSet } from 'nsset'
import { heldNetworkSet, type Operation, type Round, type Tools } from './operation.ts'

type Network = NamespaceSet['network']

/** An echo server at port 7, a web server at 80, and a name server that knows 127.0.0.1 for every name. */
const PEER = `
  const outside = process.env.NSSET_FAULTS_OUTSIDE
  if (outside) require('node:fs').writeFileSync(outside, '0')
  const net = require('node:net'), http = require('node:http'), dgram = require('node:dgram')
  const ignore = () => undefined
  const echo = net.createServer((socket) => socket.on('error', ignore).pipe(socket)).listen(7, '127.0.0.1', () => {
    http.createServer((request, response) => response.end('inside')).listen(80, '127.0.0.1', () => {
      const names = dgram.createSocket('udp4')
      names.on('message', (question, from) => {
        const end = question.indexOf(0, 12) + 5
        const isA = question.readUInt16BE(end - 4) === 1
        const head = Buffer.from(question.subarray(0, end))
        head.writeUInt16BE(0x8180, 2)
        head.writeUInt16BE(isA ? 1 : 0, 6)
        head.writeUInt32BE(0, 8)
        const answer = isA ? Buffer.from('c00c00010001000000010004' + '7f000001', 'hex') : Buffer.alloc(0)
        names.send(Buffer.concat([head, answer]), from.port, from.address)
      })
      names.bind(53, '127.0.0.1', () => console.log('ready'))
    })
  })
  process.stdin.resume().on('end', () => process.exit())
`

export const SOCKETS: Record<string, Operation> = {
  connect: withPeer(({ network }) => ({
    run: async () => {
      const socket = network.connect({ host: '127.0.0.1', port: 7 }, () => socket.end('hello'))
      socket.resume()
      await closed(socket)
    },
  })),
  http: withPeer(({ network }) => ({
    run: async () => {
      const agent = network.httpAgent()
      const request = get({ host: '127.0.0.1', port: 80, agent }, (response) => response.resume())
      try {
        await closed(request)
      } finally {
        agent.destroy()
      }
    },
  })),
  publish: withPeer(({ network }) => ({
    run: async () => {
      await using forwarding = await network.publish({ port: 0, to: { port: 7 } })
      const socket = connect({ host: '127.0.0.1', port: forwarding.port ?? 0 }, () => socket.end('hello'))
      socket.resume()
      await closed(socket)
    },
  })),
  listen: withPeer(({ network }) => ({
    run: async () => {
      const server = await network.listen(createServer(), { port: 0, host: '127.0.0.1' })
      server.close()
      await once(server, 'close')
    },
  })),
  udp: withPeer(({ network }) => ({
    run: async () => {
      const socket = network.createSocket('udp4')
      socket.on('message', () => socket.close())
      // Node.js does not report what could not be sent without a callback.
      const sent = (error: Error | null) => error !== null && socket.emit('error', error)
      socket.bind(0, '127.0.0.1', () => socket.send('hello', socket.address().port, '127.0.0.1', sent))
      await closed(socket, () => socket.close())
    },
  })),
  lookup: withPeer(({ network }) => {
    network.setServers(['127.0.0.1'])
    return { run: () => lookUp(network) }
  }),
  'lookup-refresh': withPeer(async ({ network }) => {
    network.setServers(['127.0.0.1'])
    await lookUp(network)
    // With this clock, the files are old enough to be read again beside a lookup, which does not wait for them.
    let now = performance.now()
    return {
      run: () => {
        now += 30
        return byClock(
          () => now,
          () => lookUp(network).then(() => pass(50)),
        )
      },
    }
  }),
}

/** Runs a function while `performance.now()` is replaced. */
async function byClock<T>(clock: () => number, work: () => Promise<T>): Promise<T> {
  const { now } = performance
  performance.now = clock
  try {
    return await work()
  } finally {
    performance.now = now
  }
}

function lookUp(network: Network): Promise<string> {
  return new Promise((resolve, reject) => {
    network.lookup('web.test', { family: 4 }, (error, address) => (error ? reject(error) : resolve(String(address))))
  })
}

function withPeer(round: (set: { network: Network }) => Round | Promise<Round>): Operation {
  return {
    prepare: async ({ nsset }: Tools) => {
      const set = await heldNetworkSet(nsset, true)
      const peer = set.spawn(process.execPath, ['-e', PEER], { stdio: ['pipe', 'pipe', 'inherit'] })
      await once(peer.stdout as NodeJS.ReadableStream, 'data')
      return round(set)
    },
  }
}

/** Rejects with the error of an emitter, once that is closed. */
async function closed(emitter: NodeJS.EventEmitter, close?: () => void): Promise<void> {
  let failure: Error | undefined
  await new Promise<void>((resolve) => {
    emitter.once('close', () => resolve())
    emitter.on('error', (error) => {
      failure ??= error
      try {
        close?.()
      } catch {
        resolve()
      }
    })
  })
  if (failure !== undefined) throw failure
}
