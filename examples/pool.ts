/**
 * A pool of networks: each request is served in its own network, created before the request arrives. Runs as
 * root, and as an ordinary user.
 */
import { NamespacePool, NamespaceSet } from 'nsset'

const OPTIONS = { mapUser: 'root', loopback: true } as const

await using pool = new NamespacePool(['user', 'net'], {
  size: 4,
  unshare: OPTIONS,
  // The setup of every set before it is available.
  afterCreate: (set) => set.network.addresses.add('lo', '10.0.0.1/8'),
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

/** One request: it gets an exclusive network from the pool, which is closed afterwards. */
async function handle(request: string): Promise<string> {
  using set = await pool.get()
  const addresses = (await set.network.addresses.list('lo')).filter(({ family }) => family === 'IPv4')
  return `${request} in ${set.id('net')}: ${addresses.map(({ cidr }) => cidr).join(' ')}`
}
for (const answer of await Promise.all(['red', 'green', 'blue', 'white', 'black'].map(handle))) console.log(answer)

// A set without changes may be put back, and is used again.
const id = first.id('net')
while (pool.length > 0) (await pool.get()).close()
pool.put(first)
const again = await pool.get()
console.log(`${id} was put back${again.id('net') === id ? ', and given out again' : ''}`)
again.close()
