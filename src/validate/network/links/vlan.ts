import { outOfRange } from '../../../errors.ts'
import { type FieldsOf, type Plain, parseFields } from '../../fields.ts'
import { boolean, described, whole } from '../../values.ts'

/** A VLAN that a bridge or a port is in, as in a list. */
export interface BridgeVlan {
  /** The port, or the bridge itself. */
  link: { index: number }
  /** The VLAN, 1 to 4094. */
  id: number
  /** Whether frames without a tag that arrive here are of this VLAN (`pvid`). */
  pvid: boolean
  /** Whether frames of this VLAN leave without a tag (`untagged`). */
  untagged: boolean
}

/** VLANs to add or delete: a number, or an object. It can be a {@link BridgeVlan} of a list. */
export type BridgeVlanSpec =
  | number
  | {
      /** The VLAN, 1 to 4094, or the first one of a range. */
      readonly id: number
      /** The last one of a range. Default: only `id`. */
      readonly to?: number | undefined
      /** Whether frames without a tag that arrive here are of this VLAN. There is one at a time. Default: `false`. */
      readonly pvid?: boolean | undefined
      /** Whether frames of this VLAN leave without a tag. Default: `false`. */
      readonly untagged?: boolean | undefined
    }

const id = whole(1, 4094)

const VLAN = { id, to: id, pvid: boolean, untagged: boolean, link: described } satisfies FieldsOf<
  Exclude<BridgeVlanSpec, number> | BridgeVlan
>

/** @internal */
export function parseBridgeVlan(given: unknown, name: string): Plain {
  if (typeof given === 'number') return { id: id(given, name) }
  const vlans = parseFields(given, name, VLAN, ['id'])
  if (vlans.to !== undefined && vlans.to < vlans.id)
    throw outOfRange(`${name}.to`, `at least id, ${vlans.id}`, vlans.to)
  return vlans
}
