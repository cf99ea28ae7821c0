/** The tests of `npm run test:vm` without arguments. */
import { defineConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

/** An emulated processor needs up to twenty times as long, though most tests wait for the kernel. */
const SLOWER = 4

/** Tests that depend on the features of a kernel. All others run outside, on a faster processor. */
const FILES = [
  '__test__/pages/examples-by-kernel.test.ts',
  '__test__/control-groups/limits.test.ts',
  '__test__/control-groups/control-group.test.ts',
  '__test__/network/links.test.ts',
  '__test__/network/links/ports.test.ts',
  '__test__/network/links/vlans.test.ts',
  '__test__/network/links/places.test.ts',
  '__test__/network/watching/parts.test.ts',
  '__test__/network/input/given-is-taken.test.ts',
  '__test__/network/queueing/filters.test.ts',
  '__test__/network/routing/forwarding-entries.test.ts',
  '__test__/network/qdiscs.test.ts',
  '__test__/network/wireguard.test.ts',
]

const requested = process.env['NSSET_TEST_VM_FILES']?.split(' ').filter((file) => file !== '') ?? []

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: requested.length > 0 ? requested : FILES,
    // Tests that count mounts must not run beside tests that mount, for longer than on a fast processor.
    maxWorkers: 1,
    testTimeout: 30_000 * SLOWER,
    hookTimeout: 30_000 * SLOWER,
  },
})
