import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../../objects/uncloneable.ts'
import { type ListRoutesOptions, parseListRoutesOptions } from '../../../validate/network/options.ts'
import { describeRoute, parseRoute, type Route, type RouteSpec } from '../../../validate/network/routing/route.ts'
import { parseRouteLookup, type RouteLookupOptions } from '../../../validate/network/routing/route-lookup.ts'
import { type Action, operation, type Run } from '../../actions/action.ts'
import { type List, listing } from '../../actions/list.ts'

function change(name: string, route: RouteSpec): Action<void> {
  return operation(name, { route: parseRoute(route, 'route') }, ({ route }) => describeRoute(route))
}

/** The actions of {@link NetworkRoutes}. */
export const routeActions = {
  /** See {@link NetworkRoutes.list}. */
  list(options?: ListRoutesOptions): Action<List<Route>> {
    return listing('routes.list', parseListRoutesOptions(options), () => '')
  },

  /** See {@link NetworkRoutes.lookup}. */
  lookup(address: string, options?: RouteLookupOptions): Action<Route> {
    const lookup = parseRouteLookup(address, options)
    return operation('routes.lookup', { lookup }, () => String(lookup['address']))
  },

  /** See {@link NetworkRoutes.add}. */
  add(route: RouteSpec): Action<void> {
    return change('routes.add', route)
  },

  /** See {@link NetworkRoutes.append}. */
  append(route: RouteSpec): Action<void> {
    return change('routes.append', route)
  },

  /** See {@link NetworkRoutes.replace}. */
  replace(route: RouteSpec): Action<void> {
    return change('routes.replace', route)
  },

  /** See {@link NetworkRoutes.delete}. */
  delete(route: RouteSpec): Action<void> {
    return change('routes.delete', route)
  },
}

/**
 * The routes of a network.
 *
 * Failures reject with an {@link ActionError}: `EPERM` without CAP_NET_ADMIN, `ENODEV` if `dev` does not exist.
 *
 * @example
 * await set.network.routes.add({ destination: 'default', via: '10.0.0.1' })
 *
 * @see ip-route(8)
 */
export class NetworkRoutes {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkRoutes)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the IPv4 and IPv6 routes, like `ip route show table all`. Default: the routes of all tables.
   *
   * @example
   * const routes = await set.network.routes.list({ table: 254 })
   * console.log(routes.find(({ destination }) => destination === 'default')?.via)
   * @see ip-route(8)
   */
  async list(options?: ListRoutesOptions): Promise<List<Route>> {
    return this.#run(routeActions.list(options))
  }

  /**
   * Resolves with the route that the kernel takes to an address, like `ip route get`: rules, marks and ports count. Its
   * `destination` is the address, `source` the address that the packet gets; with `fibMatch`, it is the route of the table.
   *
   * @throws {@link ActionError} `ENETUNREACH` if there is no route; `EHOSTUNREACH`, `EACCES` or `EINVAL` for one of type
   * `'unreachable'`, `'prohibit'` or `'blackhole'`.
   * @example
   * const { via, dev, source } = await set.network.routes.lookup('192.0.2.1')
   * const marked = await set.network.routes.lookup('192.0.2.1', { fwmark: 7, ipProto: 'tcp', dport: 443 })
   * @see ip-route(8)
   */
  async lookup(address: string, options?: RouteLookupOptions): Promise<Route> {
    return this.#run(routeActions.lookup(address, options))
  }

  /**
   * Adds a route, like `ip route add`. It accepts a {@link Route} of a list.
   *
   * @throws {@link ActionError} `EEXIST` if the route exists; `ENETUNREACH` if no link that is up reaches the gateway; `EINVAL`
   * for a combination of values that the kernel rejects.
   * @example
   * await set.network.routes.add({ destination: 'default', via: '10.0.0.1' })
   * await set.network.routes.add({ destination: 'fd00:1::/64', dev: 'eth0', metric: 10 })
   * const nextHops = [{ via: '10.0.0.1', weight: 3 }, { via: '10.0.0.2' }]
   * await set.network.routes.add({ destination: '192.0.2.0/24', nextHops })
   * @see ip-route(8)
   */
  async add(route: RouteSpec): Promise<void> {
    return this.#run(routeActions.add(route))
  }

  /**
   * Adds a route, also if there is one to the same destination with the same metric, like `ip route append`. The kernel keeps IPv4
   * routes in their order and uses the first one. Of IPv6 routes with gateways it makes one with several next hops.
   *
   * @throws {@link ActionError} as {@link NetworkRoutes.add}; `EEXIST` if the route exists with the same gateway and link.
   * @example
   * await set.network.routes.add({ destination: '2001:db8::/32', via: 'fd00::1' })
   * await set.network.routes.append({ destination: '2001:db8::/32', via: 'fd00::2' })
   * @see ip-route(8)
   */
  async append(route: RouteSpec): Promise<void> {
    return this.#run(routeActions.append(route))
  }

  /**
   * Adds a route, or replaces the one to the same destination with the same metric, like `ip route replace`.
   *
   * @throws {@link ActionError} as {@link NetworkRoutes.add}, except `EEXIST`.
   * @example
   * await set.network.routes.replace({ destination: 'default', via: '10.0.0.254' })
   * @see ip-route(8)
   */
  async replace(route: RouteSpec): Promise<void> {
    return this.#run(routeActions.replace(route))
  }

  /**
   * Deletes the first route that matches, like `ip route del`. Fields that you omit match any value, whatever created the route;
   * except `table`, whose default is 254 (`main`).
   *
   * @throws {@link ActionError} `ESRCH` if no route matches.
   * @example
   * await set.network.routes.delete({ destination: 'default' })
   * @see ip-route(8)
   */
  async delete(route: RouteSpec): Promise<void> {
    return this.#run(routeActions.delete(route))
  }
}
