/**
 * The options from Node.js are those that it documents, from the oldest supported version
 * to the newest: everything in the types of either version is accepted, and nothing else.
 */
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import * as tables from '../../src/validate/node-options.ts'
import { EXEC_FILE } from '../../src/validate/processes/exec-file-options.ts'
import { FORK } from '../../src/validate/processes/fork.ts'
import { SPAWN } from '../../src/validate/processes/spawn-options.ts'
import { LOOKUP } from '../../src/validate/sockets/lookup-options.ts'

const OLDEST = fileURLToPath(new URL('../../node_modules/@types/node/index.d.ts', import.meta.url))
const NEWEST = fileURLToPath(new URL('../../node_modules/types-node-newest/index.d.ts', import.meta.url))
/** A virtual file: the compiler gets its text. */
const ENTRY = fileURLToPath(new URL('entry.ts', import.meta.url))

/** Keys of the types of Node.js, by their expressions. */
function keysIn(types: string, expressions: readonly string[]): Map<string, Set<string>> {
  const aliases = expressions.map((expression, index) => `export type T${index} = ${expression}`)
  const text = [`/// <reference path="${types}" />`, ...aliases].join('\n')
  const options: ts.CompilerOptions = {
    types: [],
    lib: ['lib.es2023.d.ts'],
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    skipLibCheck: true,
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (file) => file === ENTRY || fileExists.call(host, file)
  host.getSourceFile = (file, version, ...rest) =>
    file === ENTRY ? ts.createSourceFile(file, text, version, true) : getSourceFile.call(host, file, version, ...rest)
  const compiled = ts.createProgram([ENTRY], options, host)
  const checker = compiled.getTypeChecker()
  const found = new Map<string, Set<string>>()
  for (const statement of compiled.getSourceFile(ENTRY)?.statements ?? []) {
    if (!ts.isTypeAliasDeclaration(statement)) continue
    const type = checker.getTypeAtLocation(statement.name)
    const parts = type.isUnion() ? type.types : [type]
    const keys = parts.flatMap((part) => checker.getPropertiesOfType(part).map(({ name }) => name))
    found.set(expressions[Number(statement.name.text.slice(1))] as string, new Set(keys))
  }
  return found
}

interface Row {
  table: Record<string, unknown>
  /** The type of the options in both versions. */
  type: string
  /** Options that Node.js documents, but its types lack. */
  documented?: readonly string[]
  /** Options that this package adds. */
  ours?: readonly string[]
}

const CONNECT = `import('node:net').NetConnectOpts`
const CONFINED = ['limits', 'umask', 'nice', 'capabilities', 'noNewPrivileges', 'landlock', 'seccomp']
const SPAWNED = ['groups', 'kinds', 'keepCapabilities', 'deathSignal', 'netnsFiles', 'cgroup', ...CONFINED]

const rows: Row[] = [
  { table: SPAWN, type: `import('node:child_process').SpawnOptions`, ours: SPAWNED },
  {
    table: EXEC_FILE,
    type: `import('node:child_process').ExecFileOptions`,
    ours: [...SPAWNED, 'argv0', 'detached', 'input', 'reject'],
  },
  { table: FORK, type: `import('node:child_process').ForkOptions`, ours: [...SPAWNED, 'argv0'] },
  { table: tables.CONNECT, type: CONNECT },
  // The page of tls.connect: also allowHalfOpen, highWaterMark, and the options of socket.connect().
  {
    table: tables.TLS_CONNECT,
    type: `import('node:tls').ConnectionOptions | ${CONNECT}`,
    documented: ['highWaterMark'],
  },
  // The page of http.Agent: also the options of socket.connect().
  { table: tables.HTTP_AGENT, type: `import('node:http').AgentOptions | ${CONNECT}` },
  { table: tables.HTTPS_AGENT, type: `import('node:https').AgentOptions | ${CONNECT}`, documented: ['highWaterMark'] },
  // With `_handle` Node.js passes an existing server or socket, which is rejected.
  { table: tables.LISTEN, type: `import('node:net').ListenOptions`, documented: ['fd', '_handle'] },
  { table: tables.DATAGRAM, type: `import('node:dgram').SocketOptions` },
  // With `recvStart` Node.js passes a handle, which is rejected.
  { table: tables.BIND, type: `import('node:dgram').BindOptions`, documented: ['recvStart'] },
  { table: tables.WORKER, type: `import('node:worker_threads').WorkerOptions` },
  { table: tables.RESOURCE_LIMITS, type: `import('node:worker_threads').ResourceLimits` },
  { table: tables.ON_READ, type: `import('node:net').OnReadOpts` },
  { table: LOOKUP, type: `import('node:dns').LookupOptions` },
  // The Fetch standard: also cache and priority.
  { table: tables.FETCH, type: 'RequestInit', documented: ['cache', 'priority'] },
]

const types = rows.map(({ type }) => type)
const oldest = keysIn(OLDEST, types)
const newest = keysIn(NEWEST, types)

describe.each(rows)('$type', ({ table, type, documented = [], ours = [] }) => {
  const ofOldest = oldest.get(type) ?? new Set()
  const ofNewest = newest.get(type) ?? new Set()

  test('exists in both versions', () => {
    expect(ofOldest.size).toBeGreaterThan(1)
    expect(ofNewest.size).toBeGreaterThan(1)
  })

  test('has the same options as the table', () => {
    const known = new Set([...ofOldest, ...ofNewest, ...documented, ...ours])
    expect(Object.keys(table).sort()).toEqual([...known].sort())
  })
})
