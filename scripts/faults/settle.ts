/** Waiting: for a call to settle, and for its resources to be freed. */
import type { Thrown } from './documented.ts'
import { added, idleHelpers, missing, type State, state } from './state.ts'

/** Milliseconds after which a call counts as hanging. */
export const NEVER = 15_000

/** Waits until nothing has grown, and returns the state. */
export async function settled(before: State, limit: number): Promise<State> {
  const end = performance.now() + limit
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = state()
    if ((added(before, now).length === 0 && missing(before, now).length === 0) || performance.now() > end) return now
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** The state once it is stable for a moment: files are read again beside a call, and closed after it. */
export async function steady(): Promise<State> {
  await additionalThreadsEnded()
  const end = performance.now() + 200
  for (let before = state(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    const now = state()
    if ((added(before, now).length === 0 && missing(before, now).length === 0) || performance.now() > end) return now
    before = now
  }
}

/** A home thread that was started while others were held up ends after a second without work. */
async function additionalThreadsEnded(): Promise<void> {
  const end = performance.now() + 3_000
  while ((state().get('thread nsset-home') ?? 0) > 1 && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** How a call settled, and how long it took. */
export async function outcomeOf(run: () => unknown): Promise<{ thrown?: Thrown; milliseconds: number }> {
  const begin = performance.now()
  let limit: NodeJS.Timeout | undefined
  const never = new Promise((resolve) => {
    limit = setTimeout(resolve, NEVER)
  })
  const thrown = await Promise.race([new Promise((resolve) => resolve(run())), never]).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => ({
      name: error.name ?? typeof error,
      code: error.code,
      message: String(error.message ?? error),
    }),
  )
  clearTimeout(limit)
  const milliseconds = Math.round(performance.now() - begin)
  return thrown === undefined
    ? { milliseconds }
    : { thrown: { ...thrown, code: thrown.code ?? undefined }, milliseconds }
}

/** Ends the helpers that wait, so that the next call starts one, whose system calls have a role. */
export async function endIdleHelpers(): Promise<void> {
  const end = performance.now() + 1_000
  for (const pid of idleHelpers()) process.kill(pid, 'SIGKILL')
  while (idleHelpers().length > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1))
}
