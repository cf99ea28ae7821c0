/** The examples run, as root and as an ordinary user. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

interface Outcome {
  stdout: string
  stderr: string
  code: number
}

/** Runs `examples/NAME.ts`. */
function example(name: string, ...args: string[]): Promise<Outcome> {
  const file = fileURLToPath(new URL(`../examples/${name}.ts`, import.meta.url))
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', file, ...args], { timeout: 20_000 }, (error, stdout, stderr) =>
      resolve({ stdout, stderr, code: error === null ? 0 : Number(error.code) }),
    )
  })
}

test('sandbox: a shell with its own processes, host name, files and network', async () => {
  const script =
    'id -un; hostname; ps -e -o comm=; ls /root /home; touch /usr/mine; exit 3'
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

function readCommandLines(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()] : []
    } catch {
      return [] // it has ended meanwhile
    }
  })
}
