import { invalidValue } from '../../../../errors.ts'
import { type FieldsOf, type Parse, parseFields } from '../../../fields.ts'
import { meant } from '../../../nearest.ts'
import { quoted } from '../../../values.ts'
import { objectName } from './names.ts'

/** A verdict that is a word. */
export type FirewallVerdictWord = 'accept' | 'drop' | 'return' | 'continue'

/** What happens to a packet: a word, or a chain of the table to go on with. After `jump`, packets return. */
export type FirewallVerdict = FirewallVerdictWord | { jump: string } | { goto: string }

/** @internal */
export const VERDICT_WORDS: readonly FirewallVerdictWord[] = ['accept', 'drop', 'return', 'continue']

const FIELDS = { jump: objectName, goto: objectName } satisfies FieldsOf<{ jump: string; goto: string }>

/** @internal */
export const parseVerdict: Parse<FirewallVerdict> = (value, name) => {
  if (VERDICT_WORDS.includes(value as FirewallVerdictWord)) return value as FirewallVerdict
  if (typeof value === 'object' && value !== null) {
    const parsed = parseFields(value, name, FIELDS)
    if (Object.keys(parsed).length === 1) return parsed as FirewallVerdict
  }
  const expected = `must be ${quoted(VERDICT_WORDS)}, { jump: chain } or { goto: chain }`
  throw invalidValue(name, expected + meant(value, VERDICT_WORDS), value)
}
