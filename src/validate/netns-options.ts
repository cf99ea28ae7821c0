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

/** Options of {@link netns.createSync}. */
export interface NetnsCreateSyncOptions extends NetnsAttachOptions {
  /** Whether to bring `lo` up (`ip link set lo up`). Default: `false`. */
  loopback?: boolean | undefined
}

/** Options of {@link netns.create}. */
export interface NetnsCreateOptions extends NetnsCreateSyncOptions {
  /** Cancels the call; nothing is left behind. A name that is being added at that time is removed first. */
  signal?: AbortSignal | undefined
}

/** Options of {@link netns.remove}. */
export interface NetnsRemoveOptions extends NetnsOptions {
  /** Whether to ignore that the name does not exist, as with `fs.rm`. Default: `false`. */
  force?: boolean | undefined
}

const NETNS = { directory: parsePath } satisfies FieldsOf<NetnsOptions>
const ATTACH = { ...NETNS, temporary: boolean } satisfies FieldsOf<NetnsAttachOptions>
const CREATE_SYNC = { ...ATTACH, loopback: boolean } satisfies FieldsOf<NetnsCreateSyncOptions>
const CREATE = { ...CREATE_SYNC, signal } satisfies FieldsOf<NetnsCreateOptions>
const REMOVE = { ...NETNS, force: boolean } satisfies FieldsOf<NetnsRemoveOptions>

/** @internal */
export function parseNetnsOptions(options: unknown) {
  return parseOptions(options, NETNS)
}

/** @internal */
export function parseAttachOptions(options: unknown) {
  return parseOptions(options, ATTACH)
}

/** @internal */
export function parseCreateOptions(options: unknown) {
  return parseOptions(options, CREATE)
}

/** @internal */
export function parseCreateSyncOptions(options: unknown) {
  return parseOptions(options, CREATE_SYNC)
}

/** @internal */
export function parseRemoveOptions(options: unknown) {
  return parseOptions(options, REMOVE)
}
