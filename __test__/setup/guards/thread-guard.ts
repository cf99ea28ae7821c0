/**
 * Checks after every test: each thread of the process is in the namespaces in which all of them started (law 1).
 * Workers that enter permanently must end before their test does.
 */
import { readdirSync, readlinkSync } from 'node:fs'
import { afterEach, expect } from 'vitest'
import { eventually } from './resources.ts'

function namespacesOf(tid: string): string {
  const directory = `/proc/self/task/${tid}/ns`
  return readdirSync(directory)
    .map((kind) => readlinkSync(`${directory}/${kind}`))
    .join(' ')
}

/** The namespaces of each thread, by tid; a thread that ends meanwhile is left out. */
export function whereThreadsStand(): Map<string, string> {
  const places = new Map<string, string>()
  for (const tid of readdirSync('/proc/self/task')) {
    try {
      places.set(tid, namespacesOf(tid))
    } catch {
      // The thread has ended between the two reads.
    }
  }
  return places
}

const home = namespacesOf(String(process.pid))

afterEach(async () => {
  // The kernel lists the thread of an ended Worker for some microseconds more.
  const places = await eventually(whereThreadsStand, (each) => [...each.values()].every((place) => place === home), 200)
  for (const [tid, place] of places) expect(place, `thread ${tid}`).toBe(home)
})
