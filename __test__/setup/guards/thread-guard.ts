/**
 * Guards every test: after it, each thread of the process stands where all of them stood at the start (law 1).
 * Workers that enter for good are to be ended before their test is.
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

/** Where each thread stands, by tid; a thread that ends meanwhile is left out. */
export function whereThreadsStand(): Map<string, string> {
  const places = new Map<string, string>()
  for (const tid of readdirSync('/proc/self/task')) {
    try {
      places.set(tid, namespacesOf(tid))
    } catch {
      // The thread has ended between the two looks.
    }
  }
  return places
}

const home = namespacesOf(String(process.pid))

afterEach(async () => {
  // The kernel lists the thread of a Worker that has ended for some microseconds more.
  const places = await eventually(whereThreadsStand, (each) => [...each.values()].every((place) => place === home), 200)
  for (const [tid, place] of places) expect(place, `thread ${tid}`).toBe(home)
})
