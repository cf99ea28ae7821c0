import type { NativeConfinement } from '../../../../index.js'
import { invalidValue } from '../../../errors.ts'
import type { FieldsOf, Parsed } from '../../fields.ts'
import { boolean, nullable, whole } from '../../values.ts'
import { type Capability, capabilities } from './capabilities.ts'
import { type LandlockRules, landlock } from './landlock.ts'
import { limits, type ProcessLimits } from './limits.ts'
import { type SystemCallFilter, seccomp } from './system-calls.ts'

/** What a program may do. What it starts may do no more. Without an option, it may do what the caller may do. */
export interface ConfinementOptions {
  /**
   * Resource limits, like prlimit(1). They are set before the program changes its user. A hard limit above the caller's needs
   * CAP_SYS_RESOURCE in the first user namespace (`EPERM`).
   * @see getrlimit(2)
   */
  limits?: ProcessLimits | undefined
  /** The permissions that new files do not get, from 0 to 0o777, as with `process.umask`. */
  umask?: number | undefined
  /** The niceness, from -20 to 19, as with `os.setPriority`. A lower one than the caller's needs CAP_SYS_NICE (`EACCES`). */
  nice?: number | undefined
  /**
   * The capabilities of the program: exactly these, in each of its sets, whatever its user is. `[]` means none. They are permitted,
   * effective, inheritable and ambient, so that other users than 0 keep them, too. All others are removed from the bounding set, and the
   * secure bit SECBIT_NOROOT is set and locked, so that no exec brings one back. A program that makes a user namespace has all
   * capabilities in it, over nothing outside of it.
   *
   * Each has to be a capability of the caller, or the program has to enter a `user` namespace, in which it has all (`EPERM`). A caller
   * without CAP_SETPCAP, such as an ordinary user outside of a `user` namespace, needs `noNewPrivileges` as well. The bounding set then
   * stays, without effect.
   *
   * The equivalent of `bwrap --cap-drop ALL --cap-add CAP`, and of `setpriv --bounding-set -all,+CAP --inh-caps -all,+CAP --ambient-caps
   * -all,+CAP`.
   * @see capabilities(7)
   */
  capabilities?: readonly Capability[] | undefined
  /**
   * Whether to set PR_SET_NO_NEW_PRIVS of prctl(2): programs cannot gain privileges by execve(2). Default: `true` with `seccomp` and
   * `landlock`, which require it; otherwise `false`.
   */
  noNewPrivileges?: boolean | undefined
  /**
   * The files, TCP ports and processes that the program may use: rules of landlock(7). They need neither a privilege nor a namespace.
   * @see landlock(7)
   */
  landlock?: LandlockRules | undefined
  /**
   * The system calls that the program may make: a filter of names, of {@link systemCalls} or {@link sandboxSystemCalls}; or a Buffer with
   * instructions of classic BPF for the kernel, as `bwrap --seccomp` reads them.
   *
   * It is the last step before the program is executed, and has to allow `execve`. If a Buffer ends the process there, the program
   * ends by SIGSYS.
   * @see seccomp(2)
   */
  seccomp?: SystemCallFilter | NodeJS.ArrayBufferView | undefined
}

/** @internal */
export const CONFINEMENT = {
  limits: nullable(limits),
  umask: nullable(whole(0, 0o777)),
  nice: nullable(whole(-20, 19)),
  capabilities: nullable(capabilities),
  noNewPrivileges: boolean,
  landlock: nullable(landlock),
  seccomp: nullable(seccomp),
} satisfies FieldsOf<ConfinementOptions>

/** @internal Returns the options as the native side takes them; undefined if they confine nothing. */
export function confinementOf(
  { limits, umask, nice, capabilities, noNewPrivileges, landlock, seccomp }: Parsed<typeof CONFINEMENT>,
  keepsCapabilities: boolean,
): NativeConfinement | undefined {
  if (capabilities !== undefined && keepsCapabilities) {
    throw invalidValue('options.keepCapabilities', "cannot be used with 'capabilities'", true)
  }
  const requiring = seccomp === undefined ? landlock && 'landlock' : 'seccomp'
  if (noNewPrivileges === false && requiring !== undefined) {
    throw invalidValue('options.noNewPrivileges', `cannot be false with '${requiring}'`, false)
  }
  const gainsNone = noNewPrivileges ?? requiring !== undefined
  const given = { limits, umask, nice, capabilities }
  if (!gainsNone && Object.values(given).every((value) => value === undefined)) return undefined
  return {
    limits: limits ?? [],
    noNewPrivileges: gainsNone,
    ...(umask === undefined ? {} : { umask }),
    ...(nice === undefined ? {} : { nice }),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(landlock === undefined ? {} : { landlock }),
    ...(Buffer.isBuffer(seccomp) ? { filter: seccomp } : {}),
  }
}
