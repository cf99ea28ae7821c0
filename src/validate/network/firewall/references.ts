import { invalidValue } from '../../../errors.ts'
import type { Plain } from '../../fields.ts'
import { nearest } from '../../nearest.ts'
import { isSetName } from './test.ts'

type Chains = Readonly<Record<string, { hook?: string; rules?: unknown[][] }>>

/** @internal A table after its parts were checked. */
interface Whole {
  chains: Readonly<Record<string, Plain>>
  sets?: Readonly<Record<string, Plain>>
  counters?: Readonly<Record<string, unknown>>
  quotas?: Readonly<Record<string, unknown>>
}

/** @internal Checks that the chains, sets and objects that rules name are in the table, and that no jumps form a circle. */
export function checkReferences(table: Whole): void {
  const chains = table.chains as Chains
  const jumps = new Map<string, Set<string>>()
  const check = (kind: string, known: object, name: string, at: string) => {
    if (Object.hasOwn(known, name)) return
    const meant = nearest(name, Object.keys(known))
    const suggestion = meant === undefined ? '' : `; did you mean '${meant}'?`
    throw invalidValue(at, `names a ${kind} that is not in the table${suggestion}`, name)
  }
  const jump = (from: string, verdict: unknown, at: string) => {
    const { jump: back, goto } = verdict as { jump?: string; goto?: string }
    const to = back ?? goto
    if (to === undefined) return
    check('chain', chains, to, at)
    if (chains[to]?.hook !== undefined) throw invalidValue(at, 'names a base chain, to which no rule can jump', to)
    jumps.set(from, (jumps.get(from) ?? new Set()).add(to))
  }
  for (const [name, { rules = [] }] of Object.entries(chains)) {
    for (const [index, rule] of rules.entries()) {
      for (const [position, statement] of rule.entries()) {
        if (typeof statement !== 'object' || statement === null) continue
        const at = `table.chains.${name}.rules[${index}][${position}]`
        const [key, value] = Object.entries(statement)[0] as [string, unknown]
        if (key === 'jump' || key === 'goto') jump(name, statement, at)
        else if (key === 'counter') check('counter', table.counters ?? {}, value as string, at)
        else if (key === 'quota' && typeof value === 'string') check('quota', table.quotas ?? {}, value, at)
        else {
          for (const set of setsIn(value)) check('set', table.sets ?? {}, set, at)
          for (const verdict of verdictsIn(value)) jump(name, verdict, at)
        }
      }
    }
  }
  for (const [name, set] of Object.entries(table.sets ?? {})) {
    for (const [index, element] of ((set['elements'] ?? []) as Plain[]).entries()) {
      const verdict = typeof element === 'object' ? element['verdict'] : undefined
      // Any chain can look up a map, so only the target of a jump is known.
      if (typeof verdict === 'object') jump(`@${name}`, verdict, `table.sets.${name}.elements[${index}].verdict`)
    }
  }
  checkCircles(chains, jumps)
}

/** The names of sets in the test of a match. */
function setsIn(test: unknown): string[] {
  if (isSetName(test)) return [test.slice(1)]
  if (typeof test !== 'object' || test === null || Array.isArray(test)) return []
  return Object.values(test)
    .filter(isSetName)
    .map((name) => name.slice(1))
}

function verdictsIn(test: unknown): unknown[] {
  const pairs = typeof test === 'object' && test !== null ? (test as Plain)['vmap'] : undefined
  return Array.isArray(pairs) ? pairs.map((pair) => pair[1]).filter((verdict) => typeof verdict === 'object') : []
}

function checkCircles(chains: Chains, jumps: ReadonlyMap<string, ReadonlySet<string>>): void {
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name)) {
      const circle = [...path.slice(path.indexOf(name)), name].join(' → ')
      throw invalidValue('table.chains', `must not jump in a circle (${circle})`, name)
    }
    if (done.has(name)) return
    for (const next of jumps.get(name) ?? []) visit(next, [...path, name])
    done.add(name)
  }
  for (const name of Object.keys(chains)) visit(name, [])
}
