import type { Worker, WorkerOptions } from 'node:worker_threads'
import type { NativeSet } from '../../index.js'
import { invalidType, invalidValue, misuse } from '../errors.ts'
import { NS } from '../namespace-kind.ts'
import { binding } from '../native.ts'
import { parseWorkerOptions } from '../validate/worker-options.ts'
import { bootstrapOfEval, bootstrapOfFile, bootstrapOfUrl } from './worker-bootstrap.ts'

/** @internal Starts a Worker whose thread enters the namespaces before it runs user code. */
export function startWorker(native: NativeSet, filename: string | URL, options: unknown): Worker {
  // A copy, so that no getter of the options runs inside. `workerData` is cloned by the Worker constructor.
  const [mask, rest] = parseWorkerOptions(options)
  if (entersMounts(native, mask)) return startAdmitted(native, mask, filename, rest)
  return startInside(native, mask, filename, rest)
}

/** Entering a mount namespace requires unshare(CLONE_FS), which the calling thread could not undo. */
function entersMounts(native: NativeSet, mask: number): boolean {
  const wanted = mask === 0 ? native.flags() : mask & native.flags()
  if ((wanted & NS.MNT) === 0) return false
  const home = binding().current(NS.MNT)
  const isEqual = native.equals(home, NS.MNT)
  home.close()
  return !isEqual
}

/** A thread inherits the namespaces of the thread that starts it, and the constructor of Worker starts its thread. */
function startInside(native: NativeSet, mask: number, filename: string | URL, options: WorkerOptions): Worker {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  let worker: Worker | undefined
  try {
    return native.visit(mask, () => {
      worker = new Worker(filename, options)
      return worker
    }) as Worker
  } catch (error) {
    worker?.terminate()
    // The calling thread could not return, but the thread of a Worker does not have to.
    if (worker === undefined && isNotEnterable(error)) return startAdmitted(native, mask, filename, options)
    throw error
  }
}

/** The thread starts outside, and enters with the first code that it runs. */
function startAdmitted(native: NativeSet, mask: number, filename: string | URL, options: WorkerOptions): Worker {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const bootstrap = chooseBootstrap(filename, options)
  const admission = native.admit(mask)
  try {
    const worker = new Worker(bootstrap(admission.ticket), { ...options, eval: true })
    // A Worker that is terminated early never uses its ticket.
    return worker.once('exit', () => admission.withdraw())
  } catch (error) {
    admission.withdraw()
    throw error
  }
}

/** Checks the file name as Node's Worker does, because that only sees the bootstrap code. */
function chooseBootstrap(filename: string | URL, options: WorkerOptions): (ticket: number) => string {
  if (options.eval) {
    if (typeof filename === 'string') return (ticket) => bootstrapOfEval(ticket, filename)
    throw invalidValue('options.eval', "must be false when 'filename' is not a string", options.eval)
  }
  if (filename instanceof URL) {
    if (filename.protocol === 'data:') return (ticket) => bootstrapOfUrl(ticket, filename.href)
    const path = process.getBuiltinModule('node:url').fileURLToPath(filename)
    return (ticket) => bootstrapOfFile(ticket, path)
  }
  if (typeof filename !== 'string') throw invalidType('filename', 'a string or a URL', filename)
  if (!/^\.{0,2}\//.test(filename)) {
    const message = `The worker script must be an absolute path, a relative one that begins with './' or '../', or a file: or data: URL. Received '${filename}'`
    throw misuse('ERR_WORKER_PATH', message)
  }
  const path = process.getBuiltinModule('node:path').resolve(filename)
  return (ticket) => bootstrapOfFile(ticket, path)
}

function isNotEnterable(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_NSSET_NOT_ENTERABLE'
}
