import type { NativeUplink } from '../../../index.js'
import { NS } from '../../namespace-kind.ts'
import { settled } from '../../native/settled.ts'
import { binding } from '../../native.ts'
import type { AnySet } from '../../objects/context.ts'
import type { SetHandle } from '../../objects/set-handle.ts'
import { bare } from '../../validate/fields.ts'
import { familyOf } from '../../validate/network/values.ts'
import { parseServer } from '../../validate/sockets/lookup-options.ts'
import {
  type ParsedUplink,
  parseUplinkOptions,
  type UplinkOptions,
  type UplinkRequest,
} from '../../validate/sockets/uplink-options.ts'
import type { Action } from '../actions/action.ts'
import { apply } from '../actions/apply.ts'
import { type ApplyTarget, applyTargetOf, ensureOpen } from '../actions/apply-target.ts'
import { awaiting } from '../actions/procedure.ts'
import { WITH_PROMISES } from '../actions/way.ts'
import type { Link } from '../netlink/link.ts'
import { linkActions } from '../netlink/links.ts'
import { routeActions } from '../netlink/routing/routes.ts'
import { sysctlActions } from '../netlink/sysctls.ts'
import type { Resolver } from '../sockets/names/resolver.ts'
import { Uplink } from './uplink.ts'

/** The name of the other end of the link, which no program inside sees. */
const FAR = 'far0'

/**
 * @internal Starts an uplink, or leaves nothing behind. The far end of the veth is in a network namespace of its own, which belongs to
 * the same user namespace, so that an ordinary user may open a packet socket there.
 */
export async function startUplink(
  near: ApplyTarget,
  resolver: Resolver,
  uplinks: Set<Uplink>,
  options: UplinkOptions | undefined,
): Promise<Uplink> {
  const parsed = parseUplinkOptions(options)
  parsed.signal?.throwIfAborted()
  ensureOpen(near.set)
  const set = near.set.create(await settled(binding().unshare(near.set.native, NS.NET, bare(), undefined)))
  let hasLink = false
  try {
    const index = await makeLink(near, set, parsed)
    hasLink = true
    await run(near, routesOf(parsed))
    const native = await settled(set.network().uplink(nativeOptions(parsed, index)))
    parsed.signal?.throwIfAborted()
    ensureOpen(near.set)
    return begin(native, near, set, parsed, resolver, uplinks)
  } catch (error) {
    if (hasLink) await run(near, [linkActions.delete(parsed.name)]).catch(() => undefined)
    set.close()
    throw error
  }
}

/** Returns the index of the far end. */
async function makeLink(near: ApplyTarget, set: SetHandle, { name, mtu, addresses }: ParsedUplink): Promise<number> {
  const far = applyTargetOf(set, WITH_PROMISES)
  // Otherwise the kernel would send packets of its own through it.
  await run(far, [sysctlActions.set('net.ipv6.conf.default.disable_ipv6', 1)])
  await run(near, [
    linkActions.add({
      kind: 'veth',
      name,
      mtu,
      up: true,
      addresses: addresses.map(({ cidr }) =>
        familyOf(cidr.split('/')[0] ?? '') === 6 ? withoutDetection(cidr) : cidr,
      ),
      peer: { name: FAR, mtu, up: true, set: setOf(set) },
    }),
  ])
  const [link] = await run(far, [linkActions.get(FAR)])
  return (link as Link).index
}

/** The set of a handle, whose class is in a layer above. */
function setOf(handle: SetHandle): AnySet {
  return (handle.surroundings() as { set?: AnySet }).set as AnySet
}

/** Only the gateway is on the link, so no other end can have the address. */
function withoutDetection(cidr: string) {
  return { cidr, noDuplicateDetection: true }
}

function routesOf({ name, addresses }: ParsedUplink): Action<unknown>[] {
  return addresses.map(({ gateway }) =>
    routeActions.add({ destination: familyOf(gateway) === 6 ? '::/0' : '0.0.0.0/0', via: gateway, dev: name }),
  )
}

function nativeOptions({ mtu, addresses, allow, deny, decide, decideTimeout, ...given }: ParsedUplink, link: number) {
  const gatewayOf = (family: 4 | 6) => addresses.find(({ gateway }) => familyOf(gateway) === family)?.gateway
  const { getServers } = process.getBuiltinModule('node:dns')
  const servers = given.servers ?? getServers().map((server) => parseServer(server, 'dns.getServers()'))
  return {
    link,
    mtu,
    gatewayV4: gatewayOf(4) ?? '0.0.0.0',
    gatewayV6: gatewayOf(6) ?? '::',
    servers: [...servers],
    allow: allow ?? [],
    deny,
    isOpen: allow === undefined && decide === undefined,
    asks: decide !== undefined,
    patience: decideTimeout,
  }
}

function begin(
  native: NativeUplink,
  near: ApplyTarget,
  far: SetHandle,
  { name, addresses, decide }: ParsedUplink,
  resolver: Resolver,
  uplinks: Set<Uplink>,
): Uplink {
  const gateways = addresses.map(({ gateway }) => gateway)
  const uplink = new Uplink(native, name, gateways, {
    async remove() {
      if (!near.set.native.closed) await run(near, [linkActions.delete(name)]).catch(ignoreMissing)
    },
    release() {
      uplinks.delete(uplink)
      resolver.setDefaultServers([])
      far.close()
    },
  })
  uplinks.add(uplink)
  resolver.setDefaultServers(gateways)
  if (decide !== undefined) void answerQuestions(native, decide)
  return uplink
}

/** A program inside may have removed the link. */
function ignoreMissing(error: unknown): void {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENODEV' && code !== 'ERR_NSSET_CLOSED') throw error
}

async function answerQuestions(native: NativeUplink, decide: NonNullable<ParsedUplink['decide']>): Promise<void> {
  for (;;) {
    const asked = await settled(native.questions())
    if (asked === null) return
    for (const { id, protocol, ...request } of asked) {
      const decided = (async () => decide({ protocol: protocol as UplinkRequest['protocol'], ...request }))()
      decided.then(
        (isAllowed) => native.answer(id, isAllowed === true),
        () => native.answer(id, false),
      )
    }
  }
}

async function run(target: ApplyTarget, actions: Action<unknown>[]): Promise<unknown[]> {
  return await awaiting(apply(target, actions))
}
