/** Node's own undici, as if it were installed in an application. */

type AgentClass = new (options: object) => { destroy(): Promise<void> }

export function agentOfUndici(): AgentClass {
  // Node.js loads it when one of its classes is first used.
  void globalThis.Response
  const symbol = [2, 1]
    .map((version) => Symbol.for(`undici.globalDispatcher.${version}`))
    .find((each) => each in globalThis)
  return (Reflect.get(globalThis, symbol as symbol) as object).constructor as AgentClass
}
