/**
 * The same scene run twice in the same network: with Node's own functions, by a process inside, and with
 * those of `set.network`, from outside. Both must return the same.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { type JoinedSets, joinedSets, OWNERS, type Owner } from '../sets/joined-sets.ts'
import { apiOf, play, type Scene } from './api.ts'

const ACTOR = fileURLToPath(new URL('actor.ts', import.meta.url))
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const TSX_TSCONFIG_PATH = fileURLToPath(new URL('../../../tsconfig.json', import.meta.url))
const TIME_LIMIT = 120_000

interface Theatre {
  sets: JoinedSets
  actor: ChildProcess
}

const theatres = new Map<Owner, Promise<Theatre>>()
afterAll(async () => {
  for (const opening of theatres.values()) {
    const { sets, actor } = await opening
    if (actor.kill('SIGKILL')) await once(actor, 'close')
    sets[Symbol.dispose]()
  }
})

async function open(owner: Owner): Promise<Theatre> {
  const sets = await joinedSets(owner)
  const actor = sets.here.fork(ACTOR, [], {
    execArgv: ['--import', TSX],
    env: { ...process.env, NODE_OPTIONS: '', TSX_TSCONFIG_PATH },
    timeout: TIME_LIMIT,
    killSignal: 'SIGKILL',
  })
  await once(actor, 'message', { signal: AbortSignal.timeout(20_000) })
  return { sets, actor }
}

function theatreOf(owner: Owner): Promise<Theatre> {
  const opened = theatres.get(owner) ?? open(owner)
  theatres.set(owner, opened)
  return opened
}

/**
 * A test for each owner of a network; `name` is followed by the owner. A scene gets the value as an argument,
 * since it cannot use variables around it: its source is sent to the other process.
 */
export function socketTwins<T = undefined>(name: string, scene: Scene<T>, value?: T): void {
  for (const owner of OWNERS) {
    test(`${name} (${owner})`, async () => {
      const { sets, actor } = await theatreOf(owner)
      const nodes = await playedBy(actor, scene as Scene, value)
      expect(await play(scene as Scene, apiOf(sets.here.network), value)).toEqual(nodes)
    })
  }
}

async function playedBy(actor: ChildProcess, scene: Scene, value: unknown): Promise<unknown> {
  const answered = once(actor, 'message', { signal: AbortSignal.timeout(15_000) })
  actor.send({ source: scene.toString(), value })
  const [{ seen, failed }] = await answered
  if (failed !== undefined) throw new Error(`Node's own functions: ${failed}`)
  return seen
}
