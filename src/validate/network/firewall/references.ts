import { invalidValue } from '../../../errors.ts'
import type { Plain } from '../../fields.ts'
import { meant } from '../../nearest.ts'
import { isCopy } from './matching/mapping.ts'
import { SELECTORS } from './matching/selectors.ts'
import { isSetName } from './matching/test.ts'
import { type FirewallObjectKind, type FirewallObjects, OBJECT_KINDS, OBJECTS_OF, SET_BY } from './objects.ts'

type Chains = Readonly<Record<string, { hook?: string; rules?: unknown[][] }>>

/** @internal A table after its parts were checked. */
interface Whole extends Partial<Record<keyof FirewallObjects, object>> {
  chains: Readonly<Record<string, Plain>>
  sets?: Readonly<Record<string, Plain>>
  flowTables?: Readonly<Record<string, unknown>>
}

/** Where something is, which only messages need. */
type At = () => string

/** @internal Checks that the chains, sets and objects that rules name are in the table, and that no jumps form a circle. */
export function checkReferences(table: Whole): void {
  const check = new References(table)
  for (const [name, { rules = [] }] of Object.entries(check.chains)) {
    for (const [index, rule] of rules.entries()) {
      for (const [position, statement] of rule.entries()) {
        if (typeof statement !== 'object' || statement === null) continue
        check.statement(name, statement as Plain, () => `table.chains.${name}.rules[${index}][${position}]`)
      }
    }
  }
  for (const [name, set] of Object.entries(table.sets ?? {})) {
    const kind = set['data'] as FirewallObjectKind
    const objects = OBJECT_KINDS.includes(kind) ? { kind, all: table[OBJECTS_OF[kind]] } : undefined
    for (const [index, element] of ((set['elements'] ?? []) as Plain[]).entries()) {
      if (objects !== undefined) {
        const at = () => `table.sets.${name}.elements[${index}].value`
        known(objects.kind, objects.all, element['value'] as string, at)
      }
      const verdict = typeof element === 'object' ? element['verdict'] : undefined
      // Any chain can look up a map, so only the target of a jump is known.
      if (typeof verdict === 'object') {
        check.jump(`@${name}`, verdict, () => `table.sets.${name}.elements[${index}].verdict`)
      }
    }
  }
  check.circles()
}

/** Checks the names in the statements of a table. */
class References {
  readonly chains: Chains
  readonly #table: Whole
  readonly #jumps = new Map<string, Set<string>>()

  constructor(table: Whole) {
    this.#table = table
    this.chains = table.chains as Chains
  }

  statement(chain: string, statement: Plain, at: At): void {
    for (const key in statement) {
      const value = statement[key]
      if (key === 'jump' || key === 'goto') this.jump(chain, statement, at)
      else if (USED_BY_NAME.has(key)) this.#object(key as FirewallObjectKind, value, at)
      else if (key === 'flow add') known('flow table', this.#table.flowTables, (value as string).slice(1), at)
      else if (key === 'queue') this.#queue(value as Plain, at)
      else if (key === 'dup' || key === 'fwd') this.#destination(value as Plain, at)
      else if (key === 'add' || key === 'update' || key === 'delete') this.#element(value as Plain, at)
      else if (key === 'set') this.#change(value as Plain, at)
      else if (TRANSLATIONS.has(key)) this.#translation(value as Plain, at)
      else this.#test(chain, value, at)
    }
  }

  jump(from: string, verdict: unknown, at: At): void {
    const { jump: back, goto } = verdict as { jump?: string; goto?: string }
    const to = back ?? goto
    if (to === undefined) return
    known('chain', this.chains, to, at)
    if (this.chains[to]?.hook !== undefined)
      throw invalidValue(at(), 'names a base chain, to which no rule can jump', to)
    const all = this.#jumps.get(from)
    if (all === undefined) this.#jumps.set(from, new Set([to]))
    else all.add(to)
  }

  circles(): void {
    checkCircles(this.chains, this.#jumps)
  }

  /** A counter, quota or limit by its name, or by a map. */
  #object(kind: FirewallObjectKind, value: unknown, at: At): void {
    const all = this.#table[OBJECTS_OF[kind]]
    if (typeof value === 'string') {
      known(kind, all, value, at)
      return
    }
    for (const name of mapsIn(value)) this.#map(name, [kind], at)
    for (const { map } of Object.values(value as Plain) as { map?: unknown }[]) {
      for (const [, name] of (Array.isArray(map) ? map : []) as [unknown, string][]) known(kind, all, name, at)
    }
  }

  #queue({ num }: Plain, at: At): void {
    for (const name of isCopy(num) ? [] : mapsIn(num)) this.#map(name, ['mark'], at)
  }

