import type { Context } from '../../objects/context.ts'
import { notOurs } from '../../objects/copies.ts'
import { failureOf, type NamespaceChildProcess } from '../../processes/child-process.ts'
import { spawn as spawnInside } from '../../processes/spawn.ts'
import { visit } from '../../threads/do.ts'
import { type Parsed, parseArray, parseOptions } from '../../validate/fields.ts'
import { describeSet } from '../../validate/network/known-set.ts'
import { parseScript, type ScriptOptions } from '../../validate/network/script-options.ts'
import { parseSetRef, type SetRef } from '../../validate/network/set-ref.ts'
import { text } from '../../validate/network/values.ts'
import { launchOf, parseArguments, parseFile, SPAWN } from '../../validate/processes/spawn-options.ts'
import { parseFunction } from '../../validate/values.ts'
import { Action, type Results } from './action.ts'
import { apply } from './apply.ts'
import { type ApplyTarget, applyTargetOf } from './apply-target.ts'
import { openSet } from './open-set.ts'
import type { Procedure } from './procedure.ts'

/** @internal */
export function doInside<R>(name: string, fn: (context: Context) => R): Action<R> {
  const call = parseFunction(fn, 'fn')
  return step('do', text(name, 'name'), (context, { set }) => visit(set.native, 0, () => call(context)))
}

/** @internal */
export function callOutside<R>(name: string, fn: (context: Context) => R): Action<Awaited<R>> {
  return step('call', text(name, 'name'), parseFunction(fn, 'fn'))
}

/** @internal */
export function inside<const A extends readonly Action<unknown>[]>(set: SetRef, actions: A): Action<Results<A>> {
  const reference = parseSetRef(set, 'set')
  const list = parseActions(actions)
  const target = reference.isLazy ? '' : describeSet(reference.known)
  return new Action('inside', { type: 'list', target, run })

  function* run(context: Context, { set, way }: ApplyTarget): Procedure<unknown[]> {
    const known = reference.isLazy ? reference.check(yield reference.call(context)) : reference.known
    if ('set' in known) return yield* apply(applyTargetOf(known.set, way), list, context.signal)
    const opened = set.create(yield* openSet(way, known), 'name' in known ? known.name : undefined)
    try {
      return yield* apply(applyTargetOf(opened, way), list, context.signal)
    } finally {
      opened.close()
    }
  }
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
  return step(name, file, (_, { set }) => started(spawnInside(set.native, launchOf(file, args, options))))
}

/** Returns the child if it runs, or throws the reason why it did not start. */
function started(child: NamespaceChildProcess): NamespaceChildProcess {
  const failure = failureOf(child)
  if (failure === undefined) return child
  // The child also emits it, for which it needs a listener.
  child.once('error', () => undefined)
  throw failure
}

/** @internal */
export function parseActions(actions: unknown): Action<unknown>[] {
  return parseArray(actions, 'actions', (element, name) => {
    if (element instanceof Action) return element
    throw notOurs(name, 'an action, created by a function of `action`', element)
  })
}

function step<R>(
  name: string,
  target: string,
  call: (context: Context, applyTarget: ApplyTarget) => unknown,
): Action<R> {
  return new Action(name, { type: 'call', target, call })
}
