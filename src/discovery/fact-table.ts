import type { NamespaceKind } from '../namespace-kind.ts'
import { nameOf } from '../validate/kinds.ts'
import { idOf } from './holders.ts'

/** The numbers of a namespace. 0 is for what is not known. */
const COLUMNS = { flag: 0, inode: 1, uniqueId: 2, owner: 3, parent: 4, uidPlusOne: 5 } as const
const WIDTH = Object.keys(COLUMNS).length

/**
 * @hidden The namespaces of a list as the native side has them: a table of numbers. Nothing is decoded before it is read, so that
 * a list of thousands of namespaces does not hold up the event loop.
 */
export class FactTable {
  readonly #numbers: BigUint64Array

  constructor(numbers: BigUint64Array) {
    this.#numbers = numbers
  }

  get length(): number {
    return this.#numbers.length / WIDTH
  }

  flag(index: number): number {
    return this.#at(index, 'flag')
  }

  kind(index: number): NamespaceKind {
    return nameOf(this.flag(index))
  }

  id(index: number): string {
    return idOf(this.kind(index), this.#at(index, 'inode'))
  }

  owner(index: number): string | undefined {
    const inode = this.#at(index, 'owner')
    return inode === 0 ? undefined : idOf('user', inode)
  }

  parent(index: number): string | undefined {
    const inode = this.#at(index, 'parent')
    return inode === 0 ? undefined : idOf(this.kind(index), inode)
  }

  ownerUid(index: number): number | undefined {
    const uidPlusOne = this.#at(index, 'uidPlusOne')
    return uidPlusOne === 0 ? undefined : uidPlusOne - 1
  }

  uniqueId(index: number): bigint | undefined {
    return this.#numbers[index * WIDTH + COLUMNS.uniqueId] || undefined
  }

  /** Inode numbers have 32 bits. */
  #at(index: number, column: keyof typeof COLUMNS): number {
    return Number(this.#numbers[index * WIDTH + COLUMNS[column]])
  }
}
