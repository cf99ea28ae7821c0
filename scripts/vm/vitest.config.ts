/** What `npm run test:vm` runs in the guest when it is told no files. */
import { defineConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

/** An emulated processor needs up to twenty times as long; most tests wait for the kernel, and do not. */
const SLOWER = 4

/** What depends on the kinds that a kernel has. All else is tested here, on a faster processor. */
const FILES = [
  '__test__/pages/examples-by-kernel.test.ts',
  '__test__/network/links.test.ts',
  '__test__/network/qdiscs.test.ts',
  '__test__/network/wireguard.test.ts',
]

const told = process.env['NSSET_TEST_VM_FILES']?.split(' ').filter((file) => file !== '') ?? []

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: told.length > 0 ? told : FILES,
    // What counts mounts must not be beside what makes some, for longer than it is on a fast processor.
    maxWorkers: 1,
    testTimeout: 30_000 * SLOWER,
    hookTimeout: 30_000 * SLOWER,
  },
})
