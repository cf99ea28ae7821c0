/** Which peers are available, in which version, and which are missing, and why. */
import { fileURLToPath } from 'node:url'

/** The result names no folder of this machine. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const present: Record<string, string> = {}
const missing: Record<string, string> = {}

export function isPresent(name: string, version: string): void {
  present[name] = version
}

/** Prints it immediately: a missing peer should not only be visible in a table. */
export function isMissing(name: string, reason: string): void {
  if (name in missing) return
  missing[name] = reason.replaceAll(ROOT, '')
  console.log(`${name} is missing: ${reason}`)
}

export const peersPresent = (): Record<string, string> => ({ ...present })
export const peersMissing = (): Record<string, string> => ({ ...missing })
