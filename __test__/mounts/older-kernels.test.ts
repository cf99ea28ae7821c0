/** What older kernels refuse is done in another way. strace(1) injects their errors. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** The output of a shell inside, while this call of the helper fails with EINVAL; see strace(1), `when`. */
async function inside(mounts: unknown, script: string, call: string, when: string): Promise<string> {
  const prefix = [
    'strace',
    '-f',
    '-q',
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:error=EINVAL:when=${when}`,
    '-o',
    '/dev/null',
  ]
  const program = `
    import { NamespaceSet } from 'nsset'
    const set = await NamespaceSet.unshare(['user', 'mnt'], { mapUser: 'root', mounts: ${JSON.stringify(mounts)} })
    const { stdout } = await set.execFile('sh', ['-c', ${JSON.stringify(script)}])
    console.log(JSON.stringify(stdout.trim()))`
  return askPlainNode<string>(program, { prefix })
}

describe('an overlay', () => {
  // The helper sets `source` and `userxattr`, and then each layer by descriptor. What is refused, it sets by a name.
  test.each([
    ['before Linux 6.13, of layers by name', '3..5+2'],
    ['before Linux 6.7, of all lower layers in one option', '3..6'],
  ])('%s', async (_, when) => {
    using directory = temporaryDirectory()
    const lower = ['a:b,c\\d', 'second'].map(directory.file)
    for (const layer of lower) {
      mkdirSync(layer)
      writeFileSync(`${layer}/same`, layer)
    }
    writeFileSync(`${lower[1]}/other`, '')
    mkdirSync(directory.file('merged'))
    const mounts = [{ type: 'overlay', target: directory.file('merged'), lower }]
    const script = `cd ${directory.file('merged')}; ls; cat same`
    expect(await inside(mounts, script, 'fsconfig', when)).toBe(`other\nsame\n${lower[0]}`)
  })
})

test('before Linux 6.15, a file over another one is cloned from a mount that is attached', async () => {
  using directory = temporaryDirectory()
  writeFileSync(directory.file('file'), 'of the host')
  const mounts = [{ type: 'file', target: directory.file('file'), content: 'of the set' }]
  const script = `cat ${directory.file('file')}; grep -c tmpfs.*rw,nosuid,nodev /proc/self/mountinfo; ls -d /usr`
  const outcome = await inside(mounts, script, 'open_tree', '1')
  expect(outcome).toMatch(/^of the set\d+\n\/usr$/)
})
