/** A process that stands inside and plays scenes with Node's own functions: what they do there is what ours have to do. */
import { NODES_OWN, play, type Scene } from './api.ts'

process.on('message', async ({ source, value }: { source: string; value: unknown }) => {
  try {
    // biome-ignore lint/security/noGlobalEval: a scene comes as its text.
    const scene = globalThis.eval(`(${source})`) as Scene
    process.send?.({ seen: await play(scene, NODES_OWN, value) })
  } catch (error) {
    process.send?.({ failed: String((error as Error).stack) })
  }
})
process.send?.('ready')
