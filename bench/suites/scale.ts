/** The cost of each network, with a server in it, when one process holds more and more of them. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type Figures, figuresOf } from '../measure.ts'
import type { Cost } from '../peers/many-networks.ts'
import type { Row } from '../row.ts'

const AMOUNTS = [1_000, 10_000]
const ROUNDS = 3
const MOST_DESCRIPTORS = 65_536
/** Growth beyond this would not be linear. */
const MOST_GROWTH = 1.2
const WHY_MEMORY = 'A set, its network and a server with its handle; the memory of the kernel is not in it.'

export async function suite(): Promise<Row[]> {
  if (process.getuid?.() !== 0) return []
  const costs = new Map<number, Cost[]>(AMOUNTS.map((amount) => [amount, []]))
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const amount of AMOUNTS) costs.get(amount)?.push(await costOf(amount))
  }
  return [...costs].flatMap(([amount, all]) => {
    const row = (name: string, unit: Row['unit'], of: keyof Cost): Row => ({
      name: `${name} each of ${amount.toLocaleString('en')} networks with a server`,
      unit,
      ours: figures(all, of),
      peers: {},
      work: { series: name, of: 'networks', amount },
      targets: amount === AMOUNTS[0] ? [] : [{ of: 'growth', most: MOST_GROWTH }],
    })
    return [
      row('create', 'µs', 'create'),
      row('close', 'µs', 'close'),
      { ...row('RSS for', 'KiB', 'rss'), why: WHY_MEMORY },
      { ...row('descriptors for', 'descriptors', 'descriptors'), targets: [{ of: 'ours', most: 3 }] },
    ]
  })
}

function figures(costs: readonly Cost[], of: keyof Cost): Figures {
  return figuresOf(costs.map((cost) => cost[of]))
}

/** In a process of its own, which may open more descriptors than this one. */
async function costOf(amount: number): Promise<Cost> {
  const program = new URL('../peers/many-networks.ts', import.meta.url)
  const node = [process.execPath, ...process.execArgv, '--expose-gc']
  const child = fork(program, [String(amount)], {
    timeout: 120_000,
    execPath: 'prlimit',
    execArgv: [`--nofile=${MOST_DESCRIPTORS}`, ...node],
  })
  const [cost] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(failed)])) as [Cost]
  return cost
}

function failed(): never {
  throw new Error('many-networks.ts ended without a result')
}
