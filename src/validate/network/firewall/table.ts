import { invalidValue } from '../../../errors.ts'
import { type FieldsOf, type Parse, type Plain, parseFields } from '../../fields.ts'
import { boolean, word } from '../../values.ts'
import { chainOf, type FirewallChain, type FirewallFamily } from './chain.ts'
import { type FirewallFlowTable, flowTables } from './flow-table.ts'
import { byName, comment, objectName } from './matching/names.ts'
import { type FirewallObjects, OBJECTS } from './objects.ts'
import { checkReferences } from './references.ts'
import { type FirewallKey, type FirewallSet, parseSet } from './set.ts'

/** What is in a table. */
export interface FirewallTableSpec extends FirewallObjects {
  /** Default: that of the reference, or `'inet'`. */
  family?: FirewallFamily | undefined
  /** It must be that of the reference. */
  name?: string | undefined
  /** Whether its chains get no packets. Default: `false`. */
  dormant?: boolean | undefined
  comment?: string | undefined
  chains?: Readonly<Record<string, FirewallChain>> | undefined
  sets?: Readonly<Record<string, FirewallSet>> | undefined
  flowTables?: Readonly<Record<string, FirewallFlowTable>> | undefined
}

/** A table, as {@link NetworkFirewall.get} returns it. */
export interface FirewallTable extends FirewallTableSpec {
  family: FirewallFamily
  name: string
  chains: Readonly<Record<string, FirewallChain>>
}

/** What a counter has counted. */
export interface FirewallCount {
  packets: number
  bytes: number
}

/** What the counters and quotas of a table have counted. */
export interface FirewallCounts {
  counters: Record<string, FirewallCount>
  /** In bytes. */
  quotas: Record<string, number>
  /** The `'counter'` statements, with their chain and the position of their rule in it. */
  rules: (FirewallCount & { chain: string; rule: number })[]
  /** The counters that elements of sets have of their own. */
  elements: (FirewallCount & { set: string; key: FirewallKey })[]
}

/** A table: its name in the family `inet`, or its name and family. A {@link FirewallTable} of a list is accepted too. */
export type FirewallTableRef = string | { name: string; family?: FirewallFamily | undefined }

const family = word('inet', 'ip', 'ip6', 'arp', 'bridge', 'netdev')

const TABLE = {
  family,
  name: objectName,
  dormant: boolean,
  comment,
  chains: (value) => value,
  sets: byName(parseSet),
  flowTables,
  ...OBJECTS,
} satisfies FieldsOf<FirewallTableSpec>

/** @internal */
export interface ParsedTableRef {
  family: FirewallFamily
  name: string
}

/** @internal Other properties are those of a table, which do not matter here. */
export const parseTableRef: Parse<ParsedTableRef> = (value, name) => {
  const reference = looseRef(value, name)
  return { family: reference.family ?? 'inet', name: reference.name }
}

function looseRef(value: unknown, name: string): { family: FirewallFamily | undefined; name: string } {
  if (typeof value === 'string') return { family: undefined, name: objectName(value, name) }
  const fields = {
    ...Object.fromEntries(Object.keys(TABLE).map((key) => [key, () => undefined])),
    family,
    name: objectName,
  }
  const parsed = parseFields(value, name, fields, ['name'])
  return { family: parsed.family as FirewallFamily | undefined, name: parsed.name as string }
}

/** @internal */
export function parseTable(ref: unknown, table: unknown): Plain {
  const reference = looseRef(ref, 'ref')
  const parsed = parseFields(table, 'table', TABLE)
  if (parsed.name !== undefined && parsed.name !== reference.name) {
    throw invalidValue('table.name', `must be '${reference.name}', or be omitted`, parsed.name)
  }
  if (parsed.family !== undefined && reference.family !== undefined && parsed.family !== reference.family) {
    throw invalidValue('table.family', `must be '${reference.family}', or be omitted`, parsed.family)
  }
  const of = parsed.family ?? reference.family ?? 'inet'
  const chains = byName(chainOf(of))(parsed.chains ?? {}, 'table.chains')
  const whole = { ...parsed, family: of, name: reference.name, chains }
  checkReferences(whole)
  return whole
}

/** @internal For messages. */
export function describeTable({ table }: Plain): string {
  const { family: of, name } = (table ?? {}) as { family?: string; name?: string }
  return name === undefined ? '' : `'${of} ${name}'`
}
