/** What has grown since an earlier state. */
import { eventually, type Resources, resources } from './resources.ts'

/** `{}` once nothing has grown; resources that were about to be freed at the first look are gone at a later one. */
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
