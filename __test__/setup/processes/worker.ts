/** A Worker that runs the body of an asynchronous function with the built package, and ends. */
import { Worker } from 'node:worker_threads'

/**
 * Runs `body` in a new thread; its variables are `nsset` (the package), `fs`, `os`, `child_process` and `data`. Its
 * result or error is returned once the thread has ended.
 */
export async function inWorker<T>(body: string, data?: unknown): Promise<T> {
  const worker = new Worker(
    `const { parentPort, workerData: data } = require('node:worker_threads')
    const [fs, os, child_process] = ['fs', 'os', 'child_process'].map((name) => require('node:' + name))
    const run = async (nsset) => { ${body} }
    import('nsset').then(run).then(
      (value) => parentPort.postMessage({ value }),
      (error) => parentPort.postMessage({ error: { ...error, code: error.code, message: error.message } }),
    )`,
    { eval: true, workerData: data, execArgv: [] },
  )
  let answer: { value?: T; error?: Error } = { error: new Error('the Worker ended without an answer') }
  worker.on('message', (message) => (answer = message))
  await new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve))
  if (answer.error !== undefined) throw Object.assign(new Error(answer.error.message), answer.error)
  return answer.value as T
}
