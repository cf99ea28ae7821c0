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
 * The options that Node.js documents, from the oldest version that this package works with to the newest. Node checks their
 * values, unless they are needed here. __test__/sockets/node-options.test.ts compares the tables with the types of both versions.
 */

/** At least the options of the oldest version, which the compiler knows. */
type AtLeast<T> = FieldsOf<T> & Fields

function ofNodes<const N extends string>(...names: readonly N[]): { readonly [K in N]: Parse } {
  return Object.fromEntries(names.map((name) => [name, ofNode])) as { [K in N]: Parse }
}

/** By these options Node takes a socket that is there already: it may be of any network. */
const madeInside: Parse<undefined> = (value, name) => {
  if (value === null) return undefined
  throw invalidValue(name, 'must be left out: what is inside is made inside', value)
}

/** Node would reach the proxy by itself, outside. */
const proxyEnv: Parse<never> = (_, name) => {
  throw misuse('ERR_INVALID_ARG_VALUE', `The argument '${name}' is not taken: the proxy would be reached outside`)
}

/** @internal */
export const ON_READ = ofNodes('buffer', 'callback') satisfies FieldsOf<OnReadOpts>

/** @internal Of `net.connect`. */
export const CONNECT = {
  ...ofNodes('allowHalfOpen', 'autoSelectFamily', 'autoSelectFamilyAttemptTimeout', 'blockList', 'family', 'hints'),
  ...ofNodes('host', 'keepAlive', 'keepAliveInitialDelay', 'localAddress', 'localPort', 'lookup', 'noDelay', 'path'),
  ...ofNodes('port', 'readable', 'signal', 'timeout', 'typeOfService', 'writable'),
  fd: madeInside,
  handle: madeInside,
  onread: nullable(object(ON_READ)),
} satisfies AtLeast<NetConnectOpts>

/** @internal Of `tls.connect`, with those of `tls.createSecureContext`. */
export const TLS_CONNECT = {
  ...CONNECT,
  ...ofNodes('ALPNCallback', 'ALPNProtocols', 'SNICallback', 'allowPartialTrustChain', 'ca', 'cert'),
  ...ofNodes('certificateCompression', 'checkServerIdentity', 'ciphers', 'clientCertEngine', 'crl', 'dhparam'),
  ...ofNodes('ecdhCurve', 'enableTrace', 'highWaterMark', 'honorCipherOrder', 'key', 'maxVersion', 'minDHSize'),
  ...ofNodes('minVersion', 'passphrase', 'pfx', 'privateKeyEngine', 'privateKeyIdentifier', 'pskCallback'),
  ...ofNodes('rejectUnauthorized', 'requestCert', 'requestOCSP', 'secureContext', 'secureOptions', 'secureProtocol'),
  ...ofNodes('servername', 'session', 'sessionIdContext', 'sessionTimeout', 'sigalgs', 'socket', 'ticketKeys'),
} satisfies AtLeast<ConnectionOptions>

/** @internal Of `http.Agent`. */
export const HTTP_AGENT = {
  ...CONNECT,
  ...ofNodes('agentKeepAliveTimeoutBuffer', 'defaultPort', 'keepAliveMsecs', 'maxFreeSockets', 'maxSockets'),
  ...ofNodes('maxTotalSockets', 'protocol', 'scheduling'),
  proxyEnv,
} satisfies AtLeast<AgentOptions>

/** @internal Of `https.Agent`. */
export const HTTPS_AGENT = {
  ...TLS_CONNECT,
  ...HTTP_AGENT,
  ...ofNodes('maxCachedSessions'),
} satisfies AtLeast<HttpsAgentOptions>

/** @internal Of `server.listen`. */
export const LISTEN = {
  ...ofNodes('backlog', 'exclusive', 'path', 'port', 'readableAll', 'writableAll'),
  host: nullable(text),
  ipv6Only: boolean,
  reusePort: boolean,
  signal,
  fd: madeInside,
  handle: madeInside,
  _handle: madeInside,
} satisfies AtLeast<ListenOptions>

/** @internal Of `dgram.createSocket`. */
export const DATAGRAM = {
  ...ofNodes('ipv6Only', 'lookup', 'receiveBlockList', 'recvBufferSize', 'reuseAddr', 'reusePort', 'sendBlockList'),
  ...ofNodes('sendBufferSize', 'signal', 'type'),
} satisfies AtLeast<SocketOptions>

/** @internal Of the method `bind` of a socket of `dgram`, which takes a handle, too: that has `recvStart`. */
export const BIND = {
  ...ofNodes('address', 'exclusive', 'port'),
  fd: madeInside,
  recvStart: madeInside,
} satisfies AtLeast<BindOptions>

/** @internal */
export const RESOURCE_LIMITS = ofNodes(
  'codeRangeSizeMb',
  'maxOldGenerationSizeMb',
  'maxYoungGenerationSizeMb',
  'stackSizeMb',
) satisfies AtLeast<ResourceLimits>

/** @internal Of `new Worker`. */
export const WORKER = {
  ...ofNodes('argv', 'env', 'eval', 'execArgv', 'name', 'stderr', 'stdin', 'stdout', 'trackUnmanagedFds'),
  ...ofNodes('transferList', 'workerData'),
  resourceLimits: nullable(object(RESOURCE_LIMITS)),
} satisfies AtLeast<WorkerOptions>

/** @internal Of `fetch`: those of undici, and of the Fetch standard. */
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
