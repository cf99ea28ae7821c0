/** A process inside that runs scenes with Node's own functions: their results are the expected ones for nsset. */
import { NODES_OWN, play, type Scene } from './api.ts'

process.on('message', async ({ source, value }: { source: string; value: unknown }) => {
  try {
    // biome-ignore lint/security/noGlobalEval: a scene is sent as its source.
    const scene = globalThis.eval(`(${source})`) as Scene
    process.send?.({ seen: await play(scene, NODES_OWN, value) })
  } catch (error) {
    process.send?.({ failed: String((error as Error).stack) })
  }
})
process.send?.('ready')
