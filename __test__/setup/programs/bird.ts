/** BIRD, a routing daemon, as an ordinary program in a set: it exchanges routes by Babel, whose hellos can be quick, and writes them into the kernel. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { NamespaceChildProcess, NamespaceSet } from 'nsset'
import type { TemporaryDirectory } from '../sets/temporary-directory.ts'

/** The number of BIRD in /etc/iproute2/rt_protos. */
export const RTPROT_BIRD = 12

/** The PATH of an ordinary user may lack the directory of `bird`. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` }

/** Why it cannot run here; undefined if it can. */
export function missingBird(): string | undefined {
  return spawnSync('bird', ['--version'], { env }).error === undefined ? undefined : 'needs bird, of the package bird2'
}

export interface BirdOptions {
  set: NamespaceSet
  directory: TemporaryDirectory
  /** An address, which is the id of the router and is announced. */
  id: string
  /** The costs of its links. */
  costs: Record<string, number>
}

/** Starts the daemon in the foreground; the caller ends it. */
export function startBird({ set, directory, id, costs }: BirdOptions): NamespaceChildProcess {
  const links = Object.entries(costs).map(
    ([name, cost]) =>
      `interface "${name}" { type wired; rxcost ${cost}; hello interval 200 ms; update interval 800 ms; };`,
  )
  const text = `
    router id ${id};
    protocol device { }
    protocol direct { ipv4; interface "lo"; }
    protocol kernel { ipv4 { import none; export where source = RTS_BABEL; }; }
    protocol babel { ipv4 { import all; export where source ~ [ RTS_BABEL, RTS_DEVICE ]; }; ${links.join(' ')} }
  `
  const [file, control] = [directory.file(`${id}.conf`), directory.file(`${id}.ctl`)]
  writeFileSync(file, text)
  return set.spawn('bird', ['-f', '-c', file, '-s', control], { env, stdio: 'ignore', deathSignal: 'SIGKILL' })
}
