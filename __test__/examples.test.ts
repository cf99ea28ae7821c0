/** The examples run, as root and as an ordinary user. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { missingKinds } from './setup/missing-kinds.ts'
import { asRoot } from './setup/privilege.ts'

interface Outcome {
  stdout: string
  stderr: string
  code: number
}

/** Milliseconds: some examples start many programs, which takes its time in a virtual machine. */
const LONG = 90_000

const fileOf = (name: string) => fileURLToPath(new URL(`../examples/${name}.ts`, import.meta.url))

/** Runs `examples/NAME.ts`. */
function example(name: string, ...args: string[]): Promise<Outcome> {
  const file = fileOf(name)
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', file, ...args], { timeout: LONG }, (error, stdout, stderr) =>
      resolve({ stdout, stderr, code: error === null ? 0 : Number(error.code) }),
    )
  })
}

test('sandbox: a shell with its own processes, host name, files and network', async () => {
  const script = 'id -un; hostname; ps -e -o comm=; ls /root /home; touch /usr/mine; exit 3'
  const { stdout, stderr, code } = await example('sandbox', '-c', script)
  expect(stdout.split('\n').slice(0, 5)).toEqual(['root', 'sandbox', 'nsset-init', 'sh', 'ps'])
  expect(stderr).toContain('/root')
  expect(stderr).toContain('Read-only file system')
  expect(code).toBe(3)
})

test('sandbox: what the shell leaves running ends with it', async () => {
  const mark = `97${process.pid}`
  const { stdout } = await example('sandbox', '-c', `setsid sleep ${mark} & sleep 0.1; ps -e -o args=`)
  expect(stdout).toContain(`sleep ${mark}`)
  expect(readCommandLines()).not.toContain(`sleep ${mark}`)
})

test('build-without-network: a step sees no way out', async () => {
  expect(await example('build-without-network')).toEqual({ stdout: 'no way out: ENETUNREACH\n', stderr: '', code: 0 })
})

test('build-without-network: a command of one’s own, with its code', async () => {
  const { stdout, code } = await example('build-without-network', 'sh', '-c', 'id -u; sleep 60 & exit 2')
  expect({ stdout, code }).toEqual({ stdout: `${process.getuid?.()}\n`, code: 2 })
})

test('fork-per-namespace: three servers on the same port at once', async () => {
  const { stdout, stderr, code } = await example('fork-per-namespace')
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  const lines = stdout.trim().split('\n')
  expect(lines.map((line) => line.replace(/net:\[\d+\]/, 'NET'))).toEqual(
    ['amber', 'blue', 'cyan'].map((tenant) => `${tenant}, NET, serves /hello on port 80`),
  )
  expect(new Set(lines.map((line) => /net:\[\d+\]/.exec(line)?.[0])).size).toBe(3)
})

test('pool: each request has a network of its own, which was ready', async () => {
  const { stdout, stderr, code } = await example('pool')
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  expect(stdout).toMatch(/^4 networks are ready\n/)
  const networks = [...stdout.matchAll(/^(\w+) in (net:\[\d+\]): 127\.0\.0\.1\/8 10\.0\.0\.1\/8/gm)]
  expect(networks.map(([, request]) => request)).toEqual(['red', 'green', 'blue', 'white', 'black'])
  expect(new Set(networks.map(([, , network]) => network)).size).toBe(5)
  expect(stdout).toMatch(/put back, and given out again\n$/)
})

test(
  'network-lab: a test file whose hosts are there, near and far',
  async () => {
    const { stdout, code } = await example('network-lab')
    expect(stdout).toMatch(/pass 3$/m)
    expect(code, stdout).toBe(0)
  },
  LONG,
)

test(
  'tenant-egress: each tenant leaves with an address of its own, until it is cut off',
  async () => {
    const { stdout, stderr, code } = await example('tenant-egress')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    const [amber, blue, cyan] = ['amber', 'blue', 'cyan'].map(
      (name, index) => `${name.padEnd(6)}leaves with 198.51.100.1${index + 1}`,
    )
    const cutOff = 'amber cannot leave: ENETUNREACH'
    expect(stdout.trim().split('\n')).toEqual([amber, blue, cyan, '', 'without amber:', cutOff, blue, cyan])
  },
  LONG,
)

