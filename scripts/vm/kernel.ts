/** Debian's kernel for virtual machines, unpacked into a directory and never installed. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** The source of a kernel. */
export interface Source {
  /** A metapackage that depends on the package of the newest version. */
  metapackage: string
  /** Options of apt-get(8) and similar programs. */
  env: NodeJS.ProcessEnv
}

const OF_THIS_HOST: Source = { metapackage: 'linux-image-cloud-amd64', env: process.env }

export interface Kernel {
  /** As printed by `uname -r`. */
  release: string
  /** The image to boot. */
  image: string
  /** All of its modules, indexed for modprobe(8): `/lib/modules/RELEASE`. */
  modules: string
}

/** The kernel in the cache; otherwise downloads one with apt-get(8)'s configuration. */
export function kernelIn(cache: string, source = OF_THIS_HOST): Kernel {
  const root = join(cache, 'kernel')
  if (!existsSync(root)) unpackInto(root, source)
  const [release] = readdirSync(join(root, 'lib/modules'))
  if (release === undefined) throw new Error(`no kernel in ${root}: remove the directory`)
  return { release, image: join(root, `boot/vmlinuz-${release}`), modules: join(root, 'lib/modules', release) }
}

function unpackInto(root: string, source: Source): void {
  const partial = `${root}.partial-${process.pid}`
  mkdirSync(partial, { recursive: true })
  try {
    const name = newestPackage(source)
    console.log(`downloading ${name}`)
    // APT::Sandbox::User: apt's own user may not write here, and would print a warning.
    execFileSync('apt-get', ['download', '--quiet', '--option=APT::Sandbox::User=root', name], {
      cwd: partial,
      env: source.env,
      timeout: 180_000,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const [archive] = readdirSync(partial)
    execFileSync('dpkg-deb', ['--extract', archive as string, '.'], { cwd: partial, timeout: 60_000 })
    rmSync(join(partial, archive as string))
    const [release] = readdirSync(join(partial, 'lib/modules'))
    execFileSync('/usr/sbin/depmod', ['--basedir', partial, release as string], { timeout: 60_000 })
    renameSync(partial, root)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

function newestPackage({ metapackage, env }: Source): string {
  const text = execFileSync('apt-cache', ['depends', metapackage], { encoding: 'utf8', timeout: 60_000, env })
  const name = /Depends: (linux-image-\S+)/.exec(text)?.[1]
  if (name === undefined) throw new Error(`apt does not know ${metapackage}: run apt-get update, on Debian`)
  return name
}
