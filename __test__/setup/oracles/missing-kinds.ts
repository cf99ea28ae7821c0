/** Which kinds of link and of queueing discipline this kernel lacks, as tested by `ip` and `tc`. */
import { anyonesSet } from '../sets/anyones-set.ts'
import { isMadeBy } from './iproute.ts'

/** The command for a kind that a small kernel may lack, and its name in the error of nsset. */
const PROBES: Record<string, readonly [program: string, words: string, thing: string]> = {
  dummy: ['ip', 'link add x type dummy', 'link'],
  gretap: ['ip', 'link add x type gretap local 192.0.2.1 remote 192.0.2.2', 'link'],
  netem: ['tc', 'qdisc add dev lo root netem', 'queueing discipline'],
  wireguard: ['ip', 'link add x type wireguard', 'link'],
}

/** Of the kinds in these lines, those that the kernel lacks, as nsset reports it: `the kernel has no 'dummy' link`. */
export async function missingKinds(code: string): Promise<string[]> {
  using set = anyonesSet(['net'])
  const missing: string[] = []
  for (const [kind, [program, words, thing]] of Object.entries(PROBES)) {
    if (!code.includes(`kind: '${kind}'`) || (await isMadeBy(set, program, words))) continue
    missing.push(`the kernel has no '${kind}' ${thing}`)
  }
  return missing
}
