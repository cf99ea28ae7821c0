/** Real routing daemons change routes, and a watcher reports them. */
import { once } from 'node:events'
import { type NamespaceChildProcess, NamespaceSet, type Route } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ipRoutes, isVm } from '../../setup/oracles/iproute.ts'
import { missingBird, RTPROT_BIRD, startBird } from '../../setup/programs/bird.ts'
import { GROUPS, missingFrr, RTPROT_BGP, startFrr } from '../../setup/programs/frr.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../setup/sets/temporary-directory.ts'

/** The daemons find each other by packets of each second. */
const LIMIT = isVm ? 120_000 : 60_000

interface Daemon {
  name: string
  /** Why it cannot run here. */
  missing: string | undefined
  /** What its routes have as `protocol`, here and in `ip route`. */
  protocol: number
  shown: string
  /** Creates the set of a router. */
  router(base: NamespaceSet): Promise<NamespaceSet>
  /** Starts it in each router, so that the way from left to right by the middle is better than the direct one. */
  start(routers: Routers, directory: TemporaryDirectory): NamespaceChildProcess[]
}

interface Routers {
  left: NamespaceSet
  middle: NamespaceSet
  right: NamespaceSet
}

const IDS = { left: '10.0.0.1', middle: '10.0.0.2', right: '10.0.0.3' } as const

const BIRD: Daemon = {
  name: 'BIRD, by Babel',
  missing: missingBird(),
  protocol: RTPROT_BIRD,
  shown: 'bird',
  router: (base) => base.unshare('net', { loopback: true }),
  start: ({ left, middle, right }, directory) => [
    startBird({ set: left, directory, id: IDS.left, costs: { 'to-middle': 10, 'to-right': 100 } }),
    startBird({ set: middle, directory, id: IDS.middle, costs: { 'to-left': 10, 'to-right': 10 } }),
    startBird({ set: right, directory, id: IDS.right, costs: { 'to-middle': 10, 'to-left': 100 } }),
  ],
}

/** It gives the kernel next hop objects, and routes with their ids. */
const FRR: Daemon = {
  name: 'FRR, by BGP and with next hop objects',
  missing: missingFrr(),
  protocol: RTPROT_BGP,
  shown: 'bgp',
  router: (base) => base.unshare(['net', 'mnt'], { loopback: true, mounts: [GROUPS] }),
  start: ({ left, middle, right }, directory) => [
    ...startFrr({ set: left, directory, id: IDS.left, as: 65001, weights: { '10.9.1.2': 200, '10.9.3.2': 100 } }),
    ...startFrr({ set: middle, directory, id: IDS.middle, as: 65002, weights: { '10.9.1.1': 0, '10.9.2.2': 0 } }),
    ...startFrr({ set: right, directory, id: IDS.right, as: 65003, weights: { '10.9.2.1': 0, '10.9.3.1': 0 } }),
  ],
}

describe.each([BIRD, FRR])('$name', (daemon) => {
  test(
    'three routers: a route comes, moves when a line is cut, and moves back',
    async (context) => {
      if (daemon.missing !== undefined) context.skip(daemon.missing)
      using directory = temporaryDirectory()
      const programs: NamespaceChildProcess[] = []
      using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
      using left = await daemon.router(base)
      using middle = await daemon.router(base)
      using right = await daemon.router(base)
      await cable(left, 'to-middle', middle, 'to-left', '10.9.1')
      await cable(middle, 'to-right', right, 'to-middle', '10.9.2')
      await cable(left, 'to-right', right, 'to-left', '10.9.3')
      const watcher = left.network.watch('routes', { signal: AbortSignal.timeout(LIMIT) })
      const routeGoes = async (via: string): Promise<Route> => {
        for (;;) {
          const { value: event } = await watcher.next()
          if (event === undefined) throw new Error('the watcher has ended')
          if (event.type === 'resync' || event.type === 'remove') continue
          if (event.value.destination === '10.0.0.3/32' && event.value.via === via) return event.value
        }
      }
      try {
        for (const [name, set] of Object.entries({ left, middle, right })) {
          await set.network.addresses.add('lo', `${IDS[name as keyof Routers]}/32`)
        }
        programs.push(...daemon.start({ left, middle, right }, directory))
        expect(await routeGoes('10.9.1.2')).toMatchObject({ protocol: daemon.protocol, type: 'unicast' })
        const [shown] = (await ipRoutes(left)).filter(({ dst }) => dst === '10.0.0.3')
        expect(shown).toMatchObject({ gateway: '10.9.1.2', protocol: daemon.shown })

        await middle.network.links.set('to-right', { up: false })
        await routeGoes('10.9.3.2')
        expect((await left.network.routes.lookup('10.0.0.3')).via).toBe('10.9.3.2')

        await middle.network.links.set('to-right', { up: true })
        await routeGoes('10.9.1.2')
      } finally {
        watcher.close()
        for (const program of programs) {
          const exit = once(program, 'exit')
          if (program.kill('SIGKILL')) await exit
        }
      }
    },
    LIMIT,
  )
})

/** A veth with the addresses .1 and .2 of a network. */
async function cable(left: NamespaceSet, name: string, right: NamespaceSet, end: string, net: string): Promise<void> {
  const peer = { set: right, name: end, up: true, addresses: [`${net}.2/30`] }
  await left.network.links.add({ kind: 'veth', name, up: true, addresses: [`${net}.1/30`], peer })
}
