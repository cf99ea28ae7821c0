import { type FieldsOf, parseOptions } from './fields.ts'
import { type Path, parsePath } from './paths.ts'
import { boolean, signal } from './values.ts'

/** Options of all functions of {@link netns}. */
export interface NetnsOptions {
  /** The directory of the names. Default: {@link netns.directory}. */
  directory?: Path | undefined
}

/** Options of {@link netns.attach}. */
export interface NetnsAttachOptions extends NetnsOptions {
  /**
   * Whether the name is removed when the set is closed or garbage-collected, also if no descriptor is free then.
   * {@link NamespaceSet.close} throws if it cannot be removed. Default: `false`, as with `ip netns`.
   */
  temporary?: boolean | undefined
}

/** Options of {@link netns.create}. */
export interface NetnsCreateOptions extends NetnsAttachOptions {
  /** Whether to bring `lo` up (`ip link set lo up`). Default: `false`. */
  loopback?: boolean | undefined
  /** Cancels the call; nothing is left behind. */
  signal?: AbortSignal | undefined
}

/** Options of {@link netns.remove}. */
export interface NetnsRemoveOptions extends NetnsOptions {
  /** Whether to ignore that the name does not exist, as with `fs.rm`. Default: `false`. */
  force?: boolean | undefined
}

const NETNS = { directory: parsePath } satisfies FieldsOf<NetnsOptions>
const ATTACH = { ...NETNS, temporary: boolean } satisfies FieldsOf<NetnsAttachOptions>
const CREATE = { ...ATTACH, loopback: boolean, signal } satisfies FieldsOf<NetnsCreateOptions>
const REMOVE = { ...NETNS, force: boolean } satisfies FieldsOf<NetnsRemoveOptions>

/** @internal */
export function parseNetnsOptions(options: unknown) {
  return parseOptions(options, NETNS)
}

/** @internal */
export function parseAttachOptions(options: unknown) {
  return { temporary: false, ...parseOptions(options, ATTACH) }
}

/** @internal */
export function parseCreateOptions(options: unknown) {
  return { temporary: false, ...parseOptions(options, CREATE) }
}

/** @internal */
export function parseRemoveOptions(options: unknown) {
  return { force: false, ...parseOptions(options, REMOVE) }
}
