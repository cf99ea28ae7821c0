import type { TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { type FieldsOf, parseOptions } from '../fields.ts'
import { milliseconds } from '../network/values.ts'
import { TLS_CONNECT } from '../node-options.ts'
import { boolean, nullable, whole } from '../values.ts'

/** The options of `net.connect` that {@link ConnectorOptions} has. */
type TcpOptions =
  | 'autoSelectFamily'
  | 'autoSelectFamilyAttemptTimeout'
  | 'family'
  | 'hints'
  | 'keepAlive'
  | 'keepAliveInitialDelay'
  | 'localAddress'
  | 'localPort'

/**
 * Options of {@link Network.connector}: those of `tls.connect` and `net.connect`, for every connection. The defaults of `keepAlive`
 * (`true`) and `keepAliveInitialDelay` (`60_000`, in milliseconds) are those of undici's own connector.
 */
export interface ConnectorOptions extends ConnectionOptions, Partial<Pick<TcpNetConnectOpts, TcpOptions>> {
  /** Whether to offer HTTP/2 besides HTTP/1.1; the client has to support it, too. Default: `false`. */
  allowH2?: boolean | undefined
  /** In milliseconds: how long a connection attempt can take. `0`: no limit. Default: `10_000`. */
  timeout?: number | undefined
  /**
   * Maximum number of TLS sessions to cache, one for each server. `0`: none. Only connections of this connector resume them, in
   * its network and with its options. Default: `100`.
   */
  maxCachedSessions?: number | undefined
}

const CONNECTOR = {
  ...TLS_CONNECT,
  allowH2: boolean,
  keepAlive: boolean,
  maxCachedSessions: whole(0, 0x7fffffff),
  timeout: nullable(milliseconds),
} satisfies FieldsOf<ConnectorOptions>

const CONNECT_TIMEOUT = 10_000
/** The default of Node's and undici's agents. */
const CACHED_SESSIONS = 100
const KEEP_ALIVE_DELAY = 60_000

/** @internal */
export interface ConnectorSettings {
  /** Options of every connection, for Node. */
  every: ConnectionOptions
  maxCachedSessions: number
  timeout: number
  keepAlive: boolean
  keepAliveInitialDelay: number
}

/** @internal */
export function parseConnectorOptions(options: unknown): ConnectorSettings {
  const { allowH2, timeout, maxCachedSessions, keepAlive, ...given } = parseOptions(options, CONNECTOR)
  const every = { ALPNProtocols: allowH2 === true ? ['h2', 'http/1.1'] : ['http/1.1'], ...given } as ConnectionOptions &
    Partial<TcpNetConnectOpts>
  return {
    every,
    maxCachedSessions: maxCachedSessions ?? CACHED_SESSIONS,
    timeout: timeout ?? CONNECT_TIMEOUT,
    keepAlive: keepAlive ?? true,
    keepAliveInitialDelay: every.keepAliveInitialDelay ?? KEEP_ALIVE_DELAY,
  }
}
