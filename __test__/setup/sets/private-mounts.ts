/** A mount namespace for what mounts much, so that other tests, which count the mounts of this one, are not disturbed. */
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
