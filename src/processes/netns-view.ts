import type { NativeCommand } from '../../index.js'
import { invalidValue } from '../errors.ts'
import { NS } from '../namespace-kind.ts'
import type { Launch } from '../validate/processes/spawn-options.ts'

/** @internal What a program in a set of these kinds sees of the name of its network, if that has one. */
export function viewOf(
  flags: number,
  netnsName: string | undefined,
  { kinds, netnsFiles }: Launch,
): Pick<NativeCommand, 'netns'> {
  if (netnsFiles === false) return {}
  const entered = kinds === 0 ? flags : flags & kinds
  const sees = (entered & (NS.NET | NS.MNT | NS.USER)) === NS.NET
  const name = sees ? netnsName : undefined
  if (name !== undefined) return { netns: name }
  if (netnsFiles === undefined) return {}
  const reason = "requires a set of 'netns', and neither 'mnt' nor 'user' among the kinds that the program enters"
  throw invalidValue('options.netnsFiles', reason, netnsFiles)
}
