import { type FieldsOf, parseFields } from './fields.ts'
import { u32 } from './values.ts'

/** Maps `size` ids inside, from `containerId` on, to as many ids of the parent user namespace, from `hostId` on. */
export interface IdMap {
  /** The first id inside. */
  containerId: number
  /** The first id in the parent user namespace. An ordinary user without subordinate ids can only map their own id. */
  hostId: number
  /** The number of ids, at least 1. */
  size: number
}

const ID_MAP = { containerId: u32, hostId: u32, size: u32 } satisfies FieldsOf<IdMap>

/** @internal */
export const idMap = (value: unknown, name: string) =>
  parseFields(value, name, ID_MAP, ['containerId', 'hostId', 'size'])
