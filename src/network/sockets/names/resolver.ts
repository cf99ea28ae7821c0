import type { LookupAddress, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { settled } from '../../../native/settled.ts'
import { array } from '../../../validate/fields.ts'
import { familyOf } from '../../../validate/network/values.ts'
import { familyOfAddress } from '../../../validate/network/zone.ts'
import {
  type Order,
  parseHostName,
  parseLookup,
  parseServer,
  type Wanted,
} from '../../../validate/sockets/lookup-options.ts'
import { parseFunction } from '../../../validate/values.ts'
import type { SocketMaker } from '../socket-maker.ts'
import { asciiOf } from './host-name.ts'
import { Pace } from './pace.ts'
import type { ResolverFiles, ResolverTexts } from './resolver-files.ts'

/** @internal Resolves names with queries that are sent inside. */
export class Resolver {
  readonly #maker: Omit<SocketMaker, 'lookup'>
  readonly #files: ResolverFiles
  readonly #pace = new Pace()
  #servers: string[] = []
  /** Those that are used instead of the ones in resolv.conf(5), if the user has set none. */
  #defaultServers: string[] = []
  #configured: (ResolverTexts & { servers: string[] }) | undefined

  constructor(maker: Omit<SocketMaker, 'lookup'>, files: ResolverFiles) {
    this.#maker = maker
    this.#files = files
  }

  setServers(servers: readonly string[]): void {
    this.#servers = array(parseServer)(servers, 'servers')
  }

  /** The servers of an uplink; none to restore those of resolv.conf(5). */
  setDefaultServers(servers: readonly string[]): void {
    this.#defaultServers = array(parseServer)(servers, 'servers')
  }

  /** Same as `dns.lookup`, with all of its signatures. */
  readonly lookup = withPromises(((hostname: string, ...rest: [LookupOptions | number, Callback] | [Callback]) => {
    const name = parseHostName(hostname, 'hostname')
    const callback = parseFunction(rest.at(-1) as Callback, 'callback')
    const { all, order, ...wanted } = parseLookup(rest.length > 1 ? rest[0] : undefined)
    const known = familyOfAddress(name)
    // A socket of `dgram` calls this for each datagram.
    if (known !== 0) return process.nextTick(answer, [{ address: name, family: known }], all, callback)
    // In nextTick, so that an exception of the callback does not reject a promise.
    this.#resolve(name, wanted).then(
      (found) => process.nextTick(answer, inOrder(found, order), all, callback),
      (error) => process.nextTick(callback, lookupError(error, name)),
    )
  }) as LookupFunction)

  async #resolve(name: string, { family, hints }: Wanted): Promise<LookupAddress[]> {
    this.#maker.ensureOpen()
    const ascii = asciiOf(name)
    if (ascii === undefined) throw notHostName()
    const configured = this.#configure()
    if (configured !== undefined) await configured
    const turn = this.#pace.turn()
    if (turn !== undefined) await turn
    this.#maker.ensureOpen()
    const found = await settled(this.#maker.native.resolve(ascii, family, hints))
    return found.map((address) => ({ address, family: familyOf(address) }))
  }

  /** Configures the native resolver if the files or the servers have changed. Returns a promise if the files have to be read. */
  #configure(): Promise<void> | undefined {
    const texts = this.#files.read()
    if (texts instanceof Promise) return texts.then((read) => this.#use(read))
    this.#use(texts)
    return undefined
  }

  #use({ resolvConf, hosts }: ResolverTexts): void {
    const servers = this.#servers.length === 0 ? this.#defaultServers : this.#servers
    const known = this.#configured
    if (known?.resolvConf === resolvConf && known.hosts === hosts && known.servers === servers) return
    this.#maker.native.configureResolver(resolvConf, hosts, servers)
    this.#configured = { resolvConf, hosts, servers }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: its arguments follow from the options.
type Callback = (error: NodeJS.ErrnoException | null, ...result: any[]) => void

/** With `util.promisify` it resolves with `{ address, family }`, or with an array of these. */
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

function answer(found: LookupAddress[], all: boolean, callback: Callback): void {
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

function notHostName(): Error {
  return Object.assign(new Error('EBADNAME: not the name of a host'), { code: 'EBADNAME' })
}

/** Creates the error of `dns.lookup`. Its cause contains the details. */
function lookupError(error: unknown, hostname: string): NodeJS.ErrnoException {
  const { code = '' } = error as NodeJS.ErrnoException
  if (code.startsWith('ERR_')) return error as NodeJS.ErrnoException
  const { code: own, errno } = ERRORS.get(code) ?? AGAIN
  const made = new Error(`getaddrinfo ${own} ${hostname}`, { cause: error })
  return Object.assign(made, { errno, code: own, syscall: 'getaddrinfo', hostname })
}
