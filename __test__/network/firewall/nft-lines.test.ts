/** Most of what nft(8) can say: nsset reads it without anything raw, and writes it so that nft reads the same again. */
import type { NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { nftFile, nftRules } from '../../setup/oracles/firewall/nft.ts'
import { type Lines, NFT_LINES } from '../../setup/oracles/firewall/nft-lines.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'

/** What nft prints about a rule of which the kernel, or nft, has no such thing. */
const LACKS = /No such file or directory|Operation not supported|Protocol error|syntax error/

/** Loads the rules, without those that this kernel and this nft lack. Returns the rules that are there. */
async function load(set: NamespaceSet, { family, base, declarations, rules }: Lines): Promise<string[]> {
  let rest = [...rules]
  for (;;) {
    const before = `flush ruleset\ntable ${family} t {\n${declarations}\nchain c { ${base}\n`
    const first = before.split('\n').length
    try {
      await nftFile(set, `${before}${rest.join('\n')}\n}\n}\n`)
      return rest
    } catch (error) {
      const words = String(error)
      const lacking = [...words.matchAll(/:(\d+):[\d-]+: Error: (.*)/g)]
        .filter(([, , reason]) => LACKS.test(reason as string))
        .map(([, line]) => rest[Number(line) - first])
      if (lacking.every((line) => line === undefined)) throw error
      console.log(`not here: ${lacking.join('; ')}`)
      rest = rest.filter((line) => !lacking.includes(line))
    }
  }
}

test.each(NFT_LINES.map((lines, number) => [`${number}: ${lines.family}, ${lines.base}`, lines] as const))(
  'the rules of chain %s',
  async (_, lines) => {
    using set = anyonesSet(['net'])
    const { firewall } = set.network
    const loaded = await load(set, lines)
    expect(loaded.length).toBeGreaterThan(lines.rules.length / 2)
    const { family } = lines
    const table = await firewall.get({ name: 't', family })
    const rules = table.chains['c']?.rules ?? []
    expect(rules.filter((rule) => rule.some((statement) => Object.hasOwn(Object(statement), 'raw')))).toEqual([])
    await firewall.replace({ name: 'copy', family }, { ...table, name: 'copy' })
    expect(await nftRules(set, family, 'copy', 'c')).toEqual(await nftRules(set, family, 't', 'c'))
    expect((await firewall.get({ name: 'copy', family })).chains).toEqual(table.chains)
  },
)
