import { hideUncloneable, INSTEAD_OF_NETWORK } from '../../objects/uncloneable.ts'
import type { Plain } from '../../validate/fields.ts'
import { parseSysctl, parseSysctlValue } from '../../validate/network/sysctl.ts'
import { type Action, operation, type Run } from '../actions/action.ts'

const target = ({ name }: Plain) => String(name)

/** The actions of {@link NetworkSysctls}: see there. */
export const sysctlActions = {
  /** As {@link NetworkSysctls.get}. */
  get(sysctl: string): Action<string> {
    return operation('sysctls.get', { name: parseSysctl(sysctl, 'name') }, target)
  },

  /** As {@link NetworkSysctls.set}. */
  set(sysctl: string, to: string | number | boolean): Action<void> {
    return operation('sysctls.set', { name: parseSysctl(sysctl, 'name'), value: parseSysctlValue(to, 'value') }, target)
  },
}

/**
 * The `net.*` sysctls of a network, each network has its own.
 *
 * What fails rejects with an {@link ActionError}: `ENOENT` where there is no such sysctl inside, `EACCES` or `EPERM` without
 * CAP_NET_ADMIN in the user namespace that owns the network, `EROFS` where /proc or /proc/sys is read-only, as in most containers.
 *
 * @example
 * await set.network.sysctls.set('net.ipv4.ip_forward', true)
 *
 * @see sysctl(8)
 */
export class NetworkSysctls {
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD_OF_NETWORK
  readonly #run: Run

  static {
    hideUncloneable(NetworkSysctls)
  }

  /** @hidden Made with its network. */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * The value, as the kernel writes it. A link's name may have dots in it: `net.ipv4.conf.eth0.100.forwarding`, or as
   * sysctl(8) has it, `net.ipv4.conf.eth0/100.forwarding` and `net/ipv4/conf/eth0.100/forwarding`.
   *
   * @throws {@link ActionError} `ENOENT`.
   * @example
   * console.log(await set.network.sysctls.get('net.ipv4.ip_forward')) // 0
   */
  async get(sysctl: string): Promise<string> {
    return this.#run(sysctlActions.get(sysctl))
  }

  /**
   * Sets the value; a boolean is 1 or 0.
   *
   * @throws {@link ActionError} `ENOENT`, `EACCES`, `EINVAL` for a value that the kernel does not take.
   * @example
   * await set.network.sysctls.set('net.ipv4.ip_forward', true)
   * await set.network.sysctls.set('net.ipv4.ip_local_port_range', '20000 30000')
   */
  async set(sysctl: string, to: string | number | boolean): Promise<void> {
    return this.#run(sysctlActions.set(sysctl, to))
  }
}
