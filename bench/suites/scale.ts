/** The cost of each network, with a server in it, when one process holds more and more of them. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type Figures, figuresOf } from '../measure.ts'
import type { Cost } from '../peers/many-networks.ts'
import type { Row } from '../row.ts'

/** A set and a server have a descriptor each, and the process may have few. */
const DESCRIPTORS_EACH = 2
const OTHER_DESCRIPTORS = 200
const AMOUNTS = [1_000, Math.min(10_000, Math.floor((mostDescriptors() - OTHER_DESCRIPTORS) / DESCRIPTORS_EACH))]
const ROUNDS = 3
/** Growth beyond this would not be linear. */
const MOST_GROWTH = 1.2
const WHY_CLOSE =
  'The kernel frees networks in the background, on the same processors; the time of nsset itself does not grow.'
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
      { ...row('close', 'µs', 'close'), why: WHY_CLOSE },
      { ...row('RSS for', 'KiB', 'rss'), why: WHY_MEMORY },
      {
        ...row('descriptors for', 'descriptors', 'descriptors'),
        targets: [{ of: 'ours', most: DESCRIPTORS_EACH + 0.1 }],
      },
    ]
  })
}

function figures(costs: readonly Cost[], of: keyof Cost): Figures {
  return figuresOf(costs.map((cost) => cost[of]))
}

/** The hard limit, to which Node.js raises its own. */
function mostDescriptors(): number {
  const [, most] = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
  return Number(most)
}

/** In a process of its own. */
async function costOf(amount: number): Promise<Cost> {
  const program = new URL('../peers/many-networks.ts', import.meta.url)
  const child = fork(program, [String(amount)], { timeout: 120_000, execArgv: [...process.execArgv, '--expose-gc'] })
  const [cost] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(failed)])) as [Cost]
  return cost
}

function failed(): never {
  throw new Error('many-networks.ts ended without a result')
}
