import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { parseSysctl, parseSysctlValue } from '../../validate/network/sysctl.ts'
import { type Action, operation, type Run } from '../actions/action.ts'

const target = ({ name }: Plain) => String(name)

/** The actions of {@link NetworkSysctls}. */
export const sysctlActions = {
  /** See {@link NetworkSysctls.get}. */
  get(sysctl: string): Action<string> {
    return operation('sysctls.get', { name: parseSysctl(sysctl, 'name') }, target)
  },

  /** See {@link NetworkSysctls.set}. */
  set(sysctl: string, to: string | number | boolean): Action<void> {
    return operation('sysctls.set', { name: parseSysctl(sysctl, 'name'), value: parseSysctlValue(to, 'value') }, target)
  },
}

/**
 * The `net.*` sysctls. Each network has its own.
 *
 * Failures reject with an {@link ActionError}: `ENOENT` if the sysctl does not exist inside, `EACCES` or `EPERM` without
 * CAP_NET_ADMIN in the user namespace that owns the network, `EROFS` if /proc or /proc/sys is read-only, as in most containers.
 *
 * @example
 * await set.network.sysctls.set('net.ipv4.ip_forward', true)
 *
 * @see sysctl(8)
 */
export class NetworkSysctls {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkSysctls)
  }

  /** @hidden Created by its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Resolves with the value as the kernel formats it, like `sysctl -n NAME`. If the name of a link contains dots, both
   * `net.ipv4.conf.eth0.100.forwarding` and the forms of sysctl(8) work: `net.ipv4.conf.eth0/100.forwarding` and
   * `net/ipv4/conf/eth0.100/forwarding`.
   *
   * @throws {@link ActionError} `ENOENT` if the sysctl does not exist.
   * @example
   * console.log(await set.network.sysctls.get('net.ipv4.ip_forward')) // 0
   */
  async get(sysctl: string): Promise<string> {
    return this.#run(sysctlActions.get(sysctl))
  }

  /**
   * Sets a value, like `sysctl -w NAME=VALUE`. `true` is written as `1` and `false` as `0`.
   *
   * @throws {@link ActionError} `ENOENT` if the sysctl does not exist, `EACCES` if it cannot be written here, `EINVAL` if the kernel
   * rejects the value.
   * @example
   * await set.network.sysctls.set('net.ipv4.ip_forward', true)
   * await set.network.sysctls.set('net.ipv4.ip_local_port_range', '20000 30000')
   */
  async set(sysctl: string, to: string | number | boolean): Promise<void> {
    return this.#run(sysctlActions.set(sysctl, to))
  }
}