  #destination({ to, device }: Plain, at: At): void {
    for (const name of mapsIn(to)) this.#map(name, ['ipv4_addr', 'ipv6_addr'], at)
    for (const name of mapsIn(device)) this.#map(name, ['iface_index'], at)
  }

  /** The set, and the verdicts, with which a match compares. */
  #test(chain: string, test: unknown, at: At): void {
    if (isSetName(test)) this.#set(test, at)
    if (typeof test !== 'object' || test === null || Array.isArray(test)) return
    const { vmap, ...others } = test as Plain
    for (const other of Object.values(others)) if (isSetName(other)) this.#set(other, at)
    if (isSetName(vmap)) this.#map(vmap, ['verdict'], at)
    for (const [, verdict] of (Array.isArray(vmap) ? vmap : []) as [unknown, unknown][]) {
      if (typeof verdict === 'object') this.jump(chain, verdict, at)
    }
  }

  #set(reference: string, at: At): Plain {
    const name = reference.slice(1)
    known('set', this.#table.sets, name, at)
    return this.#table.sets?.[name] as Plain
  }

  /** `types` are the types of values that fit. */
  #map(reference: string, types: readonly string[], at: At): void {
    const { data } = this.#set(reference, at)
    const found = data === undefined ? undefined : describeData(data)
    if (found !== undefined && types.includes(found)) return
    const is = found === undefined ? 'a set' : `a map to ${found}`
    throw invalidValue(at(), `needs a map to ${types.join(' or ')}, but '${reference.slice(1)}' is ${is}`, reference)
  }

  #translation({ to, port }: Plain, at: At): void {
    for (const name of mapsIn(to)) this.#map(name, NEW_ADDRESSES, at)
    for (const name of mapsIn(port)) this.#map(name, ['inet_service'], at)
  }

  #change(change: Plain, at: At): void {
    for (const selector in change) {
      const kind = (SET_BY as Record<string, FirewallObjectKind | undefined>)[selector]
      if (kind !== undefined && !isCopy(change[selector])) {
        this.#object(kind, change[selector], at)
        continue
      }
      const type = (SELECTORS as Record<string, string | undefined>)[selector]
      for (const name of mapsIn(change[selector])) this.#map(name, [type ?? 'its type'], at)
    }
  }

  #element({ set: reference, value, timeout }: Plain, at: At): void {
    const { data, flags } = this.#set(reference as string, at) as { data?: unknown; flags: readonly string[] }
    const missing = ['dynamic', ...(timeout === undefined ? [] : ['timeout'])].find((flag) => !flags.includes(flag))
    if (missing !== undefined) throw invalidValue(at(), `needs the flag '${missing}' of its set`, reference)
    if (data === 'verdict') throw invalidValue(at(), 'cannot change a map to verdicts', reference)
    if (value !== undefined && data === undefined) throw invalidValue(at(), "has a 'value', but no map", reference)
  }
}

/** The objects that are used by a statement of their name. */
const USED_BY_NAME: ReadonlySet<string> = new Set(['counter', 'quota', 'limit', 'synproxy'])

/** The statements that can have new addresses and ports. */
const TRANSLATIONS: ReadonlySet<string> = new Set(['masquerade', 'redirect', 'snat', 'dnat', 'tproxy'])

const ADDRESSES = ['ipv4_addr', 'ipv6_addr', 'ipv4_addr . inet_service', 'ipv6_addr . inet_service']
const NEW_ADDRESSES = [...ADDRESSES, ...ADDRESSES.map((type) => `interval ${type}`)]

/** What a map has, as nft(8) writes it. */
function describeData(data: unknown): string {
  const { interval } = data as { interval?: unknown }
  return interval === undefined ? [data].flat().join(' . ') : `interval ${[interval].flat().join(' . ')}`
}

function known(kind: string, all: object | undefined, name: string, at: At): void {
  if (all !== undefined && Object.hasOwn(all, name)) return
  throw invalidValue(at(), `names a ${kind} that is not in the table${meant(name, Object.keys(all ?? {}))}`, name)
}

/** The names of maps in a new value. */
function mapsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.values(value)
    .map((mapping) => (mapping as { map?: unknown }).map)
    .filter(isSetName)
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
