/**
 * @hidden The types of higher layers that arguments name. `set/action-context.ts` adds them as members, by declaration
 * merging: sets, their networks and actions name each other, and imports may point in one direction only.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it has members where the layer above is compiled, too.
export interface Register {}

/** @hidden The progress of a list of actions. */
export interface Progress {
  readonly results: readonly unknown[]
  readonly signal: AbortSignal | undefined
}

/** @hidden The type of {@link NamespaceSet}. */
export type AnySet = Register extends { set: infer S extends object } ? S : object

/** @hidden The type of {@link ActionContext}. */
export type Context = Register extends { context: infer C extends Progress } ? C : Progress

/** @hidden The members of a context beside the progress. */
export type Surroundings = Omit<Context, keyof Progress>

/** A function that returns a value. It is called just before its action runs. */
export type Lazy<T> = (context: Context) => T | Promise<T>
