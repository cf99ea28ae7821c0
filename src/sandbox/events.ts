import type { ControlGroup } from 'nsset'
import type { Refusal, RefusalLog } from './refusals.ts'

/** Why a program was ended, by the signal that the kernel sends then. */
const SIGNALS: Partial<Record<NodeJS.Signals, Refusal['what']>> = {
  SIGSYS: 'systemCall',
  SIGXCPU: 'cpuSeconds',
  SIGXFSZ: 'fileSize',
}

/** @internal Notes what the kernel tells about programs that have ended. */
export class Events {
  readonly #group: ControlGroup | undefined
  readonly #log: RefusalLog
  #seen = { memory: 0, processes: 0 }

  constructor(group: ControlGroup | undefined, log: RefusalLog) {
    this.#group = group
    this.#log = log
  }

  /** Call when a program has ended. */
  async note(command: readonly string[], signal: NodeJS.Signals | null): Promise<void> {
    const what = signal === null ? undefined : SIGNALS[signal]
    if (what !== undefined) this.#log.add({ what, command })
    if (this.#group === undefined) return
    const { memory, processes } = await this.#group.stat()
    const now = { memory: memory?.events.oomKill ?? 0, processes: processes?.refused ?? 0 }
    for (const what of ['memory', 'processes'] as const)
      if (now[what] > this.#seen[what]) this.#log.add({ what, command })
    this.#seen = now
  }
}
