import { misuse } from '../../errors.ts'
import type { NetworkWatcher } from './network-watcher.ts'

/** @internal Asks until the answer is truthy: now, and after changes. Changes during a question lead to one more. */
export async function until<R>(watcher: NetworkWatcher, ask: () => R, signal?: AbortSignal): Promise<Awaited<R>> {
  try {
    for (;;) {
      const answer = await ask()
      if (answer) return answer
      signal?.throwIfAborted()
      if (!(await watcher.changes())) throw misuse('ERR_NSSET_CLOSED', 'the set of this network was closed')
    }
  } finally {
    watcher.close()
  }
}
