import type { Context } from '../../objects/context.ts'
import type { ChildOf } from '../../processes/child-process.ts'
import type { Thenable } from '../../threads/thenable.ts'
import type { ScriptOptions } from '../../validate/network/script-options.ts'
import type { SetRef } from '../../validate/network/set-ref.ts'
import type { SpawnOptions } from '../../validate/processes/spawn-options.ts'
import type { StdioOptions } from '../../validate/processes/stdio.ts'
import type { Action, Results } from '../actions/action.ts'
import { callOutside, doInside, inside, script, spawn } from '../actions/steps.ts'
import { addressActions } from './addresses.ts'
import { linkActions } from './links.ts'
import { qdiscActions } from './qdiscs.ts'
import { routeActions } from './routes.ts'
import { sysctlActions } from './sysctls.ts'
import { wireguardActions } from './wireguard.ts'

/**
 * Actions, as data, for {@link Network.apply}. `action.X.Y` takes what `network.X.Y` takes, and comes to what that gives.
 * Arguments are checked when an action is made; functions among them are called when its turn comes.
 *
 * @example
 * const [bridge] = await set.network.apply([
 *   action.links.add({ kind: 'bridge', name: 'br0', up: true }),
 *   action.addresses.add('br0', '10.0.0.1/24'),
 *   action.sysctls.set('net.ipv4.ip_forward', true),
 * ])
 * console.log(bridge.index)
 */
export const action = {
  /** The actions of {@link NetworkLinks}. */
  links: linkActions,
  /** The actions of {@link NetworkAddresses}. */
  addresses: addressActions,
  /** The actions of {@link NetworkRoutes}. */
  routes: routeActions,
  /** The actions of {@link NetworkQdiscs}. */
  qdiscs: qdiscActions,
  /** The actions of {@link NetworkSysctls}. */
  sysctls: sysctlActions,
  /** The actions of {@link NetworkWireGuard}. */
  wireguard: wireguardActions,

  /**
   * Runs a function inside, synchronously, on this thread, as {@link NamespaceSet.do} does. `name` is for errors.
   *
   * @throws as `action`s do when they are applied: an {@link ActionError}, `ERR_NSSET_NOT_ENTERABLE` for a set of an ordinary
   * user's, `ERR_NSSET_ASYNC_CALLBACK` for a function that returns a promise.
   * @example
   * action.do('look', () => os.networkInterfaces())
   */
  do: doInside as DoAction,

  /**
   * Calls a function outside, and waits for what it returns. `name` is for errors.
   *
   * @throws when applied: an {@link ActionError} with what the function threw as its `cause`.
   * @example
   * action.call('wait for the link', async ({ network, signal }) => { await until(() => network.links.get('eth0'), { signal }) })
   */
  call: callOutside as <R>(name: string, fn: (context: Context) => R) => Action<Awaited<R>>,

  /**
   * Does a list of actions in another set; it comes to the list of their results.
   *
   * @throws when applied: an {@link ActionError} whose `cause` is that of the inner action.
   * @example
   * action.inside({ name: 'blue' }, [action.links.set('lo', { up: true })])
   */
  inside: inside as <const A extends readonly Action<unknown>[]>(set: SetRef, actions: A) => Action<Results<A>>,

  /**
   * Starts a program inside, as {@link NamespaceSet.spawn} does, and comes to its process once it runs. The next action does not
   * wait for its end. What it writes is lost when it ends before its streams are read, which is after the whole list: give
   * its output a place (`stdio`), make it the last action, or use `action.call` and `execFile`.
   *
   * @throws when applied: an {@link ActionError}, `ENOENT` for a program that is not there.
   * @example
   * const [server] = await set.network.apply([action.spawn('dnsmasq', ['--keep-in-foreground'])])
   */
  spawn: spawn as SpawnAction,

  /**
   * Starts a script inside, with `sh -c` by default, and returns its process, as with {@link action.spawn}.
   *
   * @throws when applied: an {@link ActionError}.
   * @example
   * action.script('ip route show table all | sort', { stdio: 'inherit' })
   * action.script('print(1)', { subcommand: ['python3', '-c'] })
   */
  script: script as <const S extends StdioOptions | undefined = 'pipe'>(
    text: string,
    options?: ScriptOptions<S>,
  ) => Action<ChildOf<S>>,
}

/** As `do` of a set: an asynchronous function is refused. */
interface DoAction {
  /** @deprecated An asynchronous function runs outside from its first `await` on, and makes the action fail. */
  <R extends PromiseLike<unknown>>(
    name: string,
    fn: ((context: Context) => R) & ((context: Context) => Thenable<R>),
  ): Action<never>
  <R>(name: string, fn: (context: Context) => R): Action<R>
}

/** As `spawn` of a set. */
interface SpawnAction {
  <const S extends StdioOptions | undefined = 'pipe'>(
    file: string,
    args?: readonly string[] | null,
    options?: SpawnOptions<S>,
  ): Action<ChildOf<S>>
  <const S extends StdioOptions | undefined = 'pipe'>(file: string, options?: SpawnOptions<S>): Action<ChildOf<S>>
}
