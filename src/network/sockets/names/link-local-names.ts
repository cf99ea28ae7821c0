import { binding } from '../../../native.ts'

/** A handle that reports its own address, and its peer's. */
interface Named {
  getsockname(out: object): number
  getpeername(out: object): number
}

/**
 * @internal Has a handle of Node.js tell of link-local addresses with the names that links have inside (`fe80::1%eth0`). Node takes
 * them from the network of the calling thread, and throws where no link there has that index.
 */
export function nameInside(handle: Named): void {
  const { getsockname, getpeername } = Object.getPrototypeOf(handle) as Named
  const telling =
    (ofPeer: boolean, usual: (out: object) => number) =>
    (out: object): number => {
      const name = binding().linkLocalName(handle, ofPeer)
      if (name === null) return usual.call(handle, out)
      Object.assign(out, { address: name.address, family: 'IPv6', port: name.port })
      return 0
    }
  handle.getsockname = telling(false, getsockname)
  handle.getpeername = telling(true, getpeername)
}