test(
  'proxy-per-tenant: connections leave with the address of the tenant who asks for them',
  async () => {
    const { stdout, stderr, code } = await example('proxy-per-tenant')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(stdout.trim().split('\n')).toEqual([
      ...['amber', 'blue', 'cyan'].map((name, index) => `${name.padEnd(8)}leaves with 192.0.2.1${index + 1}`),
      'nobody  is refused: 407 Proxy Authentication Required',
      'amber   is refused: 502 ECONNREFUSED from port 81',
    ])
  },
  LONG,
)

test(
  'fifty-hosts: fifty servers on the same port in one process, and all of them answer',
  async () => {
    const { stdout, stderr, code } = await example('fifty-hosts')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(stdout).toMatch(/^50 servers on port 80 after \d+ ms\n50 hosts answered, from host-0 to host-49\n/)
    expect(Number(/^(\d+) requests\/s/m.exec(stdout)?.[1])).toBeGreaterThan(50)
  },
  LONG,
)

test(
  'slow-client: a new connection costs a second journey, or the kernel’s reason is told',
  async () => {
    const stdout = await toldByTheKernel('slow-client', 'no latency here')
    if (stdout === undefined) return
    const [there, fresh] = [...stdout.matchAll(/^on a .* (\d+) ms$/gm)].map(([, took]) => Number(took))
    expect(there).toBeGreaterThanOrEqual(79)
    // Slow machines need more, but what they need is the same for both.
    expect(Number(fresh) - Number(there)).toBeGreaterThan(40)
  },
  LONG,
)

test(
  'wireguard-fetch: the server sees who is in the tunnel, or the kernel’s reason is told',
  async () => {
    const stdout = await toldByTheKernel('wireguard-fetch', 'no tunnel here')
    if (stdout === undefined) return
    expect(stdout).toMatch(/^hello, 10\.9\.0\.1\n\d{3,} bytes came through the tunnel from 192\.0\.2\.1:51820\n$/)
  },
  LONG,
)

test(
  'demo: two hosts, drawn and measured, in plain text of 80 columns',
  async () => {
    const { stdout, stderr, code } = await example('demo')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    const lines = stdout.split('\n')
    expect(lines.filter((line) => line.length > 80 || /\p{Cc}/u.test(line))).toEqual([])
    expect(stdout).toMatch(/─ alice ─.*─ switch ─.*─ bob ─/)
    expect(stdout).toMatch(/^ {2}round trip +[\d.]+ ms +median of 21 requests/m)
    expect(stdout).toMatch(/^ {2}throughput .*, as it should be$/m)
    expect(Number(/^ {2}throughput +([\d.]+) Mbit\/s/m.exec(stdout)?.[1])).toBeGreaterThan(1)
    // A cable has its latency and rate written on it, or the kernel's reason is told.
    expect(/ 20 ms .* 20 ms /.test(stdout)).toBe(!stdout.includes('no latency'))
    expect(/ 50 Mbit\/s .* 50 Mbit\/s /.test(stdout)).toBe(!stdout.includes('no rate'))
  },
  LONG,
)

asRoot(
  'worker-per-namespace: each tenant has a server of its own on the same port',
  'a thread of an ordinary user may not enter',
  async () => {
    const { stdout, stderr, code } = await example('worker-per-namespace')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(stdout).toMatch(/^3 servers on port 80/)
    const answers = [...stdout.matchAll(/^(\w+) +(net:\[\d+\]) {2}Good day from (\w+) at host-of-(\w+)$/gm)]
    expect(answers.map(([, line, , greeting, host]) => [line, greeting, host])).toEqual(
      ['red', 'green', 'blue'].map((name) => [name, name, name]),
    )
    expect(new Set(answers.map(([, , network]) => network)).size).toBe(3)
    expect(stdout).toMatch(/\noutside, /)
  },
)

/** What an example prints; undefined where the kernel lacks a kind that it needs, which it has to say. */
async function toldByTheKernel(name: string, otherwise: string): Promise<string | undefined> {
  const { stdout, stderr, code } = await example(name)
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  const [missing] = await missingKinds(readFileSync(fileOf(name), 'utf8'))
  if (missing === undefined) return stdout
  expect(stdout).toMatch(new RegExp(`^${otherwise}: .*${missing}; load the module`))
  return undefined
}

function readCommandLines(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()] : []
    } catch {
      return [] // it has ended meanwhile
    }
  })
}
