import { misuse } from '../../../errors.ts'
import { parseOptions } from '../../../validate/fields.ts'
import { FETCH } from '../../../validate/node-options.ts'
import { ensureNodesOwn } from '../nodes-own.ts'
import type { SocketMaker } from '../socket-maker.ts'
import { type Connector, connector } from './connector.ts'
import { ensureObedient } from './probe-fetch.ts'

/** As far as it is needed here: of undici, whether the application's or Node's own. */
interface Dispatcher {
  destroy(): Promise<void>
}

type AgentClass = new (options: { connect: Connector }) => Dispatcher

type Fetch = typeof globalThis.fetch

/** @internal `fetch`, inside. */
export class FetchInside {
  readonly #maker: SocketMaker
  #undici: Promise<{ fetch: Fetch; dispatcher: Dispatcher }> | undefined

  constructor(maker: SocketMaker) {
    this.#maker = maker
  }

  readonly fetch: Fetch = async (input, init) => {
    this.#maker.ensureOpen()
    ensureNodesOwn('fetch')
    const given = parseOptions(init ?? undefined, FETCH, 'init')
    this.#undici ??= this.#load()
    const { fetch, dispatcher } = await this.#undici
    return fetch(input, { ...given, dispatcher: given.dispatcher ?? dispatcher } as RequestInit)
  }

  close(): void {
    this.#undici?.then(({ dispatcher }) => dispatcher.destroy()).catch(() => undefined)
  }

  async #load(): Promise<{ fetch: Fetch; dispatcher: Dispatcher }> {
    try {
      const { fetch, Agent } = (await undiciBeside()) ?? (await nodesUndici())
      return { fetch, dispatcher: new Agent({ connect: connector(this.#maker) }) }
    } catch (error) {
      // The next call tries again.
      this.#undici = undefined
      throw error
    }
  }
}

/** The undici that is installed where this package finds it. A dispatcher works with the `fetch` of its own version. */
async function undiciBeside(): Promise<{ fetch: Fetch; Agent: AgentClass } | undefined> {
  try {
    const name = 'undici'
    return (await import(name)) as { fetch: Fetch; Agent: AgentClass }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (NOT_INSTALLED.has(code) || STANDS_IN.test(message)) return undefined
    throw error
  }
}

/** What the loaders say of a module that is not there, Vite among them, and jest where it cannot import one. */
const NOT_INSTALLED = new Set([
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_LOAD_URL',
  'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING',
  'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING_FLAG',
])

/** What Vite puts in the place of an optional peer dependency that is not installed says this, and has no code. */
const STANDS_IN = /^Could not resolve "undici"/

/** The newer first: from Node 24 on the older one is a wrapper. */
const GLOBAL_DISPATCHERS = [2, 1].map((version) => Symbol.for(`undici.globalDispatcher.${version}`))

async function nodesUndici(): Promise<{ fetch: Fetch; Agent: AgentClass }> {
  // jest and Vitest's vmThreads run each test file in a vm context, which gets `fetch` from Node's own, and not the dispatcher.
  const main = process.getBuiltinModule('node:vm').runInThisContext('globalThis') as typeof globalThis
  const fetch = globalThis.fetch ?? main.fetch
  // Node loads its undici when one of its classes is first looked at, and that sets the dispatcher.
  void main.Response
  for (const symbol of GLOBAL_DISPATCHERS) {
    const Agent = agentClassOf((main as unknown as Record<symbol, object | undefined>)[symbol])
    if (Agent === undefined) continue
    await ensureObedient(fetch, globalThis.Request ?? main.Request)
    return { fetch, Agent }
  }
  throw misuse(
    'ERR_NSSET_UNSUPPORTED_PLATFORM',
    'network.fetch finds no Agent in this runtime, or its global dispatcher was replaced: install undici beside nsset',
  )
}

/** The class of the dispatcher, or of the agent that it keeps for what goes by no proxy (`NODE_USE_ENV_PROXY=1`). */
function agentClassOf(dispatcher: object | undefined): AgentClass | undefined {
  if (dispatcher === undefined) return undefined
  const kept = Object.getOwnPropertySymbols(dispatcher).map((symbol) => Reflect.get(dispatcher, symbol))
  const agent = [dispatcher, ...kept].find((each) => (each as object | null)?.constructor?.name === 'Agent')
  return agent?.constructor as AgentClass | undefined
}
