import { type FieldsOf, parseOptions } from './fields.ts'
import { type Path, parsePath } from './paths.ts'
import { boolean, signal } from './values.ts'

/** Options of every function of {@link netns}. */
export interface NetnsOptions {
  /** Where the names are; {@link netns.directory} by default. */
  directory?: Path | undefined
}

/** Options of {@link netns.attach}. */
export interface NetnsAttachOptions extends NetnsOptions {
  /**
   * Whether the name goes when the set is closed or collected. By default it stays, as those of `ip netns` do. It goes even
   * where no descriptor is free; {@link NamespaceSet.close} throws where it cannot be removed.
   */
  temporary?: boolean | undefined
}

/** Options of {@link netns.createSync}. */
export interface NetnsCreateSyncOptions extends NetnsAttachOptions {
  /** Whether `lo` is up; it is down by default, as in the kernel. */
  loopback?: boolean | undefined
}

/** Options of {@link netns.create}. */
export interface NetnsCreateOptions extends NetnsCreateSyncOptions {
  /** Ends the wait; nothing is left then. A name that is being attached meanwhile is first removed again. */
  signal?: AbortSignal | undefined
}

/** Options of {@link netns.remove}. */
export interface NetnsRemoveOptions extends NetnsOptions {
  /** Whether a name that is not there is no error, as with `fs.rm`. */
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
