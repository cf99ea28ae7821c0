import type { TLSSocket } from 'node:tls'

/**
 * @internal The TLS sessions that one connector may resume, by the server that gave them. The network and the TLS options of a
 * connector never change, so a session is offered only where the same authorities, certificates and checks apply. Node.js emits a
 * session after it has verified the server's certificate, and does not compare the name again when the session is resumed.
 * Therefore the key includes the name that was compared.
 */
export class TlsSessions {
  readonly #most: number
  /** The one that was used longest ago comes first. */
  readonly #sessions = new Map<string, Buffer>()

  constructor(most: number) {
    this.#most = most
  }

  get(key: string): Buffer | undefined {
    return this.#sessions.get(key)
  }

  /** Keeps what this connection receives: with TLS 1.3 several sessions, after the handshake. */
  keepFrom(socket: TLSSocket, key: string): void {
    if (this.#most === 0) return
    socket.on('session', (session) => this.#keep(key, session))
    // A server that cannot resume a session makes a new one. Where it ends the connection, the next attempt offers none.
    const forget = () => this.#sessions.delete(key)
    socket.once('error', forget).once('secureConnect', () => socket.removeListener('error', forget))
  }

  #keep(key: string, session: Buffer): void {
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    if (this.#sessions.size <= this.#most) return
    const [oldest = key] = this.#sessions.keys()
    this.#sessions.delete(oldest)
  }
}

/** @internal The key of a server: the name that its certificate is compared with, and the place that is connected to. */
export function sessionKey(servername: string | undefined, hostname: string, port: string): string {
  return JSON.stringify([servername, hostname, port])
}
