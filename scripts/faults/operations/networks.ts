/** Requests for a network's links, addresses, routes, qdiscs and sysctls, on the network thread or by the helper. */
import type { NamespaceSet } from 'nsset'
import { heldNetworkSet, networkSet, type Operation, type Round, undoneWhenMade } from './operation.ts'

type Network = NamespaceSet['network']

export const NETWORKS: Record<string, Operation> = {
  'network-first': { isRoots: true, prepare: (tools) => firstUse(() => networkSet(tools.nsset, false)) },
  'network-first-user': { prepare: (tools) => firstUse(() => networkSet(tools.nsset, true)) },
  'links-add': inNetwork((network) =>
    undoneWhenMade(
      () => network.links.add({ kind: 'veth', name: 'a', up: true, peer: { name: 'b', up: true } }),
      () => network.links.delete('a'),
    ),
  ),
  'links-list': inNetwork((network) => ({ run: () => network.links.list() })),
  'links-delete': inNetwork((network) => ({
    before: () => network.links.ensure({ kind: 'bridge', name: 'br0' }),
    run: () => network.links.delete('br0'),
    after: () => network.links.delete('br0', { force: true }),
  })),
  addresses: inNetwork((network) => ({
    run: async () => {
      await network.addresses.add('lo', '10.0.0.1/24')
      await network.addresses.list('lo')
      await network.addresses.delete('lo', '10.0.0.1/24')
    },
    after: () => network.addresses.delete('lo', '10.0.0.1/24').catch(ignore('EADDRNOTAVAIL')),
  })),
  routes: inNetwork((network) => ({
    run: async () => {
      await network.routes.add({ destination: '10.1.0.0/16', dev: 'lo' })
      await network.routes.list()
      await network.routes.delete({ destination: '10.1.0.0/16', dev: 'lo' })
    },
    after: () => network.routes.delete({ destination: '10.1.0.0/16', dev: 'lo' }).catch(ignore('ESRCH')),
  })),
  qdiscs: inNetwork((network) => ({
    run: async () => {
      await network.qdiscs.replace('lo', { kind: 'tbf', rate: 1_000_000 })
      await network.qdiscs.list('lo')
      await network.qdiscs.delete('lo')
    },
    after: () => network.qdiscs.delete('lo').catch(ignore('ENOENT')),
  })),
  sysctls: { isRoots: true, prepare: async (tools) => sysctls((await heldNetworkSet(tools.nsset, false)).network) },
  'sysctls-user': { prepare: async (tools) => sysctls((await heldNetworkSet(tools.nsset, true)).network) },
}

function inNetwork(round: (network: Network) => Round): Operation {
  return { prepare: async ({ nsset }) => round((await heldNetworkSet(nsset, false)).network) }
}

/** The first call creates the netlink socket inside. */
function firstUse(make: () => Promise<NamespaceSet>): Round {
  let set: NamespaceSet | undefined
  return {
    before: async () => {
      set = await make()
    },
    run: async () => set?.network.links.list(),
    after: () => set?.close(),
  }
}

function sysctls(network: Network): Round {
  return {
    run: async () => {
      await network.sysctls.set('net.ipv4.ip_forward', true)
      await network.sysctls.get('net.ipv4.ip_forward')
    },
  }
}

/** What was not created, or is already undone, cannot be undone. */
function ignore(code: string) {
  return (error: NodeJS.ErrnoException) => {
    if (error.code !== code) throw error
  }
}
