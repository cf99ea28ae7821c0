/** On other systems the package loads, and every call throws that it needs Linux. */
import { describe, expect, test } from 'vitest'
import { askPlainNode } from '../setup/programs/plain-node.ts'

interface Answer {
  exports: string[]
  outcomes: Record<string, { thrown: boolean; name: string; code: string; message: string }>
}

/** Loads the package in a process with another platform, and calls everything that can be called without a set. */
function ask(platform: string, load: string): Promise<Answer> {
  return askPlainNode<Answer>(
    `import { createRequire } from 'node:module'
     Object.defineProperty(process, 'platform', { value: '${platform}' })
     const require = createRequire(process.cwd() + '/')
     const nsset = ${load}
     const { NamespaceSet } = nsset
     const calls = {
       current: () => NamespaceSet.current(),
       unshare: () => NamespaceSet.unshare('net'),
       unshareSync: () => NamespaceSet.unshareSync('net'),
       NamespacePool: () => new nsset.NamespacePool('net', { size: 1 }),
       fromPid: () => NamespaceSet.fromPid(1),
       fromThread: () => NamespaceSet.fromThread(1, 1),
       fromDirectory: () => NamespaceSet.fromDirectory('/'),
       fromPath: () => NamespaceSet.fromPath('/'),
       fromFd: () => NamespaceSet.fromFd(0),
       unmount: () => NamespaceSet.unmount('/nowhere'),
       unmountSync: () => NamespaceSet.unmountSync('/nowhere'),
     }
     // Functions added later are called, too, without arguments.
     for (const name of Object.getOwnPropertyNames(NamespaceSet)) {
       if (typeof NamespaceSet[name] === 'function') calls[name] ??= () => NamespaceSet[name]()
     }
     const outcomes = {}
     for (const [name, call] of Object.entries(calls)) {
       let thrown = true
       try {
         const promise = call()
         thrown = false
         await promise
         outcomes[name] = { thrown, name: 'nothing' }
       } catch (error) {
         outcomes[name] = { thrown, name: error.name, code: error.code, message: error.message }
       }
     }
     console.log(JSON.stringify({ exports: Object.keys(nsset).sort(), outcomes }))`,
  )
}

const ASYNCHRONOUS = ['fromContainer', 'fromId', 'unshare', 'unmount']

describe.each(['darwin', 'win32', 'freebsd'])('on %s', (platform) => {
  test.each([
    ['import', "await import('nsset')"],
    ['require', "require('nsset')"],
  ])('%s has the same exports, and every function throws', async (_, load) => {
    const { exports, outcomes } = await ask(platform, load)
    const ours = Object.keys(await import('nsset')).sort()
    expect(exports.filter((name) => name !== '__esModule' && name !== 'module.exports')).toEqual(ours)
    expect(Object.keys(outcomes).length).toBeGreaterThanOrEqual(10)
    for (const [name, outcome] of Object.entries(outcomes)) {
      expect(outcome, name).toEqual({
        thrown: !ASYNCHRONOUS.includes(name),
        name: 'TypeError',
        code: 'ERR_NSSET_UNSUPPORTED_PLATFORM',
        message: `nsset needs Linux, and this is ${platform}-${process.arch}`,
      })
    }
  })
})

/** Creates a set in a process with another architecture, without a binary. */
function askOnArch(arch: string): Promise<{ code: string; message: string; cause: string }> {
  return askPlainNode(
    `Object.defineProperty(process, 'arch', { value: '${arch}' })
     const { NamespaceSet } = await import('nsset')
     try {
       NamespaceSet.current()
     } catch ({ code, message, cause }) {
       console.log(JSON.stringify({ code, message, cause: String(cause) }))
     }`,
  )
}

describe('on Linux without a binary', () => {
  test('the error names the missing package, and the command that installs it', async () => {
    const arch = process.arch === 'arm64' ? 'x64' : 'arm64'
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
    const name = `nsset-linux-${arch}-${header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`
    expect(await askOnArch(arch)).toEqual({
      code: 'ERR_NSSET_UNSUPPORTED_PLATFORM',
      message: `nsset has no working binary for linux-${arch}: the package ${name} is missing; npm install --include=optional brings it`,
      cause: expect.stringContaining('Cannot find native binding'),
    })
  })

  test('the error suggests building it when no binary is published', async () => {
    expect(await askOnArch('pdp11')).toEqual({
      code: 'ERR_NSSET_UNSUPPORTED_PLATFORM',
      message: 'nsset has no working binary for linux-pdp11; it has to be built from source',
      cause: expect.stringContaining('Cannot find native binding'),
    })
  })
})
