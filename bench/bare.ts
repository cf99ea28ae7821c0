/** The bare system calls, from the same binding: built by `npm run build:bare`. */
import { createRequire } from 'node:module'

const native = createRequire(import.meta.url)(process.env['NAPI_RS_NATIVE_LIBRARY_PATH'] ?? '') as {
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
