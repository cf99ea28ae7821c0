/** HTTP/3 through an uplink: a server and a client of quic-go. The name is the only thing that the rules know about datagrams. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { NamespaceChildProcess } from 'nsset'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { certificatesFor } from '../setup/sockets/certificate-authority.ts'
import { type Host, Internet, OTHER, WEB } from '../setup/uplink/internet.ts'

const SOURCE = fileURLToPath(new URL('../setup/uplink/http3/', import.meta.url))
/** Of a body that needs many packets, in both directions. */
const BYTES = 4_000_000
const directory = temporaryDirectory()
const program = directory.file('http3')
const { caFile } = certificatesFor('DNS:web.test,DNS:other.test,DNS:neighbour.test', directory)

const build = (): string => {
  if (!isRoot) return 'an ordinary user has no cache of Go here, and compiles for minutes'
  const go = (...args: string[]) => spawnSync('go', args, { cwd: SOURCE, encoding: 'utf8', timeout: 240_000 })
  // Downloads the modules: their absence is no error of the program.
  const listed = go('list', '-deps', '.')
  if (listed.status !== 0) return `Go or its modules are missing: ${listed.stderr?.trim() ?? 'no go'}`
  const built = go('build', '-buildvcs=false', '-o', program, '.')
  if (built.status !== 0) throw new Error(built.stderr)
  return ''
}

const why = build()
let internet: Internet
let host: Host
const servers: NamespaceChildProcess[] = []

beforeAll(async () => {
  internet = await Internet.create()
  if (why !== '') return
  for (const address of [WEB, OTHER]) await serve(address)
  host = await internet.uplink({ allow: [{ host: 'web.test', port: 443 }] })
})
afterAll(async () => {
  for (const server of servers) if (server.kill('SIGKILL')) await once(server, 'exit')
  await internet[Symbol.asyncDispose]()
  directory[Symbol.dispose]()
})

async function serve(address: string): Promise<void> {
  const certificate = [directory.file('cert.pem'), directory.file('key.pem')]
  const options = { stdio: ['ignore', 'pipe', 'inherit'] } as const
  const server = internet.servers.spawn(program, ['serve', `${address}:443`, ...certificate], options)
  servers.push(server)
  await once(server.stdout, 'data')
}

const post = (name: string) => host.execute(program, ['post', `https://${name}/`, caFile, String(BYTES)])

test('a client reaches the name that is allowed, and megabytes come back', async (context) => {
  if (why !== '') context.skip(why)
  expect(await post('web.test')).toEqual({ code: 0, stdout: 'HTTP/3.0 web.test web.test\n', stderr: '' })
  const { bytesSent, bytesReceived } = await host.statistics()
  expect(bytesSent).toBeGreaterThan(BYTES)
  expect(bytesReceived).toBeGreaterThan(BYTES)
})

test.for([
  ['another name', 'other.test'],
  ['another name at the same address', 'neighbour.test'],
  ['an address', OTHER],
] as const)('%s is not reached', async ([, name], context) => {
  if (why !== '') context.skip(why)
  const { code, stdout } = await post(name)
  expect([code, stdout]).toEqual([1, ''])
  expect(await host.refusals()).toContainEqual(expect.objectContaining(name === OTHER ? { address: OTHER } : { name }))
})
