import { binding } from '../../../native.ts'

/** A handle that returns its own address and that of its peer. */
interface Named {
  getsockname(out: object): number
  getpeername(out: object): number
}

/**
 * @internal Makes a handle of Node.js return link-local addresses with the names of links inside (`fe80::1%eth0`). Node would look
 * up the index of the link in the network of the calling thread, and throw if no link there has it.
 */
export function nameInside(handle: Named): void {
  const { getsockname, getpeername } = Object.getPrototypeOf(handle) as Named
  const named =
    (ofPeer: boolean, usual: (out: object) => number) =>
    (out: object): number => {
      const name = binding().linkLocalName(handle, ofPeer)
      if (name === null) return usual.call(handle, out)
      Object.assign(out, { address: name.address, family: 'IPv6', port: name.port })
      return 0
    }
  handle.getsockname = named(false, getsockname)
  handle.getpeername = named(true, getpeername)
}
