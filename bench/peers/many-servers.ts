/**
 * The cost of a listening server, in a process with nothing else: `inside`, each in its own network, or
 * `outside`, all of them on different ports. Prints it and exits.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as pass } from 'node:timers/promises'
import { NamespaceSet } from 'nsset'

const COUNT = 1_000
/** These compile the code, start the threads, and fill free memory. */
const WARM = 200

/** KiB for each server, and how many more threads than with one. */
export interface Cost {
  rss: number
  heap: number
  threads: number
}

async function inside(): Promise<unknown> {
  const set = await NamespaceSet.unshare('net')
  // A network without setup is of little use; this opens its netlink socket.
  await set.network.links.set('lo', { up: true })
  return [set, await set.network.listen(createServer(), { port: 80 })]
}

async function outside(): Promise<unknown> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  return server
}

/** After unused memory has been freed. */
async function now(): Promise<Cost> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.()
    await pass(50)
  }
  const { rss, heapUsed } = process.memoryUsage()
  const [, threads] = /^Threads:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
  return { rss: rss / 1024, heap: heapUsed / 1024, threads: Number(threads) }
}

const make = process.argv[2] === 'inside' ? inside : outside
const kept: unknown[] = []
while (kept.length < WARM) kept.push(await make())
const before = await now()
while (kept.length < WARM + COUNT) kept.push(await make())
const after = await now()
const cost: Cost = {
  rss: (after.rss - before.rss) / COUNT,
  heap: (after.heap - before.heap) / COUNT,
  threads: after.threads - before.threads,
}
process.send?.(cost, () => process.exit(kept.length === WARM + COUNT ? 0 : 1))
