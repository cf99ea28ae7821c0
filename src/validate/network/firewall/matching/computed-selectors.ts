import { DATA_TYPES, type DataType } from './data-types.ts'

/** A selector with parameters: numbers, hashes, a control group, how a fingerprint is compared, an option of TCP by its number. */
export type FirewallComputedSelector =
  | `numgen ${'inc' | 'random'} mod ${string}`
  | `jhash ${string} mod ${string}`
  | `symhash mod ${string}`
  | `socket cgroupv2 level ${number}`
  | `osf ttl ${'loose' | 'skip'} ${'name' | 'version'}`
  | `tcp option ${number}`
  | `tcp option @${string}`

const BELOW = 'mod ([1-9]\\d{0,9})(?: seed (\\d{1,10}))?(?: offset (\\d{1,10}))?'
const NUMBERS = new RegExp(`^(?:numgen (?:inc|random)|symhash|jhash (.+?)) ${BELOW}$`)
const CGROUP = /^socket cgroupv2 level (\d{1,3})$/
const FINGERPRINT = /^osf ttl (?:loose|skip) (?:name|version)$/
const OPTION = /^tcp option (\d{1,3})$/
const OPTION_BYTES = /^tcp option @(\d{1,3}),(\d{1,3}),(8|16|32)$/

const MOST_HASHED = 4
const BYTES: Readonly<Record<string, DataType>> = { 8: DATA_TYPES.u8, 16: DATA_TYPES.u16, 32: DATA_TYPES.u32 }

/** @internal Returns the type of a selector with parameters. `isKnown` says whether a hash can have a selector. */
export function computedType(selector: string, isKnown: (part: string) => boolean): DataType | undefined {
  const numbers = NUMBERS.exec(selector)
  if (numbers !== null) return isBelow(selector, numbers, isKnown) ? DATA_TYPES.u32 : undefined
  if (isByte(CGROUP.exec(selector)?.[1])) return DATA_TYPES.u64
  if (FINGERPRINT.test(selector)) return DATA_TYPES.name
  if (isByte(OPTION.exec(selector)?.[1])) return DATA_TYPES.presence
  const [, kind, offset, bits] = OPTION_BYTES.exec(selector) ?? []
  return isByte(kind) && Number(offset) % 8 === 0 ? BYTES[bits as string] : undefined
}

function isBelow(selector: string, match: RegExpExecArray, isKnown: (part: string) => boolean): boolean {
  const [, hashed, ...numbers] = match
  const [, seed] = numbers
  if (!numbers.every((number) => number === undefined || Number(number) <= 0xffff_ffff)) return false
  if (hashed === undefined) return seed === undefined
  const parts = hashed.split(' . ')
  return selector.startsWith('jhash') && parts.length <= MOST_HASHED && parts.every(isKnown)
}

function isByte(number: string | undefined): boolean {
  return number !== undefined && Number(number) <= 255
}
