/** The program of the other host: a client. It sends its measurements to its parent: `Measured` of two-hosts.ts. */

const [server, requests] = process.argv.slice(2)

async function timed(path) {
  const start = performance.now()
  const response = await fetch(new URL(path, server))
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  const { byteLength: bytes } = await response.arrayBuffer()
  return { took: performance.now() - start, bytes }
}

await timed('/') // creates the connection that the others use
const roundTrips = []
while (roundTrips.length < Number(requests)) roundTrips.push((await timed('/')).took)
process.send({ roundTrips, large: await timed('/large') })
