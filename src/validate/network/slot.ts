import type { Context, Lazy } from '../../objects/context.ts'
import type { Parse, Plain } from '../fields.ts'
import type { KnownSet } from './known-set.ts'

/** @internal What values of an operation can refer to within its request. */
export interface RequestContext {
  /** Returns the number of another network in this request. */
  numberOf(set: KnownSet): number
}

/** @internal A value of an operation that is only known just before the action runs, or only within a request. */
export abstract class Deferred<T = unknown> {
  readonly #given: T | Lazy<unknown>
  readonly #name: string
  readonly #parse: Parse<T>

  /** Checks a value that is not a function at once. */
  constructor(given: unknown, name: string, parse: Parse<T>) {
    this.#given = typeof given === 'function' ? (given as Lazy<unknown>) : parse(given, name)
    this.#name = name
    this.#parse = parse
  }

  /** The value, if it is not lazy. */
  get known(): T {
    return this.#given as T
  }

  /** Whether the value is returned by a function, which has to be called by `call`. */
  get isLazy(): boolean {
    return typeof this.#given === 'function'
  }

  /** Calls the function. Its value, or the value of its promise, has to be checked by `check`. */
  call(context: Context): unknown {
    const given = this.#given as Lazy<unknown>
    return given(context)
  }

  /** Checks the value of the function. */
  check(value: unknown): T {
    return this.#parse(value, `${this.#name}()`)
  }

  /** Returns what the operation contains in its place. */
  fill(resolved: Resolved, request: RequestContext): unknown {
    return this.write(this.isLazy ? (resolved.get(this) as T) : this.known, request)
  }

  protected abstract write(value: T, request: RequestContext): unknown
}

/** @internal The resolved values of an operation. */
export type Resolved = ReadonlyMap<Deferred, unknown>

/** @internal Returns the deferred values in an operation. */
export function deferredIn(template: unknown): Deferred[] {
  const found: Deferred[] = []
  collect(template, found)
  return found
}

function collect(template: unknown, found: Deferred[]): void {
  if (typeof template !== 'object' || template === null) return
  if (template instanceof Deferred) {
    found.push(template)
    return
  }
  for (const value of Object.values(template)) collect(value, found)
}

/** @internal Returns the operation with all deferred values filled in. */
export function fill(template: Plain, resolved: Resolved, request: RequestContext): Plain {
  return filled(template, resolved, request) as Plain
}

function filled(template: unknown, resolved: Resolved, request: RequestContext): unknown {
  if (template instanceof Deferred) return template.fill(resolved, request)
  if (Array.isArray(template)) return template.map((element) => filled(element, resolved, request))
  if (typeof template !== 'object' || template === null) return template
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, filled(value, resolved, request)]))
}
