/** Which peers are there, in which version, and which are missing, and why. */

const present: Record<string, string> = {}
const missing: Record<string, string> = {}

export function isPresent(name: string, version: string): void {
  present[name] = version
}

/** Says so at once: what was not compared with is not to be found out from a table. */
export function isMissing(name: string, reason: string): void {
  if (name in missing) return
  missing[name] = reason
  console.log(`${name} is missing: ${reason}`)
}

export const peersPresent = (): Record<string, string> => ({ ...present })
export const peersMissing = (): Record<string, string> => ({ ...missing })
