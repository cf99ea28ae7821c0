/** On other systems the package is there, and says of everything that it needs Linux. */
import { describe, expect, test } from 'vitest'
import { askPlainNode } from './setup/plain-node.ts'

interface Answer {
  exports: string[]
  outcomes: Record<string, { thrown: boolean; name: string; code: string; message: string }>
}

/** Loads the package in a process that says it is another system's, and calls all that can be called without a set. */
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
     // Whatever is added later is asked too, without arguments.
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

const ASYNCHRONOUS = ['fromContainer', 'unshare', 'unmount']

describe.each(['darwin', 'win32', 'freebsd'])('on %s', (platform) => {
  test.each([
    ['import', "await import('nsset')"],
    ['require', "require('nsset')"],
  ])('%s gives the same names, and every function throws', async (_, load) => {
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

test('on Linux without a binary for it, the error says so and has its cause', async () => {
  const outcome = await askPlainNode<{ code: string; message: string; cause: string }>(
    `import { createRequire } from 'node:module'
     // No binary is published for it, and the one that was built here has another name.
     Object.defineProperty(process, 'arch', { value: 'pdp11' })
     const { NamespaceSet } = await import('nsset')
     try {
       NamespaceSet.current()
     } catch ({ code, message, cause }) {
       console.log(JSON.stringify({ code, message, cause: String(cause) }))
     }`,
  )
  expect(outcome).toEqual({
    code: 'ERR_NSSET_UNSUPPORTED_PLATFORM',
    message: expect.stringContaining('no working binary for linux-pdp11'),
    cause: expect.stringContaining('Cannot find native binding'),
  })
})
