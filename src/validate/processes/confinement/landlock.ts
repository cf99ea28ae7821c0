import type { NativeLandlock } from '../../../../index.js'
import { array, type FieldsOf, type Parse, parseFields } from '../../fields.ts'
import { type Path, parsePath } from '../../paths.ts'
import { boolean, u16 } from '../../values.ts'

/**
 * What a program may use, whatever its user may do: rules of landlock(7), which need no privilege and no namespace. A list that is left
 * out restricts nothing, and an empty one allows nothing. Paths are those inside, have to exist, and stand for all that is below them.
 *
 * @example
 * await set.execFile('make', [], { landlock: { write: ['/home/me/project', '/dev/null'], connectTcp: [], scoped: true } })
 */
export interface LandlockRules {
  /** Files and directories that the program may read. What it may write or execute, it may read, too. */
  read?: readonly Path[] | undefined
  /** Files and directories that it may write, and in which it may create, rename and delete. */
  write?: readonly Path[] | undefined
  /** Programs, or directories of programs, that it may execute. A dynamic linker, such as /lib64/ld-linux-x86-64.so.2, is one of them. */
  execute?: readonly Path[] | undefined
  /** Unix sockets with a path that it may connect to, besides those that it makes itself. Linux 7.1. */
  connectUnix?: readonly Path[] | undefined
  /** TCP ports that it may connect to, at any address. Linux 6.7. */
  connectTcp?: readonly number[] | undefined
  /** TCP ports that it may bind a socket to. Port 0 stands for a port that the kernel chooses. Linux 6.7. */
  bindTcp?: readonly number[] | undefined
  /**
   * Whether it reaches only its own processes by signals and abstract Unix sockets: itself and what it started. Default: `false`.
   * Linux 6.12.
   */
  scoped?: boolean | undefined
  /**
   * Whether to leave out what the kernel does not support; `landlockAbi()` says what it does. Default: `false`: it is an error
   * (`EOPNOTSUPP`).
   */
  bestEffort?: boolean | undefined
}

const paths = array(parsePath)
const ports = array(u16)

const LANDLOCK = {
  read: paths,
  write: paths,
  execute: paths,
  connectUnix: paths,
  connectTcp: ports,
  bindTcp: ports,
  scoped: boolean,
  bestEffort: boolean,
} satisfies FieldsOf<LandlockRules>

/** @internal */
export const landlock: Parse<NativeLandlock> = (value, name) => {
  const { scoped = false, bestEffort = false, ...lists } = parseFields(value, name, LANDLOCK)
  return { ...lists, scoped, bestEffort }
}
