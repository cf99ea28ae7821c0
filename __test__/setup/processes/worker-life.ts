/** The messages, error and exit code of a Worker. */
import type { Worker } from 'node:worker_threads'

export interface Life<T> {
  messages: T[]
  error: (Error & { code?: string; kind?: string }) | undefined
  exitCode: number
}

const TIME_LIMIT = 20_000

/** Waits until it has ended; it is terminated after the time limit. */
export async function lifeOf<T>(worker: Worker): Promise<Life<T>> {
  const life: Life<T> = { messages: [], error: undefined, exitCode: Number.NaN }
  const limit = setTimeout(() => worker.terminate(), TIME_LIMIT)
  await new Promise<void>((resolve) => {
    worker
      .on('message', (message: T) => life.messages.push(message))
      .on('error', (error) => (life.error = error))
      .on('exit', (code) => {
        life.exitCode = code
        resolve()
      })
  })
  clearTimeout(limit)
  return life
}

/** Its first message; throws its error. */
export async function answerOf<T>(worker: Worker): Promise<T> {
  const { messages, error, exitCode } = await lifeOf<T>(worker)
  if (error !== undefined) throw error
  if (messages.length === 0) throw new Error(`the Worker ended with ${exitCode} and without an answer`)
  return messages[0] as T
}

/** For programs of any form: `report` sends a value to the thread that started them. */
export const REPORT = `
  const builtin = (name) => process.getBuiltinModule('node:' + name)
  const { parentPort, workerData } = builtin('worker_threads')
  const [fs, os] = [builtin('fs'), builtin('os')]
  const place = () => Object.fromEntries(fs.readdirSync('/proc/thread-self/ns')
    .filter((kind) => !kind.endsWith('_for_children'))
    .map((kind) => [kind, fs.readlinkSync('/proc/thread-self/ns/' + kind)]))
  const report = (value) => parentPort.postMessage(value);`
