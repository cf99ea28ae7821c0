import { belongings } from './belongings.ts'
import type { Leak } from './leak.ts'

/** How long to wait between two looks, in milliseconds. */
const PAUSE = 10

/** @internal A state with which a later one is compared. */
export type Before = ReadonlyMap<string, readonly string[]>

/** @internal Returns what has been added, once nothing is added any more or the time is over. */
export async function leaksSince(before: Before, patience: number, ignore: (leak: string) => boolean): Promise<Leak[]> {
  const end = Date.now() + patience
  for (;;) {
    const leaks = added(before).filter(({ type, what }) => !ignore(`${type} ${what}`))
    if (leaks.length === 0 || Date.now() >= end) return leaks
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}

/** Descriptors of sockets and pipes have no names: they are counted. */
function added(before: Before): Leak[] {
  return [...belongings()].flatMap(([type, now]) => {
    const left = [...(before.get(type) ?? [])]
    const rest = now.filter((what) => {
      const at = left.indexOf(what)
      if (at !== -1) left.splice(at, 1)
      return at === -1
    })
    return rest.map((what) => ({ type: type as Leak['type'], what }))
  })
}
