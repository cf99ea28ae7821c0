/** Pauses between checks in milliseconds; the last one is repeated. The kernel reports the end of processes within a few. */
const PAUSES = [1, 1, 2, 4, 8, 16, 32]

/** Read when this module is loaded, because tests replace the global one. */
const { setTimeout } = globalThis

/** @internal Resolves when a condition holds; with false, if it does not hold after a time in milliseconds. */
export async function until(
  holds: () => Promise<boolean>,
  { limit, signal }: { limit?: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  const start = performance.now()
  for (let checks = 0; ; checks += 1) {
    signal?.throwIfAborted()
    if (await holds()) return true
    if (limit !== undefined && performance.now() - start > limit) return false
    const pause = PAUSES[Math.min(checks, PAUSES.length - 1)]
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}
