/** Examples that depend on the kernel's features: the virtual machine has all of them. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { missingKinds } from '../setup/oracles/missing-kinds.ts'
import { example, fileOf, LONG } from '../setup/pages/example.ts'

test(
  'slow-client: a new connection costs a second round trip, or the missing kernel feature is printed',
  async () => {
    const stdout = await outputUnlessLacking('labs/slow-client', 'no latency here')
    if (stdout === undefined) return
    const [there, fresh] = [...stdout.matchAll(/^on a .* (\d+) ms$/gm)].map(([, took]) => Number(took))
    expect(there).toBeGreaterThanOrEqual(79)
    // Slow machines need more, but equally for both.
    expect(Number(fresh) - Number(there)).toBeGreaterThan(40)
  },
  LONG,
)

test(
  'wireguard-fetch: the server sees the peer of the tunnel, or the missing kernel feature is printed',
  async () => {
    const stdout = await outputUnlessLacking('wireguard-fetch', 'no tunnel here')
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
    // A cable has its latency and rate written on it, or the missing kernel feature is printed.
    expect(/ 20 ms .* 20 ms /.test(stdout)).toBe(!stdout.includes('no latency'))
    expect(/ 50 Mbit\/s .* 50 Mbit\/s /.test(stdout)).toBe(!stdout.includes('no rate'))
  },
  LONG,
)

/** What an example prints; undefined if the kernel lacks a kind that it needs, after checking that it prints so. */
async function outputUnlessLacking(name: string, otherwise: string): Promise<string | undefined> {
  const { stdout, stderr, code } = await example(name)
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  const [missing] = await missingKinds(readFileSync(fileOf(name), 'utf8'))
  if (missing === undefined) return stdout
  expect(stdout).toMatch(new RegExp(`^${otherwise}: .*${missing}; load the module`))
  return undefined
}
