/**
 * Runs tests on a kernel of Debian in a virtual machine: `npm run test:vm -- [FILE…] [--kernel VERSION] [--limit SECONDS]`.
 *
 * The kernel is that of this host's Debian, or the newest VERSION (`6.12`, `7.3`) in the newer suites of Debian. The programs
 * are those of the same suite: they are as old as the kernel, and nothing is installed on this host. The kernel has features
 * that others lack (dummy, vlan, gretap, wireguard, netem), as modules that it loads itself. A FILE is a test file below
 * `__test__`, or a pattern of these, or one of `crates/nsset-net/tests/*.rs`; with none, the files of
 * `scripts/vm/vitest.config.ts` and all of the crate. The addon must be built. Needs Debian on x86-64, without any privilege.
 */
import { readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { crateTests } from './crate-tests.ts'
import { copyFromDisk, makeDisk, type Work } from './disk.ts'
import { runMachine, X86_64 } from './machine.ts'
import { requirePackages } from './packages.ts'
import { scratchIn } from './scratch.ts'
import { systemOf } from './system.ts'

const CACHE = join(import.meta.dirname, '../../target/vm')
const CRATE = 'nsset-net'
/** New kernels panic now and then while they boot on an emulated processor, before there is any process. */
const MOST_BOOTS = 3

const { values, positionals } = parseArgs({
  options: { kernel: { type: 'string' }, limit: { type: 'string', default: '480' } },
  allowPositionals: true,
})
requirePackages(['qemu-system-x86', 'binutils', 'e2fsprogs', 'kmod'])
const work = chosen(positionals)
const system = systemOf(values.kernel, CACHE)
const scratch = scratchIn(CACHE)
const disk = makeDisk(scratch, system, work)
for (let boot = 1; boot <= MOST_BOOTS && !hasBooted(); boot++) {
  console.log(`booting ${system.kernel.release}`)
  await runMachine(X86_64, system.kernel, disk, Number(values.limit))
}
const report = process.env['NSSET_TEST_REPORT']
if (report !== undefined) copyFromDisk(disk, '/vm/report.json', resolve(report))
process.exitCode = outcome()

function chosen(files: string[]): Work {
  if (files.length === 0) return { vitest: [], crateTests: crateTests(CRATE) }
  const ofCrate = files.filter((file) => file.endsWith('.rs')).map((file) => basename(file, '.rs'))
  const ofVitest = files.filter((file) => file.endsWith('.test.ts'))
  if (ofCrate.length + ofVitest.length < files.length) throw new RangeError('a FILE must end with .test.ts or .rs')
  return {
    vitest: ofVitest.length > 0 ? ofVitest : undefined,
    crateTests: ofCrate.length > 0 ? crateTests(CRATE).filter(({ name }) => ofCrate.includes(name)) : [],
  }
}

/** The guest's init writes it first. */
function hasBooted(): boolean {
  return copyFromDisk(disk, '/vm/booted', join(scratch, 'booted'))
}

/** The guest writes it last: a guest that panics does not. */
function outcome(): number {
  const copy = join(scratch, 'status')
  if (!copyFromDisk(disk, '/vm/status', copy)) throw new Error('the guest ended before its tests did; see above')
  return Number(readFileSync(copy, 'utf8'))
}
