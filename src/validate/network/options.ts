import { type FieldsOf, parseOptions } from '../fields.ts'
import { boolean, signal, u32 } from '../values.ts'

/** Options of {@link Network.apply}. */
export interface ApplyOptions {
  /** Ends the list before its next action; what is done stays done. */
  signal?: AbortSignal | undefined
}

/** Options of {@link NetworkLinks.delete}. */
export interface DeleteLinkOptions {
  /** Whether it is no error when there is no such link. */
  force?: boolean | undefined
}

/** Options of {@link NetworkRoutes.list}. */
export interface ListRoutesOptions {
  /** Those of this routing table only; 254 is `main`. */
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
