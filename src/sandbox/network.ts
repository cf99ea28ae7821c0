import type { Forwarding, NamespaceSet, Uplink } from 'nsset'
import type { SandboxNetwork } from '../validate/sandbox/sandbox-options.ts'

/** @internal /etc/resolv.conf of a box with an uplink: the gateways of the addresses that an uplink has by default. */
export const RESOLV_CONF = 'nameserver 10.0.2.2\nnameserver fd00:6e73:7365:74::2\n'

/** @internal The ways out of the network of a box and into it. They end with its set. */
export interface Ways {
  uplink: Uplink | undefined
  forwardings: readonly Forwarding[]
}

/** @internal Opens them. */
export async function openWays({ network }: NamespaceSet, given: SandboxNetwork): Promise<Ways> {
  const { publish = [], ...rules } = given
  const uplink = await network.uplink(rules)
  const forwardings: Forwarding[] = []
  // One after the other: they may be for the same port of different addresses.
  for (const options of publish) forwardings.push(await network.publish(options))
  return { uplink, forwardings }
}
