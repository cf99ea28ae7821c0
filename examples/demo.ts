/**
 * The main use case: a set of all eight kinds, created, examined from inside and outside, and closed; then a network of
 * two hosts. Runs as root, and as an ordinary user.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname, release, userInfo } from 'node:os'
import { type NamespaceKind, NamespaceSet } from 'nsset'
import { bold, green, say, verdict } from './demo/terminal.ts'
import { showTwoHosts } from './demo/two-hosts.ts'

const KINDS: NamespaceKind[] = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts']
const YEAR = 365 * 24 * 60 * 60

const numberOf = (link: string) => link.replace(/\D/g, '')
const own = (kind: NamespaceKind) => numberOf(readlinkSync(`/proc/thread-self/ns/${kind}`))

console.log(bold(`\nnsset on Linux ${release()}, as ${userInfo().username} (uid ${userInfo().uid})\n`))

const before = new Map(KINDS.map((kind) => [kind, own(kind)]))
const outside = hostname()

const start = process.hrtime.bigint()
await using set = await NamespaceSet.unshare(KINDS, {
  mapUser: 'root',
  hostname: 'inside-nsset',
  loopback: true,
  timeOffsets: { boottime: YEAR },
  mounts: [{ type: 'proc', target: '/proc', noSuid: true, noDev: true, noExec: true }],
})
const took = Number(process.hrtime.bigint() - start) / 1e6

/** The output of a program inside. */
const inside = async (file: string, ...args: string[]) => (await set.execFile(file, args)).stdout.trim()

const links = await Promise.all(KINDS.map((kind) => inside('readlink', `/proc/self/ns/${kind}`)))
console.log(bold(`  ${'namespace'.padEnd(12)}${'before'.padEnd(14)}${'inside'.padEnd(14)}after`))
for (const [index, kind] of KINDS.entries()) {
  const [was, is, now] = [before.get(kind) ?? '', numberOf(links[index] ?? ''), own(kind)]
  const after = verdict(was === now && was !== is, 'as before', 'CHANGED')
  console.log(`  ${kind.padEnd(12)}${was.padEnd(14)}${is.padEnd(14)}${now}  ${after}`)
}
console.log(`\n  All eight made in ${took.toFixed(1)} ms, and no thread of this process has moved.\n`)

say('who is inside', await inside('id'))
say('that is, outside', (await inside('cat', '/proc/self/uid_map')).replace(/\s+/g, ' '))
say('host name inside', await inside('hostname'))
say('host name outside', verdict(hostname() === outside, `${outside} (untouched)`, `CHANGED to ${hostname()}`))
say('links inside', (await set.network.links.list()).map(({ name, up }) => `${name}, ${up ? 'up' : 'down'}`).join('; '))
say('up for, inside', `${Math.floor(Number((await inside('cat', '/proc/uptime')).split('.')[0]) / 86_400)} days`)
say('up for, outside', `${Math.floor(Number(readFileSync('/proc/uptime', 'latin1').split('.')[0]) / 86_400)} days`)
say('processes inside', '')
for (const line of (await inside('ps', '-eo', 'pid,user,comm')).split('\n')) console.log(`    ${line}`)

if (process.getuid?.() === 0) {
  // Root may enter with this thread, and return.
  const entered = process.hrtime.bigint()
  const name = set.do(() => hostname(), { kinds: ['uts', 'net', 'ipc', 'cgroup'] })
  const micros = Number(process.hrtime.bigint() - entered) / 1e3
  console.log()
  say('do(() => hostname())', `'${name}' on this thread, there and back in ${micros.toFixed(0)} µs`)
} else {
  console.log()
  say('do()', 'is for root; an ordinary user runs programs inside')
}

await showTwoHosts()

set.close()
console.log(green('\n  Closed: the namespaces, and all that ran in them, are gone.\n'))
