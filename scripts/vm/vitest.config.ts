/** What `npm run test:vm` runs in the guest when it is told no files. */
import { defineConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

/** An emulated processor needs up to twenty times as long; most tests wait for the kernel, and do not. */
const SLOWER = 4

const FILES = [
  '__test__/do.test.ts',
  '__test__/docs.test.ts',
  '__test__/examples.test.ts',
  '__test__/mount.test.ts',
  '__test__/netns.test.ts',
  '__test__/network-*.test.ts',
  '__test__/set.test.ts',
  '__test__/unshare.test.ts',
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
