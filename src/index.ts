/**
 * Linux namespaces for Node.js: hold them, make them, enter them, run code and processes inside them.
 *
 * @module nsset
 */

export { NamespaceError } from './errors.ts'
export { FdSet } from './fd-set.ts'
export { type Kinds, type NamespaceKind, NS } from './namespace-kind.ts'
export {
  type DoOptions,
  type EnterOptions,
  type MountTargets,
  NamespaceSet,
  type NamespaceStat,
  type Thenable,
} from './namespace-set.ts'
export type { Path } from './paths.ts'
export { ExecFileError, type ExecFileOptions, type ExecFileResult } from './processes/exec-file.ts'
export { NamespaceChildProcess, type SpawnOptions, type Stdio, type StdioOptions } from './processes/spawn.ts'
export type {
  BindMount,
  FileSystemMount,
  IdMap,
  MapUser,
  MountSpec,
  TimeOffsets,
  UnshareOptions,
  UnshareSyncOptions,
} from './unshare-options.ts'
