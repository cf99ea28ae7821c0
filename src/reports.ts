import type { Channel } from 'node:diagnostics_channel'

/** What every report has. Reports contain no keys, no arguments of programs and no environments. */
export interface ReportBase {
  /** The set, as `String(set)` describes it. */
  set: string
  /** How long it took, in milliseconds. */
  duration: number
  /** Why it failed; undefined if it succeeded. */
  error?: Error
}

/** A message of the channel `nsset:request`: a request to the kernel about a network. */
export interface RequestReport extends ReportBase {
  /** What was requested, such as `'links.add br0'`. A list of actions is sent in as few requests as possible. */
  actions: string[]
}

/** A message of the channel `nsset:spawn`: a program was started inside, or not. */
export interface SpawnReport extends ReportBase {
  file: string
  /** Undefined if it did not start. */
  pid?: number
}

/** A message of the channel `nsset:unshare`: namespaces were created, or not. `set` is the new set; `''` after a failure. */
export interface UnshareReport extends ReportBase {
  kinds: string[]
}

/** Completes a report when the work has ended. */
type Finish<R extends ReportBase> = (rest: Omit<R, 'duration' | 'error'>, error: unknown) => void

/** A channel for reports. Without subscribers, it costs one check. */
class ReportChannel<R extends ReportBase> {
  readonly #name: string
  #channel: Channel | undefined

  constructor(name: string) {
    this.#name = name
  }

  /** Starts the clock of a report, if anything subscribes to the channel. */
  begin(): Finish<R> | undefined {
    this.#channel ??= process.getBuiltinModule('node:diagnostics_channel').channel(this.#name)
    if (!this.#channel.hasSubscribers) return undefined
    const start = performance.now()
    return (rest, error) => {
      const duration = performance.now() - start
      this.#channel?.publish({ ...rest, duration, ...(error === undefined ? {} : { error }) })
    }
  }
}

/** @internal */
export const REQUESTS = new ReportChannel<RequestReport>('nsset:request')
/** @internal */
export const SPAWNS = new ReportChannel<SpawnReport>('nsset:spawn')
/** @internal */
export const UNSHARES = new ReportChannel<UnshareReport>('nsset:unshare')

/** @internal Prints the reports if the environment variable `NODE_DEBUG` names nsset, as Node's own modules do. */
export function printReports(): void {
  if (process.env['NODE_DEBUG'] === undefined) return
  const log = process.getBuiltinModule('node:util').debuglog('nsset')
  if (!log.enabled) return
  const { subscribe } = process.getBuiltinModule('node:diagnostics_channel')
  const print = (what: string, { set, duration, error }: ReportBase) =>
    log('%s in %s: %s ms, %s', what, set, duration.toFixed(3), error === undefined ? 'done' : error.message)
  subscribe('nsset:request', (message) => {
    const report = message as RequestReport
    print(report.actions.join(', '), report)
  })
  subscribe('nsset:spawn', (message) => {
    const report = message as SpawnReport
    print(`spawn ${report.file}${report.pid === undefined ? '' : ` (pid ${report.pid})`}`, report)
  })
  subscribe('nsset:unshare', (message) => {
    const report = message as UnshareReport
    print(`unshare ${report.kinds.join(' ')}`, report)
  })
}
