/**
 * @hidden The types of higher layers that arguments name. `set/action-context.ts` adds them as members, by declaration
 * merging: sets, their networks and actions name each other, and imports may point in one direction only.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it has members where the layer above is compiled, too.
export interface Register {}

/** @hidden What is known of the course of a list of actions, whatever they are done in. */
export interface Progress {
  readonly results: readonly unknown[]
  readonly signal: AbortSignal | undefined
}

/** @hidden The type of {@link NamespaceSet}. */
export type AnySet = Register extends { set: infer S extends object } ? S : object

/** @hidden The type of {@link ActionContext}. */
export type Context = Register extends { context: infer C extends Progress } ? C : Progress

/** @hidden What a context has beside the progress. */
export type Surroundings = Omit<Context, keyof Progress>

/** What is found out when an action's turn comes. */
export type Later<T> = (context: Context) => T | Promise<T>
