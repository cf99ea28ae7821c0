import type { TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { type FieldsOf, parseOptions } from '../fields.ts'
import { milliseconds } from '../network/values.ts'
import { TLS_CONNECT } from '../node-options.ts'
import { boolean, nullable, whole } from '../values.ts'

/** What {@link ConnectorOptions} takes from `net.connect`. */
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
 * Options of {@link Network.connector}: those of `tls.connect` and `net.connect`, for every connection. As with undici's own
 * connector, `keepAlive` is true by default, with a `keepAliveInitialDelay` of 60,000 milliseconds.
 */
export interface ConnectorOptions extends ConnectionOptions, Partial<Pick<TcpNetConnectOpts, TcpOptions>> {
  /** Whether HTTP/2 is offered, beside HTTP/1.1; the client has to know it, too. */
  allowH2?: boolean | undefined
  /** Milliseconds after which a connection that does not come about is given up; 10,000 by default, and 0 for no limit. */
  timeout?: number | undefined
  /**
   * How many TLS sessions are kept to be resumed, one for each server; 100 by default, and 0 for none. They are resumed by the
   * connections of this connector only: in its network, with its options.
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

const PATIENCE = 10_000
/** As in Node's and undici's agents. */
const CACHED_SESSIONS = 100
const KEEP_ALIVE_DELAY = 60_000

/** @internal */
export interface ConnectorSettings {
  /** What Node is given for every connection. */
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
    timeout: timeout ?? PATIENCE,
    keepAlive: keepAlive ?? true,
    keepAliveInitialDelay: every.keepAliveInitialDelay ?? KEEP_ALIVE_DELAY,
  }
}
