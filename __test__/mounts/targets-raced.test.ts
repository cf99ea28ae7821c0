/**
 * Another user exchanges a directory and a symbolic link in a place that is bound into a set, while the set is made:
 * no target leads out of its root directory, and nothing is made outside. `NSSET_TRIES` sets how many attempts are made.
 */
import { chmodSync, chownSync, lchownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { type MountSpec, NamespaceSet } from 'nsset'
import { expect } from 'vitest'
import { compileExchanger, startExchanger } from '../setup/c-programs/exchanger.ts'
import { SYSTEM_MOUNTS } from '../setup/oracles/bwrap.ts'
import { asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const TRIES = Number(process.env['NSSET_TRIES'] ?? 400)
const OTHER_USER = 1234

asRoot(
  'a link of another user never leads out of the root directory',
  'only root can start a program of another user',
  async () => {
    using directory = temporaryDirectory()
    chmodSync(directory.path, 0o755)
    const [victim, theirs] = [directory.file('victim'), directory.file('theirs')]
    mkdirSync(victim)
    writeFileSync(`${victim}/taken`, 'of root')
    for (const path of [theirs, `${theirs}/ns`, `${theirs}/other`]) {
      mkdirSync(path)
      chownSync(path, OTHER_USER, OTHER_USER)
    }
    symlinkSync(`../../../../../../../../..${victim}`, `${theirs}/link`)
    lchownSync(`${theirs}/link`, OTHER_USER, OTHER_USER)
    using program = compileExchanger()
    if (program === undefined) throw new Error('there is no C compiler')
    const exchanger = await startExchanger(program, OTHER_USER, theirs, ['ns', 'link', 'other'])

    const attempts: MountSpec[][] = [
      [{ type: 'file', target: '/host/ns/made', content: 'x' }],
      [{ type: 'directory', target: '/host/ns/made' }],
      [{ type: 'symlink', target: '/host/ns/made', to: 'x' }],
      [{ type: 'directory', target: '/host/ns/../ns/made/deep' }],
      [{ type: 'tmpfs', target: '/host/ns', source: 'landed' }],
      [{ type: 'tmpfs', target: '/host/ns/../link/.', source: 'landed' }],
      [{ type: 'file', target: '/host/ns/taken', content: 'x' }],
    ]
    const outcomes: Record<string, number> = {}
    const landed = new Set<string>()
    try {
      for (let index = 0; index < TRIES; index++) {
        const mounts: MountSpec[] = [
          ...SYSTEM_MOUNTS,
          { type: 'proc', target: '/proc' },
          { type: 'bind', source: theirs, target: '/host' },
          // What the link means inside: a directory of the set's own.
          { type: 'directory', target: victim },
          ...(attempts[index % attempts.length] as MountSpec[]),
        ]
        const outcome = await NamespaceSet.unshare(['mnt', 'pid'], { root: { type: 'tmpfs' }, mounts }).then(
          async (set) => {
            await using made = set
            const { stdout } = await made.execFile('cat', ['/proc/self/mountinfo'])
            for (const line of stdout.split('\n')) if (line.includes(' landed ')) landed.add(line.split(' ')[4] ?? '')
            return 'done'
          },
          ({ code }) => String(code),
        )
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      }
    } finally {
      expect(await exchanger.stop()).toBeGreaterThan(1_000)
    }
    expect(readdirSync(victim)).toEqual(['taken'])
    for (const name of ['ns', 'other', 'link']) expect(readdirSync(`${theirs}/${name}`), name).toSatisfy(isUntouched)
    expect(Object.keys(outcomes).filter((code) => !['done', 'ENOENT', 'EAGAIN'].includes(code))).toEqual([])
    expect(outcomes['done']).toBeGreaterThan(0)
    expect(outcomes['ENOENT']).toBeGreaterThan(0)
    expect([...landed].filter((path) => !['/host/ns', '/host/other', '/host/link', victim].includes(path))).toEqual([])
  },
  300_000,
)

/** The directories of the other user are empty, and the link leads to the victim. */
function isUntouched(names: unknown): boolean {
  return Array.isArray(names) && (names.length === 0 || (names.length === 1 && names[0] === 'taken'))
}
