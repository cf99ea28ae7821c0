/** What the other host runs: a client, which tells its parent what it measured. */

export interface Measured {
  /** Milliseconds of each small request. */
  roundTrips: number[]
  /** The large answer: how long it took, in milliseconds, and its bytes. */
  large: { took: number; bytes: number }
}

const [server, requests] = process.argv.slice(2)

async function timed(path: string): Promise<Measured['large']> {
  const start = performance.now()
  const response = await fetch(new URL(path, server))
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  const { byteLength: bytes } = await response.arrayBuffer()
  return { took: performance.now() - start, bytes }
}

await timed('/') // makes the connection that the others use
const roundTrips: number[] = []
while (roundTrips.length < Number(requests)) roundTrips.push((await timed('/')).took)
process.send?.({ roundTrips, large: await timed('/large') } satisfies Measured)
