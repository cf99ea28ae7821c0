/** A network with its own resolver files, and servers that answer what the test specifies. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { NamespaceSet } from 'nsset'
import { isRoot } from '../sets/privilege.ts'
import { temporaryDirectory } from '../sets/temporary-directory.ts'
import { type Script, type ScriptedServer, startScriptedServer } from './scripted-server.ts'

export interface LookupFiles {
  resolvConf?: string | Buffer
  hosts?: string | Buffer
  /** By their addresses, which are inside 127.0.0.0/8, or ::1. */
  servers?: Record<string, Script>
  /** Additional addresses of loopback, with their prefixes. */
  addresses?: readonly string[]
}

export interface LookupPlace extends AsyncDisposable {
  set: NamespaceSet
  /** The queries to a server, in order. */
  queries(address: string): string[]
  /** Clears the queries. */
  forget(): void
}

/** As in Debian; gai.conf(5) is empty there. */
const NSSWITCH = 'hosts: files dns\n'
const HOST_CONF = 'multi on\n'

export async function lookupPlace(files: LookupFiles): Promise<LookupPlace> {
  const { resolvConf = 'nameserver 127.0.0.1\n', hosts = '', servers = {}, addresses = [] } = files
  const directory = temporaryDirectory()
  chmodSync(directory.path, 0o755)
  const contents = {
    'resolv.conf': resolvConf,
    hosts,
    'nsswitch.conf': NSSWITCH,
    'host.conf': HOST_CONF,
    'gai.conf': '',
  }
  for (const [name, content] of Object.entries(contents)) writeFileSync(directory.file(name), content)
  const mounts = Object.keys(contents)
    .filter((name) => existsSync(`/etc/${name}`))
    .map((name) => ({ type: 'bind' as const, source: directory.file(name), target: `/etc/${name}` }))
  const set = isRoot
    ? await NamespaceSet.unshare(['net', 'mnt'], { loopback: true, mounts })
    : await NamespaceSet.unshare(['user', 'net', 'mnt'], { mapUser: 'root', loopback: true, mounts })
  for (const cidr of addresses) {
    await set.network.addresses.add('lo', { cidr, ...(cidr.includes(':') ? { noDuplicateDetection: true } : {}) })
  }
  // The kernel needs a moment, even without duplicate address detection.
  while ((await set.network.addresses.list('lo')).some(({ tentative }) => tentative)) await wait(5)
  const started = new Map<string, ScriptedServer>()
  for (const [address, script] of Object.entries(servers)) {
    started.set(address, await startScriptedServer(set, address, script))
  }
  const end = async () => {
    for (const server of started.values()) await server[Symbol.asyncDispose]()
    set.close()
    directory[Symbol.dispose]()
  }
  return {
    set,
    queries: (address) => started.get(address)?.queries ?? [],
    forget: () => {
      for (const server of started.values()) server.queries.length = 0
    },
    [Symbol.asyncDispose]: end,
  }
}
