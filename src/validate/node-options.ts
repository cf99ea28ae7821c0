import type { BindOptions, SocketOptions } from 'node:dgram'
import type { AgentOptions } from 'node:http'
import type { AgentOptions as HttpsAgentOptions } from 'node:https'
import type { ListenOptions, NetConnectOpts, OnReadOpts } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { ResourceLimits, WorkerOptions } from 'node:worker_threads'
import { invalidValue, misuse } from '../errors.ts'
import { type Fields, type FieldsOf, object, type Parse } from './fields.ts'
import { boolean, nullable, ofNode, signal, text } from './values.ts'

/*
 * The options that Node.js documents, from the oldest to the newest version that this package supports. Node checks their values,
 * except those that are used here. __test__/sockets/node-options.test.ts compares the tables with the types of both versions.
 */

/** At least the options of the oldest version, whose types the compiler knows. */
type AtLeast<T> = FieldsOf<T> & Fields

function ofNodes<const N extends string>(...names: readonly N[]): { readonly [K in N]: Parse } {
  return Object.fromEntries(names.map((name) => [name, ofNode])) as { [K in N]: Parse }
}

/** Options that pass an existing socket to Node, which may belong to any network. */
const existingSocket: Parse<undefined> = (value, name) => {
  if (value === null) return undefined
  throw invalidValue(name, 'is not supported: an existing socket can belong to another network', value)
}

/** Node would connect to the proxy itself, outside. */
const proxyEnv: Parse<never> = (_, name) => {
  throw misuse(
    'ERR_INVALID_ARG_VALUE',
    `The argument '${name}' is not supported: Node.js would connect to the proxy outside`,
  )
}

/** @internal */
export const ON_READ = ofNodes('buffer', 'callback') satisfies FieldsOf<OnReadOpts>

/** @internal Options of `net.connect`. */
export const CONNECT = {
  ...ofNodes('allowHalfOpen', 'autoSelectFamily', 'autoSelectFamilyAttemptTimeout', 'blockList', 'family', 'hints'),
  ...ofNodes('host', 'keepAlive', 'keepAliveInitialDelay', 'localAddress', 'localPort', 'lookup', 'noDelay', 'path'),
  ...ofNodes('port', 'readable', 'signal', 'timeout', 'typeOfService', 'writable'),
  fd: existingSocket,
  handle: existingSocket,
  onread: nullable(object(ON_READ)),
} satisfies AtLeast<NetConnectOpts>

/** @internal Options of `tls.connect`, including those of `tls.createSecureContext`. */
export const TLS_CONNECT = {
  ...CONNECT,
  ...ofNodes('ALPNCallback', 'ALPNProtocols', 'SNICallback', 'allowPartialTrustChain', 'ca', 'cert'),
  ...ofNodes('certificateCompression', 'checkServerIdentity', 'ciphers', 'clientCertEngine', 'crl', 'dhparam'),
  ...ofNodes('ecdhCurve', 'enableTrace', 'highWaterMark', 'honorCipherOrder', 'key', 'maxVersion', 'minDHSize'),
  ...ofNodes('minVersion', 'passphrase', 'pfx', 'privateKeyEngine', 'privateKeyIdentifier', 'pskCallback'),
  ...ofNodes('rejectUnauthorized', 'requestCert', 'requestOCSP', 'secureContext', 'secureOptions', 'secureProtocol'),
  ...ofNodes('servername', 'session', 'sessionIdContext', 'sessionTimeout', 'sigalgs', 'socket', 'ticketKeys'),
} satisfies AtLeast<ConnectionOptions>

/** @internal Options of `http.Agent`. */
export const HTTP_AGENT = {
  ...CONNECT,
  ...ofNodes('agentKeepAliveTimeoutBuffer', 'defaultPort', 'keepAliveMsecs', 'maxFreeSockets', 'maxSockets'),
  ...ofNodes('maxTotalSockets', 'protocol', 'scheduling'),
  proxyEnv,
} satisfies AtLeast<AgentOptions>

/** @internal Options of `https.Agent`. */
export const HTTPS_AGENT = {
  ...TLS_CONNECT,
  ...HTTP_AGENT,
  ...ofNodes('maxCachedSessions'),
} satisfies AtLeast<HttpsAgentOptions>

/** @internal Options of `server.listen`. */
export const LISTEN = {
  ...ofNodes('backlog', 'exclusive', 'path', 'port', 'readableAll', 'writableAll'),
  host: nullable(text),
  ipv6Only: boolean,
  reusePort: boolean,
  signal,
  fd: existingSocket,
  handle: existingSocket,
  _handle: existingSocket,
} satisfies AtLeast<ListenOptions>

/** @internal Options of `dgram.createSocket`. */
export const DATAGRAM = {
  ...ofNodes('ipv6Only', 'lookup', 'receiveBlockList', 'recvBufferSize', 'reuseAddr', 'reusePort', 'sendBlockList'),
  ...ofNodes('sendBufferSize', 'signal', 'type'),
} satisfies AtLeast<SocketOptions>

/** @internal Options of the method `bind` of a `dgram` socket. It also accepts a handle, which has `recvStart`. */
export const BIND = {
  ...ofNodes('address', 'exclusive', 'port'),
  fd: existingSocket,
  recvStart: existingSocket,
} satisfies AtLeast<BindOptions>

/** @internal */
export const RESOURCE_LIMITS = ofNodes(
  'codeRangeSizeMb',
  'maxOldGenerationSizeMb',
  'maxYoungGenerationSizeMb',
  'stackSizeMb',
) satisfies AtLeast<ResourceLimits>

/** @internal Options of `new Worker`. */
export const WORKER = {
  ...ofNodes('argv', 'env', 'eval', 'execArgv', 'name', 'stderr', 'stdin', 'stdout', 'trackUnmanagedFds'),
  ...ofNodes('transferList', 'workerData'),
  resourceLimits: nullable(object(RESOURCE_LIMITS)),
} satisfies AtLeast<WorkerOptions>

/** @internal Options of `fetch`: those of the Fetch standard and of undici. */
export const FETCH = ofNodes(
  'body',
  'cache',
  'credentials',
  'dispatcher',
  'duplex',
  'headers',
  'integrity',
  'keepalive',
  'method',
  'mode',
  'priority',
  'redirect',
  'referrer',
  'referrerPolicy',
  'signal',
  'window',
) satisfies AtLeast<RequestInit>
