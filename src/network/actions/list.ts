import type { Plain } from '../../validate/fields.ts'
import { type Action, operation } from './action.ts'
import { readTable, type Table } from './table.ts'

/**
 * A list of what is in a network. The kernel sends a list in pieces, and reports if it changes in the meantime: nsset then asks again.
 * If it changes again and again, the list is what the kernel returned at last, and `consistent` is `false`: what changed in the
 * meantime can be missing, or be in the list twice. Other lists have no such property.
 */
export interface List<T> extends Array<T> {
  readonly consistent?: false
}

/** A list that changed while the kernel sent it. */
interface Approximation<T> {
  readonly consistent: false
  readonly items: Items<T>
}

/** The objects of a list, of which a long one has most in a table. */
type Items<T> = T[] | { readonly first: T[]; readonly table: Table }

function readItems<T>(items: Items<T>): T[] {
  if (Array.isArray(items)) return items
  const others = readTable(items.table) as T[]
  return items.first.length === 0 ? others : items.first.concat(others)
}

function readList<T>(answer: Items<T> | Approximation<T>): List<T> {
  if (!('consistent' in answer)) return readItems(answer)
  // Not enumerable: it is no element, and equality of lists is that of their elements.
  return Object.defineProperty(readItems(answer.items), 'consistent', { value: false })
}

/** @internal Creates an action that lists objects. `each` converts them in place. */
export function listing<T>(
  name: string,
  fields: Plain,
  target: (operation: Plain) => string,
  each?: (items: T[]) => void,
): Action<List<T>> {
  return operation(name, fields, target, (answer: Items<T> | Approximation<T>) => {
    const list = readList(answer)
    each?.(list)
    return list
  })
}
