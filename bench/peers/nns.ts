/** npm's nns, which runs `ip`: `peers/nns`. */
import { createRequire } from 'node:module'
import { installPackage } from './npm-package.ts'
import { isPresent } from './presence.ts'

/** The part of nns that nsset has, too: its other function adds routes and firewall rules on the host. */
export interface Nns {
  /** With `lo` up. */
  create(name: string): Promise<void>
  del(name: string): Promise<void>
}

export function loadNns(): Nns | undefined {
  const directory = findNns()
  return directory && (createRequire(directory)('./lib/namespace-utils.js') as Nns)
}

/** Its directory. */
export function findNns(): URL | undefined {
  const installed = installPackage('nns', 'nns')
  if (installed === undefined) return undefined
  isPresent('nns', installed.version)
  return new URL('node_modules/nns/', installed.home)
}
