/**
 * Tests the release packages for arm64: `npm run test:arm64 -- [--limit SECONDS]`.
 *
 * Boots Debian's kernel for arm64 in a virtual machine with Debian's programs, Node.js and the packed tarballs, and runs
 * the README's first example there, as root and as an ordinary user, and the demo. The binary must be built:
 * `npm run build:target -- aarch64-unknown-linux-gnu`. Needs Debian, on any processor, and no privilege.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { README_OUTPUT } from '../pages/readme-example.ts'
import { copyFromDisk } from '../vm/disk.ts'
import { kernelIn, newestOf } from '../vm/kernel.ts'
import { ARM64, runMachine } from '../vm/machine.ts'
import { requirePackages } from '../vm/packages.ts'
import { scratchIn } from '../vm/scratch.ts'
import { debianIn } from './debian.ts'
import { makeDisk } from './disk.ts'

const CACHE = join(import.meta.dirname, '../../target/arm64')
/** What the guest saves: the output of each program that succeeded. */
const EXPECTED = {
  'readme-root': README_OUTPUT,
  'readme-1234': README_OUTPUT,
  demo: /\n {2}All eight made in [\s\S]*\n {2}Closed: the namespaces, and all that ran in them, are gone\./,
}

const { values } = parseArgs({ options: { limit: { type: 'string', default: '240' } } })
requirePackages(['qemu-system-arm', 'e2fsprogs', 'kmod'])
const scratch = scratchIn(CACHE)
const debian = debianIn(CACHE)
const kernel = kernelIn(CACHE, newestOf('linux-image-cloud-arm64', debian.env))
const disk = makeDisk(CACHE, scratch, kernel, debian)
console.log(`booting ${kernel.release}`)
await runMachine(ARM64, kernel, disk, Number(values.limit))
for (const [name, expected] of Object.entries(EXPECTED)) {
  if (expected.test(outputOf(name))) continue
  console.error(`FAILED: ${name} does not print the expected output; see above`)
  process.exitCode = 1
}

function outputOf(name: string): string {
  const copy = join(scratch, name)
  return copyFromDisk(disk, `/app/out/${name}`, copy) ? readFileSync(copy, 'utf8') : ''
}
