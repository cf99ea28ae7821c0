import type { TLSSocket } from 'node:tls'

/**
 * @internal The TLS sessions that a connector can resume, by server. The network and the TLS options of a connector never change, so
 * a session is only offered if the same authorities, certificates and checks apply. Node.js emits a session after it has verified the
 * server's certificate, and does not compare the name again when the session is resumed. Therefore the key includes the name that was
 * compared.
 */
export class TlsSessions {
  readonly #most: number
  /** In the order of their last use, the oldest first. */
  readonly #sessions = new Map<string, Buffer>()

  constructor(most: number) {
    this.#most = most
  }

  get(key: string): Buffer | undefined {
    return this.#sessions.get(key)
  }

  /** Keeps the sessions of a connection. With TLS 1.3 there are several, after the handshake. */
  keepFrom(socket: TLSSocket, key: string): void {
    if (this.#most === 0) return
    socket.on('session', (session) => this.#keep(key, session))
    // A server that cannot resume a session creates a new one. If it ends the connection instead, the next attempt offers none.
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

/** @internal Returns the key of a server: the name that its certificate is compared with, and its address and port. */
export function sessionKey(servername: string | undefined, hostname: string, port: string): string {
  return JSON.stringify([servername, hostname, port])
}
