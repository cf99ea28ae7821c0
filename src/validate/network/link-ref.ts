import { invalidType, invalidValue } from '../../errors.ts'
import type { Lazy } from '../../objects/context.ts'
import type { Plain } from '../fields.ts'
import { Deferred } from './slot.ts'
import { alias, knownName, linkIndex } from './values.ts'

/**
 * A reference to a link: its name or an alternative name, or an object with its index, its name or its alias,
 * which has to be unique. An object with an `index`, such as a {@link Link}, is used by its index. A link of another network, with a
 * `netnsId`, is rejected.
 */
export type PlainLinkRef =
  | string
  | { readonly index: number }
  | { readonly name: string; readonly index?: undefined }
  | { readonly alias: string; readonly index?: undefined; readonly name?: undefined }

/** A reference to a link that can be in another network. */
export interface LinkInOtherNetwork {
  /** Its index in its own network. */
  index: number
  /** The id of its network (ip-netns(8)), if that is another one. */
  netnsId?: number
}

/** A reference to a link, or a function that returns one. The function is called just before the action runs. */
export type LinkRef = PlainLinkRef | Lazy<PlainLinkRef>

/** A reference as the native side takes it. */
type NativeLinkRef = { name: string } | { index: number } | { alias: string }

class DeferredLink extends Deferred<NativeLinkRef> {
  protected write(link: NativeLinkRef): NativeLinkRef {
    return link
  }
}

/** @internal Returns the reference, or a deferred one. */
export function parseLinkRef(ref: unknown, name: string): NativeLinkRef | Deferred {
  return typeof ref === 'function' ? new DeferredLink(ref, name, parsePlain) : parsePlain(ref, name)
}

/** @internal The same, or null for no link. */
export function parseOptionalLinkRef(ref: unknown, name: string): NativeLinkRef | Deferred | null {
  return ref === null ? null : parseLinkRef(ref, name)
}

function parsePlain(ref: unknown, name: string): NativeLinkRef {
  if (typeof ref === 'string') return { name: knownName(ref, name) }
  if (typeof ref === 'object' && ref !== null) {
    const given = ref as Plain
    if (given['index'] !== undefined && given['netnsId'] !== undefined) {
      throw invalidValue(
        name,
        'must be a link of this network; the index of one with a netnsId belongs to another network',
        ref,
      )
    }
    if (given['index'] !== undefined) return { index: linkIndex(given['index'], `${name}.index`) }
    if (given['name'] !== undefined) return { name: knownName(given['name'], `${name}.name`) }
    if (given['alias'] !== undefined) return { alias: alias(given['alias'], `${name}.alias`) }
  }
  throw invalidType(name, "a link's name, or an object with its name, index or alias", ref)
}

/** @internal Describes a reference in messages. */
export function describeLink(link: unknown): string {
  if (typeof link !== 'object' || link === null) return ''
  if ('name' in link) return String(link.name)
  if ('index' in link) return `index ${link.index}`
  if ('alias' in link) return `alias ${link.alias}`
  return ''
}
