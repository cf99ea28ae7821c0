/** `network.fetch` in another mount namespace, where the path of an installed undici leads to what programs inside have written. */
import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bundledApp } from '../setup/package/bundled-app.ts'
import { isRoot } from '../setup/sets/privilege.ts'

const PROGRAM = `
import { createServer } from 'node:http'
import { isMainThread, Worker } from 'node:worker_threads'
import { NamespaceSet } from 'nsset'
if (isMainThread) new Worker(new URL(import.meta.url))
else {
  const target = process.cwd() + '/node_modules/undici'
  const set = NamespaceSet.unshareSync(['mnt', 'net'], { loopback: true, mounts: [{ type: 'tmpfs', target }] })
  const write = 'cd "$0" && echo "{}" > package.json && echo "console.log(1)" > index.js'
  await set.execFile('sh', ['-c', write, target])
  set.enter()
  const server = createServer((request, response) => response.end('answer'))
  await set.network.listen(server, { host: '127.0.0.1', port: 0 })
  const answer = await set.network.fetch('http://127.0.0.1:' + server.address().port + '/')
  console.log(JSON.stringify(await answer.text()))
  server.close()
  set.close()
}
`

test('uses the undici of Node.js after enter(), and not one that a program inside has planted', async ({ skip }) => {
  if (!isRoot) skip("an ordinary user's thread may not enter a mount namespace (setns(2))")
  using app = bundledApp()
  mkdirSync(app.directory.file('node_modules/undici'))
  const { stdout, stderr } = await app.run(PROGRAM)
  expect(stdout, stderr).toBe('"answer"\n')
})
