import { invalidValue } from '../../../errors.ts'
import { type FieldsOf, type Parse, type Plain, parseFields, parseObject } from '../../fields.ts'
import { boolean, described } from '../../values.ts'

/**
 * What a link does in place of the processor. Each of the named groups is one or several features of the kernel, and is `true` if
 * one of them is active.
 */
export interface Offload {
  /** Checks checksums of arriving packets (`rx`). */
  receiveChecksum: boolean
  /** Writes checksums of sent packets (`tx`). */
  transmitChecksum: boolean
  /** Sends packets whose parts are in several places of memory (`sg`). */
  scatterGather: boolean
  /** Divides TCP streams into segments (`tso`). */
  tso: boolean
  /** The kernel divides packets into segments just before it passes them to the link (`gso`). */
  gso: boolean
  /** The kernel joins arriving segments (`gro`). */
  gro: boolean
  /** The link joins arriving segments, so that they cannot be forwarded (`lro`). */
  lro: boolean
  /** Removes VLAN tags of arriving frames (`rxvlan`). */
  receiveVlan: boolean
  /** Inserts VLAN tags into sent frames (`txvlan`). */
  transmitVlan: boolean
  /** Sorts packets into queues by filters (`ntuple`). */
  ntuple: boolean
  /** Hashes arriving packets (`rxhash`). */
  receiveHash: boolean
  /** All other features, by the kernel's names: `'tx-udp-segmentation'`. */
  features: Record<string, boolean>
  /** The groups and features that cannot be changed. */
  fixed: string[]
}

/** Changes of what a link offloads. What you omit stays the same. It can be an {@link Offload}, whose `fixed` has no effect. */
export interface OffloadChanges extends Partial<Omit<Offload, 'features' | 'fixed'>> {
  /** Features by the kernel's names, as in the output of `ethtool -k`: `{ 'tx-udp-segmentation': false }`. */
  features?: Readonly<Record<string, boolean>> | undefined
  /** Without effect. */
  fixed?: readonly string[] | undefined
}

/** `ETH_GSTRING_LEN` of linux/ethtool.h, without the NUL. */
const NAME = /^[\w.-]{1,31}$/

const features: Parse<Record<string, boolean>> = (value, name) => {
  const given = Object.entries(parseObject(value, name)).filter(([, on]) => on !== undefined)
  const wrong = given.find(([feature]) => !NAME.test(feature))
  if (wrong !== undefined) throw invalidValue(name, "must have names of features, such as 'tx-udp-segmentation'", value)
  return Object.fromEntries(given.map(([feature, on]) => [feature, boolean(on, `${name}.${feature}`)]))
}

const OFFLOAD = {
  receiveChecksum: boolean,
  transmitChecksum: boolean,
  scatterGather: boolean,
  tso: boolean,
  gso: boolean,
  gro: boolean,
  lro: boolean,
  receiveVlan: boolean,
  transmitVlan: boolean,
  ntuple: boolean,
  receiveHash: boolean,
  features,
  fixed: described,
} satisfies FieldsOf<OffloadChanges>

/** @internal */
export function parseOffload(changes: unknown, name: string): Plain {
  return parseFields(changes, name, OFFLOAD)
}
