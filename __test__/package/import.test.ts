/** The cost of an import: the JavaScript that Node.js compiles, its modules that are loaded, and its threads. */
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bundledApp } from '../setup/package/bundled-app.ts'
import { askPlainNode, runPlainNode } from '../setup/programs/plain-node.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const API = new URL('../../dist/index.js', import.meta.url)

/** A part of the API in `dist/index.js`: the text of a script in a string. */
const PART = /^const \$\w+=definePart\(.*'\\\n([\s\S]*?)'\);$/gm

describe('the JavaScript', () => {
  const text = readFileSync(API, 'utf8')

  test('an import compiles at most 75 KB of at most 330 KB', () => {
    const parts = [...text.matchAll(PART)]
    expect(parts.length).toBeGreaterThan(5)
    expect(text.length - parts.reduce((sum, [, part = '']) => sum + part.length, 0)).toBeLessThan(75_000)
    expect(text.length).toBeLessThan(330_000)
  })

  test('a part is compiled when it is used first, and only once', async () => {
    const counts = await askPlainNode<number[]>(`
      const vm = process.getBuiltinModule('node:vm')
      let compiled = 0
      vm.Script = class extends vm.Script {
        constructor(...args) {
          super(...args)
          compiled++
        }
      }
      const { action } = await import('nsset')
      const counts = [compiled]
      action.addresses.add('lo', '192.0.2.1/32')
      counts.push(compiled)
      action.addresses.add('lo', '192.0.2.2/32')
      console.log(JSON.stringify([...counts, compiled]))`)
    expect(counts[0]).toBe(0)
    expect(counts[1]).toBeGreaterThan(0)
    expect(counts[2]).toBe(counts[1])
  })

  test('each part has everything that the other parts use of it', async () => {
    const names = [...text.matchAll(PART)].map(([part]) => part.slice('const '.length, part.indexOf('=')))
    using app = bundledApp()
    const file = app.directory.file('node_modules/nsset/dist/index.js')
    writeFileSync(file, `${text}\nglobalThis.parts = { $core, ${names.join(', ')} }\n`)
    const { value, stderr } = await app.run(`
      import 'nsset'
      const missing = Object.entries(parts).flatMap(([part, object]) =>
        Object.getOwnPropertyNames(object).filter((name) => object[name] === undefined).map((name) => part + '.' + name))
      console.log(JSON.stringify({ missing, parts: Object.keys(parts).length }))`)
    expect(value, stderr).toEqual({ missing: [], parts: names.length + 1 })
  })

  test('what a program adds to Object.prototype is no export', async () => {
    const name = await askPlainNode<string>(`
      Object.prototype.tenant = 5
      const { action } = await import('nsset')
      const { name } = action.addresses.add('lo', '192.0.2.1/32')
      delete Object.prototype.tenant
      console.log(JSON.stringify(name))`)
    expect(name).toBe('addresses.add')
  })

  test('a part whose evaluation was terminated is evaluated anew', async () => {
    const outcome = await askPlainNode<[string, string]>(`
      const vm = process.getBuiltinModule('node:vm')
      const { runInThisContext } = vm.Script.prototype
      let isStuck = true
      vm.Script.prototype.runInThisContext = function () {
        const evaluate = runInThisContext.call(this)
        return (publish, ...rest) => evaluate((exports) => { publish(exports); while (isStuck); }, ...rest)
      }
      const { action } = await import('nsset')
      const use = () => action.addresses.add('lo', '192.0.2.1/32').name
      let code
      try {
        vm.runInNewContext('use()', { use }, { timeout: 50 })
      } catch (error) {
        code = error.code
      }
      isStuck = false
      await undefined
      console.log(JSON.stringify([code, use()]))`)
    expect(outcome).toEqual(['ERR_SCRIPT_EXECUTION_TIMEOUT', 'addresses.add'])
  })

  // After enter() with a mount namespace, a path leads into another file system.
  test('a part needs no file', async () => {
    using app = bundledApp()
    const { value, stderr } = await app.run(`
      import { rmSync } from 'node:fs'
      const { action } = await import('nsset')
      rmSync('node_modules/nsset', { recursive: true })
      console.log(JSON.stringify(action.firewall.delete('filter').name))`)
    expect(value, stderr).toBe('firewall.delete')
  })
})

/** A debug build has tens of MB of symbols; a release build contains the names of their sections, too. */
const DEBUG_BUILD = 20_000_000

test('the binary has at most 7.3 MB', (context) => {
  const binary = readFileSync(new URL(`../../nsset.linux-${process.arch}-gnu.node`, import.meta.url))
  if (binary.length > DEBUG_BUILD) context.skip('the binary is a debug build: npm run build:native')
  expect(binary.length).toBeLessThan(7_300_000)
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
