import { notOurs } from '../copies.ts'
import { invalidType } from '../errors.ts'
import type { NamespaceSet } from '../namespace-set.ts'
import type { NamespaceChildProcess } from '../processes/child-process.ts'
import { parseArray } from '../validate/fields.ts'
import { describeSet, parseSetRef, type SetRef } from '../validate/network/set-ref.ts'
import { parseText } from '../validate/paths.ts'
import { parseArguments, parseLaunch, type SpawnOptions } from '../validate/processes/spawn-options.ts'
import type { StdioOptions } from '../validate/processes/stdio.ts'
import { parseFunction, parseOptions } from '../validate/values.ts'
import { Action, type ActionContext, type Results } from './action.ts'

/** Options of {@link action.script}. */
export interface ScriptOptions<S extends StdioOptions | undefined = StdioOptions | undefined> extends SpawnOptions<S> {
  /** The program that runs the script, and what it is told before it; `['sh', '-c']` unless told. */
  subcommand?: readonly [string, ...string[]] | undefined
}

/** @internal */
export function doInside<R>(name: string, fn: (context: ActionContext) => R): Action<R> {
  const call = parseFunction(fn, 'fn')
  return step('do', parseText(name, 'name'), (context) => context.set.do(() => call(context)))
}

/** @internal */
export function callOutside<R>(name: string, fn: (context: ActionContext) => R): Action<Awaited<R>> {
  return step('call', parseText(name, 'name'), parseFunction(fn, 'fn'))
}

/** @internal */
export function inside<const A extends readonly Action<unknown>[]>(set: SetRef, actions: A): Action<Results<A>> {
  const slot = parseSetRef(set, 'set')
  const list = parseActions(actions)
  return step('inside', slot.isLater ? '' : describeSet(slot.known), async (context) => {
    const known = slot.isLater ? await slot.ask(context) : slot.known
    return 'set' in known ? applyIn(known.set, list, context) : applyInOpened(known.open(), list, context)
  })
}

async function applyInOpened(set: NamespaceSet, list: readonly Action<unknown>[], context: ActionContext) {
  try {
    return await applyIn(set, list, context)
  } finally {
    set.close()
  }
}

function applyIn(set: NamespaceSet, list: readonly Action<unknown>[], { signal }: ActionContext): Promise<unknown[]> {
  return set.network.apply(list, { signal })
}

/** @internal */
export function spawn(file: string, args?: unknown, options?: unknown): Action<NamespaceChildProcess> {
  const [words, given] = parseArguments<SpawnOptions>(args, options)
  return start('spawn', file, words, given)
}

/** @internal */
export function script(text: string, options?: ScriptOptions): Action<NamespaceChildProcess> {
  const line = parseText(text, 'text')
  const { subcommand = ['sh', '-c'], ...rest } = parseOptions<ScriptOptions>(options)
  const [file, ...args] = parseArray(subcommand, 'options.subcommand', parseText)
  if (file === undefined) throw invalidType('options.subcommand', 'an array with a program', subcommand)
  return start('script', file, [...args, line], rest)
}

function start(
  name: string,
  file: string,
  args: string[],
  options: Partial<SpawnOptions>,
): Action<NamespaceChildProcess> {
  // For what it refuses: the environment is that of later.
  parseLaunch(file, args, options)
  return step(name, file, ({ set }) => started(set.spawn(file, args, options)))
}

/** The child, once it runs, or why it does not. */
function started(child: NamespaceChildProcess): NamespaceChildProcess | Promise<never> {
  if (child.pid !== undefined) return child
  return new Promise((_, reject) => child.once('error', reject))
}

/** @internal */
export function parseActions(actions: unknown): Action<unknown>[] {
  return parseArray(actions, 'actions', (element, name) => {
    if (element instanceof Action) return element
    throw notOurs(name, 'an action, as the functions of `action` make them', element)
  })
}

function step<R>(name: string, target: string, call: (context: ActionContext) => unknown): Action<R> {
  return new Action(name, { type: 'call', target, call })
}
