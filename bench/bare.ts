/** The bare system calls: the addon of `bench/native`, built by `npm run build:bare`. */
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const BUILT = new URL('../target/bare/', import.meta.url)

const binary = existsSync(BUILT) ? readdirSync(BUILT).find((name) => name.endsWith('.node')) : undefined
if (binary === undefined) throw new Error('the addon with the bare system calls is missing: npm run build:bare')

const native = createRequire(import.meta.url)(fileURLToPath(new URL(binary, BUILT))) as {
  bareSetns: (fd: number, flag: number) => void
  bareOpenOwn: () => void
  bareDup: (fd: number, times: number) => void
  bareUnshareAndBack: (flags: number) => void
  bareUnshareByChild: (flags: number) => void
  bareNameNetwork: (path: string) => void
  bareUnnameNetwork: (path: string) => void
  bareRtnetlink: () => number
  bareDumpLinks: (socket: number, buffer: Uint8Array) => number
  bareBringUp: (socket: number, index: number, buffer: Uint8Array) => number
  bareRequest: (socket: number, request: Uint8Array, buffer: Uint8Array) => number
  bareSpawn: (program: string, atOnce: number) => void
}

export const {
  bareSetns,
  bareOpenOwn,
  bareDup,
  bareUnshareAndBack,
  bareUnshareByChild,
  bareNameNetwork,
  bareUnnameNetwork,
  bareRtnetlink,
  bareDumpLinks,
  bareBringUp,
  bareRequest,
  bareSpawn,
} = native
