/** Threads that were started while the main thread was inside: they are inside from the beginning. */
import { expect } from 'vitest'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

asRoot('a Worker sees the files inside, also by the asynchronous functions', 'to enter a mount namespace', async () => {
  using directory = temporaryDirectory()
  const names = await askPlainNode<string[][]>(
    `
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    import { NamespaceSet } from 'nsset'
    const set = NamespaceSet.unshareSync('mnt', { mounts: [{ type: 'tmpfs', target: process.env.DIRECTORY }] })
    set.enter({ mainThread: true })
    const code = \`
      import { parentPort } from 'node:worker_threads'
      import { NamespaceSet, netns } from 'nsset'
      const directory = process.env.DIRECTORY + '/netns'
      const set = NamespaceSet.unshareSync('net')
      netns.attachSync('blue', set, { directory })
      parentPort.postMessage([netns.listSync({ directory }), await netns.list({ directory })])\`
    const [names] = await once(new Worker(code, { eval: true }), 'message')
    console.log(JSON.stringify(names))`,
    { env: { DIRECTORY: directory.path } },
  )
  expect(names).toEqual([['blue'], ['blue']])
})
