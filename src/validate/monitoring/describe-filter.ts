import type { Plain } from '../fields.ts'

/** @internal For messages: `protocol tcp localPort 80`. */
export function describeFilter(filter: Plain): string {
  return Object.entries(filter)
    .map(([key, value]) => `${key} ${typeof value === 'object' ? Object.values(value as object).join(',') : value}`)
    .join(' ')
}
