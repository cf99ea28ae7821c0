/** A DHCP server and a client inside, as ordinary programs; watchers report what the client configures. */
import { writeFileSync } from 'node:fs'
import { NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { ipAddresses, ipRoutes } from '../../setup/oracles/iproute.ts'
import { missingProgram, startInside } from '../../setup/programs/watched-program.ts'
import { temporaryDirectory } from '../../setup/sets/temporary-directory.ts'

const LIMIT = 60_000
/** What udhcpc calls: it has the lease in its environment. */
const SCRIPT = `#!/bin/sh
[ "$1" = bound ] || exit 0
busybox ip address add "$ip/$mask" dev "$interface" && busybox ip route add default via "$router"
`

test(
  'a client gets its address and route from dnsmasq, and a watcher and until see them',
  async (context) => {
    const missing = missingProgram('dnsmasq', 'dnsmasq-base') ?? missingProgram('busybox', 'busybox-static')
    if (missing !== undefined) context.skip(missing)
    using directory = temporaryDirectory()
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    using server = await base.unshare('net', { loopback: true })
    using client = await base.unshare('net', { loopback: true })
    const peer = { set: client, name: 'eth0', up: true }
    await server.network.links.add({ kind: 'veth', name: 'lan', up: true, addresses: ['10.5.0.1/24'], peer })
    const signal = AbortSignal.timeout(LIMIT)
    using watcher = client.network.watch('addresses', { signal })
    const hasRoute = client.network.until(
      async ({ routes }) => (await routes.list({ table: 254 })).find(({ destination }) => destination === 'default'),
      { parts: 'routes', signal },
    )

    const range = '--dhcp-range=10.5.0.50,10.5.0.50,255.255.255.0,2m'
    const place = [`--dhcp-leasefile=${directory.file('leases')}`, '--conf-file=/dev/null', '--port=0', '--no-ping']
    // In this mode it does not change its user.
    await using _daemon = startInside(server, 'dnsmasq', ['--no-daemon', '--interface=lan', range, ...place])
    const script = directory.file('configure')
    writeFileSync(script, SCRIPT, { mode: 0o755 })
    const args = ['udhcpc', '-i', 'eth0', '-f', '-q', '-n', '-t', '25', '-T', '1', '-s', script]
    await client.execFile('busybox', args, { timeout: LIMIT })
    expect(await hasRoute).toMatchObject({ via: '10.5.0.1' })
    for await (const event of watcher) {
      if (event.type !== 'add' || event.value.family === 'IPv6') continue
      expect(event.value.cidr).toBe('10.5.0.50/24')
      break
    }
    expect((await ipAddresses(client, 'eth0')).map(({ local }) => local)).toEqual(['10.5.0.50'])
    expect((await ipRoutes(client)).map(({ dst, gateway }) => [dst, gateway])).toEqual([['default', '10.5.0.1']])
  },
  LIMIT,
)
