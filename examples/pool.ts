/**
 * A pool of networks: each request is served in a network of its own, which was ready before the request came. Runs as
 * root, and as an ordinary user.
 */
import { NamespacePool, NamespaceSet } from 'nsset'

const OPTIONS = { mapUser: 'root', loopback: true } as const

await using pool = new NamespacePool(['user', 'net'], {
  size: 4,
  unshare: OPTIONS,
  // What every set is to have before it is handed out.
  afterCreate: (set) => set.execFile('ip', ['address', 'add', '10.0.0.1/8', 'dev', 'lo']),
})
while (pool.length < 4) await new Promise((resolve) => setTimeout(resolve, 5))
console.log(`${pool.length} networks are ready`)

const start = performance.now()
const first = await pool.get()
const gotIn = performance.now() - start
const made = performance.now()
const unpooled = await NamespaceSet.unshare(['user', 'net'], OPTIONS)
const madeIn = performance.now() - made
unpooled.close()
console.log(`a set from the pool took ${(gotIn * 1_000).toFixed(0)} µs, making one ${(madeIn * 1_000).toFixed(0)} µs`)

/** One request: a network that nobody else has, from the pool, and gone afterwards. */
async function handle(request: string): Promise<string> {
  using set = await pool.get()
  const { stdout } = await set.execFile('ip', ['-brief', '-4', 'address', 'show', 'lo'])
  return `${request} in ${set.id('net')}: ${stdout.trim().split(/\s+/).slice(2).join(' ')}`
}
for (const answer of await Promise.all(['red', 'green', 'blue', 'white', 'black'].map(handle))) console.log(answer)

// What leaves no trace may be put back, and is used again.
const id = first.id('net')
while (pool.length > 0) (await pool.get()).close()
pool.put(first)
const again = await pool.get()
console.log(`${id} was put back${again.id('net') === id ? ', and given out again' : ''}`)
again.close()
