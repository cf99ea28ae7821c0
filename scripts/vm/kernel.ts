/** Debian's kernels for virtual machines, unpacked into a directory and never installed. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

/** The source of a kernel. */
export interface Source {
  /** Its directory in the cache. */
  name: string
  /** Returns the package of the newest image. */
  image: () => string
  /** Options of apt-get(8) and similar programs. */
  env: NodeJS.ProcessEnv
}

export interface Kernel {
  /** As printed by `uname -r`. */
  release: string
  /** The image to boot. */
  image: string
  /** All of its modules, indexed for modprobe(8): `/lib/modules/RELEASE`. */
  modules: string
}

/** The newest kernel of apt's configuration. `metapackage` depends on its package. */
export function newestOf(metapackage: string, env: NodeJS.ProcessEnv): Source {
  const image = () => {
    const name = /^linux-image-/
    const [newest] = dependenciesOf(metapackage, env).filter((each) => name.test(each))
    if (newest === undefined) throw new Error(`apt does not know ${metapackage}: run apt-get update, on Debian`)
    return newest
  }
  return { name: 'kernel', image, env }
}

/** The kernel in the cache; otherwise downloads one with apt-get(8)'s configuration. */
export function kernelIn(cache: string, source: Source): Kernel {
  const root = join(cache, source.name)
  if (!existsSync(root)) unpackInto(root, source)
  const [release] = readdirSync(join(root, 'lib/modules'))
  if (release === undefined) throw new Error(`no kernel in ${root}: remove the directory`)
  const modules = join(root, 'lib/modules', release)
  return { release, image: imageIn(root, release, modules), modules }
}

/** Since Linux 7 the image is beside its modules. */
function imageIn(root: string, release: string, modules: string): string {
  const image = join(modules, 'vmlinuz')
  return existsSync(image) ? image : join(root, `boot/vmlinuz-${release}`)
}

function unpackInto(root: string, { image, env }: Source): void {
  const partial = `${root}.partial-${process.pid}`
  mkdirSync(partial, { recursive: true })
  try {
    const name = image()
    console.log(`downloading ${name}`)
    // APT::Sandbox::User: apt's own user may not write here, and would print a warning.
    const options = ['--quiet', '--option=APT::Sandbox::User=root']
    execFileSync('apt-get', ['download', ...options, name, ...partsOf(name, env)], {
      cwd: partial,
      env,
      timeout: 240_000,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    for (const archive of readdirSync(partial).filter((each) => each.endsWith('.deb'))) {
      execFileSync('dpkg-deb', ['--extract', archive, '.'], { cwd: partial, timeout: 60_000 })
      rmSync(join(partial, archive))
    }
    // Since Debian 13 the packages have no /lib, which is a link there.
    if (!existsSync(join(partial, 'lib'))) symlinkSync('usr/lib', join(partial, 'lib'))
    const [release] = readdirSync(join(partial, 'lib/modules'))
    execFileSync('/usr/sbin/depmod', ['--basedir', partial, release as string], { timeout: 60_000 })
    renameSync(partial, root)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** Since Linux 7 the image and the modules are packages of their own, on which that of the image depends. */
function partsOf(image: string, env: NodeJS.ProcessEnv): string[] {
  return dependenciesOf(image, env).filter((name) => /^linux-(binary|modules)-/.test(name))
}

function dependenciesOf(name: string, env: NodeJS.ProcessEnv): string[] {
  const text = execFileSync('apt-cache', ['depends', name], { encoding: 'utf8', timeout: 60_000, env })
  return [...text.matchAll(/Depends: (\S+)/g)].map(([, dependency = '']) => dependency)
}
