import type { LookupAddress, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { invalidType, invalidValue, misuse } from '../errors.ts'
import { ask } from '../network/ask.ts'
import { parseArray } from '../validate/fields.ts'
import { familyOf, type Parse, word } from '../validate/network/values.ts'
import { parseText } from '../validate/paths.ts'
import { parseBoolean, parseFunction, parseOptions } from '../validate/values.ts'
import { asciiOf, familyOfAddress } from './host-name.ts'
import type { ResolverFiles, ResolverTexts } from './resolver-files.ts'
import { type SocketMaker, splitZone } from './socket-maker.ts'

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
    this.#servers = parseArray(servers, 'servers', parseServer)
  }

  /** As `dns.lookup`, in each of its forms. */
  readonly lookup = withPromises(((hostname: string, ...rest: [LookupOptions | number, Callback] | [Callback]) => {
    const name = parseName(hostname)
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
    const { results, failure } = await ask((id) => this.#maker.native.resolve(id, ascii, family, hints))
    if (failure !== undefined) throw failure
    return (results as string[]).map((address) => ({ address, family: familyOf(address) }))
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

type Order = 'ipv4first' | 'ipv6first' | 'verbatim'

interface Wanted {
  family: number
  hints: number
}

function parseName(hostname: unknown): string {
  const name = parseText(hostname, 'hostname')
  if (name === '') throw invalidValue('hostname', 'must not be empty', name)
  return name
}

const FAMILIES = new Map<unknown, number>([
  [undefined, 0],
  [0, 0],
  [4, 4],
  [6, 6],
  ['IPv4', 4],
  ['IPv6', 6],
])

/** As Node has them: null is nothing, and the order of an option counts more than `verbatim`. */
function parseLookup(options: unknown): Wanted & { all: boolean; order: Order } {
  if (typeof options === 'number') {
    return { family: parseFamily(options, 'family'), hints: 0, all: false, order: orderOf() }
  }
  const given = parseOptions<LookupOptions & { order?: Order }>(options ?? undefined)
  const { family, hints, all, verbatim, order } = given
  return {
    family: parseFamily(family ?? undefined, 'options.family'),
    hints: parseHints(hints ?? 0),
    all: parseBoolean(all ?? undefined, 'options.all'),
    order: order === undefined || order === null ? orderOf(verbatim ?? undefined) : parseOrder(order, 'options.order'),
  }
}

function parseFamily(value: unknown, name: string): number {
  const family = FAMILIES.get(value)
  if (family === undefined) throw invalidValue(name, 'must be one of: 0, 4, 6', value)
  return family
}

function parseHints(value: unknown): number {
  if (typeof value !== 'number') throw invalidType('options.hints', 'a number', value)
  const { ADDRCONFIG, ALL, V4MAPPED } = process.getBuiltinModule('node:dns')
  const hints = value >>> 0
  if ((hints & ~(ADDRCONFIG | ALL | V4MAPPED)) === 0) return hints
  throw invalidValue('options.hints', 'must be made of dns.ADDRCONFIG, dns.V4MAPPED and dns.ALL', value)
}

const parseOrder: Parse<Order> = word('verbatim', 'ipv4first', 'ipv6first')

function orderOf(verbatim?: boolean): Order {
  if (verbatim === undefined) return process.getBuiltinModule('node:dns').getDefaultResultOrder() as Order
  return parseBoolean(verbatim, 'options.verbatim') ? 'verbatim' : 'ipv4first'
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

/** As `dns.setServers` takes them: `'10.0.0.53'`, `'10.0.0.53:5353'`, `'[fd00::53]:53'`. */
function parseServer(value: unknown, name: string): string {
  const given = parseText(value, name)
  const [, six, four, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(given) ?? []
  // As c-ares has it, none of their own is the usual one.
  const port = Number(digits ?? 0) || 53
  if (familyOf(splitZone(given)[0]) === 6) return `[${given}]:53`
  if (four !== undefined && familyOf(four) === 4 && port <= 0xffff) return `${four}:${port}`
  if (six !== undefined && familyOf(splitZone(six)[0]) === 6 && port <= 0xffff) return `[${six}]:${port}`
  throw misuse('ERR_INVALID_ARG_VALUE', `The argument '${name}' must be an address, with or without a port: '${given}'`)
}
