/** A real routing daemon changes routes, and a watcher reports them. */
import { once } from 'node:events'
import { type NamespaceChildProcess, NamespaceSet, type Route } from 'nsset'
import { expect, test } from 'vitest'
import { ipRoutes, isVm } from '../../setup/oracles/iproute.ts'
import { missingBird, RTPROT_BIRD, startBird } from '../../setup/programs/bird.ts'
import { temporaryDirectory } from '../../setup/sets/temporary-directory.ts'

/** The daemons find each other by packets of each second. */
const LIMIT = isVm ? 120_000 : 60_000

test(
  'BIRD in three routers: a route comes by OSPF, moves when a line is cut, and moves back',
  async (context) => {
    const missing = missingBird()
    if (missing !== undefined) context.skip(missing)
    using directory = temporaryDirectory()
    const daemons: NamespaceChildProcess[] = []
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    using left = await base.unshare('net', { loopback: true })
    using middle = await base.unshare('net', { loopback: true })
    using right = await base.unshare('net', { loopback: true })
    // The way by the middle costs 20, the direct one 100.
    await cable(left, 'to-middle', middle, 'to-left', '10.9.1')
    await cable(middle, 'to-right', right, 'to-middle', '10.9.2')
    await cable(left, 'to-right', right, 'to-left', '10.9.3')
    const routers = [
      { set: left, id: '10.0.0.1', costs: { 'to-middle': 10, 'to-right': 100 } },
      { set: middle, id: '10.0.0.2', costs: { 'to-left': 10, 'to-right': 10 } },
      { set: right, id: '10.0.0.3', costs: { 'to-middle': 10, 'to-left': 100 } },
    ]
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
      for (const router of routers) {
        await router.set.network.addresses.add('lo', `${router.id}/32`)
        daemons.push(startBird({ ...router, directory }))
      }
      expect(await routeGoes('10.9.1.2')).toMatchObject({ protocol: RTPROT_BIRD, type: 'unicast' })
      const [shown] = (await ipRoutes(left)).filter(({ dst }) => dst === '10.0.0.3')
      expect(shown).toMatchObject({ gateway: '10.9.1.2', protocol: 'bird' })

      await middle.network.links.set('to-right', { up: false })
      await routeGoes('10.9.3.2')
      expect((await left.network.routes.lookup('10.0.0.3')).via).toBe('10.9.3.2')

      await middle.network.links.set('to-right', { up: true })
      await routeGoes('10.9.1.2')
    } finally {
      watcher.close()
      for (const daemon of daemons) {
        const exit = once(daemon, 'exit')
        if (daemon.kill('SIGKILL')) await exit
      }
    }
  },
  LIMIT,
)

/** A veth with the addresses .1 and .2 of a network. */
async function cable(left: NamespaceSet, name: string, right: NamespaceSet, end: string, net: string): Promise<void> {
  const peer = { set: right, name: end, up: true, addresses: [`${net}.2/30`] }
  await left.network.links.add({ kind: 'veth', name, up: true, addresses: [`${net}.1/30`], peer })
}
