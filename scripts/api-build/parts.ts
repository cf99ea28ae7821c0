/**
 * The parts of `src` that Node.js compiles when they are first used. Every file that is in no part belongs to the core, which an import
 * of the package compiles and evaluates. Why: docs/decisions/0018-the-javascript-is-one-small-file.md.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const SRC = fileURLToPath(new URL('../../src/', import.meta.url))

/** The core's name among those of the parts. */
export const CORE = 'core'

/** The files and folders of each part, below src. The first that fits a file has it. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  failures: ['native/load-failure.ts'],
  nodeOptions: ['validate/node-options.ts'],
  processes: ['processes/', 'validate/processes/', 'validate/network/script-options.ts'],
  workers: ['threads/worker', 'validate/worker-options.ts'],
  containers: ['containers/', 'validate/container-'],
  groups: ['control-groups/', 'validate/control-groups/'],
  discovery: ['discovery/', 'validate/discovery/'],
  mounts: ['validate/mounts/'],
  firewalls: ['validate/network/firewall/'],
  links: ['validate/network/links/'],
  queueing: ['validate/network/queueing/'],
  routing: ['validate/network/routing/'],
  requests: ['network/actions/', 'network/netlink/link-answer.ts'],
  networks: ['validate/network/'],
  monitoring: ['network/capturing/', 'network/watching/', 'validate/monitoring/'],
  // What each network has, also if it makes no sockets.
  lookups: ['network/sockets/names/', 'network/sockets/streams/fetch.ts'],
  sockets: ['network/sockets/', 'network/ways/', 'validate/sockets/'],
  checks: ['validate/'],
}

/** What is in the core although its folder is a part: the public classes and functions, which an import binds. */
const IN_CORE: readonly string[] = [
  'control-groups/control-group.ts',
  'discovery/namespaces.ts',
  'network/actions/action-error.ts',
  'network/actions/steps.ts',
  'network/capturing/packet-capture.ts',
  'network/watching/network-watcher.ts',
  'network/ways/forwarding.ts',
  'network/ways/uplink.ts',
  'processes/exec-file-error.ts',
  'processes/landlock-abi.ts',
  'processes/sandbox-system-calls.ts',
  'processes/system-calls.ts',
]

/** The names of the parts, and of the core, which is the last. */
export const PART_NAMES: readonly string[] = [...Object.keys(PARTS), CORE]

/** The modules of a part of the API, as paths. */
export function filesOf(part: string): string[] {
  return SOURCES.filter((file) => partOf(file) === part).map((file) => join(SRC, file))
}

/** The part of a module, by its path. */
export function partOfPath(path: string): string {
  return partOf(path.slice(SRC.length))
}

function partOf(file: string): string {
  if (IN_CORE.includes(file)) return CORE
  const found = Object.entries(PARTS).find(([, places]) => places.some((place) => file.startsWith(place)))
  return found?.[0] ?? CORE
}

const SOURCES = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
