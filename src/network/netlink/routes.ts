import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import { type ListRoutesOptions, parseListRoutesOptions } from '../../validate/network/options.ts'
import { describeRoute, parseRoute, type Route, type RouteSpec } from '../../validate/network/route.ts'
import { type Action, operation, type Run } from '../actions/action.ts'

function change(name: string, route: RouteSpec): Action<void> {
  return operation(name, { route: parseRoute(route, 'route') }, ({ route }) => describeRoute(route))
}

/** The actions of {@link NetworkRoutes}: see there. */
export const routeActions = {
  /** As {@link NetworkRoutes.list}. */
  list(options?: ListRoutesOptions): Action<Route[]> {
    return operation('routes.list', parseListRoutesOptions(options), () => '')
  },

  /** As {@link NetworkRoutes.add}. */
  add(route: RouteSpec): Action<void> {
    return change('routes.add', route)
  },

  /** As {@link NetworkRoutes.replace}. */
  replace(route: RouteSpec): Action<void> {
    return change('routes.replace', route)
  },

  /** As {@link NetworkRoutes.delete}. */
  delete(route: RouteSpec): Action<void> {
    return change('routes.delete', route)
  },
}

/**
 * The routes of a network.
 *
 * What fails rejects with an {@link ActionError}: `EPERM` without CAP_NET_ADMIN, `ENODEV` for a `dev` that is not there.
 *
 * @example
 * await set.network.routes.add({ destination: 'default', via: '10.0.0.1' })
 *
 * @see ip-route(8)
 */
export class NetworkRoutes {
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkRoutes)
  }

  /** @hidden Made with its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * The routes of all tables, or of one, IPv4 and IPv6: `ip route show table all`.
   *
   * @throws {@link ActionError} `EAGAIN` when routes change so fast that no list is right.
   * @example
   * const routes = await set.network.routes.list({ table: 254 })
   * console.log(routes.find(({ destination }) => destination === 'default')?.via)
   */
  async list(options?: ListRoutesOptions): Promise<Route[]> {
    return this.#run(routeActions.list(options))
  }

  /**
   * Adds a route: `ip route add`. A {@link Route} of a list is one, too.
   *
   * @throws {@link ActionError} `EEXIST` when it is there; `ENETUNREACH` when its gateway is on no network of a link that is
   * up; `EINVAL`.
   * @example
   * await set.network.routes.add({ destination: 'default', via: '10.0.0.1' })
   * await set.network.routes.add({ destination: 'fd00:1::/64', dev: 'eth0', metric: 10 })
   * const nextHops = [{ via: '10.0.0.1', weight: 3 }, { via: '10.0.0.2' }]
   * await set.network.routes.add({ destination: '192.0.2.0/24', nextHops })
   */
  async add(route: RouteSpec): Promise<void> {
    return this.#run(routeActions.add(route))
  }

  /**
   * Adds a route (`ip route replace`), or puts it in the place of one to the same destination with the same metric.
   *
   * @throws {@link ActionError} as {@link NetworkRoutes.add}, but for `EEXIST`.
   * @example
   * await set.network.routes.replace({ destination: 'default', via: '10.0.0.254' })
   */
  async replace(route: RouteSpec): Promise<void> {
    return this.#run(routeActions.replace(route))
  }

  /**
   * Takes away the first route that is as this says: `ip route del`. What it does not say may be anything: who made the route,
   * its type, metric, source, scope and way. The table is 254, `main`, by default.
   *
   * @throws {@link ActionError} `ESRCH` when there is none.
   * @example
   * await set.network.routes.delete({ destination: 'default' })
   */
  async delete(route: RouteSpec): Promise<void> {
    return this.#run(routeActions.delete(route))
  }
}
