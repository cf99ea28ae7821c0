/** What tests of actions share. */
import { ActionError, action, type NamespaceSet } from 'nsset'
import { expect } from 'vitest'
import { namesOf } from '../oracles/iproute.ts'
import { failureOf } from './failure.ts'

/** The names of the links that were made inside, as ip(8) tells them. */
export const linksOf = async (inside: NamespaceSet) => (await namesOf(inside)).sort()

/** The error of an action, which it has to be. */
export async function actionErrorOf(call: () => unknown): Promise<ActionError> {
  const failure = await failureOf(call)
  expect(failure).toBeInstanceOf(ActionError)
  return failure as unknown as ActionError
}

export const bridge = (name: string) => action.links.add({ kind: 'bridge', name })
