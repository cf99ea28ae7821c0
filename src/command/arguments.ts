import type { NamespaceKind } from 'nsset'

export const HELP = `Usage: nsset ls [--tree] [--json] [--kind KIND]... [PID...]

Shows which namespaces there are and what holds them: processes, threads, descriptors,
sockets, mounts, and namespaces below them. With PIDs, only what these processes hold.

      --kind KIND  only namespaces of this kind: cgroup, ipc, mnt, net, pid, time, user, uts
      --tree       below each user namespace those that it owns
      --json       all that is known, as JSON
  -h, --help       this text
      --version    the version of nsset

Exit codes: 0, 1 if it failed or a process was not found, 2 if the arguments are wrong.
What could not be seen, which for root is usually nothing, is written to standard error.
`

const KINDS: readonly string[] = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'] satisfies NamespaceKind[]

export class UsageError extends Error {}

export interface ListCommand {
  readonly name: 'ls'
  readonly kinds: readonly NamespaceKind[]
  readonly form: 'lines' | 'tree' | 'json'
  readonly pids: readonly number[]
}

type Command = ListCommand | { readonly name: 'help' | 'version' }

const OPTIONS = {
  tree: { type: 'boolean' },
  json: { type: 'boolean' },
  kind: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

/** Reads the arguments of the command line. Throws a UsageError. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args)
  if (values.help) return { name: 'help' }
  if (values.version) return { name: 'version' }
  const [name, ...pids] = positionals
  if (name === undefined) throw new UsageError('a command is missing: ls')
  if (name === 'help') return { name }
  if (name !== 'ls') throw new UsageError(`unknown command '${name}'`)
  if (values.tree && values.json) throw new UsageError('--tree and --json exclude each other')
  const form = values.tree ? 'tree' : values.json ? 'json' : 'lines'
  return { name, form, kinds: (values.kind ?? []).map(kindOf), pids: pids.map(pidOf) }
}

function parse(args: readonly string[]) {
  const { parseArgs } = process.getBuiltinModule('node:util')
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function kindOf(text: string): NamespaceKind {
  if (KINDS.includes(text)) return text as NamespaceKind
  throw new UsageError(`'${text}' is not a kind of namespace: ${KINDS.join(', ')}`)
}

function pidOf(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  throw new UsageError(`'${text}' is not a process id`)
}
