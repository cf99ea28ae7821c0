/**
 * The cost of many networks with a server each, in a process with nothing else: to create, to hold and to close. Sends it and
 * exits. The argument is their number.
 */
import { readdirSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { setTimeout as pass } from 'node:timers/promises'
import { NamespaceSet } from 'nsset'
import { microsecondsOf } from '../measure.ts'

/** These compile the code, start the threads, and fill free memory. */
const WARM = 200
/** How many are created at the same time. */
const AT_ONCE = 16

/** For each network: microseconds, KiB and descriptors. */
export interface Cost {
  create: number
  close: number
  rss: number
  descriptors: number
}

interface Held {
  set: NamespaceSet
  server: Server
}

const kept: Held[] = []

async function create(): Promise<void> {
  const set = await NamespaceSet.unshare('net', { loopback: true })
  kept.push({ set, server: await set.network.listen(createServer(), { port: 80 }) })
}

async function createMany(count: number): Promise<void> {
  let left = count
  const worker = async () => {
    while (left > 0) {
      left -= 1
      await create()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Resolves when all servers are closed, which Node.js reports. */
async function closeAll(): Promise<void> {
  const closed = kept.splice(0).map(({ set, server }) => {
    const end = new Promise((resolve) => server.close(resolve))
    set.close()
    return end
  })
  await Promise.all(closed)
}

/** After unused memory has been freed. */
async function held(): Promise<{ rss: number; descriptors: number }> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.()
    await pass(50)
  }
  return { rss: process.memoryUsage.rss() / 1024, descriptors: readdirSync('/proc/self/fd').length }
}

const count = Number(process.argv[2])
await createMany(WARM)
await closeAll()
const before = await held()
const created = await microsecondsOf(() => createMany(count))
const after = await held()
const closed = await microsecondsOf(closeAll)
const cost: Cost = {
  create: created / count,
  close: closed / count,
  rss: (after.rss - before.rss) / count,
  descriptors: (after.descriptors - before.descriptors) / count,
}
process.send?.(cost, () => process.exit())
