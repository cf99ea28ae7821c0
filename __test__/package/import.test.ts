/** The cost of an import: the JavaScript that Node.js compiles, its modules that are loaded, and its threads. */
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { askPlainNode, runPlainNode } from '../setup/programs/plain-node.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const API = new URL('../../dist/index.js', import.meta.url)

test('at most 270 KB of JavaScript are compiled', () => {
  expect(readFileSync(API).length).toBeLessThan(270_000)
})

/** A debug build has tens of MB of symbols; a release build contains the names of their sections, too. */
const DEBUG_BUILD = 20_000_000

test('the binary has at most 7.0 MB', (context) => {
  const binary = readFileSync(new URL(`../../nsset.linux-${process.arch}-gnu.node`, import.meta.url))
  if (binary.length > DEBUG_BUILD) context.skip('the binary is a debug build: npm run build:native')
  expect(binary.length).toBeLessThan(7_000_000)
})

test('a stack trace has the names of functions and methods, and valid lines', async () => {
  const frames = await askPlainNode<string[]>(`
    import { NamespaceSet } from 'nsset'
    try {
      NamespaceSet.current('network')
    } catch (error) {
      console.log(JSON.stringify(error.stack.split('\\n').filter((line) => line.includes('dist/index.js'))))
    }`)
  expect(frames.join('\n')).toMatch(/at parseKinds .*\n(.*\n)*.*at NamespaceSet\.current /)
  const lines = readFileSync(API, 'utf8').split('\n')
  for (const frame of frames) {
    const [, line = 0, column = 0] = /:(\d+):(\d+)\)?$/.exec(frame) ?? []
    expect(Number(line), frame).toBeGreaterThan(1)
    expect(Number(column), frame).toBeLessThan(2_000)
    expect(lines[Number(line) - 1], frame).toBeDefined()
  }
})

test('no module of Node.js is loaded except the one that loads the binary', async () => {
  const loaded = (first: string) =>
    askPlainNode<string[]>(`${first}
      import { builtinModules } from 'node:module'
      const name = (entry) => entry.replace(/^NativeModule /, '')
      console.log(JSON.stringify(process.moduleLoadList.map(name).filter((each) => builtinModules.includes(each))))`)
  using directory = temporaryDirectory()
  writeFileSync(directory.file('empty.mjs'), '')
  const before = await loaded(`import ${JSON.stringify(directory.file('empty.mjs'))}`)
  const after = await loaded("import 'nsset'")
  expect(after.filter((name) => !before.includes(name))).toEqual([])
})

describe('threads', () => {
  /** How many threads Node.js starts for this program, as counted by strace(1). */
  async function count(program: string): Promise<number> {
    using directory = temporaryDirectory()
    const file = directory.file('trace')
    const prefix = ['strace', '-f', '-q', '-e', 'trace=clone,clone3', '-o', file]
    const { code, stderr } = await runPlainNode(program, { prefix })
    expect(code, stderr).toBe(0)
    return readFileSync(file, 'utf8').match(/ clone3?\(/g)?.length ?? 0
  }

  test('three start and stay, for children, for networks and at home; six end immediately', async () => {
    const withPool = "await import('node:fs/promises').then((fs) => fs.readFile('/etc/hostname'))"
    expect((await count("import 'nsset'")) - (await count(withPool))).toBe(3 + 6)
  })

  test('six threads test that the pool can start before it is used', async () => {
    const load = "process.getBuiltinModule('node:module').createRequire(process.cwd() + '/')('nsset/native')"
    // Three of nsset, four of the pool, and six that end immediately.
    expect((await count(load)) - (await count(''))).toBe(3 + 4 + 6)
  })
})
