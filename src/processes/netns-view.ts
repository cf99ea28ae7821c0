import type { NativeCommand } from '../../index.js'
import { invalidValue } from '../errors.ts'
import { netnsNameOf } from '../netns/netns-names.ts'
import { NS } from '../set/namespace-kind.ts'
import type { NamespaceSet } from '../set/namespace-set.ts'
import type { Launch } from '../validate/processes/spawn-options.ts'

/** @internal Returns what a program in this set sees of the name of its network, if the set was opened by a name. */
export function viewOf(set: NamespaceSet, { kinds, netnsFiles }: Launch): Pick<NativeCommand, 'netns'> {
  if (netnsFiles === false) return {}
  const entered = kinds === 0 ? set.flags : set.flags & kinds
  const sees = (entered & (NS.NET | NS.MNT | NS.USER)) === NS.NET
  const name = sees ? netnsNameOf(set) : undefined
  if (name !== undefined) return { netns: name }
  if (netnsFiles === undefined) return {}
  const reason = "requires a set of 'netns', and neither 'mnt' nor 'user' among the kinds that the program enters"
  throw invalidValue('options.netnsFiles', reason, netnsFiles)
}
