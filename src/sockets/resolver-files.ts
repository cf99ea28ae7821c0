import type { NamespaceSet } from '../namespace-set.ts'
import { netnsNameOf } from '../netns-name.ts'
import { sets } from '../set-access.ts'

/** @internal What names are resolved by: resolv.conf(5) and hosts(5). */
export interface ResolverTexts {
  resolvConf: string
  hosts: string
}

/** @internal Where those files are. */
export interface ResolverFiles {
  read(): Promise<ResolverTexts>
}

/**
 * @internal The files of a set: those of its mount namespace where it has one; else those that iproute2 has for a network of this
 * name (ip-netns(8)); else the caller's.
 */
export function resolverFilesOf(set: NamespaceSet): ResolverFiles {
  return set.has('mnt') ? new FilesInside(set) : new FilesHere(set)
}

/** How many milliseconds go by before files inside are read again: it takes the helper. */
const FRESH = 5000
/** And before those here are looked at again, which takes two system calls: many names may be asked for at once. */
const FRESH_HERE = 50

class FilesInside implements ResolverFiles {
  readonly #set: NamespaceSet
  #texts: Promise<ResolverTexts> | undefined
  #readAt = 0

  constructor(set: NamespaceSet) {
    this.#set = set
  }

  /** A failure lasts as long: whoever owns the files may have them take long. */
  read(): Promise<ResolverTexts> {
    if (this.#texts === undefined || performance.now() - this.#readAt > FRESH) {
      this.#texts = this.#readAnew()
      this.#readAt = performance.now()
    }
    return this.#texts
  }

  async #readAnew(): Promise<ResolverTexts> {
    const [resolvConf, hosts] = await Promise.all([this.#text('/etc/resolv.conf'), this.#text('/etc/hosts')])
    return { resolvConf, hosts }
  }

  async #text(path: string): Promise<string> {
    try {
      return (await sets.nativeOf(this.#set).readFile(path)).toString()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
      throw error
    }
  }
}

class FilesHere implements ResolverFiles {
  readonly #name: string | undefined
  readonly #read = new Map<string, { stamp: string; text: string }>()
  #texts: Promise<ResolverTexts> | undefined
  #readAt = 0

  constructor(set: NamespaceSet) {
    this.#name = netnsNameOf(set)
  }

  read(): Promise<ResolverTexts> {
    if (this.#texts === undefined || performance.now() - this.#readAt > FRESH_HERE) {
      this.#texts = this.#readAnew()
      this.#readAt = performance.now()
    }
    return this.#texts
  }

  async #readAnew(): Promise<ResolverTexts> {
    return { resolvConf: this.#text('resolv.conf'), hosts: this.#text('hosts') }
  }

  #text(file: string): string {
    const own = this.#name === undefined ? undefined : this.#current(`/etc/netns/${this.#name}/${file}`)
    return own ?? this.#current(`/etc/${file}`) ?? ''
  }

  /** Read again when it is another one; undefined where there is none. */
  #current(path: string): string | undefined {
    const { readFileSync, statSync } = process.getBuiltinModule('node:fs')
    const stat = statSync(path, { throwIfNoEntry: false, bigint: true })
    if (stat === undefined) return undefined
    const stamp = `${stat.dev} ${stat.ino} ${stat.mtimeNs} ${stat.size}`
    const known = this.#read.get(path)
    if (known?.stamp === stamp) return known.text
    const text = readFileSync(path, 'utf8')
    this.#read.set(path, { stamp, text })
    return text
  }
}
