/** Two sets joined by a veth, like two hosts. */
import { type MapUser, type NamespaceKind, NamespaceSet } from 'nsset'
import { ip } from '../oracles/iproute.ts'
import { isRoot } from './privilege.ts'

/** The owner of a network: root alone, or its own user namespace. */
export type Owner = 'net' | 'user, net'

/** The owners that the caller can create: an ordinary user always needs a user namespace. */
export const OWNERS: readonly Owner[] = isRoot ? ['net', 'user, net'] : ['user, net']

export interface JoinedSets extends Disposable {
  /** `inner0`: 10.9.0.1/24, fd09::1/64, fe80::1/64. */
  here: NamespaceSet
  /** `outer0`: 10.9.0.2/24, fd09::2/64, fe80::2/64. */
  there: NamespaceSet
}

const both = (four: string, six: string, local: string) => [
  four,
  { cidr: six, noDuplicateDetection: true },
  { cidr: local, noDuplicateDetection: true },
]

/**
 * Creates them. Beside the other host there is 10.9.0.77, which never responds; 10.66.0.0/16 and fd66::/64 are
 * unreachable; there is no other route.
 */
export async function joinedSets(owner: Owner, mapUser: MapUser = 'root'): Promise<JoinedSets> {
  const [here, there] = await twoSets(owner, mapUser)
  await here.network.links.add({
    kind: 'veth',
    name: 'inner0',
    up: true,
    addresses: both('10.9.0.1/24', 'fd09::1/64', 'fe80::1/64'),
    peer: { name: 'outer0', set: there, up: true, addresses: both('10.9.0.2/24', 'fd09::2/64', 'fe80::2/64') },
  })
  await ip(here, 'neigh add 10.9.0.77 lladdr 02:00:00:00:00:77 dev inner0')
  await ip(here, 'route add unreachable 10.66.0.0/16')
  await ip(here, '-6 route add unreachable fd66::/64')
  const close = () => {
    here.close()
    there.close()
  }
  return { here, there, [Symbol.dispose]: close }
}

async function twoSets(owner: Owner, mapUser: MapUser): Promise<[NamespaceSet, NamespaceSet]> {
  const kinds: NamespaceKind[] = ['net']
  const options = { loopback: true }
  if (owner === 'net') {
    return [await NamespaceSet.unshare(kinds, options), await NamespaceSet.unshare(kinds, options)]
  }
  using base = await NamespaceSet.unshare('user', { mapUser })
  return [await base.unshare(kinds, options), await base.unshare(kinds, options)]
}
