import { binding } from '../native.ts'

/** @internal Returns iproute2's directory of names, in the mount namespace of the calling thread. */
export function netnsDirectory(): string {
  return process.platform === 'linux' ? binding().netnsDirectory() : '/run/netns'
}
