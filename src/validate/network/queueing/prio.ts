import { invalidValue } from '../../../errors.ts'
import { type FieldsOf, type Parse, parseArray } from '../../fields.ts'
import { whole } from '../../values.ts'

/** The band of each of the 16 priorities of packets, from priority 0 on. */
export type PriorityMap = readonly number[]

/** Options of prio, which serves a band while all bands before it are empty: tc-prio(8). Each band is a class, such as `'1:1'`. */
export interface PrioData {
  /** Number of bands, 2 to 16. Default: `3`. */
  bands?: number | undefined
  /** Default: that of `tc`, `[1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]`, as far as there are bands. */
  priorityMap?: PriorityMap | undefined
}

const PRIORITIES = 16

/** @internal */
export function priorityMapOf(bands: number): Parse<number[]> {
  return (value, name) => {
    const given = parseArray(value, name, whole(0, bands - 1))
    if (given.length === PRIORITIES) return given
    throw invalidValue(name, `must have ${PRIORITIES} numbers, one for each priority`, value)
  }
}

/** @internal */
export const PRIO = { bands: whole(2, 16), priorityMap: priorityMapOf(16) } satisfies FieldsOf<PrioData>
