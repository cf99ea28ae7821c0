import type { IncomingMessage } from 'node:http'
import { failure } from '../facts/failures.ts'
import { EngineBody } from './engine-body.ts'
import type { Engine } from './engines.ts'

/** @internal An engine's answer. */
export interface Answer {
  status: number
  body: unknown
}

/**
 * @internal Sends a request to an engine. `timeLimit` is in milliseconds.
 * @throws NamespaceError with the code of the failure, or the signal's reason.
 */
export async function ask(
  engine: Engine,
  path: string,
  timeLimit: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  signal?.throwIfAborted()
  try {
    return await request(engine, path, timeLimit, signal)
  } catch (error) {
    signal?.throwIfAborted()
    throw explain(engine, error as NodeJS.ErrnoException)
  }
}

/** Settles whatever the engine does, and closes the connection before that. */
async function request(
  engine: Engine,
  path: string,
  timeLimit: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const { get } = process.getBuiltinModule('node:http')
  const request = get({ ...engine.address, path, agent: false, headers: { Host: 'localhost' } })
  // Errors after the promise has settled are ignored.
  request.on('error', () => undefined)
  let giveUp: NodeJS.Timeout | undefined
  let abort: (() => void) | undefined
  try {
    return await new Promise<Answer>((resolve, reject) => {
      giveUp = setTimeout(() => reject(noAnswer(timeLimit)), timeLimit)
      abort = () => reject(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      request.on('error', reject)
      request.once('upgrade', (response, socket) => {
        socket.destroy()
        reject(new Error(`it requires another protocol (${response.statusCode})`))
      })
      // Node reports some failures only by 'close'. After the response has begun, the response reports how it ends.
      const onClose = () => reject(connectionClosed())
      request.once('close', onClose)
      request.once('response', (response) => {
        request.removeListener('close', onClose)
        collect(response, resolve, reject)
      })
    })
  } finally {
    clearTimeout(giveUp)
    if (abort !== undefined) signal?.removeEventListener('abort', abort)
    request.destroy()
  }
}

function noAnswer(timeLimit: number): Error {
  return Object.assign(new Error(`no answer within ${timeLimit / 1000} s`), { code: 'ETIMEDOUT' })
}

function connectionClosed(): Error {
  return Object.assign(new Error('the connection was closed before the answer was complete'), { code: 'ECONNRESET' })
}

function collect(response: IncomingMessage, resolve: (answer: Answer) => void, reject: (error: unknown) => void): void {
  const body = new EngineBody()
  response.on('data', (chunk: Buffer) => {
    try {
      body.add(chunk)
    } catch (error) {
      reject(error)
    }
  })
  response.once('end', () => {
    const status = response.statusCode ?? 0
    try {
      resolve({ status, body: body.parse(status) })
    } catch (error) {
      reject(error)
    }
  })
  response.once('error', reject)
  response.once('close', () => reject(connectionClosed()))
}

function explain(engine: Engine, error: NodeJS.ErrnoException): Error {
  const { errno } = process.getBuiltinModule('node:os').constants
  // A code of the system is kept. Any other error means that this is not an engine's API.
  const code = error.code !== undefined && error.code in errno ? error.code : 'EPROTO'
  const fields = 'socketPath' in engine.address ? { path: engine.address.socketPath } : {}
  // If a host has several addresses, Node reports an AggregateError without a message.
  const why = error.message || error.code
  return failure(code, `the container engine at ${engine.name} cannot be asked: ${why}`, fields)
}
