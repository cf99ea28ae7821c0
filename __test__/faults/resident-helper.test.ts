/**
 * In the network of a set with a `user` namespace a helper stays, and makes one socket after another. Programs inside can kill
 * or stop it: that costs a restart or an error, and no call waits without end.
 */

import { once } from 'node:events'
import { readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { anIdleHelper, noIdleHelper } from '../setup/guards/idle-helpers.ts'
import { eventually, idleHelpersOf, resources } from '../setup/guards/resources.ts'

/** Every new network has 64 here. */
const TTL = 'net.ipv4.ip_default_ttl'

async function userNetwork(): Promise<NamespaceSet> {
  const set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
  await set.network.links.set('lo', { up: true })
  return set
}

/** The helpers that are in the network of the set. */
function residents(set: NamespaceSet): number[] {
  const network = readlinkSync(set.path('net'))
  return idleHelpersOf().filter((pid) => placeOf(pid) === network)
}

/** A helper that is inside is undumpable: only root can read where it is, and no program inside can read its memory. */
function placeOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}

/** Those of all sets, and spare ones. An ordinary user cannot see where they are. */
async function oneWaits(set: NamespaceSet): Promise<number[]> {
  return process.getuid?.() === 0
    ? eventually(
        () => residents(set),
        (pids) => pids.length > 0,
      )
    : idleHelpersOf()
}

async function connectOnce(set: NamespaceSet, port: number): Promise<void> {
  const socket = set.network.connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  socket.destroy()
  await once(socket, 'close')
}

async function listening(set: NamespaceSet) {
  const server = createServer((socket) => socket.resume())
  await set.network.listen(server, { host: '127.0.0.1', port: 7 })
  return server
}

describe('the helper that stays in a network', () => {
  test('makes all sockets and reads all sysctls, without another one', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('only root sees in which network an undumpable process is')
    using set = await userNetwork()
    const server = await listening(set)
    const [first] = await oneWaits(set)
    for (let turn = 0; turn < 5; turn++) {
      await connectOnce(set, 7)
      expect(await set.network.sysctls.get(TTL)).toBe('64')
      await set.network.sysctls.set(TTL, '64')
      expect(residents(set)).toEqual([first])
    }
    server.close()
  })

  test('works on several things at the same time', async () => {
    using set = await userNetwork()
    const server = await listening(set)
    const names = ['net.ipv4.conf.lo.rp_filter', TTL, 'net.core.somaxconn']
    const values = await Promise.all(
      Array.from({ length: 60 }, (_, index) => set.network.sysctls.get(names[index % 3] as string)),
    )
    expect(new Set(values.filter((_, index) => index % 3 === 0)).size).toBe(1)
    expect(new Set(values.filter((_, index) => index % 3 === 1))).toEqual(new Set(['64']))
    await Promise.all([...Array(30)].map(() => connectOnce(set, 7)))
    server.close()
  })

  test('continues after an error with the next request', async () => {
    using set = await userNetwork()
    for (let turn = 0; turn < 3; turn++) {
      await expect(set.network.sysctls.get('net.ipv4.no_such_thing')).rejects.toMatchObject({ code: 'ENOENT' })
      expect(await set.network.sysctls.get(TTL)).toBe('64')
    }
  })

  test('ends when the set is closed, and after some seconds without a request', async () => {
    await noIdleHelper()
    const before = resources()
    const set = await userNetwork()
    await set.network.sysctls.get(TTL)
    expect(await anIdleHelper()).toBeGreaterThan(0)
    await noIdleHelper()
    await set.network.sysctls.get(TTL)
    set.close()
    await noIdleHelper()
    const { children, descriptors } = await eventually(resources, (now) => now.descriptors <= before.descriptors)
    expect({ children, descriptors }).toEqual({ children: before.children, descriptors: before.descriptors })
  })

  test('is replaced if it is killed, before a request and during one', async () => {
    using set = await userNetwork()
    const server = await listening(set)
    for (let turn = 0; turn < 20; turn++) {
      for (const pid of await oneWaits(set)) process.kill(pid, 'SIGKILL')
      await connectOnce(set, 7)
      expect(await set.network.sysctls.get(TTL)).toBe('64')
    }
    server.close()
  })

  test('is continued if it is stopped', async () => {
    using set = await userNetwork()
    const server = await listening(set)
    for (let turn = 0; turn < 5; turn++) {
      for (const pid of await oneWaits(set)) process.kill(pid, 'SIGSTOP')
      const begin = performance.now()
      await connectOnce(set, 7)
      expect(performance.now() - begin).toBeLessThan(500)
    }
    server.close()
  })

  test('is given up if a program inside keeps stopping it, and other sets do not wait', async () => {
    using set = await userNetwork()
    using other = await userNetwork()
    const own = new Set(await oneWaits(set))
    const stopper = setInterval(() => {
      for (const pid of own) {
        try {
          process.kill(pid, 'SIGSTOP')
        } catch {
          own.delete(pid)
        }
      }
    }, 0)
    const begin = performance.now()
    const asked = set.network.sysctls.get(TTL).catch((error) => error.code)
    expect(await other.network.sysctls.get(TTL)).toBe('64')
    expect(['64', 'ETIMEDOUT']).toContain(await asked)
    expect(performance.now() - begin).toBeLessThan(2_000)
    clearInterval(stopper)
    expect(await set.network.sysctls.get(TTL)).toBe('64')
  })

  test('cannot be read or traced, and holds nothing but its socket', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('only root sees in which network an undumpable process is')
    using set = await userNetwork()
    await set.network.sysctls.get(TTL)
    const [pid] = await oneWaits(set)
    // Files of an undumpable process belong to root (proc(5)), and its working directory is not that of Node.js.
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/')
    const { stdout } = await set.execFile('sh', ['-c', `cat /proc/${pid}/environ 2>&1; ls /proc/${pid}/fd 2>&1; true`])
    expect(stdout).toMatch(/ermission denied/)
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain('PATH=')
  })
})
