/** keepalived moves an address to another host when the first one is gone, and a watcher there measures how long that takes. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type NamespaceChildProcess, NamespaceSet, type NetworkWatcher } from 'nsset'
import { expect, test } from 'vitest'
import { ip, isVm } from '../../setup/oracles/iproute.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../setup/sets/temporary-directory.ts'

const LIMIT = isVm ? 120_000 : 60_000

/** The PATH of an ordinary user may lack the directory of `keepalived`. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` }

/** The address that moves. */
const SHARED = '10.0.0.100/24'

interface Router {
  name: string
  set: NamespaceSet
  priority: number
}

/** Starts the daemon in the foreground, which speaks VRRP each second. */
function startKeepalived(directory: TemporaryDirectory, { name, set, priority }: Router): NamespaceChildProcess {
  const [file, pid] = [directory.file(`${name}.conf`), directory.file(name)]
  const instance = `state BACKUP\ninterface eth0\nvirtual_router_id 7\npriority ${priority}\nadvert_int 1`
  writeFileSync(file, `vrrp_instance shared {\n${instance}\nvirtual_ipaddress {\n${SHARED} dev eth0\n}\n}\n`)
  const args = ['--dont-fork', '--vrrp', '--use-file', file, '--pid', `${pid}.pid`, '--vrrp_pid', `${pid}-vrrp.pid`]
  return set.spawn('keepalived', args, { env, stdio: 'ignore', deathSignal: 'SIGKILL' })
}

async function eventAbout(watcher: NetworkWatcher<'addresses'>, type: 'add' | 'remove'): Promise<void> {
  for (;;) {
    const { value: event } = await watcher.next()
    if (event === undefined) throw new Error('the watcher has ended')
    if (event.type === type && event.value.cidr === SHARED) return
  }
}

test(
  'an address moves to the other host, and back',
  async ({ skip }) => {
    const isMissing = spawnSync('keepalived', ['--version'], { env }).error !== undefined
    skip(isMissing, 'needs keepalived')
    using directory = temporaryDirectory()
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    using lan = await base.unshare('net', { loopback: true })
    await lan.network.links.add({ kind: 'bridge', name: 'br0', up: true })
    const routers: Router[] = []
    for (const [index, priority] of [200, 100].entries()) {
      const [set, name] = [await base.unshare('net', { loopback: true }), `r${index + 1}`]
      const peer = { name: 'eth0', set, up: true, addresses: [`10.0.0.${index + 1}/24`] }
      await lan.network.links.add({ kind: 'veth', name, master: 'br0', up: true, peer })
      routers.push({ name, set, priority })
    }
    const [first, second] = routers as [Router, Router]
    const signal = AbortSignal.timeout(LIMIT)
    using ofFirst = first.set.network.watch('addresses', { signal })
    using ofSecond = second.set.network.watch('addresses', { signal })
    const daemons: NamespaceChildProcess[] = []
    try {
      const main = startKeepalived(directory, first)
      daemons.push(main)
      await eventAbout(ofFirst, 'add')
      daemons.push(startKeepalived(directory, second))
      // The cable is cut: the address stays on the first host, which cannot say that it is gone.
      await lan.network.links.set('r1', { up: false })
      const cut = performance.now()
      await eventAbout(ofSecond, 'add')
      const took = performance.now() - cut
      expect(await ip(second.set, '-4 address show dev eth0')).toContain(SHARED)
      // RFC 9568: the second host waits for three announcements, and for its skew.
      expect(took).toBeGreaterThan(1_000)
      console.log(`the address had moved after ${Math.round(took)} ms`)

      // With the cable, the first host has the higher priority.
      await lan.network.links.set('r1', { up: true })
      await eventAbout(ofSecond, 'remove')
    } finally {
      for (const daemon of daemons) {
        const exit = once(daemon, 'exit')
        if (daemon.kill('SIGKILL')) await exit
      }
    }
  },
  LIMIT,
)
