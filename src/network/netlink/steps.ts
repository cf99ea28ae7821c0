import { notOurs } from '../../native/copies.ts'
import type { NamespaceChildProcess } from '../../processes/child-process.ts'
import { spawn as spawnInside } from '../../processes/spawn.ts'
import type { NamespaceSet } from '../../set/namespace-set.ts'
import { sets } from '../../set/set-access.ts'
import { type Parsed, parseArray, parseOptions } from '../../validate/fields.ts'
import { parseScript, type ScriptOptions } from '../../validate/network/script-options.ts'
import { describeSet, parseSetRef, type SetRef } from '../../validate/network/set-ref.ts'
import { text } from '../../validate/network/values.ts'
import { launchOf, parseArguments, parseFile, SPAWN } from '../../validate/processes/spawn-options.ts'
import { parseFunction } from '../../validate/values.ts'
import { Action, type ActionContext, type Results } from './action.ts'

/** @internal */
export function doInside<R>(name: string, fn: (context: ActionContext) => R): Action<R> {
  const call = parseFunction(fn, 'fn')
  return step('do', text(name, 'name'), (context) => context.set.do(() => call(context)))
}

/** @internal */
export function callOutside<R>(name: string, fn: (context: ActionContext) => R): Action<Awaited<R>> {
  return step('call', text(name, 'name'), parseFunction(fn, 'fn'))
}

/** @internal */
export function inside<const A extends readonly Action<unknown>[]>(set: SetRef, actions: A): Action<Results<A>> {
  const reference = parseSetRef(set, 'set')
  const list = parseActions(actions)
  return step('inside', reference.isLazy ? '' : describeSet(reference.known), async (context) => {
    const known = reference.isLazy ? await reference.resolve(context) : reference.known
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
  const [words, given] = parseArguments(args, options)
  return start('spawn', parseFile(file), words, parseOptions(given, SPAWN))
}

/** @internal */
export function script(text: string, options?: ScriptOptions): Action<NamespaceChildProcess> {
  const [file, args, rest] = parseScript(text, options)
  return start('script', file, args, rest)
}

function start(
  name: string,
  file: string,
  args: string[],
  options: Parsed<typeof SPAWN>,
): Action<NamespaceChildProcess> {
  return step(name, file, ({ set }) => started(spawnInside(sets.nativeOf(set), launchOf(file, args, options))))
}

/** Returns the child if it runs, or rejects with the reason why it did not start. */
function started(child: NamespaceChildProcess): NamespaceChildProcess | Promise<never> {
  if (child.pid !== undefined) return child
  return new Promise((_, reject) => child.once('error', reject))
}

/** @internal */
export function parseActions(actions: unknown): Action<unknown>[] {
  return parseArray(actions, 'actions', (element, name) => {
    if (element instanceof Action) return element
    throw notOurs(name, 'an action, created by a function of `action`', element)
  })
}

function step<R>(name: string, target: string, call: (context: ActionContext) => unknown): Action<R> {
  return new Action(name, { type: 'call', target, call })
}
