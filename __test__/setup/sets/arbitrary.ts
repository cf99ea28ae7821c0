/** Arguments that fast-check passes to the public functions: arbitrary values, and nearly valid ones. */
import fc from 'fast-check'
import { NS } from 'nsset'
import { ALL_KINDS } from '../guards/thread-place.ts'

/** Text with NULs, lone surrogates, and sometimes of great length. */
export const text = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary' }).map((some) => `${some}\0`) },
  { weight: 1, arbitrary: fc.constantFrom('', '\ud800', '__proto__', 'constructor', 'toString', 'x'.repeat(70_000)) },
)

export const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, -1, 1.5, 2 ** 31, 2 ** 31 - 1, 2 ** 32, 2 ** 53, Infinity, Number.NaN, Number.MAX_VALUE),
)

/** Any value but text, which cannot become a path. */
export const noText = fc
  .oneof(
    fc.anything({
      withBigInt: true,
      withDate: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
    }),
    fc.constantFrom(undefined, null, Symbol('kind'), () => 'net', Buffer, new Proxy({}, {}), new Map([['net', 1]])),
    number,
  )
  .filter((value) => typeof value !== 'string')

export const anything = fc.oneof(noText, text)

/** Kinds, in every form, valid and invalid. */
export const kinds = fc.oneof(
  fc.constantFrom(...ALL_KINDS),
  fc.subarray([...ALL_KINDS]),
  fc.array(fc.constantFrom<unknown>(...ALL_KINDS, 'network', 5, null), { maxLength: 5 }),
  fc.subarray(Object.values(NS)).map((flags) => flags.reduce((mask, flag) => mask | flag, 0)),
  anything,
)

export const kind = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ALL_KINDS) },
  { weight: 1, arbitrary: anything },
)

/** An options object: each named option is missing, nearly valid, or arbitrary; or an arbitrary value. */
export function bag(members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const each = Object.fromEntries(
    Object.entries(members).map(([name, member]) => [
      name,
      fc.oneof({ weight: 6, arbitrary: member }, { weight: 1, arbitrary: noText }),
    ]),
  )
  const some = fc.record(each, { requiredKeys: [] })
  return fc.oneof({ weight: 9, arbitrary: some }, { weight: 1, arbitrary: noText })
}
