/** What is there more of than before. */
import { eventually, type Resources, resources } from './resources.ts'

/** `{}` once nothing has grown; what was about to end at the first look may well be gone at the second. */
export function growthSince(before: Resources): Promise<Partial<Resources>> {
  const grown = (): Partial<Resources> => {
    const now = resources()
    const kinds = Object.keys(now) as (keyof Resources)[]
    return Object.fromEntries(
      kinds.filter((kind) => now[kind] > before[kind]).map((kind) => [kind, now[kind] - before[kind]]),
    )
  }
  return eventually(grown, (growth) => Object.keys(growth).length === 0)
}
