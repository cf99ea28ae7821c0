/** The cost of holding sets: all kinds, and the network alone. Each is closed again. */
import { NamespaceSet, NS } from 'nsset'
import { bareDup, bareOpenOwn } from '../bare.ts'
import { compare } from '../compare.ts'
import { microseconds } from '../measure.ts'
import { openGo } from '../peers/go.ts'
import { openGonso } from '../peers/gonso.ts'
import type { Row } from '../row.ts'

const CALLS = 500
const ROUNDS = 60
const ALL = Object.values(NS).reduce((mask, flag) => mask | flag, 0)

export async function suite(): Promise<Row[]> {
  await using gonso = await openGonso()
  await using go = await openGo()
  using set = NamespaceSet.current()
  using fds = set.fds('net')
  const count = set.kinds.length
  const fd = fds.get('net')
  return [
    await compare({
      name: 'current(), close()',
      unit: 'µs',
      ours: () => microseconds(() => NamespaceSet.current().close(), CALLS),
      floor: { is: `open(2) of ${count} files, close(2)`, sample: () => microseconds(bareOpenOwn, CALLS) },
      peers: { gonso: gonso?.sample({ do: 'Current', times: CALLS, flags: ALL }) },
      rounds: ROUNDS,
      targets: [{ of: 'ours', most: 20 }],
      why: 'The descriptors of known namespaces are shared: the kernel is only queried for their identity.',
    }),
    await compare({
      name: "current('net'), close()",
      unit: 'µs',
      ours: () => microseconds(() => NamespaceSet.current('net').close(), CALLS),
      peers: {
        gonso: gonso?.sample({ do: 'Current', times: CALLS, flags: NS.NET }),
        netns: go?.sample({ do: 'netns.Get', times: CALLS }),
      },
      rounds: ROUNDS,
      why:
        'Each asks /proc once. Of the 6 µs of nsset, 40 % are the kernel, which reads a link, and the rest the two objects of the set: ' +
        'their creation, their registration with the garbage collector, and their end.',
    }),
    await compare({
      name: 'dup(), close()',
      unit: 'µs',
      ours: () => microseconds(() => set.dup().close(), CALLS),
      floor: {
        is: `fcntl(F_DUPFD_CLOEXEC) of ${count}, close(2)`,
        sample: () => microseconds(() => bareDup(fd, count), CALLS),
      },
      peers: { gonso: gonso?.sample({ do: 'Set.Dup', times: CALLS, flags: ALL }) },
      rounds: ROUNDS,
      targets: [{ of: 'ours', most: 7 }],
      why: 'Sets share their descriptors: none is duplicated until `fds()` is called.',
    }),
  ]
}
