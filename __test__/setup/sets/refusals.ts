/** Tests of invalid arguments of networks: an action refuses them when it is made, a method rejects, a blocking one throws. */
import { inspect } from 'node:util'
import { ActionError, action, type Network } from 'nsset'
import { expect, test } from 'vitest'
import { type Expected, expectFailure, type Failure, failureOf, range, type, value } from './failure.ts'

export type Call = (...args: unknown[]) => unknown
export type Groups = Record<string, Record<string, Call>>

/** What the call throws at once, and not by a promise. */
export function thrownBy(call: () => unknown): Failure {
  try {
    call()
  } catch (error) {
    return error as Failure
  }
  throw new Error('it did not throw at once')
}

/** A wrong value, and the error for it where the argument is called by this name. */
export type Wrong = readonly [wrong: unknown, expected: (name: string) => Expected]

/** An argument: who takes it, by which name its errors call it, and the arguments with this value in its place. */
export type Taker = readonly [path: string, name: string, args: (value: unknown) => unknown[]]

/** What writes a test for each refusal of a network, and of the actions of the same names. */
export function refusalsOf(network: () => Network) {
  /** `links.add` of `action` and of `network.sync` throw this, and that of the network rejects with the same. */
  function refused(path: string, args: readonly unknown[], expected: Expected): void {
    const [group = '', method = ''] = path.split('.')
    const shown = args.map((arg) => inspect(arg, { breakLength: Number.POSITIVE_INFINITY }))
    test(`${path}(${shown.join(', ')})`, async () => {
      const thrown = thrownBy(() => (action as unknown as Groups)[group]?.[method]?.(...args))
      expectFailure(thrown, expected)
      const promise = (network() as unknown as Groups)[group]?.[method]?.(...args)
      expect(promise).toBeInstanceOf(Promise)
      const rejected = await failureOf(() => promise)
      expect(rejected).not.toBeInstanceOf(ActionError)
      expectFailure(rejected, expected)
      expect(rejected.message).toBe(thrown.message)
      const blocked = thrownBy(() => (network().sync as unknown as Groups)[group]?.[method]?.(...args))
      expect(blocked).not.toBeInstanceOf(ActionError)
      expectFailure(blocked, expected)
      expect(blocked.message).toBe(thrown.message)
    })
  }

  function refusedBy(takers: readonly Taker[], wrongs: readonly Wrong[]): void {
    for (const [path, name, args] of takers) {
      for (const [wrong, expected] of wrongs) refused(path, args(wrong), expected(name))
    }
  }

  return { refused, refusedBy }
}

export const typed = (name: string) => type(name)
export const valued = (name: string) => value(name)
export const ranged = (name: string) => range(name)
