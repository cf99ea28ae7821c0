/**
 * The guest's disk: an ext4 file system with Debian's programs, Node.js of this host, the kernel's modules, the built
 * project, and in `/vm` the programs to run. Results of the guest in `/vm` are read back without mounting.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CrateTest } from './crate-tests.ts'
import { unpack } from './debian.ts'
import type { System } from './system.ts'

const PROJECT = join(import.meta.dirname, '../..')
const NOT_COPIED = ['.git', 'node_modules', 'target', 'site']
const SIZE = '4G'
const TIME_LIMIT = 120_000

const OWN_DIRECTORIES = ['home/nsset-user', 'nsset', 'vm']

/** Of Debian, with the ordinary user of the tests. */
const ETC = {
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    'nsset-user:x:1234:1234::/home/nsset-user:/bin/sh',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  ].join('\n'),
  group: 'root:x:0:\nnsset-user:x:1234:\nnogroup:x:65534:\n',
  subuid: 'nsset-user:100000:65536\n',
  subgid: 'nsset-user:100000:65536\n',
  hosts: '127.0.0.1 localhost\n::1 localhost\n',
  hostname: 'nsset-vm\n',
  'resolv.conf': 'nameserver 127.0.0.53\n',
  protocols: 'ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\ngre 47 GRE\nipv6-icmp 58 IPv6-ICMP\nsctp 132 SCTP\n',
}

export interface Work {
  /** The file arguments of vitest, none for all in its configuration; undefined to skip it. */
  vitest: readonly string[] | undefined
  crateTests: readonly CrateTest[]
}

/** Creates the disk; `scratch` is an empty directory for it and its sources. */
export function makeDisk(scratch: string, { kernel, programs }: System, work: Work): string {
  const root = join(scratch, 'root')
  unpack(programs, root)
  for (const name of OWN_DIRECTORIES) mkdirSync(join(root, name), { recursive: true })
  addNode(root)
  run('cp', '--archive', kernel.modules, join(root, 'usr/lib/modules'))
  copyProject(join(root, 'nsset'))
  writeWork(join(root, 'vm'), work)
  for (const [name, text] of Object.entries(ETC)) writeFileSync(join(root, 'etc', name), text)
  const disk = join(scratch, 'disk')
  fill(disk, root, SIZE)
  return disk
}

/** Creates a disk with the contents of a directory. */
export function fill(disk: string, root: string, size: string): void {
  // No journal: it is never mounted again.
  run('/usr/sbin/mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-d', root, disk, size)
}

/** Copies a file out of the disk of a guest that has ended; returns false if it does not exist. */
export function copyFromDisk(disk: string, path: string, target: string): boolean {
  // debugfs(8) always exits with 0.
  execFileSync('/usr/sbin/debugfs', ['-R', `dump ${path} ${target}`, disk], { timeout: TIME_LIMIT, stdio: 'ignore' })
  return existsSync(target)
}

function addNode(root: string): void {
  run('cp', '--archive', realpathSync(process.execPath), join(root, 'usr/local/bin/node'))
  run('cp', join(import.meta.dirname, 'init'), join(root, 'usr/sbin/init'))
  chmodSync(join(root, 'usr/sbin/init'), 0o755)
}

function copyProject(target: string): void {
  const names = readdirSync(PROJECT).filter((name) => !NOT_COPIED.includes(name))
  run('cp', '--archive', '--', ...names.map((name) => join(PROJECT, name)), target)
  run('cp', '--archive', realpathSync(join(PROJECT, 'node_modules')), join(target, 'node_modules'))
}

/** The init script reads it. */
function writeWork(target: string, { vitest, crateTests }: Work): void {
  if (vitest !== undefined) writeFileSync(join(target, 'vitest'), vitest.join(' '))
  mkdirSync(join(target, 'crate-tests'))
  for (const { name, program } of crateTests) {
    // With debug information they are seven times as large.
    run('strip', '-o', join(target, 'crate-tests', name), program)
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { timeout: TIME_LIMIT, stdio: ['ignore', 'ignore', 'inherit'] })
}
