/** The operations whose system calls are counted. An ordinary user runs those of sets with a user namespace. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as pass } from 'node:timers/promises'
import { action, type Kinds, type NamespaceKind, NamespacePool, NamespaceSet, type UnshareSyncOptions } from 'nsset'

export interface Operation {
  name: string
  /** Whether it requires root. */
  isRoots: boolean
  /** How many of them are counted, and then twice as many. */
  times: number
  prepare: () => Prepared | Promise<Prepared>
}

export interface Prepared {
  once: () => unknown
  close?: () => unknown
}

export const OPERATIONS: readonly Operation[] = [
  { name: "do, a set of 'net'", isRoots: true, times: 20, prepare: () => doing(['net']) },
  { name: 'do, a set of 4 kinds', isRoots: true, times: 20, prepare: () => doing(['cgroup', 'ipc', 'net', 'uts']) },
  { name: 'current', isRoots: false, times: 20, prepare: () => ({ once: () => NamespaceSet.current().close() }) },
  { name: 'dup', isRoots: false, times: 20, prepare: duplicating },
  { name: "unshareSync('uts')", isRoots: true, times: 20, prepare: () => unsharing('uts') },
  { name: "unshareSync('user')", isRoots: false, times: 4, prepare: () => unsharing('user') },
  { name: "spawn, a set of 'net'", isRoots: true, times: 4, prepare: () => spawning(netSet()) },
  { name: "spawn, a set of 'user' and 'net'", isRoots: false, times: 4, prepare: () => spawning(userNetSet()) },
  { name: 'links.list of 10', isRoots: false, times: 6, prepare: () => listing(10) },
  { name: 'links.list of 100', isRoots: false, times: 6, prepare: () => listing(100) },
  { name: 'links.set', isRoots: false, times: 6, prepare: changing },
  { name: 'network.sync.links.set', isRoots: false, times: 6, prepare: changingAtOnce },
  { name: "connect, a set of 'net'", isRoots: true, times: 6, prepare: () => connecting(netSet()) },
  { name: "connect, a set of 'user' and 'net'", isRoots: false, times: 4, prepare: () => connecting(userNetSet()) },
  { name: "pool.get, sets of 'net'", isRoots: true, times: 4, prepare: () => taking(['net']) },
  {
    name: "pool.get, sets of 'user' and 'net'",
    isRoots: false,
    times: 4,
    prepare: () => taking(['user', 'net'], { mapUser: 'root' }),
  },
]

function netSet(): NamespaceSet {
  return NamespaceSet.unshareSync('net')
}

function userNetSet(): NamespaceSet {
  return NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
}

function doing(kinds: Kinds): Prepared {
  const set = NamespaceSet.unshareSync(kinds)
  const nothing = () => undefined
  return { once: () => set.do(nothing), close: () => set.close() }
}

function duplicating(): Prepared {
  const set = NamespaceSet.current()
  return { once: () => set.dup().close(), close: () => set.close() }
}

function unsharing(kind: NamespaceKind): Prepared {
  return { once: () => NamespaceSet.unshareSync(kind).close() }
}

/** The calls of the program are not counted, so that any program will do. */
function spawning(set: NamespaceSet): Prepared {
  const start = () => once(set.spawn('/bin/true', [], { stdio: 'ignore' }), 'exit')
  return { once: start, close: () => set.close() }
}

/** This many, and `lo`. */
async function listing(count: number): Promise<Prepared> {
  const set = userNetSet()
  const cable = (index: number) => action.links.add({ kind: 'veth', name: `a${index}`, peer: { name: `b${index}` } })
  await set.network.apply(Array.from({ length: count / 2 }, (_, index) => cable(index)))
  return { once: () => set.network.links.list(), close: () => set.close() }
}

async function changing(): Promise<Prepared> {
  const set = userNetSet()
  await set.network.links.add({ kind: 'veth', name: 'a', peer: { name: 'b', up: true } })
  return { once: () => set.network.links.set('a', { up: true }), close: () => set.close() }
}

async function changingAtOnce(): Promise<Prepared> {
  const set = userNetSet()
  return { once: () => set.network.sync.links.set('lo', { up: true }), close: () => set.close() }
}

/** Until both ends of the connection are closed. */
async function connecting(set: NamespaceSet): Promise<Prepared> {
  await set.network.links.set('lo', { up: true })
  const server = createServer((socket) => socket.on('close', () => server.emit('left')).resume())
  await set.network.listen(server, { host: '127.0.0.1', port: 7 })
  const connect = async () => {
    const socket = set.network.connect({ host: '127.0.0.1', port: 7 })
    const left = once(server, 'left')
    await once(socket, 'connect')
    socket.destroy()
    await left
  }
  const close = () => {
    server.close()
    set.close()
  }
  return { once: connect, close }
}

/** Takes a ready set, and waits for the creation of its replacement. */
function taking(kinds: Kinds, unshare?: UnshareSyncOptions): Prepared {
  const size = 2
  const pool = new NamespacePool(kinds, { size, unshare })
  const take = async () => {
    while (pool.length < size) await pass(1)
    const set = await pool.get()
    set.close()
    while (pool.length < size) await pass(1)
  }
  return { once: take, close: () => pool.close() }
}
