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
import { conntrackActions } from './conntrack.ts'
import { firewallActions } from './firewall.ts'
import { linkActions } from './links.ts'
import { socketActions } from './network-sockets.ts'
import { offloadActions } from './offload.ts'
import { classActions } from './queueing/classes.ts'
import { filterActions } from './queueing/filters.ts'
import { qdiscActions } from './queueing/qdiscs.ts'
import { forwardingEntryActions } from './routing/forwarding-entries.ts'
import { neighbourActions } from './routing/neighbours.ts'
import { nextHopActions } from './routing/next-hops.ts'
import { routeActions } from './routing/routes.ts'
import { ruleActions } from './routing/rules.ts'
import { sysctlActions } from './sysctls.ts'
import { vlanActions } from './vlans.ts'
import { wireguardActions } from './wireguard.ts'

/**
 * Functions that create actions for {@link Network.apply}. `action.X.Y` takes the arguments of `network.X.Y`, and has its
 * result. Arguments are checked when the action is created. A reference that is a function is called just before the action
 * runs.
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
  /** The actions of {@link NetworkNextHops}. */
  nextHops: nextHopActions,
  /** The actions of {@link NetworkRules}. */
  rules: ruleActions,
  /** The actions of {@link NetworkNeighbours}. */
  neighbours: neighbourActions,
  /** The actions of {@link NetworkForwardingEntries}. */
  forwardingEntries: forwardingEntryActions,
  /** The actions of {@link NetworkQdiscs}. */
  qdiscs: qdiscActions,
  /** The actions of {@link NetworkClasses}. */
  classes: classActions,
  /** The actions of {@link NetworkFilters}. */
  filters: filterActions,
  /** The actions of {@link NetworkSockets}. */
  sockets: socketActions,
  /** The actions of {@link NetworkFirewall}. */
  firewall: firewallActions,
  /** The actions of {@link NetworkConntrack}. */
  conntrack: conntrackActions,
  /** The actions of {@link NetworkSysctls}. */
  sysctls: sysctlActions,
  /** The actions of {@link NetworkVlans}. */
  vlans: vlanActions,
  /** The actions of {@link NetworkOffload}. */
  offload: offloadActions,
  /** The actions of {@link NetworkWireGuard}. */
  wireguard: wireguardActions,

  /**
   * Calls a function inside, synchronously, on the calling thread, as {@link NamespaceSet.do} does. `name` is used in errors.
   *
   * @throws when applied: an {@link ActionError}; `ERR_NSSET_NOT_ENTERABLE` for a set of an ordinary user,
   * `ERR_NSSET_ASYNC_CALLBACK` if the function returns a promise.
   * @example
   * action.do('list interfaces', () => os.networkInterfaces())
   */
  do: doInside as DoAction,

  /**
   * Calls a function outside, and waits for its result or promise. `name` is used in errors.
   *
   * @throws when applied: an {@link ActionError} whose `cause` is the error of the function.
   * @example
   * action.call('wait for the link', async ({ network, signal }) => { await until(() => network.links.get('eth0'), { signal }) })
   */
  call: callOutside as <R>(name: string, fn: (context: Context) => R) => Action<Awaited<R>>,

  /**
   * Applies a list of actions in another set. The result is the list of their results.
   *
   * @throws when applied: an {@link ActionError} whose `cause` is the error of the inner action.
   * @example
   * action.inside({ name: 'blue' }, [action.links.set('lo', { up: true })])
   */
  inside: inside as <const A extends readonly Action<unknown>[]>(set: SetRef, actions: A) => Action<Results<A>>,

  /**
   * Starts a program inside, as {@link NamespaceSet.spawn} does. The result is its process, once it runs; the next action does
   * not wait for its end. You can read its streams only after the whole list, so the output of a program that ends before that
   * is lost. Redirect the output with `stdio`, make it the last action, or use `action.call` with `execFile`.
   *
   * @throws when applied: an {@link ActionError}, for example `ENOENT` if the program does not exist.
   * @example
   * const [server] = await set.network.apply([action.spawn('dnsmasq', ['--keep-in-foreground'])])
   */
  spawn: spawn as SpawnAction,

  /**
   * Starts a script inside, like `sh -c TEXT`. The result is its process, as with {@link action.spawn}.
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

/** The overloads of a set's `do`, which reject an asynchronous function. */
interface DoAction {
  /** @deprecated An asynchronous function runs outside from its first `await` on, and makes the action fail. */
  <R extends PromiseLike<unknown>>(
    name: string,
    fn: ((context: Context) => R) & ((context: Context) => Thenable<R>),
  ): Action<never>
  <R>(name: string, fn: (context: Context) => R): Action<R>
}

/** The overloads of a set's `spawn`. */
interface SpawnAction {
  <const S extends StdioOptions | undefined = 'pipe'>(
    file: string,
    args?: readonly string[] | null,
    options?: SpawnOptions<S>,
  ): Action<ChildOf<S>>
  <const S extends StdioOptions | undefined = 'pipe'>(file: string, options?: SpawnOptions<S>): Action<ChildOf<S>>
}
