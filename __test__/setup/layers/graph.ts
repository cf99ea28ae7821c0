/** The modules, by name, and which others each of them uses. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Rows of rooms, the highest first: `'set'`, `'network/sockets'`. A module is in the room with the longest name that its own begins
 * with; `native.ts` is in the room `native`, as the front of that folder.
 */
export type Layers = readonly (readonly string[])[]

/** Returns the imports that do not lead to a lower row, and the modules that are in no room. */
export function upwardArrows(graph: Graph, layers: Layers, separator = '/'): string[] {
  const rooms = new Map(layers.flatMap((row, depth) => row.map((room) => [room, depth] as const)))
  const roomOf = (module: string) =>
    [...rooms.keys()]
      .filter((room) => module === room || module === `${room}.ts` || module.startsWith(room + separator))
      .toSorted((one, other) => other.length - one.length)[0]
  const found: string[] = []
  for (const [from, targets] of graph) {
    const room = roomOf(from)
    if (room === undefined) found.push(`${from} is in no room`)
    for (const to of targets) {
      const other = roomOf(to)
      if (room === undefined || other === undefined || room === other) continue
      if ((rooms.get(room) ?? 0) >= (rooms.get(other) ?? 0)) found.push(`${from} → ${to}`)
    }
  }
  return found
}

/** Returns the modules that use each other, in groups: the strongly connected components, by Tarjan's algorithm. */
export function circlesOf(graph: Graph): string[][] {
  const order = new Map<string, number>()
  const path: string[] = []
  const circles: string[][] = []
  const visit = (module: string): number => {
    let low = order.size
    order.set(module, low)
    path.push(module)
    for (const next of graph.get(module) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next))
      else if (path.includes(next)) low = Math.min(low, order.get(next) ?? low)
    }
    if (low !== order.get(module)) return low
    const members = path.splice(path.indexOf(module))
    if (members.length > 1 || graph.get(module)?.has(module)) circles.push(members.toSorted())
    return low
  }
  for (const module of graph.keys()) if (!order.has(module)) visit(module)
  return circles
}
