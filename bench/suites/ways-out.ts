/**
 * Ways out of a network: an uplink beside slirp4netns and pasta. The host is a network of its own, with another machine that serves, so that
 * all of them leave by the same link.
 */
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { NamespaceSet } from 'nsset'
import { isMissing, isPresent } from '../peers/presence.ts'
import type { Row } from '../row.ts'
import type { Report } from '../ways-out/host.ts'
import { SERVER } from '../ways-out/ways.ts'

const PROGRAM = fileURLToPath(new URL('../ways-out/host.ts', import.meta.url))
const SERVERS = fileURLToPath(new URL('../ways-out/server.py', import.meta.url))
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

export async function waysOut(): Promise<Row[]> {
  const base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  await using host = await base.unshare(['net'], { loopback: true })
  await using servers = await base.unshare(['net'], { loopback: true })
  base.close()
  await host.network.links.add({
    kind: 'veth',
    name: 'eth0',
    up: true,
    addresses: ['9.1.0.1/24'],
    peer: { name: 'eth0', set: servers, up: true, addresses: [`${SERVER[0]}/24`] },
  })
  // pasta looks for it.
  await host.network.routes.add({ destination: '0.0.0.0/0', via: SERVER[0], dev: 'eth0' })
  const serving = servers.spawn('python3', [SERVERS, ...SERVER], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(serving.stdout, 'data')
    const child = host.fork(PROGRAM, [String(serving.pid)], {
      execArgv: ['--import', TSX],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const [report] = await Promise.race([once(child, 'message'), once(child, 'exit')])
    if (typeof report !== 'object' || report === null)
      throw new Error(`the program on the host has ended with ${report}`)
    const { rows, present, missing } = report as Report
    for (const [name, version] of Object.entries(present)) isPresent(name, version)
    for (const [name, reason] of Object.entries(missing)) isMissing(name, reason)
    return rows
  } finally {
    serving.kill('SIGKILL')
  }
}
