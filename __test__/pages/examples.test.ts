/** The examples run, as root and as an ordinary user. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { example, LONG } from '../setup/pages/example.ts'
import { asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

test('sandbox: a shell with its own processes, host name, files and network', async () => {
  const script = 'id -un; hostname; ps -e -o comm=; ls /root /home; touch /usr/mine; exit 3'
  const { stdout, stderr, code } = await example('sandbox', '-c', script)
  expect(stdout.split('\n').slice(0, 5)).toEqual(['root', 'sandbox', 'nsset-init', 'sh', 'ps'])
  expect(stderr).toContain('/root')
  expect(stderr).toContain('Read-only file system')
  expect(code).toBe(3)
})

test('sandbox: processes that the shell leaves behind are killed', async () => {
  const mark = `97${process.pid}`
  const { stdout } = await example('sandbox', '-c', `setsid sleep ${mark} & sleep 0.1; ps -e -o args=`)
  expect(stdout).toContain(`sleep ${mark}`)
  expect(readCommandLines()).not.toContain(`sleep ${mark}`)
})

test('run-untrusted: a command sees no keys, writes to one place, and has no network', async () => {
  const { stdout, code } = await example('run-untrusted')
  expect(stdout).toMatch(/touch: .*Read-only file system/)
  expect(stdout).toMatch(/\nfiles: result\n$/)
  expect(code).toBe(0)
})

test('run-untrusted: a custom command, with its exit code', async () => {
  expect(await example('run-untrusted', 'sh', '-c', 'exit 5')).toEqual({ stdout: 'files: \n', stderr: '', code: 5 })
})

test('what-did-it-reach: each place that a command asked for', async () => {
  const script =
    'for place in 10.1.2.3/80 169.254.169.254/80 127.0.0.1/9; do echo > /dev/tcp/$place; done 2>/dev/null; exit 4'
  const { stdout, code } = await example('what-did-it-reach', 'bash', '-c', script)
  expect(stdout.trim().split('\n').toSorted()).toEqual([
    'tcp 10.1.2.3 80: refused: private',
    'tcp 169.254.169.254 80: refused: link-local',
  ])
  expect(code).toBe(4)
})

test('build-step: changes of the project are gone, and what is in out is kept', async () => {
  using directory = temporaryDirectory()
  const [project, out] = [directory.file('project'), directory.file('out')]
  for (const path of [project, out]) mkdirSync(path)
  writeFileSync(`${project}/source`, 'source')
  const script = 'cp source out/copy; rm source; touch made; id -un 2>/dev/null; pwd'
  const { stdout, stderr, code } = await example('build-step', project, out, 'sh', '-c', script)
  expect({ stdout, stderr, code }).toEqual({ stdout: 'build\n/build\n', stderr: '', code: 0 })
  expect(readdirSync(project)).toEqual(['source'])
  expect(readFileSync(`${out}/copy`, 'utf8')).toBe('source')
})

test('build-without-network: a step has no network', async () => {
  expect(await example('build-without-network')).toEqual({ stdout: 'no way out: ENETUNREACH\n', stderr: '', code: 0 })
})

test('build-without-network: a custom command, with its exit code', async () => {
  const { stdout, code } = await example('build-without-network', 'sh', '-c', 'id -u; sleep 60 & exit 2')
  expect({ stdout, code }).toEqual({ stdout: `${process.getuid?.()}\n`, code: 2 })
})

test('fork-per-namespace: three servers on the same port', async () => {
  const { stdout, stderr, code } = await example('fork-per-namespace')
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  const lines = stdout.trim().split('\n')
  expect(lines.map((line) => line.replace(/net:\[\d+\]/, 'NET'))).toEqual(
    ['amber', 'blue', 'cyan'].map((tenant) => `${tenant}, NET, serves /hello on port 80`),
  )
  expect(new Set(lines.map((line) => /net:\[\d+\]/.exec(line)?.[0])).size).toBe(3)
})

test('pool: each request has its own network, created in advance', async () => {
  const { stdout, stderr, code } = await example('pool')
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  expect(stdout).toMatch(/^4 networks are ready\n/)
  const networks = [...stdout.matchAll(/^(\w+) in (net:\[\d+\]): 127\.0\.0\.1\/8 10\.0\.0\.1\/8/gm)]
  expect(networks.map(([, request]) => request)).toEqual(['red', 'green', 'blue', 'white', 'black'])
  expect(new Set(networks.map(([, , network]) => network)).size).toBe(5)
  expect(stdout).toMatch(/put back, and given out again\n$/)
})

test(
  'network-lab: a test file with hosts of different latency',
  async () => {
    const { stdout, code } = await example('labs/network-lab')
    expect(stdout).toMatch(/pass 3$/m)
    expect(code, stdout).toBe(0)
  },
  LONG,
)

test(
  'failover-lab: five hosts and two routers, with failover, policy routing, classes and address translation',
  async () => {
    const { stdout, code } = await example('labs/failover-lab')
    expect(stdout).toMatch(/pass 4$/m)
    expect(stdout).toMatch(/over the spare line after [\d.]+ ms/)
    expect(code, stdout).toBe(0)
  },
  LONG,
)

test(
  'tenant-egress: each tenant connects from its own address, until it is cut off',
  async () => {
    const { stdout, stderr, code } = await example('tenant-egress')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    const [amber, blue, cyan] = ['amber', 'blue', 'cyan'].map(
      (name, index) => `${name.padEnd(6)}leaves with 198.51.100.1${index + 1}`,
    )
    const cutOff = 'amber cannot leave: EHOSTUNREACH'
    expect(stdout.trim().split('\n')).toEqual([amber, blue, cyan, '', 'without amber:', cutOff, blue, cyan])
  },
  LONG,
)

test(
  'proxy-per-tenant: connections come from the address of the tenant who requests them',
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
  'fifty-hosts: fifty servers on the same port in one process respond',
  async () => {
    const { stdout, stderr, code } = await example('labs/fifty-hosts')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(stdout).toMatch(/^50 servers on port 80 after \d+ ms\n50 hosts answered, from host-0 to host-49\n/)
    expect(Number(/^(\d+) requests\/s/m.exec(stdout)?.[1])).toBeGreaterThan(50)
  },
  LONG,
)

asRoot(
  'worker-per-namespace: each tenant has its own server on the same port',
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

function readCommandLines(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()] : []
    } catch {
      return [] // the process has exited meanwhile
    }
  })
}
