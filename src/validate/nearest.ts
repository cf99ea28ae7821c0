/** @internal The end of a message about a word that is not known: which one was probably meant. */
export function meant(value: unknown, known: readonly string[]): string {
  const word = typeof value === 'string' ? nearest(value, known) : undefined
  return word === undefined ? '' : `; did you mean '${word}'?`
}

/** @internal Returns the known word that was probably meant: it differs in letter case, or in few letters. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = simplified(word)
  const most = Math.min(3, Math.floor(plain.length / 3))
  let best: string | undefined
  let least = most + 1
  for (const candidate of known) {
    const other = simplified(candidate)
    // Each letter more is a change: a word of megabytes is compared with nothing.
    if (Math.abs(plain.length - other.length) > most) continue
    const changes = distance(plain, other)
    if (changes < least) [best, least] = [candidate, changes]
  }
  return best
}

function simplified(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** The number of letters to add, remove, replace, or exchange with the next one (Damerau-Levenshtein distance). */
function distance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = at(last, j - 1) + Number(from[i - 1] !== to[j - 1])
      const isExchanged = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const exchanged = isExchanged ? at(beforeLast, j - 2) + 1 : replaced
      row.push(Math.min(replaced, exchanged, at(last, j) + 1, at(row, j - 1) + 1))
    }
    ;[beforeLast, last] = [last, row]
  }
  return at(last, to.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0
}
