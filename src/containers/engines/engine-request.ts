import type { IncomingMessage } from 'node:http'
import { failure } from '../facts/failures.ts'
import { EngineBody } from './engine-body.ts'
import type { Engine } from './engines.ts'

/** @internal What an engine said. */
export interface Answer {
  status: number
  body: unknown
}

/**
 * @internal Asks an engine, for `timeLimit` milliseconds at most.
 * @throws NamespaceError with the code of what is in the way, and the signal's reason.
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

/** Whatever the engine does, it is answered, refused, aborted or given up; then nothing of it is left. */
async function request(
  engine: Engine,
  path: string,
  timeLimit: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const { get } = process.getBuiltinModule('node:http')
  const request = get({ ...engine.address, path, agent: false, headers: { Host: 'localhost' } })
  // What is told once the promise has settled.
  request.on('error', () => undefined)
  let giveUp: NodeJS.Timeout | undefined
  let abort: (() => void) | undefined
  try {
    return await new Promise<Answer>((resolve, reject) => {
      giveUp = setTimeout(() => reject(silent(timeLimit)), timeLimit)
      abort = () => reject(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      request.on('error', reject)
      request.once('upgrade', (response, socket) => {
        socket.destroy()
        reject(new Error(`it wants to speak another protocol (${response.statusCode})`))
      })
      // Of some ends Node tells in no other way. Where an answer has begun, that says how it ends.
      const onClose = () => reject(brokenOff())
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

function silent(timeLimit: number): Error {
  return Object.assign(new Error(`no answer within ${timeLimit / 1000} s`), { code: 'ETIMEDOUT' })
}

function brokenOff(): Error {
  return Object.assign(new Error('it broke off'), { code: 'ECONNRESET' })
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
  response.once('close', () => reject(brokenOff()))
}

function explain(engine: Engine, error: NodeJS.ErrnoException): Error {
  const { errno } = process.getBuiltinModule('node:os').constants
  // A system's code is told as it is; what is left does not speak the engines' language.
  const code = error.code !== undefined && error.code in errno ? error.code : 'EPROTO'
  const fields = 'socketPath' in engine.address ? { path: engine.address.socketPath } : {}
  // Of a host with several addresses there are several errors, and no message.
  const why = error.message || error.code
  return failure(code, `the container engine at ${engine.name} cannot be asked: ${why}`, fields)
}
