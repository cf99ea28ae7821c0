/** A mount namespace for programs with many mounts, which would disturb tests that count the mounts of this one. */
import { NamespaceSet } from 'nsset'

export interface PrivateMounts extends Disposable {
  /** The command line that runs this one inside, in a directory. */
  inside(directory: string, program: string, args: readonly string[]): [file: string, args: string[]]
}

export function privateMounts(): PrivateMounts {
  const set = NamespaceSet.unshareSync('mnt')
  return {
    inside: (directory, program, args) => [
      'nsenter',
      [`--mount=${set.path('mnt')}`, 'sh', '-c', 'cd "$0" && exec "$@"', directory, program, ...args],
    ],
    [Symbol.dispose]: () => set.close(),
  }
}
