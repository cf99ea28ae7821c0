import type { LookupAddress, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { settled } from '../../../native/settled.ts'
import { array } from '../../../validate/fields.ts'
import { familyOf } from '../../../validate/network/values.ts'
import {
  type Order,
  parseHostName,
  parseLookup,
  parseServer,
  type Wanted,
} from '../../../validate/sockets/lookup-options.ts'
import { parseFunction } from '../../../validate/values.ts'
import type { SocketMaker } from '../socket-maker.ts'
import { asciiOf, familyOfAddress } from './host-name.ts'
import type { ResolverFiles, ResolverTexts } from './resolver-files.ts'

/** @internal Resolves names by queries that are sent inside. */
export class Resolver {
  readonly #maker: Omit<SocketMaker, 'lookup'>
  readonly #files: ResolverFiles
  #servers: string[] = []
  #configured: (ResolverTexts & { servers: string[] }) | undefined

  constructor(maker: Omit<SocketMaker, 'lookup'>, files: ResolverFiles) {
    this.#maker = maker
    this.#files = files
  }

  setServers(servers: readonly string[]): void {
    this.#servers = array(parseServer)(servers, 'servers')
  }

  /** As `dns.lookup`, in each of its forms. */
  readonly lookup = withPromises(((hostname: string, ...rest: [LookupOptions | number, Callback] | [Callback]) => {
    const name = parseHostName(hostname, 'hostname')
    const callback = parseFunction(rest.at(-1) as Callback, 'callback')
    const { all, order, ...wanted } = parseLookup(rest.length > 1 ? rest[0] : undefined)
    const known = familyOfAddress(name)
    // Sockets of `dgram` come here with each datagram.
    if (known !== 0) return process.nextTick(tell, [{ address: name, family: known }], all, callback)
    // What a callback throws is not to reject a promise.
    this.#resolve(name, wanted).then(
      (found) => process.nextTick(tell, inOrder(found, order), all, callback),
      (error) => process.nextTick(callback, lookupError(error, name)),
    )
  }) as LookupFunction)

  async #resolve(name: string, { family, hints }: Wanted): Promise<LookupAddress[]> {
    this.#maker.ensureOpen()
    const ascii = asciiOf(name)
    if (ascii === undefined) throw noName()
    await this.#configure()
    this.#maker.ensureOpen()
    const found = await settled(this.#maker.native.resolve(ascii, family, hints))
    return found.map((address) => ({ address, family: familyOf(address) }))
  }

  /** Again when the files, or the servers, are not what they were. */
  async #configure(): Promise<void> {
    const { resolvConf, hosts } = await this.#files.read()
    const [servers, known] = [this.#servers, this.#configured]
    if (known?.resolvConf === resolvConf && known.hosts === hosts && known.servers === servers) return
    this.#maker.native.configureResolver(resolvConf, hosts, servers)
    this.#configured = { resolvConf, hosts, servers }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: its arguments follow from the options.
type Callback = (error: NodeJS.ErrnoException | null, ...result: any[]) => void

/** What `util.promisify` makes of it comes to `{ address, family }`, or to all of them. */
function withPromises(lookup: LookupFunction): LookupFunction {
  const promised = (hostname: string, options?: LookupOptions | number) =>
    new Promise((resolve, reject) => {
      const callback: Callback = (error, found, family) => {
        if (error !== null) reject(error)
        else resolve(Array.isArray(found) ? found : { address: found, family })
      }
      lookup(hostname, options as LookupOptions, callback)
    })
  return Object.defineProperty(lookup, Symbol.for('nodejs.util.promisify.custom'), { value: promised })
}

function inOrder(found: LookupAddress[], order: Order): LookupAddress[] {
  if (order === 'verbatim') return found
  const first = order === 'ipv4first' ? 4 : 6
  return found.toSorted((one, other) => Number(other.family === first) - Number(one.family === first))
}

function tell(found: LookupAddress[], all: boolean, callback: Callback): void {
  if (all) callback(null, found)
  else callback(null, found[0]?.address, found[0]?.family)
}

/** `EAI_NONAME`, `EAI_NODATA`, `EAI_ADDRFAMILY` and `EAI_AGAIN` of getaddrinfo(3), as libuv numbers them. */
const NOT_FOUND = { code: 'ENOTFOUND', errno: -3008 }
const NO_DATA = { code: 'ENOTFOUND', errno: -3007 }
const WRONG_FAMILY = { code: 'EAI_ADDRFAMILY', errno: -3000 }
const AGAIN = { code: 'EAI_AGAIN', errno: -3001 }

const ERRORS = new Map([
  ['ENOTFOUND', NOT_FOUND],
  ['EBADNAME', NOT_FOUND],
  ['ENODATA', NO_DATA],
  ['EAI_ADDRFAMILY', WRONG_FAMILY],
])

function noName(): Error {
  return Object.assign(new Error('EBADNAME: not the name of a host'), { code: 'EBADNAME' })
}

/** The error that `dns.lookup` gives; what is known beyond it is its cause. */
function lookupError(error: unknown, hostname: string): NodeJS.ErrnoException {
  const { code = '' } = error as NodeJS.ErrnoException
  if (code.startsWith('ERR_')) return error as NodeJS.ErrnoException
  const { code: own, errno } = ERRORS.get(code) ?? AGAIN
  const made = new Error(`getaddrinfo ${own} ${hostname}`, { cause: error })
  return Object.assign(made, { errno, code: own, syscall: 'getaddrinfo', hostname })
}
