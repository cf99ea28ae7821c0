import { misuse } from '../../../errors.ts'
import { binding } from '../../../native.ts'
import { parseOptions } from '../../../validate/fields.ts'
import { FETCH } from '../../../validate/node-options.ts'
import { ensureNodeSockets } from '../nodes-own.ts'
import type { SocketMaker } from '../socket-maker.ts'
import { type Connector, connector } from './connector.ts'
import { ensureUsesDispatcher } from './probe-fetch.ts'

/** The part of undici's dispatchers that is used here, of the application's undici or Node's own. */
interface Dispatcher {
  destroy(): Promise<void>
}

type AgentClass = new (options: { connect: Connector }) => Dispatcher

type Fetch = typeof globalThis.fetch

/** @internal `fetch` inside. */
export class FetchInside {
  readonly #maker: SocketMaker
  #undici: Promise<{ fetch: Fetch; dispatcher: Dispatcher }> | undefined

  constructor(maker: SocketMaker) {
    this.#maker = maker
  }

  readonly fetch: Fetch = async (input, init) => {
    this.#maker.ensureOpen()
    ensureNodeSockets('fetch')
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
      // In another mount namespace, the path of a package leads to what programs inside have written.
      const beside = binding().hasMountsOfOutside() ? await undiciBeside() : undefined
      const { fetch, Agent } = beside ?? (await nodesUndici())
      return { fetch, dispatcher: new Agent({ connect: connector(this.#maker) }) }
    } catch (error) {
      // The next call tries again.
      this.#undici = undefined
      throw error
    }
  }
}

/** Imports the installed undici, if there is one. A dispatcher works with the `fetch` of its own version. */
async function undiciBeside(): Promise<{ fetch: Fetch; Agent: AgentClass } | undefined> {
  try {
    const name = 'undici'
    return (await import(name)) as { fetch: Fetch; Agent: AgentClass }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (NOT_INSTALLED.has(code) || PLACEHOLDER.test(message)) return undefined
    throw error
  }
}

/** The codes of loaders for a missing module, including Vite's, and of jest where it cannot import. */
const NOT_INSTALLED = new Set([
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_LOAD_URL',
  'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING',
  'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING_FLAG',
])

/** The error of Vite's placeholder for an optional peer dependency that is not installed. It has no code. */
const PLACEHOLDER = /^Could not resolve "undici"/

/** The newer one first: since Node.js 24 the older one is a wrapper. */
const GLOBAL_DISPATCHERS = [2, 1].map((version) => Symbol.for(`undici.globalDispatcher.${version}`))

async function nodesUndici(): Promise<{ fetch: Fetch; Agent: AgentClass }> {
  // jest and Vitest's vmThreads run each test file in a vm context, which gets Node's `fetch` but not the dispatcher.
  const main = process.getBuiltinModule('node:vm').runInThisContext('globalThis') as typeof globalThis
  const fetch = globalThis.fetch ?? main.fetch
  // Node loads its undici on the first access to one of its classes, which sets the dispatcher.
  void main.Response
  for (const symbol of GLOBAL_DISPATCHERS) {
    const Agent = agentClassOf((main as unknown as Record<symbol, object | undefined>)[symbol])
    if (Agent === undefined) continue
    await ensureUsesDispatcher(fetch, globalThis.Request ?? main.Request)
    return { fetch, Agent }
  }
  throw misuse(
    'ERR_NSSET_UNSUPPORTED_PLATFORM',
    'network.fetch finds no Agent in this runtime, or its global dispatcher was replaced: install undici beside nsset',
  )
}

/** Returns the class of the dispatcher, or of the agent that it uses for connections without a proxy (`NODE_USE_ENV_PROXY=1`). */
function agentClassOf(dispatcher: object | undefined): AgentClass | undefined {
  if (dispatcher === undefined) return undefined
  const kept = Object.getOwnPropertySymbols(dispatcher).map((symbol) => Reflect.get(dispatcher, symbol))
  const agent = [dispatcher, ...kept].find((each) => (each as object | null)?.constructor?.name === 'Agent')
  return agent?.constructor as AgentClass | undefined
}
