/** Names in a network that was opened by its name: by the files that iproute2 has for it. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { NamespaceSet, netns } from 'nsset'
import { describe, expect } from 'vitest'
import { missingProgram } from '../../setup/programs/watched-program.ts'
import { failureOf } from '../../setup/sets/failure.ts'
import { asRoot } from '../../setup/sets/privilege.ts'
import { found, RECORDS } from '../../setup/sockets/lookups.ts'
import { startNameServer } from '../../setup/sockets/name-server.ts'

const missing = missingProgram('dnsmasq', 'dnsmasq-base')

describe('a named network uses the files that iproute2 has for its name', () => {
  let last = 0
  const REASON = 'names are mounts, which require root'

  async function named(use: (name: string, file: (name: string) => string) => Promise<void>): Promise<void> {
    const name = `nsset-lookup-${process.pid}-${++last}`
    const wasThere = existsSync('/etc/netns')
    const directory = `/etc/netns/${name}`
    mkdirSync(directory, { recursive: true })
    try {
      await use(name, (file) => `${directory}/${file}`)
    } finally {
      rmSync(directory, { recursive: true })
      if (!wasThere && readdirSync('/etc/netns').length === 0) rmSync('/etc/netns', { recursive: true })
      if ((await netns.list()).includes(name)) await netns.remove(name)
    }
  }

  asRoot('when created, opened and attached', REASON, async (context) => {
    if (missing !== undefined) return context.skip(missing)
    await named(async (name, file) => {
      writeFileSync(file('resolv.conf'), 'nameserver 127.0.0.1\nsearch test\n')
      writeFileSync(file('hosts'), '10.3.3.3 of-the-name\n')
      using made = await netns.create(name, { loopback: true })
      await using _server = await startNameServer(made, '127.0.0.1', RECORDS)
      using opened = netns.open(name)
      for (const set of [made, opened]) {
        expect(await found(set.network, 'four')).toEqual(['10.9.0.4'])
        expect(await found(set.network, 'of-the-name')).toEqual(['10.3.3.3'])
      }
      // `ip netns exec` shows the same.
      const cat = ['netns', 'exec', name, 'cat', '/etc/hosts']
      expect(execFileSync('ip', cat, { encoding: 'utf8', timeout: 10_000 })).toBe('10.3.3.3 of-the-name\n')
    })
  })

  asRoot('when attached to a name later', REASON, async () => {
    await named(async (name, file) => {
      writeFileSync(file('hosts'), '10.3.3.3 of-the-name\n')
      using set = NamespaceSet.unshareSync('net', { loopback: true })
      await netns.attach(name, set)
      using opened = netns.open(name)
      expect(await found(opened.network, 'of-the-name')).toEqual(['10.3.3.3'])
      expect(await found(set.network, 'of-the-name')).toEqual(['10.3.3.3'])
    })
  })

  asRoot('without blocking at special files, and with /dev/null as an empty one', REASON, async () => {
    await named(async (name, file) => {
      using set = await netns.create(name, { loopback: true })
      set.network.setServers(['127.0.0.1:9'])
      symlinkSync('/dev/null', file('hosts'))
      execFileSync('mkfifo', [file('fifo')], { timeout: 10_000 })
      const ask = async () => {
        // For this long, files are considered unchanged.
        await wait(60)
        const start = performance.now()
        const { code, cause } = await failureOf(() => found(set.network, 'of-the-name'))
        expect(performance.now() - start).toBeLessThan(2_000)
        return { code, cause }
      }
      for (const target of ['fifo', '/dev/zero', '/dev/tty', '/etc']) {
        symlinkSync(target, file('resolv.conf'))
        const cause = { code: target === '/etc' ? 'EISDIR' : 'EINVAL', path: file('resolv.conf') }
        expect(await ask()).toMatchObject({ code: 'EAI_AGAIN', cause })
        rmSync(file('resolv.conf'))
      }
      expect(await ask()).toMatchObject({ code: 'EAI_AGAIN', cause: { code: 'ECONNREFUSED' } })
    })
  })

  asRoot('with changes within a moment', REASON, async () => {
    await named(async (name, file) => {
      using set = await netns.create(name, { loopback: true })
      set.network.setServers(['127.0.0.1:9'])
      expect(await failureOf(() => found(set.network, 'of-the-name'))).toMatchObject({ code: 'EAI_AGAIN' })
      for (const address of ['10.3.3.3', '10.4.4.4', '10.5.5.55']) {
        writeFileSync(file('hosts'), `${address} of-the-name\n`)
        const now = () => found(set.network, 'of-the-name').catch(String)
        await expect.poll(now, { timeout: 2_000, interval: 20 }).toEqual([address])
      }
    })
  })
})
