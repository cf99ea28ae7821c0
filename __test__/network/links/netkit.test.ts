/** Pairs of kind netkit, which Linux has since 6.7: both ends, in one network or two, with what happens to their packets. */
import type { NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ipLink, namesOf, outputOf, resultOf } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { failureOf } from '../../setup/sets/failure.ts'

/** Two networks of one user namespace, and whether the kernel has the kind. */
async function lab(): Promise<{ here: NamespaceSet; there: NamespaceSet; isKnown: boolean }> {
  using base = anyonesSet(['net'])
  const [here, there] = [base.unshareSync('net'), base.unshareSync('net')]
  // The kernel creates it without any data, so an `ip` that does not know the kind can, too.
  const { exitCode, stderr } = await resultOf(here, 'ip', 'link add probe type netkit')
  if (exitCode !== 0 && !/Unknown device type/.test(stderr)) throw new Error(stderr)
  if (exitCode === 0) await outputOf(here, 'ip', 'link delete probe')
  return { here, there, isKnown: exitCode === 0 }
}

describe('a netkit', () => {
  test('is created with both ends in two networks, and carries packets', async () => {
    const { here, there, isKnown } = await lab()
    using _here = here
    using _there = there
    const peer = { name: 'nk1', set: there, up: true, addresses: ['10.0.0.2/24'] }
    const spec = { kind: 'netkit', name: 'nk0', mode: 'l3', up: true, addresses: ['10.0.0.1/24'], peer } as const
    if (!isKnown) {
      const failure = await failureOf(() => here.network.links.add(spec))
      expect(failure).toMatchObject({ code: 'EOPNOTSUPP', syscall: 'RTM_NEWLINK', target: 'nk0' })
      expect(failure.message).toContain("the kernel has no 'netkit' link; load the module netkit")
      return
    }
    const made = await here.network.links.add(spec)
    expect(made).toMatchObject({ kind: 'netkit', mode: 'l3', policy: 'forward', peerPolicy: 'forward' })
    const [ours, theirs] = [await ipLink(here, 'nk0'), await ipLink(there, 'nk1')]
    expect([ours.linkinfo?.info_kind, theirs.linkinfo?.info_kind]).toEqual(['netkit', 'netkit'])
    expect(made.peer).toEqual({ index: theirs.ifindex, netnsId: expect.any(Number) })
    expect(await outputOf(here, 'ping', '-c 1 -w 20 10.0.0.2')).toContain('1 received')
    expect(await here.network.links.ensure(spec)).toMatchObject({ index: made.index })
    const other = await failureOf(() => here.network.links.ensure({ ...spec, policy: 'blackhole' }))
    expect(other).toMatchObject({ code: 'EEXIST' })
    expect(other.message).toContain('with other settings')
    await here.network.links.delete('nk0')
    expect(await namesOf(there)).toEqual([])
  })

  test('drops what an end without a program sends, if its policy says so', async ({ skip }) => {
    const { here, there, isKnown } = await lab()
    using _here = here
    using _there = there
    if (!isKnown) skip('this kernel has no netkit')
    const peer = { name: 'nk1', set: there, up: true, addresses: ['10.0.0.2/24'] }
    const spec = {
      kind: 'netkit',
      name: 'nk0',
      policy: 'blackhole',
      up: true,
      addresses: ['10.0.0.1/24'],
      peer,
    } as const
    const made = await here.network.links.add(spec)
    expect(made).toMatchObject({ policy: 'blackhole', peerPolicy: 'forward' })
    expect((await resultOf(here, 'ping', '-c 2 -i 0.2 -W 1 10.0.0.2')).exitCode).toBe(1)
    await here.network.links.delete(made)
    // What a list contains is taken, with a set for the peer in another network.
    const { peer: _peer, ...listed } = made
    expect(await here.network.links.add({ ...listed, peer })).toMatchObject({ policy: 'blackhole' })
  })
})
