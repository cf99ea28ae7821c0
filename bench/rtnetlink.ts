/** Requests of rtnetlink(7) as bytes for the kernel: what a floor sends, created before it is measured. */

const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const NLM_F_REQUEST = 0x1
const NLM_F_ACK = 0x4
const NLM_F_EXCL = 0x200
const NLM_F_CREATE = 0x400
const IFF_UP = 1
const IFLA_IFNAME = 3
const IFLA_LINKINFO = 18
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const VETH_INFO_PEER = 1
/** Of a `struct nlmsghdr`, and of a `struct ifinfomsg` as well. */
const HEADER = 16

export function addVeth(name: string, peer: string): Buffer {
  const other = Buffer.concat([linkHeader({}), text(IFLA_IFNAME, peer)])
  const data = attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, other))
  return addLink({}, name, Buffer.concat([text(IFLA_INFO_KIND, 'veth'), data]))
}

/** Up from its creation. */
export function addBridge(name: string): Buffer {
  return addLink({ flags: IFF_UP }, name, text(IFLA_INFO_KIND, 'bridge'))
}

export function getLink(index: number): Buffer {
  return request(RTM_GETLINK, 0, linkHeader({ index }))
}

interface LinkHeader {
  index?: number
  flags?: number
}

function addLink(header: LinkHeader, name: string, info: Buffer): Buffer {
  const body = Buffer.concat([linkHeader(header), text(IFLA_IFNAME, name), attribute(IFLA_LINKINFO, info)])
  return request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)
}

function request(type: number, flags: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER)
  header.writeUInt32LE(HEADER + body.length, 0)
  header.writeUInt16LE(type, 4)
  header.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK | flags, 6)
  return Buffer.concat([header, body])
}

/** A `struct ifinfomsg`. */
function linkHeader({ index = 0, flags = 0 }: LinkHeader): Buffer {
  const header = Buffer.alloc(HEADER)
  header.writeInt32LE(index, 4)
  header.writeUInt32LE(flags, 8)
  // The mask of changed flags.
  header.writeUInt32LE(flags, 12)
  return header
}

function text(type: number, value: string): Buffer {
  return attribute(type, Buffer.from(`${value}\0`))
}

function attribute(type: number, payload: Buffer): Buffer {
  const length = 4 + payload.length
  const bytes = Buffer.alloc(Math.ceil(length / 4) * 4)
  bytes.writeUInt16LE(length, 0)
  bytes.writeUInt16LE(type, 2)
  payload.copy(bytes, 4)
  return bytes
}
