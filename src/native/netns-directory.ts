import { binding } from '../native.ts'

/** @internal Where iproute2 keeps the names, in the mount namespace of the calling thread. */
export function netnsDirectory(): string {
  return process.platform === 'linux' ? binding().netnsDirectory() : '/run/netns'
}
