/** Where each /proc is masked, as in a container, the kernel refuses a whole one; since Linux 7 it accepts one of the processes alone. */
import { release } from 'node:os'
import type { MountSpec } from 'nsset'
import { expectNoLeaks } from 'nsset/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { askPlainNode, byNsenter } from '../setup/programs/plain-node.ts'

const { useNamespace } = expectNoLeaks({ beforeEach, afterEach })

const isAccepted = Number(release().split('.')[0]) >= 7
const REFUSED = { code: 'EPERM', message: expect.stringContaining('subset=pid since Linux 7') }

/** As container engines mask it. */
const MASKED: MountSpec[] = [
  { type: 'proc', target: '/proc' },
  { type: 'bind', source: '/proc/sys', target: '/proc/sys', readOnly: true },
  { type: 'mask', target: '/proc/kcore' },
  { type: 'mask', target: '/proc/timer_list' },
]

const makeContainer = () => useNamespace(['user', 'mnt', 'pid'], { mapUser: 'root', mounts: MASKED })

type Listed = string[] | { code: string; message: string }

/** What /proc contains for a program, as a Node.js process in such a container has it run. */
async function listedBy(code: string): Promise<Listed> {
  const place = await makeContainer()
  const program = `
    import { NamespaceSet } from 'nsset'
    import { Sandbox } from 'nsset/sandbox'
    try {
      const { stdout } = await ${code}
      console.log(JSON.stringify(stdout.trim().split('\\n')))
    } catch ({ code, message }) {
      console.log(JSON.stringify({ code, message }))
    }
    process.exit()`
  const kinds = place.kinds.map((kind) => `--${kind === 'mnt' ? 'mount' : kind}=${place.path(kind)}`)
  return askPlainNode<Listed>(program, { prefix: byNsenter('--preserve-credentials', ...kinds) })
}

const setWith = (mount: MountSpec) =>
  `NamespaceSet.unshare(['user', 'mnt', 'pid'], { mapUser: 'root', mounts: [${JSON.stringify(mount)}] })
    .then((set) => set.execFile('ls', ['/proc']))`

describe('below a masked /proc', () => {
  test('a whole one is refused, and the error says why', async () => {
    expect(await listedBy(setWith({ type: 'proc', target: '/proc' }))).toEqual(REFUSED)
  })

  test('one of the processes alone is mounted, or the error says since when', async () => {
    const listed = await listedBy(setWith({ type: 'proc', target: '/proc', options: { subset: 'pid' } }))
    expect(listed).toEqual(isAccepted ? expect.arrayContaining(['1', 'self', 'thread-self']) : REFUSED)
    if (isAccepted) expect(listed).not.toContain('sys')
  })

  test('a box has one of the processes alone, or the error says since when', async () => {
    const listed = await listedBy(`Sandbox.create().then((box) => box.execFile('ls', ['/proc']))`)
    expect(listed).toEqual(isAccepted ? expect.arrayContaining(['1', 'self', 'thread-self']) : REFUSED)
    if (isAccepted) expect(listed).not.toContain('sys')
  })
})

describe('below a whole /proc', () => {
  test('a box has a whole one', async () => {
    const place = await useNamespace(['user', 'mnt', 'pid'], {
      mapUser: 'root',
      mounts: [{ type: 'proc', target: '/proc' }],
    })
    const program = `
      import { Sandbox } from 'nsset/sandbox'
      const box = await Sandbox.create()
      const { stdout } = await box.execFile('ls', ['/proc'])
      console.log(JSON.stringify(stdout.trim().split('\\n')))
      process.exit()`
    const kinds = place.kinds.map((kind) => `--${kind === 'mnt' ? 'mount' : kind}=${place.path(kind)}`)
    const listed = await askPlainNode<string[]>(program, { prefix: byNsenter('--preserve-credentials', ...kinds) })
    expect(listed).toEqual(expect.arrayContaining(['1', 'self', 'sys', 'meminfo']))
  })
})
