import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Engine } from './engines.ts'
import { failure, quoted } from './failures.ts'

/** Thousands of containers fit into it. */
const MOST_BYTES = 64 * 1024 * 1024

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

async function request(
  engine: Engine,
  path: string,
  timeLimit: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const { get } = process.getBuiltinModule('node:http')
  const { once } = process.getBuiltinModule('node:events')
  const request = get({
    ...engine.address,
    path,
    agent: false,
    headers: { Host: 'localhost' },
    ...(signal === undefined ? {} : { signal }),
  })
  // What it tells after the answer has begun is told by the answer as well.
  request.on('error', () => undefined)
  const limit = limitOf(request, timeLimit)
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return { status: response.statusCode ?? 0, body: await bodyOf(response) }
  } catch (error) {
    throw limit.passed ?? error
  } finally {
    clearTimeout(limit.timer)
  }
}

function limitOf(request: ClientRequest, timeLimit: number): { timer: NodeJS.Timeout; passed?: Error } {
  const limit: { timer: NodeJS.Timeout; passed?: Error } = {
    timer: setTimeout(() => {
      limit.passed = Object.assign(new Error(`no answer within ${timeLimit / 1000} s`), { code: 'ETIMEDOUT' })
      request.destroy(limit.passed)
    }, timeLimit),
  }
  return limit
}

async function bodyOf(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MOST_BYTES) throw new Error('its answer does not end')
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString()
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Error(`its answer (${response.statusCode}) is no JSON: ${quoted(text)}`)
  }
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
