import type { LookupFunction } from 'node:net'

/** @internal The first address of a name. */
export function addressOf(lookup: LookupFunction, name: string, family: 0 | 4 | 6 = 0): Promise<string> {
  return new Promise((resolve, reject) => {
    lookup(name, { family, all: false }, (error, address) => {
      if (error !== null) reject(error)
      else resolve(address as string)
    })
  })
}
