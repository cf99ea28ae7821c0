import type { ConnectionOptions } from 'node:tls'
import { type FieldsOf, parseOptions } from '../fields.ts'
import { milliseconds } from '../network/values.ts'
import { boolean, nullable } from '../values.ts'
import { TLS_CONNECT } from './node-options.ts'

/** Options of {@link Network.connector}: those of `tls.connect` and `net.connect`, for every connection. */
export interface ConnectorOptions extends ConnectionOptions {
  /** Whether HTTP/2 is offered, beside HTTP/1.1; the client has to know it, too. */
  allowH2?: boolean | undefined
  /** Milliseconds after which a connection that does not come about is given up; 10,000 unless told. */
  timeout?: number | undefined
}

const CONNECTOR = {
  ...TLS_CONNECT,
  allowH2: boolean,
  timeout: nullable(milliseconds),
} satisfies FieldsOf<ConnectorOptions>

/** @internal What is the same for every connection, for Node, and the options of undici beside it. */
export function parseConnectorOptions(options: unknown) {
  const { allowH2, timeout, ...every } = parseOptions(options, CONNECTOR)
  return { allowH2, timeout, every: every as ConnectionOptions }
}
