/** A program that ends with a close: Node.js runs until it is done, also if the object was unreferenced. */
import { describe, expect, test } from 'vitest'
import { runPlainNode } from '../setup/programs/plain-node.ts'

const HEADING = `
  import { NamespacePool, NamespaceSet } from 'nsset'
  import { Sandbox } from 'nsset/sandbox'
  const options = { mapUser: 'root', loopback: true }
  const { network } = globalThis.set = await NamespaceSet.unshare(['user', 'net'], options)
`

const CASES = {
  'a set': `await set[Symbol.asyncDispose]()`,
  'a set with a pid namespace': `
    const other = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
    other.spawn('sleep', ['60'], { stdio: 'ignore' }).unref()
    await other[Symbol.asyncDispose]()`,
  'an unreferenced child': `
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    child.unref()
    await child[Symbol.asyncDispose]()`,
  'a capture': `await network.capture('lo')[Symbol.asyncDispose]()`,
  'an unreferenced capture': `await network.capture('lo').unref()[Symbol.asyncDispose]()`,
  'an unreferenced forwarding': `
    const forwarding = await network.publish({ port: 0, to: { port: 80 } })
    await forwarding.unref().close()`,
  'an unreferenced forwarding with open connections': `
    const { connect, createServer } = await import('node:net')
    const server = createServer(() => {})
    await network.listen(server, { port: 80, host: '127.0.0.1' })
    const forwarding = await network.publish({ port: 0, to: { port: 80 } })
    connect(forwarding.port, '127.0.0.1').unref().on('error', () => {}) // it is reset
    await new Promise((resolve) => server.once('connection', (socket) => resolve(socket.unref().on('error', () => {}))))
    server.unref()
    await forwarding.unref().close({ grace: 200 })`,
  'an uplink': `await (await network.uplink()).close()`,
  'a watcher': `await network.watch('links').return()`,
  'a pool': `
    const pool = new NamespacePool(['user', 'net'], { size: 2, unshare: options })
    await pool[Symbol.asyncDispose]()`,
  'a box': `await (await Sandbox.create({ network: {} })).close()`,
}

describe('Node.js waits for the end of', () => {
  for (const [name, program] of Object.entries(CASES)) {
    test(name, async () => {
      const { code, stdout, stderr } = await runPlainNode(`${HEADING}${program}\nconsole.log('closed')`)
      // Node.js exits with 13 if a top-level await does not settle.
      expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: 'closed\n' })
    })
  }
})
