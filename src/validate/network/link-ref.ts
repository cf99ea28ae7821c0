import { invalidType, invalidValue } from '../../errors.ts'
import type { Later } from '../../objects/context.ts'
import type { Plain } from '../fields.ts'
import { Slot } from './slot.ts'
import { alias, knownName, linkIndex } from './values.ts'

/**
 * A link that is known by its name (or an alternative name of at most 15 bytes), its index, or its alias, which has to be one
 * link's only. Whatever has an `index` is known by that, a {@link Link} too; but a link elsewhere, with a `netnsId`, is refused.
 */
export type PlainLinkRef =
  | string
  | { readonly index: number }
  | { readonly name: string; readonly index?: undefined }
  | { readonly alias: string; readonly index?: undefined; readonly name?: undefined }

/** A link that may be in another network. */
export interface LinkElsewhere {
  /** Its index there. */
  index: number
  /** The number that its network has in this one (ip-netns(8)), where it is another one. */
  netnsId?: number
}

/** A link, or a function of the action's context that says which when its turn comes. */
export type LinkRef = PlainLinkRef | Later<PlainLinkRef>

/** As the native side has it. */
type NativeLinkRef = { name: string } | { index: number } | { alias: string }

class LinkSlot extends Slot<NativeLinkRef> {
  protected write(link: NativeLinkRef): NativeLinkRef {
    return link
  }
}

/** @internal A reference, or a slot for one. */
export function parseLinkRef(ref: unknown, name: string): NativeLinkRef | Slot {
  return typeof ref === 'function' ? new LinkSlot(ref, name, parsePlain) : parsePlain(ref, name)
}

/** @internal A reference, or null for no link at all. */
export function parseOptionalLinkRef(ref: unknown, name: string): NativeLinkRef | Slot | null {
  return ref === null ? null : parseLinkRef(ref, name)
}

function parsePlain(ref: unknown, name: string): NativeLinkRef {
  if (typeof ref === 'string') return { name: knownName(ref, name) }
  if (typeof ref === 'object' && ref !== null) {
    const given = ref as Plain
    if (given['index'] !== undefined && given['netnsId'] !== undefined) {
      throw invalidValue(name, 'is a link of another network (netnsId): its index means another link in this one', ref)
    }
    if (given['index'] !== undefined) return { index: linkIndex(given['index'], `${name}.index`) }
    if (given['name'] !== undefined) return { name: knownName(given['name'], `${name}.name`) }
    if (given['alias'] !== undefined) return { alias: alias(given['alias'], `${name}.alias`) }
  }
  throw invalidType(name, "a link's name, or an object with its name, index or alias", ref)
}

/** @internal For people. */
export function describeLink(link: unknown): string {
  if (typeof link !== 'object' || link === null) return ''
  if ('name' in link) return String(link.name)
  if ('index' in link) return `index ${link.index}`
  if ('alias' in link) return `alias ${link.alias}`
  return ''
}
