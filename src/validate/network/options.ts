import { invalidValue } from '../../errors.ts'
import { type FieldsOf, parseOptions } from '../fields.ts'
import { boolean, signal, u32 } from '../values.ts'
import { linkName } from './values.ts'

/** Options of {@link Network.apply}. */
export interface ApplyOptions {
  /** Stops before the next action. Actions that have run are not undone. */
  signal?: AbortSignal | undefined
}

/** Options of {@link NetworkSync.apply}. */
export interface ApplySyncOptions {
  /** It must be omitted: nothing can abort a call that blocks. */
  signal?: undefined
}

/** Options of {@link NetworkLinks.delete}. */
export interface DeleteLinkOptions {
  /** Whether to ignore that the link does not exist. Default: `false`. */
  force?: boolean | undefined
}

/** Options of {@link NetworkLinks.move}. */
export interface MoveLinkOptions {
  /** Its name in the other network. Default: its name. */
  name?: string | undefined
}

/** Options of {@link NetworkRoutes.list}. */
export interface ListRoutesOptions {
  /** Only the routes of this routing table; 254 is `main`. Default: all tables. */
  table?: number | undefined
}

const APPLY = { signal } satisfies FieldsOf<ApplyOptions>
const APPLY_SYNC = { signal: refusedSignal } satisfies FieldsOf<ApplySyncOptions>
const DELETE_LINK = { force: boolean } satisfies FieldsOf<DeleteLinkOptions>
const MOVE_LINK = { name: linkName } satisfies FieldsOf<MoveLinkOptions>
const LIST_ROUTES = { table: u32 } satisfies FieldsOf<ListRoutesOptions>

/** @internal */
export function parseApplyOptions(options: unknown) {
  return parseOptions(options, APPLY)
}

/** @internal */
export function parseApplySyncOptions(options: unknown) {
  return parseOptions(options, APPLY_SYNC)
}

function refusedSignal(signal: unknown, name: string): never {
  throw invalidValue(name, 'cannot be used with network.sync, whose calls block until they have ended', signal)
}

/** @internal */
export function parseDeleteLinkOptions(options: unknown) {
  return parseOptions(options, DELETE_LINK)
}

/** @internal */
export function parseMoveLinkOptions(options: unknown) {
  return parseOptions(options, MOVE_LINK)
}

/** @internal */
export function parseListRoutesOptions(options: unknown) {
  return parseOptions(options, LIST_ROUTES)
}
