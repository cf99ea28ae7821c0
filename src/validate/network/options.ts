import { type FieldsOf, parseOptions } from '../fields.ts'
import { boolean, signal, u32 } from '../values.ts'

/** Options of {@link Network.apply}. */
export interface ApplyOptions {
  /** Stops before the next action. Actions that have run are not undone. */
  signal?: AbortSignal | undefined
}

/** Options of {@link NetworkLinks.delete}. */
export interface DeleteLinkOptions {
  /** Whether to ignore that the link does not exist. Default: `false`. */
  force?: boolean | undefined
}

/** Options of {@link NetworkRoutes.list}. */
export interface ListRoutesOptions {
  /** Only the routes of this routing table; 254 is `main`. Default: all tables. */
  table?: number | undefined
}

const APPLY = { signal } satisfies FieldsOf<ApplyOptions>
const DELETE_LINK = { force: boolean } satisfies FieldsOf<DeleteLinkOptions>
const LIST_ROUTES = { table: u32 } satisfies FieldsOf<ListRoutesOptions>

/** @internal */
export function parseApplyOptions(options: unknown) {
  return parseOptions(options, APPLY)
}

/** @internal */
export function parseDeleteLinkOptions(options: unknown) {
  return parseOptions(options, DELETE_LINK)
}

/** @internal */
export function parseListRoutesOptions(options: unknown) {
  return parseOptions(options, LIST_ROUTES)
}
