/**
 * Runs a command in a box with a way out, and prints each name and address that it asked for, and whether that was allowed:
 * `npx tsx examples/what-did-it-reach.ts npm view left-pad version`. The machine, private networks and the metadata of clouds are
 * closed to it.
 */
import { Sandbox } from 'nsset/sandbox'

const [command, ...args] = process.argv.slice(2)
if (command === undefined) throw new Error('COMMAND is required')

/** What was asked for, and what became of it. */
const rows = new Map<string, string>()

const box = await Sandbox.create({
  network: {
    decide: ({ protocol, address, port, names }) => {
      rows.set([protocol, address, port, ...names].join(' '), 'allowed')
      return true
    },
  },
})
const refused = (async () => {
  for await (const { network } of box.refusals()) {
    if (network === undefined) continue
    const { protocol, address, port, name, kind, reason } = network
    const asked = [protocol, address, port, name].filter((part) => part !== undefined)
    rows.set(asked.join(' '), `refused: ${kind ?? reason}`)
  }
})()
const { stdout, stderr, exitCode } = await box.execFile(command, args, { reject: false })
await box.close()
await refused
process.stdout.write(stdout)
process.stderr.write(stderr)
for (const [asked, result] of rows) console.log(`${asked}: ${result}`)
process.exitCode = exitCode ?? 1
